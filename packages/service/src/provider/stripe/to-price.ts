import { intervals } from '@lockstep/core/billing-cycle'
import type { Rate } from '@lockstep/core/money'
import type { Price } from '@lockstep/core/price'
import type { PriceRhythm } from '@lockstep/core/price-rhythm'
import type Stripe from 'stripe'
import { fromStripeRate } from './amount.ts'
import { present } from './field.ts'

/** How often a recurring price is billed; a price that is paid once stands on no subscription. */
export function rhythmOf(price: Stripe.Price): PriceRhythm {
  const recurring = present(price.recurring ?? undefined, 'price.recurring')
  return {
    currency: present(price.currency, 'price.currency'),
    interval: present(
      intervals.find((known) => known === recurring.interval),
      'price.recurring.interval',
    ),
    intervalCount: recurring.interval_count,
  }
}

/**
 * What one unit costs, of a price that is a number of units times that; null for tiers, packages, and what Stripe's
 * own meters count: those are not written as a price of ours.
 */
export function rateOf(price: Stripe.Price): Rate | null {
  const { billing_scheme: scheme, transform_quantity: packages, recurring, currency } = price
  if (scheme !== 'per_unit' || packages || recurring?.usage_type !== 'licensed') return null
  const decimal = price.unit_amount_decimal ?? price.unit_amount
  return decimal === null ? null : fromStripeRate(String(decimal), currency)
}

interface Wanted extends PriceRhythm {
  readonly price: Price
}

/** Whether a price of Stripe's costs what one of ours does, as often. Only what is one amount for each unit is compared. */
export function isPriceOf(theirs: Stripe.Price, { price, ...wanted }: Wanted): boolean {
  const rate = rateOf(theirs)
  const picos =
    price.model === 'perUnit' ? price.rate.picos : price.model === 'flat' ? price.amount.minor * PICOS : null
  if (rate === null || picos !== rate.picos) return false
  const { currency, interval, intervalCount } = rhythmOf(theirs)
  return (
    currency === wanted.currency && interval === wanted.interval && intervalCount === wanted.intervalCount
  )
}

const PICOS = 10n ** 12n
