/** What search may show of a row: its state before the changes that are younger than the delay of search. */
export interface Settled<R> {
  /** Undefined while the row itself is that young. */
  readonly row: R | undefined
  /** When the first and the last of the changes after it were made, in milliseconds of wall time. */
  readonly firstAt: number
  readonly lastAt: number
}

/**
 * Notes a change from `before` at `now`, when search knows what was done up to `cutoff`. When the earlier changes have settled, or the first of many has, what was
 * there until now is the settled state: a row that changes all the time does not stay hidden for ever.
 */
export function noteChange<R>(
  known: Settled<R> | undefined,
  before: R | undefined,
  now: number,
  cutoff: number,
): Settled<R> {
  const settled = known === undefined || known.firstAt <= cutoff
  if (settled) return { row: before, firstAt: now, lastAt: now }
  return { row: known.row, firstAt: known.firstAt, lastAt: now }
}

/** The state that is known at `cutoff`: the present one when its last change is old enough. */
export function settledRow<R>(known: Settled<R> | undefined, present: R, cutoff: number): R | undefined {
  return known === undefined || known.lastAt <= cutoff ? present : known.row
}
