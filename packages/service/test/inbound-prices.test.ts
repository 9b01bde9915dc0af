import { defineCatalog } from '@lockstep/core/catalog'
import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { readInvoice } from '../src/invoice/read.ts'
import { readNewestPlan } from '../src/store/plans.ts'
import { readEvent } from '../src/store/provider-events.ts'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { findDrift } from '../src/workflow/drift/find.ts'
import { repairDrift } from '../src/workflow/drift/repair.ts'
import { linkByHand } from '../src/workflow/link-by-hand.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(newInboundWorld())

type Terms = Partial<Stripe.PriceCreateParams>

// 5 a unit and 10 up to five, 4 and 20 up to ten, 3 and 30 beyond: the example of
// https://docs.stripe.com/products-prices/pricing-models
const tiers: Stripe.PriceCreateParams.Tier[] = [
  { up_to: 5, unit_amount: 500, flat_amount: 1000 },
  { up_to: 10, unit_amount: 400, flat_amount: 2000 },
  { up_to: 'inf', unit_amount: 300, flat_amount: 3000 },
]
const tiered = (mode: 'graduated' | 'volume'): Terms => ({
  billing_scheme: 'tiered',
  tiers_mode: mode,
  tiers,
})

let counter = 0
async function sold(terms: Terms) {
  counter += 1
  const product = await world.stripe.products.create({ name: `Sold ${counter}` })
  const price = await world.stripe.prices.create({
    product: product.id,
    currency: 'usd',
    recurring: { interval: 'month' },
    ...terms,
  })
  return { product, price, key: `sold-${counter}` }
}

async function subscribe(price: string, quantity: number) {
  const customer = await world.stripe.customers.create({ name: 'Somebody' })
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  return world.stripe.subscriptions.create({
    customer: customer.id,
    default_payment_method: method.id,
    items: [{ price, quantity }],
    expand: ['latest_invoice'],
  })
}

async function feeOf(subscription: string) {
  const { rows } = await world.pool.query(
    `select h.fee::text, h.quantity::int from subscription_history h join mapping m on m.entity_id = h.subscription_id
     where m.provider_id = $1 and h.ends_at = 'infinity'`,
    [subscription],
  )
  return rows
}

async function currentTotal(subscription: string) {
  const { rows } = await world.pool.query(
    `select i.id from invoice i join mapping m on m.entity_id = i.subscription_id
     where m.provider_id = $1 and i.status = 'current'`,
    [subscription],
  )
  return (await readInvoice(world.db, rows[0]?.id))?.total.minor
}

const outcomeOf = async (events: readonly Stripe.Event[], type: string) => {
  const event = await readEvent(world.db, events.find((one) => one.type === type)?.id ?? '')
  return [event?.state, (event?.problem as { code?: string } | null)?.code]
}

test.each<[string, Terms, number, number]>([
  ['graduated', tiered('graduated'), 12, 11_100],
  ['volume', tiered('volume'), 12, 6600],
  // Of none, the flat amount of the first tier: https://docs.stripe.com/products-prices/pricing-models
  ['graduated, of which none is taken', tiered('graduated'), 0, 1000],
  ['volume, of which none is taken', tiered('volume'), 0, 1000],
  ['an amount for each, of which none is taken', { unit_amount: 1000 }, 0, 0],
  ['packages begun', { unit_amount: 1000, transform_quantity: { divide_by: 10, round: 'up' } }, 21, 3000],
  ['full packages', { unit_amount: 1000, transform_quantity: { divide_by: 10, round: 'down' } }, 21, 2000],
  ['finer than a cent', { unit_amount_decimal: Stripe.Decimal.from('0.05') }, 12_345, 617],
])(
  'a price of %s comes in, and a subscription to it costs here what it costs there',
  async (_, terms, quantity, total) => {
    const { price } = await sold(terms)
    const made = await subscribe(price.id, quantity)
    expect((made.latest_invoice as Stripe.Invoice).total).toBe(total)
    // Twice, and the last first: whatever is told of it comes to the same.
    const events = await world.newEvents()
    for (const event of [...events.toReversed(), ...events]) await world.receive(event)
    await world.drain()
    expect(await feeOf(made.id)).toEqual([{ fee: `${total}`, quantity }])
    const { rows } = await world.pool.query(`select count(*)::int from mapping where provider_id = $1`, [
      price.id,
    ])
    // One of its plan's, one of its add-on's.
    expect(rows).toEqual([{ count: 2 }])
    const { total: next } = await world.stripe.invoices.createPreview({ subscription: made.id })
    expect(await currentTotal(made.id)).toBe(BigInt(next))
  },
)

test('a plan that is completed here finds its tiers at Stripe, and what costs otherwise is another', async () => {
  const { key, price } = await sold(tiered('graduated'))
  await world.deliver()
  const catalog = (last: string) =>
    defineCatalog({
      currency: 'usd',
      products: { [key]: { name: 'Tiers' } },
      plans: {
        [key]: {
          name: 'Tiers',
          product: key,
          interval: 'month',
          prices: {
            fee: {
              kind: 'recurring',
              model: 'graduated',
              tiers: [
                { upTo: '5', unitAmount: '5.00', flatAmount: '10.00' },
                { upTo: '10', unitAmount: '4.00', flatAmount: '20.00' },
                { upTo: null, unitAmount: last, flatAmount: '30.00' },
              ],
            },
          },
        },
      },
    })
  const linkOfFee = async () => {
    const feeId = (await readNewestPlan(world.db, key))?.priceIds.get('fee')
    const { rows } = await world.pool.query('select provider_id from mapping where entity_id = $1', [feeId])
    return { feeId: feeId ?? '', providerId: rows[0]?.provider_id }
  }
  await applyCatalog({ ...world.deps, workflows: world.workflows }, catalog('3.00'))
  expect((await linkOfFee()).providerId).toBe(price.id)

  await applyCatalog({ ...world.deps, workflows: world.workflows }, catalog('2.50'))
  const { feeId, providerId } = await linkOfFee()
  expect(providerId).toBeUndefined()
  const link = () => linkByHand(world.deps, { entityType: 'price', entityId: feeId, providerId: price.id })
  await expect(link()).rejects.toMatchObject({ code: 'mapping_invalid' })
})

test('a price that cannot be written here is put before a person, and so is who pays it', async () => {
  const { price } = await sold({
    ...tiered('volume'),
    tiers: [{ up_to: 'inf', flat_amount_decimal: Stripe.Decimal.from('0.5') }],
  })
  const made = await subscribe(price.id, 1)
  const events = await world.newEvents()
  for (const event of events) {
    await world.receive(event)
    await world.drain()
  }
  expect(await outcomeOf(events, 'product.created')).toEqual(['processed', undefined])
  expect(await outcomeOf(events, 'price.created')).toEqual(['parked', 'price_unreadable'])
  expect(await outcomeOf(events, 'customer.subscription.created')).toEqual(['parked', 'price_unreadable'])
  expect(await feeOf(made.id)).toEqual([])
})

test('who pays a price in another currency than its own is put before a person, and an item of one is Stripe’s alone', async () => {
  // https://docs.stripe.com/products-prices/pricing-models#multicurrency
  const { price } = await sold({ unit_amount: 1000, currency_options: { eur: { unit_amount: 900 } } })
  const made = async (currency: string, items: Stripe.SubscriptionCreateParams.Item[]) => {
    const customer = await world.stripe.customers.create({ name: 'Abroad' })
    const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    return world.stripe.subscriptions.create({
      ...{ customer: customer.id, default_payment_method: method.id, currency, items },
    })
  }
  const abroad = await made('eur', [{ price: price.id }])
  const events = await world.newEvents()
  for (const event of events) {
    await world.receive(event)
    await world.drain()
  }
  expect(await outcomeOf(events, 'price.created')).toEqual(['processed', undefined])
  expect(await outcomeOf(events, 'customer.subscription.created')).toEqual(['parked', 'price_unreadable'])
  expect(await feeOf(abroad.id)).toEqual([])

  const { price: euro } = await sold({ unit_amount: 700, currency: 'eur' })
  const both = await made('eur', [{ price: euro.id, quantity: 2 }])
  await world.deliver()
  await world.stripe.subscriptionItems.create({ subscription: both.id, price: price.id })
  await world.deliver()
  // Two for 7.00, in its own currency.
  expect(await feeOf(both.id)).toEqual([{ fee: '1400', quantity: 2 }])
})

test('what Stripe’s own meters count has no fee here, and is billed there', async () => {
  const meter = await world.stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  })
  const { price } = await sold({
    ...tiered('graduated'),
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  })
  const customer = await world.stripe.customers.create({ name: 'Measured there' })
  const made = await world.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
  })
  await world.deliver()
  expect(await feeOf(made.id)).toEqual([{ fee: '0', quantity: 1 }])
})

test('who pays only what Stripe’s own meters count pays no fee that others pay for the product', async () => {
  const meter = await world.stripe.billing.meters.create({
    ...{ display_name: 'Reads', event_name: 'reads' },
    default_aggregation: { formula: 'sum' },
  })
  const { product, price: seat } = await sold({ unit_amount: 2500, recurring: { interval: 'month' } })
  const counted = await world.stripe.prices.create({
    ...{ currency: 'usd', unit_amount: 2, product: product.id },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  })
  const customer = await world.stripe.customers.create({ name: 'Measured there alone' })
  const made = await world.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: counted.id }],
  })
  await world.deliver()
  expect(await feeOf(made.id)).toEqual([{ fee: '0', quantity: 1 }])
  // As a version that did not tell them apart wrote it down.
  const written = `update subscription s set item_numbers = '{}' from mapping m
    where m.entity_type = 'subscription' and m.entity_id = s.id and m.provider_id = $1`
  await world.pool.query(written, [made.id])
  const { drifts } = await findDrift(world.deps)
  const found = drifts.filter(({ providerId }) => providerId === made.id)
  expect(found).toMatchObject([
    { differences: [{ field: 'itemNumbers', here: '', there: 'no fee' }], repair: 'look' },
  ])
  await repairDrift(world.deps)
  expect(await feeOf(made.id)).toEqual([{ fee: '0', quantity: 1 }])
  expect((await findDrift(world.deps)).drifts.filter(({ providerId }) => providerId === made.id)).toEqual([])
  // With three seats beside it they are paid.
  const seats = await world.stripe.subscriptionItems.create({
    ...{ subscription: made.id, price: seat.id, quantity: 3, proration_behavior: 'none' },
  })
  await world.deliver()
  expect(await feeOf(made.id)).toEqual([{ fee: '7500', quantity: 3 }])
  await world.stripe.subscriptionItems.del(seats.id, { proration_behavior: 'none' })
  await world.deliver()
  expect(await feeOf(made.id)).toEqual([{ fee: '0', quantity: 1 }])
})
