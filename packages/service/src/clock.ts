import type { Instant } from '@lockstep/core/instant'

/** Tells the time. Rules never ask; whoever calls them passes `at`, so that a test can be any day. */
export interface Clock {
  now(): Instant
}

/** The wall's time, in whole seconds. The one place of the service that reads it. */
export const wallClock: Clock = {
  now: () => Math.floor(Date.now() / 1000),
}

/** Milliseconds for ids only: they order what is made within one second. */
export const wallMilliseconds = (): number => Date.now()
