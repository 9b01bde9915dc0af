import { invalid } from '../errors.ts'
import { integer } from '../http/schema.ts'

const DAY = 86_400
const YEARS_DAYS = 5 * 365

/**
 * Days from an invoice's creation until it is due. Stripe names no most; here it is the five years that
 * `automatically_finalizes_at` may lie ahead. https://docs.stripe.com/api/invoices/create
 */
export const daysUntilDue = integer({ min: 0, max: YEARS_DAYS })

/** A date on which an invoice is due lies ahead, at most as far. */
export function checkDueDate(due: number, now: number): void {
  if (due > now && due <= now + YEARS_DAYS * DAY) return
  throw invalid('Invalid timestamp: must be an integer Unix timestamp in the future.', 'due_date')
}
