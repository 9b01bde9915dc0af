import { problems } from './problem.ts'

/**
 * Whether a failure waits for a person. A provider that is away, slow or broken is tried again by the next
 * schedule and comes back; a refusal of what was asked is refused again, until somebody changes something.
 */
export function needsAttention(code: string): boolean {
  const status = Object.hasOwn(problems, code) ? problems[code as keyof typeof problems].status : undefined
  // One of another version: better looked at once too often.
  if (status === undefined) return true
  return status < 500 ? status !== 429 : code === 'internal_error'
}
