import type { Step } from '../derivation.ts'
import type { ExactAmount } from '../money.ts'

/** An amount before rounding, and how it came about. */
export interface Priced {
  readonly exact: ExactAmount
  readonly steps: readonly Step[]
}
