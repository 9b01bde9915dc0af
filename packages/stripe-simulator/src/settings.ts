import type { RateLimits } from './limits/rate-limits.ts'

/** What a Stripe account sets in its dashboard, and what only a simulator can offer. */
export interface Settings {
  /** Days after a failed attempt until the next one. Stripe's smart retries are not published; these are ours. */
  readonly retryDays: readonly number[]
  /** What becomes of the subscription when the retries are used up. */
  readonly afterRetries: 'cancel' | 'unpaid' | 'past_due'
  /** Days before a renewal that `invoice.upcoming` is sent; null sends none. */
  readonly upcomingDays: number | null
  /** Days before an invoice that was sent is due that `invoice.will_be_due` is sent; null sends none. */
  readonly willBeDueDays: number | null
  /** Whether numbers of invoices run by customer, each under its own prefix, or through the whole account. */
  readonly invoiceNumbering: 'customer' | 'account'
  /** Seconds that a renewal invoice stays a draft. https://docs.stripe.com/billing/invoices/subscription */
  readonly draftSeconds: number
  /** Seconds that an unacknowledged `invoice.created` holds finalization. */
  readonly holdSeconds: number
  /** Seconds until the bank answers a debit: up to four business days. */
  readonly debitSeconds: number
  /** Seconds until the refund of a test card whose refunds change later does so. */
  readonly refundSeconds: number
  /** Seconds of wall time until search finds what was written. https://docs.stripe.com/search#data-freshness */
  readonly searchDelaySeconds: number
  /** How many requests are taken, as Stripe does or in your own numbers; null takes all. */
  readonly rateLimits: 'live' | 'sandbox' | RateLimits | null
  /** Lifts the limits of test clocks: two intervals an advance, three customers a clock. Not Stripe's. */
  readonly unlimitedClocks: boolean
}

export const defaultSettings: Settings = {
  retryDays: [3, 5, 7],
  afterRetries: 'cancel',
  upcomingDays: 7,
  willBeDueDays: null,
  invoiceNumbering: 'customer',
  draftSeconds: 3600,
  holdSeconds: 72 * 3600,
  debitSeconds: 4 * 86_400,
  refundSeconds: 3600,
  searchDelaySeconds: 60,
  rateLimits: null,
  unlimitedClocks: false,
}
