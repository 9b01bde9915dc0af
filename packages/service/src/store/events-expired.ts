import { formatInstant, type Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'

/**
 * A period begins or ends inside a bucket whose events are no longer all kept, so nobody can tell what belongs
 * to which side. What is thrown is not the {@link Problem} itself: a problem below 500 is a refusal, after which
 * nothing was done or all is undone, and here the provider has done it already and only we cannot write it down.
 * So it is tried again, and in the end left for a person, who is told the problem.
 */
export class EventsExpired extends Error {
  readonly problem: Problem

  constructor(at: Instant) {
    const problem = new Problem(
      'usage_events_expired',
      `Usage is to be divided at ${formatInstant(at)}, and some events of that hour are no longer kept.`,
    )
    super(problem.detail)
    this.name = 'EventsExpired'
    this.problem = problem
  }
}

/** The problem that a failure is told as; undefined for a bug of ours. */
export function problemIn(error: unknown): Problem | undefined {
  if (error instanceof EventsExpired) return error.problem
  return error instanceof Problem ? error : undefined
}
