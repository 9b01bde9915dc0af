/** The one place that reads the computer's clock. Whole seconds since 1970 (UTC), Stripe's resolution. */
export function wallNow(): number {
  return Math.floor(Date.now() / 1000)
}

/** Milliseconds, for timers of the simulator's own: retries, time-outs, patience. */
export function wallMillis(): number {
  return Date.now()
}
