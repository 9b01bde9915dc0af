import { type Currency, formatMoney, type Money, parseMoney } from '@lockstep/core/money'
import { Problem } from '@lockstep/core/problem'
import { isChargeable, largestCharge } from '../provider/stripe/amount.ts'

/** The amount of a body in the currency of what it is about: above zero, and such as can be charged at once. */
export function readAmount(text: string, currency: Currency): Money {
  const amount = parseMoney(text, currency)
  const largest = largestCharge(currency)
  if (amount && amount.minor > largest.minor)
    throw refusal('amount_invalid', `Stripe takes at most ${formatMoney(largest)} ${currency} at once.`)
  if (amount && amount.minor > 0n && isChargeable(amount)) return amount
  throw refusal(
    'amount_invalid',
    `An amount of ${currency} is above zero and no finer than what can be charged.`,
  )
}

/** A deed names the amount that a preview showed. */
export const amountRequired = (): Problem =>
  refusal('required', 'Name the amount: the preview says how much there is.')

const refusal = (code: string, detail: string) =>
  new Problem('invalid_request', 'The request has a fault.', {
    faults: [{ pointer: '#/amount', code, detail }],
  })
