import { invalid } from '../errors.ts'
import { chargeStep, formatMoney, largestAmount } from '../rules/currency.ts'
import { PICOS, parseDecimal } from '../rules/decimal.ts'

/**
 * Payments and refunds of a fraction of what can be charged are refused, not rounded.
 * https://docs.stripe.com/currencies#three-decimal and
 * https://support.stripe.com/questions/deprecation-of-fractional-isk-charges-and-refunds (message and code)
 */
export function refuseUnchargeable(amount: number, currency: string, param = 'amount'): void {
  const step = chargeStep(currency)
  if (amount % step === 0) return
  if (step === 10) {
    throw invalid(
      `Invalid amount. The last digit of an amount of ${currency.toUpperCase()} must be 0.`,
      param,
    )
  }
  throw invalid(
    `Invalid amount. Currency ${currency.toUpperCase()} has become effectively zero-decimal and charged amounts must be evenly divisible by 100. See https://stripe.com/docs/currencies#special-cases for more information.`,
    param,
    'invalid_charge_amount_no_decimal_compatible',
  )
}

/** An amount beyond what Stripe ever charges, as decimal text, is refused where it is first named, of credits too. */
export function refuseTooLarge(amount: string, currency: string, param: string): void {
  const most = largestAmount(currency)
  const picos = parseDecimal(amount)
  if ((picos < 0n ? -picos : picos) <= BigInt(most) * PICOS) return
  throw invalid(
    `Amount must be no more than ${formatMoney(String(most), currency)}`,
    param,
    'amount_too_large',
  )
}
