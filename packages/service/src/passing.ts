import { Problem } from '@lockstep/core/problem'

/**
 * Whether a failure passes by itself: the provider is away or busy, or Postgres is. Nothing is wrong with
 * what was being done, so it is tried again without an end.
 */
export function passes(error: unknown): boolean {
  if (error instanceof Problem) return error.status === 503 || error.code === 'rate_limited'
  return error instanceof Error && 'code' in error && /^(08|53|57|40)/.test(String(error.code))
}
