import { assert } from '@lockstep/core/assert'
import { toStep } from '@lockstep/core/charge-step'
import { exponentOf } from '@lockstep/core/currency'
import { formatDecimal, parseDecimal } from '@lockstep/core/decimal'
import { type Currency, type Money, money, PICOS_PER_MINOR, type Rate } from '@lockstep/core/money'

// Our minor units are ISO 4217's. Stripe's differ for three currencies, and it charges whole tens of
// thousandths only. https://docs.stripe.com/currencies

/**
 * Króna and shilling have no smaller coin, but Stripe takes them with two decimals, always 00. The ariary
 * has a smaller coin by ISO, and none at Stripe.
 */
const STRIPE_EXPONENT: Readonly<Record<Currency, number>> = { isk: 2, ugx: 2, mga: 0 }

const PICO_DIGITS = 12

/** Stripe's integers travel as JSON numbers. */
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER)

/** The smallest difference between two amounts that Stripe charges, in our minor unit: 10 fils of a dinar. */
export function chargeStep(currency: Currency): bigint {
  return exponentOf(currency) === 3 ? 10n : scaleOf(currency).ours
}

/** Whether Stripe takes exactly this amount. */
export function isChargeable({ minor, currency }: Money): boolean {
  return minor % chargeStep(currency) === 0n
}

/**
 * The most that Stripe charges or gives back at once, in our minor unit: eight digits of its own, and twelve of rupiah.
 * https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
 */
export function largestCharge(currency: Currency): Money {
  const { ours, stripe } = scaleOf(currency)
  return money(((currency === 'idr' ? 999_999_999_999n : 99_999_999n) * ours) / stripe, currency)
}

/** The nearest amount that Stripe takes, half away from zero: 1.234 and 1.235 kwd are 1.230 and 1.240. */
export function toChargeable(amount: Money): Money {
  return toStep(amount, chargeStep(amount.currency))
}

/** Our amount as Stripe writes it. The caller sees to it that it {@link isChargeable}. */
export function toStripeAmount(amount: Money): number {
  assert(isChargeable(amount), `Stripe does not take ${amount.minor} of ${amount.currency}`)
  assert(isWritable(amount), 'an amount beyond any invoice')
  return Number(toStripeUnits(amount))
}

/** Whether a JSON number says it to the coin; Stripe refuses far smaller amounts, in words of its own. */
export function isWritable(amount: Money): boolean {
  const written = toStripeUnits(amount)
  return written <= LARGEST && written >= -LARGEST
}

/**
 * Stripe's amount as ours. Half away from zero where Stripe has a fraction of a króna, which only
 * intermediate amounts of its own can be.
 */
export function fromStripeAmount(written: number, currency: Currency): Money {
  return fromStripeUnits(BigInt(written), currency)
}

/** The same of an amount that was computed and not read. */
export function fromStripeUnits(units: bigint, currency: Currency): Money {
  const { ours, stripe } = scaleOf(currency)
  const amount = units * ours
  const half = amount < 0n ? -stripe / 2n : stripe / 2n
  return money((amount + half) / stripe, currency)
}

/** The same of what a discount took off: never less than that, where Stripe has a fraction of a króna. */
export function fromStripeDiscount(units: bigint, currency: Currency): Money {
  const taken = fromStripeUnits(units, currency)
  return toStripeUnits(taken) < units ? money(taken.minor + 1n, currency) : taken
}

/** Whether Stripe, which takes 12 decimals of its minor unit, takes exactly this price of one unit. */
export function isStripeRate({ picos, currency }: Rate): boolean {
  return picos % scaleOf(currency).ours === 0n
}

/**
 * Whether so much for each unit of a fee comes to an amount that is charged as it stands, however many units there are.
 * Where more than the smallest coin is charged at a time (dinars, krónur, shillings, ariary) it has to be whole steps:
 * otherwise what is agreed is not what is charged. Elsewhere a fraction is rounded away once, here as at Stripe.
 */
export function isFeeRate(rate: Rate): boolean {
  const { currency, picos } = rate
  const isCoarse = chargeStep(currency) > 1n || STRIPE_EXPONENT[currency] !== undefined
  return isCoarse ? picos % (chargeStep(currency) * PICOS_PER_MINOR) === 0n : isStripeRate(rate)
}

/** A price of one unit as decimal text of Stripe's minor unit. The caller sees to it that it {@link isStripeRate}. */
export function toStripeRate(rate: Rate): string {
  assert(isStripeRate(rate), `Stripe does not take ${rate.picos} picos of ${rate.currency}`)
  const { ours, stripe } = scaleOf(rate.currency)
  return formatDecimal((rate.picos * stripe) / ours, PICO_DIGITS)
}

/** Stripe's price of one unit as ours; null where ours, at 1e-12 of a minor unit, is not fine enough for it. */
export function fromStripeRate(text: string, currency: Currency): Rate | null {
  const scaled = parseDecimal(text, PICO_DIGITS)
  if (scaled === undefined) return null
  const { ours, stripe } = scaleOf(currency)
  return (scaled * ours) % stripe === 0n ? { picos: (scaled * ours) / stripe, currency } : null
}

/** An amount in Stripe's decimal text as ours; null where it is not whole in our minor unit. */
export function fromStripeDecimal(text: string, currency: Currency): Money | null {
  const rate = fromStripeRate(text, currency)
  const scale = 10n ** BigInt(PICO_DIGITS)
  return rate === null || rate.picos % scale !== 0n ? null : money(rate.picos / scale, currency)
}

/** How many of our minor units are how many of Stripe's; the smaller number is 1. */
function scaleOf(currency: Currency): { readonly ours: bigint; readonly stripe: bigint } {
  const ours = exponentOf(currency)
  const stripe = STRIPE_EXPONENT[currency] ?? ours
  const power = (digits: number) => 10n ** BigInt(Math.max(0, digits))
  return { ours: power(ours - stripe), stripe: power(stripe - ours) }
}

/** Our amount in Stripe's unit, whether or not it is charged like that: for sums, which Stripe makes of such amounts too. */
export function toStripeUnits({ minor, currency }: Money): bigint {
  const { ours, stripe } = scaleOf(currency)
  return (minor * stripe) / ours
}
