import { intervals } from '@lockstep/core/billing-cycle'
import { feeTerms } from '@lockstep/core/fee-terms'
import type { Price, PriceModel, Tier } from '@lockstep/core/price'
import type { PriceRhythm } from '@lockstep/core/price-rhythm'
import { Problem } from '@lockstep/core/problem'
import { units } from '@lockstep/core/quantity'
import type Stripe from 'stripe'
import { fromStripeDecimal, fromStripeRate } from './amount.ts'
import { type CallDeps, readStripe } from './call.ts'
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

/** Whether Stripe's own meters count what it is paid for: that usage is measured and billed there. */
export function isMetered({ recurring }: Stripe.Price): boolean {
  return recurring?.usage_type === 'metered'
}

/**
 * A price with its tiers. No event has them, no list and no answer but where they were asked for.
 * https://docs.stripe.com/api/prices/object#price_object-tiers
 */
export async function withTiers(
  deps: Pick<CallDeps, 'provider'>,
  price: Stripe.Price,
): Promise<Stripe.Price> {
  if (price.billing_scheme !== 'tiered' || price.tiers !== undefined) return price
  return readStripe(deps, (stripe) => stripe.prices.retrieve(price.id, { expand: ['tiers'] }))
}

/**
 * A price as it is billed in another currency than its own, with its tiers. Undefined: it is not sold in that one.
 * https://docs.stripe.com/api/prices/object#price_object-currency_options
 */
export async function inCurrency(
  deps: Pick<CallDeps, 'provider'>,
  { id }: Stripe.Price,
  currency: string,
): Promise<Stripe.Price | undefined> {
  const asked = async (...expand: string[]) => {
    const price = await readStripe(deps, (stripe) => stripe.prices.retrieve(id, { expand }))
    const option = price.currency_options?.[currency]
    return option && { ...price, ...option, currency, tiers: option.tiers }
  }
  const price = await asked('currency_options')
  if (price?.billing_scheme !== 'tiered') return price
  return asked('currency_options', `currency_options.${currency}.tiers`)
}

/** What of Stripe's cannot be said here, and why. */
interface Unreadable {
  readonly why: string
}

const finer: Unreadable = { why: 'It has an amount that is finer than a price here can be.' }

/**
 * What a price costs, as one of ours. Refuses where it cannot be said exactly: nothing is ever rounded to fit. The
 * price comes {@link withTiers}.
 */
export function modelOf(price: Stripe.Price): PriceModel {
  const read = readModel(price)
  if ('why' in read) throw new Problem('price_unreadable', `Price ${price.id} cannot be read. ${read.why}`)
  return read
}

function readModel(price: Stripe.Price): PriceModel | Unreadable {
  const { transform_quantity: packages, currency } = price
  if (isMetered(price)) return { why: 'Stripe’s own meters count it.' }
  if (price.billing_scheme === 'tiered') return readTiers(price)
  const decimal = price.unit_amount_decimal ?? price.unit_amount
  if (decimal === null) return { why: 'Whoever pays says how much.' }
  if (packages) {
    const amount = fromStripeDecimal(String(decimal), currency)
    const size = units(BigInt(packages.divide_by))
    const round = packages.round === 'up' ? 'up' : 'down'
    return amount ? { model: 'package', amount, size, round } : finer
  }
  const rate = fromStripeRate(String(decimal), currency)
  return rate ? { model: 'perUnit', rate } : finer
}

function readTiers({ tiers, tiers_mode: said, currency }: Stripe.Price): PriceModel | Unreadable {
  const mode = (['graduated', 'volume'] as const).find((known) => known === said)
  if (mode === undefined) return { why: 'Its tiers are meant in a way that is not known.' }
  const read: Tier[] = []
  for (const tier of present(tiers, 'price.tiers')) {
    const rate = fromStripeRate(String(tier.unit_amount_decimal ?? 0), currency)
    const flat = fromStripeDecimal(String(tier.flat_amount_decimal ?? 0), currency)
    if (!rate || !flat) return finer
    read.push({ upTo: tier.up_to === null ? null : units(BigInt(tier.up_to)), rate, flat })
  }
  return { model: mode, tiers: read }
}

interface Wanted extends PriceRhythm {
  readonly price: Price
}

/** Whether a price of Stripe's costs what one of ours does, as often. It comes {@link withTiers}. */
export function isPriceOf(theirs: Stripe.Price, { price, ...wanted }: Wanted): boolean {
  const read = readModel(theirs)
  if ('why' in read || feeTerms(read) !== feeTerms(price)) return false
  const { currency, interval, intervalCount } = rhythmOf(theirs)
  return (
    currency === wanted.currency && interval === wanted.interval && intervalCount === wanted.intervalCount
  )
}
