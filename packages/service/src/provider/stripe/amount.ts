import { assert } from '@lockstep/core/assert'
import { toStep } from '@lockstep/core/charge-step'
import { exponentOf } from '@lockstep/core/currency'
import { formatDecimal, parseDecimal } from '@lockstep/core/decimal'
import { type Currency, type Money, money, type Rate } from '@lockstep/core/money'

// Our minor units are ISO 4217's. Stripe's differ for two currencies, and it charges whole tens of
// thousandths only. https://docs.stripe.com/currencies

/** Króna and shilling have no smaller coin, but Stripe takes them with two decimals, always 00. */
const STRIPE_EXPONENT: Readonly<Record<Currency, number>> = { isk: 2, ugx: 2 }

const PICO_DIGITS = 12

/** Stripe's integers travel as JSON numbers. */
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER)

/** The smallest difference between two amounts that Stripe charges, in our minor unit: 10 fils of a dinar. */
export function chargeStep(currency: Currency): bigint {
  return exponentOf(currency) === 3 ? 10n : 1n
}

/** Whether Stripe takes exactly this amount. */
export function isChargeable({ minor, currency }: Money): boolean {
  return minor % chargeStep(currency) === 0n
}

/** The nearest amount that Stripe takes, half away from zero: 1.234 and 1.235 kwd are 1.230 and 1.240. */
export function toChargeable(amount: Money): Money {
  return toStep(amount, chargeStep(amount.currency))
}

/** Our amount as Stripe writes it. The caller sees to it that it {@link isChargeable}. */
export function toStripeAmount(amount: Money): number {
  assert(isChargeable(amount), `Stripe does not take ${amount.minor} of ${amount.currency}`)
  const stripe = amount.minor * factorOf(amount.currency)
  assert(stripe <= LARGEST && stripe >= -LARGEST, 'an amount beyond any invoice')
  return Number(stripe)
}

/**
 * Stripe's amount as ours. Half away from zero where Stripe has a fraction of a króna, which only
 * intermediate amounts of its own can be.
 */
export function fromStripeAmount(stripe: number, currency: Currency): Money {
  const factor = factorOf(currency)
  const amount = BigInt(stripe)
  const half = amount < 0n ? -factor / 2n : factor / 2n
  return money((amount + half) / factor, currency)
}

/** A price of one unit as decimal text of Stripe's minor unit, with at most 12 decimals. */
export function toStripeRate({ picos, currency }: Rate): string {
  return formatDecimal(picos * factorOf(currency), PICO_DIGITS)
}

/** Stripe's price of one unit as ours; null where ours, at 1e-12 of a minor unit, is not fine enough for it. */
export function fromStripeRate(text: string, currency: Currency): Rate | null {
  const scaled = parseDecimal(text, PICO_DIGITS)
  const factor = factorOf(currency)
  return scaled === undefined || scaled % factor !== 0n ? null : { picos: scaled / factor, currency }
}

/** An amount in Stripe's decimal text as ours; null where it is not whole in our minor unit. */
export function fromStripeDecimal(text: string, currency: Currency): Money | null {
  const rate = fromStripeRate(text, currency)
  const scale = 10n ** BigInt(PICO_DIGITS)
  return rate === null || rate.picos % scale !== 0n ? null : money(rate.picos / scale, currency)
}

function factorOf(currency: Currency): bigint {
  return 10n ** BigInt((STRIPE_EXPONENT[currency] ?? exponentOf(currency)) - exponentOf(currency))
}
