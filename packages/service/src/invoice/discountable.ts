import type { LineToBill } from './rate.ts'

/**
 * Whether discounts are taken off what is left of a line: nothing off what gives back, and nothing off a credit of support's
 * that was billed and is withdrawn, which is charged as it was given.
 */
export function isDiscountable({ line, left }: LineToBill): boolean {
  const isCredit = line.derivation.steps.some((step) => step.kind === 'adjustment' && step.as === 'credit')
  return left.amount.minor >= 0n && !isCredit
}
