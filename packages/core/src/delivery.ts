import type { Instant } from './instant.ts'

/**
 * What is waited before each attempt, in seconds: the schedule that the Standard Webhooks specification
 * recommends, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * (immediately, then 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h after the attempt before).
 */
export const retryWaitsSeconds = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400] as const

/** Up to a tenth more, so that what failed together does not come back together. */
const JITTER = 10

/** After this long without anything taken, an endpoint is disabled. */
export const FAILING_DAYS = 5
const FAILING_SECONDS = FAILING_DAYS * 86_400

/** `gone`: the receiver says that it never wants anything again. */
export type AnswerMeaning = 'taken' | 'gone' | 'refused'

/** Null: there was no answer. A redirect is not followed, so it is a refusal. */
export function meaningOf(status: number | null): AnswerMeaning {
  if (status === null) return 'refused'
  if (status === 410) return 'gone'
  return status >= 200 && status < 300 ? 'taken' : 'refused'
}

/**
 * When an attempt follows on those that failed, or null after the last one. `spread` is at least 0 and
 * below 1, and says how much of the jitter is waited; never less than the schedule says.
 */
export function nextAttemptAt(failed: number, at: Instant, spread: number): Instant | null {
  const wait = retryWaitsSeconds[failed]
  if (wait === undefined) return null
  return at + wait + Math.floor((wait / JITTER) * spread)
}

/** `since`: when the first of the failures was that nothing was taken after. */
export function hasFailedForGood(since: Instant, at: Instant): boolean {
  return at - since >= FAILING_SECONDS
}
