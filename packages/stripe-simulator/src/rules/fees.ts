import { divideRounded } from './decimal.ts'

/**
 * What Stripe keeps of a card payment, in the minor unit: 2.9 % and 30, the standard price in the United States.
 * 10.00 leaves 9.41. Half a cent is rounded up. https://stripe.com/pricing
 */
export function processingFee(amount: number): number {
  return Number(divideRounded(BigInt(amount) * 29n, 1000n)) + 30
}
