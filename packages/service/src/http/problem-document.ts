import type { ProblemDocument } from '@lockstep/api/problems'
import type { Problem, ProblemCode } from '@lockstep/core/problem'

/**
 * Where a code is explained, on this very service. Relative to the address that was asked, which RFC 9457
 * allows (section 3.1.1): behind a proxy the service does not know its own name, and whoever asked does.
 */
export const docsPathOf = (code: ProblemCode | ':code'): string => `/docs/problems/${code}`

/** A refusal as it goes over the wire (RFC 9457). */
export function problemDocument(problem: Problem, instance: string): ProblemDocument {
  const { code, title, status, detail, faults, members } = problem
  return {
    ...members,
    type: docsPathOf(code),
    title,
    status,
    detail,
    instance,
    code,
    ...(faults.length > 0 ? { errors: [...faults] } : {}),
  }
}
