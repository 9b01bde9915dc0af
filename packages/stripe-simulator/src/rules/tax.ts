import { divideRounded, PICOS } from './decimal.ts'

/** A rate as the arithmetic needs it; the percentage in picos of a percent. */
export interface Rate {
  readonly id: string
  readonly inclusive: boolean
  readonly percent: bigint
}

export interface LineTax {
  readonly rate: Rate
  readonly amount: number
  readonly taxable: number
}

/**
 * The taxes on an amount. Inclusive rates are inside it, exclusive ones are added to it, and both are
 * percentages of the same base, the amount without its inclusive taxes. Each is rounded by itself: 1000 at
 * 20 % is 200 on top, or 167 inside. https://docs.stripe.com/billing/taxes/tax-rates
 */
export function taxesOn(amount: number, rates: readonly Rate[]): LineTax[] {
  const whole = 100n * PICOS + inclusiveOf(rates)
  const taxes = rates.map((rate) => ({
    rate,
    amount: Number(divideRounded(BigInt(amount) * rate.percent, whole)),
  }))
  const inside = taxes.reduce((sum, tax) => sum + (tax.rate.inclusive ? tax.amount : 0), 0)
  return taxes.map((tax) => ({ ...tax, taxable: amount - inside }))
}

/** An amount without the taxes that are inside it. */
export function withoutInclusive(amount: number, rates: readonly Rate[]): number {
  return taxesOn(amount, rates)[0]?.taxable ?? amount
}

function inclusiveOf(rates: readonly Rate[]): bigint {
  return rates.reduce((sum, rate) => sum + (rate.inclusive ? rate.percent : 0n), 0n)
}
