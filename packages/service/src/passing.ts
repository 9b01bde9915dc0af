import { Problem, type ProblemCode } from '@lockstep/core/problem'

/**
 * Whether a failure passes by itself: the provider is away or busy, or Postgres is. Nothing is wrong with
 * what was being done, so it is tried again without an end.
 */
export function passes(error: unknown): boolean {
  if (error instanceof Problem) return error.status === 503 || busy.has(error.code)
  return error instanceof Error && 'code' in error && /^(08|53|57|40)/.test(String(error.code))
}

/** Somebody else has the turn. */
const busy: ReadonlySet<ProblemCode> = new Set(['rate_limited', 'money_back_in_progress'])
