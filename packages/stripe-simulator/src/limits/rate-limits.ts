/** How many requests an account may make. */
export interface RateLimits {
  /** Of all endpoints together. */
  readonly globalPerSecond: number
  /** Of one operation, whatever ids it names. */
  readonly endpointPerSecond: number
  /** Of all searches together. */
  readonly searchPerSecond: number
  /** Meter events that do not count into the global limit; null where they are requests like all others. */
  readonly meterEventsPerSecond: number | null
  readonly subscriptionInvoicesPerMinute: number
  readonly subscriptionInvoicesPerDay: number
  readonly subscriptionQuantitiesPerHour: number
}

const everywhere = {
  endpointPerSecond: 25,
  searchPerSecond: 20,
  subscriptionInvoicesPerMinute: 10,
  subscriptionInvoicesPerDay: 20,
  subscriptionQuantitiesPerHour: 200,
}

/** https://docs.stripe.com/rate-limits */
export const stripeRateLimits: Record<'live' | 'sandbox', RateLimits> = {
  live: { ...everywhere, globalPerSecond: 100, meterEventsPerSecond: 1000 },
  sandbox: { ...everywhere, globalPerSecond: 25, meterEventsPerSecond: null },
}
