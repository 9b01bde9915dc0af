import type { ProblemCode } from '@lockstep/core/problem'
import type { CodedFault } from './purchase/strategy.ts'

export const fault = (code: ProblemCode, pointer: string, detail: string): CodedFault => ({
  code,
  pointer,
  detail,
})
