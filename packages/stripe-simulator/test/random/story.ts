import type Stripe from 'stripe'
import { JAN_1, newWorld, type World } from '../world.ts'

/** What a story begins with. A customer is billed in one currency, so each story has its own. */
export interface Setting {
  readonly currency: 'usd' | 'jpy' | 'kwd'
  readonly mode: 'classic' | 'flexible'
  readonly afterRetries: 'cancel' | 'unpaid' | 'past_due'
}

/** A customer on a clock, a catalogue with every pricing model, and a world of its own around them. */
export interface Story extends Setting {
  readonly world: World
  readonly stripe: Stripe
  readonly customer: string
  readonly clock: string
  readonly prices: readonly string[]
  readonly metered: readonly string[]
  readonly coupons: readonly string[]
  readonly taxRates: readonly string[]
  /** Invoices that were paid in cash: paid without a payment. */
  readonly cash: Set<string>
}

export async function begin(setting: Setting): Promise<Story> {
  const { afterRetries, currency } = setting
  const world = await newWorld({ settings: { afterRetries, unlimitedClocks: true } })
  const { stripe } = world
  const { id: customer, clock } = await world.customer({ at: JAN_1 + 30 * 86_400 })
  const { id: meter } = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  })
  const [prices, metered] = catalogue(meter)
  const product = (await world.product()).id
  const make = async (price: Partial<Stripe.PriceCreateParams>) =>
    (await stripe.prices.create({ currency, product, recurring: { interval: 'month' }, ...price })).id
  return {
    ...setting,
    world,
    stripe,
    customer,
    clock,
    cash: new Set(),
    prices: await each(prices, make),
    metered: await each(metered, make),
    coupons: await each<Stripe.CouponCreateParams, string>(
      [
        { percent_off: 25, duration: 'forever' },
        { percent_off: 33.3, duration: 'repeating', duration_in_months: 2 },
        { amount_off: 510, currency, duration: 'once' },
      ],
      async (coupon) => (await stripe.coupons.create(coupon)).id,
    ),
    taxRates: await each<Stripe.TaxRateCreateParams, string>(
      [
        { display_name: 'VAT', inclusive: true, percentage: 19 },
        { display_name: 'Sales tax', inclusive: false, percentage: 8.875 },
      ],
      async (rate) => (await stripe.taxRates.create(rate)).id,
    ),
  }
}

/** Licensed prices and metered ones: per unit, free, decimal, package, graduated, volume; by week, month, year. */
function catalogue(
  meter: string,
): [Partial<Stripe.PriceCreateParams>[], Partial<Stripe.PriceCreateParams>[]] {
  const tiers = [
    { up_to: 3, unit_amount: 1200 },
    { up_to: 'inf' as const, unit_amount: 700, flat_amount: 500 },
  ]
  const calls = { interval: 'month', usage_type: 'metered', meter } as const
  return [
    [
      { unit_amount: 1000 },
      { unit_amount: 2990 },
      { unit_amount: 0 },
      { unit_amount_decimal: '33.7' as never },
      { unit_amount: 4000, transform_quantity: { divide_by: 3, round: 'up' } },
      { billing_scheme: 'tiered', tiers_mode: 'graduated', tiers },
      { billing_scheme: 'tiered', tiers_mode: 'volume', tiers },
      { unit_amount: 700, recurring: { interval: 'week' } },
      { unit_amount: 20_000, recurring: { interval: 'year' } },
    ],
    [
      { unit_amount: 20, recurring: calls },
      { billing_scheme: 'tiered', tiers_mode: 'graduated', tiers, recurring: calls },
    ],
  ]
}

/** One after the other, so that ids and times are the same in every run. */
async function each<In, Out>(given: readonly In[], make: (one: In) => Promise<Out>): Promise<Out[]> {
  const made: Out[] = []
  for (const one of given) made.push(await make(one))
  return made
}

export async function now({ stripe, clock }: Story): Promise<number> {
  return (await stripe.testHelpers.testClocks.retrieve(clock)).frozen_time
}

export async function subscriptions({ stripe, customer }: Story): Promise<Stripe.Subscription[]> {
  return stripe.subscriptions.list({ customer, status: 'all', limit: 100 }).autoPagingToArray({ limit: 1000 })
}

export async function invoices({ stripe, customer }: Story): Promise<Stripe.Invoice[]> {
  return stripe.invoices
    .list({ customer, limit: 100, expand: ['data.payments'] })
    .autoPagingToArray({ limit: 10_000 })
}

/** The one that a drawn number names, so that a drawn step says the same whatever was there before it. */
export function pick<One>(list: readonly One[], drawn: number): One | undefined {
  return list[drawn % list.length]
}
