import { divideRounded } from './decimal.ts'

/**
 * What Stripe keeps of a card payment, in the minor unit: 2.9 % and 30, the standard price in the United States.
 * 10.00 leaves 9.41. Half a cent is rounded up. https://stripe.com/pricing
 */
export function processingFee(amount: number): number {
  return Number(divideRounded(BigInt(amount) * 29n, 1000n)) + 30
}

/**
 * What Stripe keeps of a debit of a bank account in the United States, in cents: 0.8 %, and 5.00 at most. 100.00 leaves
 * 99.20. https://stripe.com/us/payments/us-bank-debits
 */
export function debitFee(amount: number): number {
  return Math.min(Number(divideRounded(BigInt(amount) * 8n, 1000n)), 500)
}
