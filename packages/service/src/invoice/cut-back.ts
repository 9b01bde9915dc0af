import type { Instant } from '@lockstep/core/instant'
import { contains, type Period } from '@lockstep/core/period'

/** What the provider says now of moments at which a period of ours must have begun or ended. */
export interface Moments {
  /** Starts of its own period, and edges of its trial, that are news: none of them is still to come. */
  readonly edges: readonly Instant[]
  /** Where the subscription ended, if it did. */
  readonly over: Instant | null
}

/**
 * From where on the periods of a subscription are to be told anew, because what is heard of only now came before the
 * newest of them began; null where they stand. They are oldest first, and tile. What lies within the newest one or
 * after it is the ordinary course of things, as long as the period that runs begins there (`currentStart`).
 */
export function cutBackTo(
  periods: readonly Period[],
  { edges, over }: Moments,
  currentStart: Instant,
): Instant | null {
  const newest = periods.at(-1)
  if (!newest) return null
  const missed = edges.filter(
    (edge) =>
      // One that begins then already was opened by the time alone: on the plan, and in the trial, of before.
      edge < newest.end && (edge <= newest.start || edge < currentStart),
  )
  if (over !== null && over < newest.start) missed.push(over)
  return missed.length === 0 ? null : Math.min(...missed)
}

/** A period with an invoice, of the time that is told anew. */
export interface Undone {
  readonly id: string
  readonly period: Period
  readonly isCurrent: boolean
  /** Final, or linked to a draft of the provider's: it can be cut, and not be made another period's. */
  readonly isFixed: boolean
}

export interface Retold<U extends Undone> {
  /** In order; `from` is the invoice that becomes this period's, if one does. */
  readonly opens: readonly { readonly period: Period; readonly from: U | null }[]
  /** What stays, with its new end: its own start, or the second before it, where nothing is left of it. */
  readonly ends: readonly { readonly of: U; readonly end: Instant }[]
}

/**
 * Which invoices the periods that are told anew have. One that begins where an undone one did has its invoice; the one
 * in which the undone current one began has that, with what stands on it. A fixed one can be any period but the one
 * that runs: of that it stays the first part. Of the others nothing is left.
 */
export function retell<U extends Undone>(
  opens: readonly Period[],
  undone: readonly U[],
  runs: boolean,
): Retold<U> {
  const ends: { of: U; end: Instant }[] = []
  const told: { period: Period; from: U | null }[] = []
  const ranIn = (period: Period) =>
    undone.find((one) => one.isCurrent && !one.isFixed && contains(period, one.period.start)) ?? null
  const tell = (period: Period, isRunning: boolean): void => {
    const same = undone.find((one) => one.period.start === period.start)
    if (!same?.isFixed) {
      told.push({ period, from: same ?? ranIn(period) })
      return
    }
    const end = isRunning ? Math.min(same.period.end, period.end) : period.end
    if (end > period.start) {
      ends.push({ of: same, end })
      if (end < period.end) tell({ start: end, end: period.end }, isRunning)
      return
    }
    // Nothing is left of it: it makes room, because no two begin at once.
    ends.push({ of: same, end: period.start - 1 })
    told.push({ period, from: ranIn(period) })
  }
  for (const period of opens) tell(period, runs && period === opens.at(-1))
  const isUsed = (one: U) => told.some(({ from }) => from === one) || ends.some(({ of }) => of === one)
  for (const one of undone) if (!isUsed(one)) ends.push({ of: one, end: one.period.start })
  return { opens: told, ends }
}
