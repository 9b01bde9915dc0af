import type { CodedFault } from './strategy.ts'

/** The plan is not bought like that. */
export function notOffered(detail: string): CodedFault {
  return { code: 'purchase_not_offered', pointer: '#/purchase', detail }
}
