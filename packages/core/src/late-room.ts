/** The provider takes 250 items on an invoice, and as many pending ones of a customer; ten are left to what others put there. */
const MOST_ITEMS = 240

/**
 * How many lines of late usage go onto the next invoice, beside the lines of the period that it is of: those of the one
 * that runs or of one whose draft is open, whichever has more. The rest waits for the invoice after it.
 */
export function roomForLate(linesOfOpenPeriods: readonly number[]): number {
  return Math.max(0, MOST_ITEMS - Math.max(0, ...linesOfOpenPeriods))
}
