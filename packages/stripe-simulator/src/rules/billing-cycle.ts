/** The rhythm of a price. */
export interface Rhythm {
  readonly interval: string
  readonly interval_count: number
  /** The day of the month that was asked for, where the anchor's own month was too short to have it. */
  readonly day?: number
}

const DAY = 86_400

/**
 * The boundary of a cycle at `index`, counted from the anchor and not from the boundary before it: a
 * monthly cycle anchored on the 31st bills on the last day of shorter months and returns to the 31st.
 * https://docs.stripe.com/billing/subscriptions/billing-cycle
 */
export function boundary(
  anchor: number,
  { interval, interval_count: count, day }: Rhythm,
  index: number,
): number {
  switch (interval) {
    case 'day':
      return anchor + index * count * DAY
    case 'week':
      return anchor + index * count * 7 * DAY
    case 'month':
      return addMonths(anchor, index * count, day)
    default:
      return addMonths(anchor, index * count * 12, day)
  }
}

/** The period of the cycle that contains `at`, half-open. */
export function periodAt(anchor: number, rhythm: Rhythm, at: number): { start: number; end: number } {
  let index = estimate(anchor, rhythm, at)
  let start = boundary(anchor, rhythm, index)
  while (start > at) start = boundary(anchor, rhythm, --index)
  let end = boundary(anchor, rhythm, ++index)
  while (end <= at) {
    start = end
    end = boundary(anchor, rhythm, ++index)
  }
  return { start, end }
}

export function sameRhythm(a: Rhythm, b: Rhythm): boolean {
  return a.interval === b.interval && a.interval_count === b.interval_count
}

/**
 * Whether every rhythm is a multiple of the shortest. Weeks are seven days and years twelve months, but nothing makes days
 * months, save that a single day goes into everything.
 * https://docs.stripe.com/billing/subscriptions/mixed-interval#interval-alignment
 */
export function areAligned(rhythms: readonly Rhythm[]): boolean {
  const inDays = rhythms.filter(({ interval }) => interval === 'day' || interval === 'week').map(days)
  const inMonths = rhythms.filter(({ interval }) => interval === 'month' || interval === 'year').map(months)
  if (inDays.length > 0 && inMonths.length > 0) return Math.min(...inDays) === 1
  const lengths = [...inDays, ...inMonths]
  const shortest = Math.min(...lengths)
  return lengths.every((length) => length % shortest === 0)
}

function days({ interval, interval_count: count }: Rhythm): number {
  return interval === 'week' ? count * 7 : count
}

function months({ interval, interval_count: count }: Rhythm): number {
  return interval === 'year' ? count * 12 : count
}

/** Adds calendar months, in UTC, keeping the anchor's day (or the one given) where the month has it. */
export function addMonths(at: number, months: number, asked?: number): number {
  const date = new Date(at * 1000)
  const day = asked ?? date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + months)
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, last))
  return date.getTime() / 1000
}

/** A first guess that is at most a step off; the loops above settle it. */
function estimate(anchor: number, { interval, interval_count: count }: Rhythm, at: number): number {
  if (interval === 'day') return Math.floor((at - anchor) / (count * DAY))
  if (interval === 'week') return Math.floor((at - anchor) / (count * 7 * DAY))
  const from = new Date(anchor * 1000)
  const to = new Date(at * 1000)
  const months = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth()
  return Math.floor(months / (interval === 'month' ? count : count * 12))
}
