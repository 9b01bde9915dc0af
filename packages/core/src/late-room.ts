/** The provider takes 250 items on an invoice, and as many pending ones of a customer; ten are left to what others put there. */
const MOST_ITEMS = 240

/**
 * How many lines of late usage go onto the next invoice, beside the lines of the period that it is of: those of the one
 * that runs or of one whose draft is open, whichever has more. What waits to be billed has room for fewer where other
 * lines wait: those of periods without a draft, and those of the customer's other subscriptions. The rest waits for the
 * invoice after it.
 */
export function roomForLate(linesOfOpenPeriods: readonly number[], otherWaitingLines: number): number {
  return Math.min(roomFor(Math.max(0, ...linesOfOpenPeriods)), roomFor(otherWaitingLines))
}

/** How many more lines may wait to be billed, or stand on an invoice, beside as many. */
export const roomFor = (lines: number): number => Math.max(0, MOST_ITEMS - lines)
