import type { ProblemDocument } from '@lockstep/api/problems'
import type { Problem, ProblemCode } from '@lockstep/core/problem'

/** Where a code is explained, on this very service. A reference relative to the request, as RFC 9457 allows. */
export const docsPathOf = (code: ProblemCode | ':code'): string => `/docs/problems/${code}`

/** A refusal as it goes over the wire (RFC 9457). */
export function problemDocument(problem: Problem, instance: string): ProblemDocument {
  const { code, title, status, detail, faults } = problem
  return {
    type: docsPathOf(code),
    title,
    status,
    detail,
    instance,
    code,
    ...(faults.length > 0 ? { errors: [...faults] } : {}),
  }
}
