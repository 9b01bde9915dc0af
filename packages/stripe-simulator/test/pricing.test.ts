// The worked table of docs.stripe.com/products-prices/pricing-models.
import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { refusal } from './world.ts'

const world = await sharedWorld()
const product = (await world.product('Units')).id

type Terms = Partial<Stripe.PriceCreateParams>

const tiers = (flat?: number): Terms['tiers'] => [
  { up_to: 10, unit_amount: 500 },
  { up_to: 50, unit_amount: 400, ...(flat === undefined ? {} : { flat_amount: flat }) },
  { up_to: 'inf', unit_amount: 300 },
]
const graduated = (flat?: number): Terms => ({
  billing_scheme: 'tiered',
  tiers_mode: 'graduated',
  tiers: tiers(flat) ?? [],
})
const volume = (flat?: number): Terms => ({
  billing_scheme: 'tiered',
  tiers_mode: 'volume',
  tiers: tiers(flat) ?? [],
})
const packages = (round: 'up' | 'down'): Terms => ({
  unit_amount: 1000,
  transform_quantity: { divide_by: 1000, round },
})

test.each<[string, Terms, number, number]>([
  // model, price, quantity, total
  ['per unit', { unit_amount: 1500 }, 3, 4500],
  ['decimal', { unit_amount_decimal: Stripe.Decimal.from('0.05') }, 12_345, 617],
  ['package, up', packages('up'), 2001, 3000],
  ['package, down', packages('down'), 2001, 2000],
  ['graduated', graduated(), 60, 24_000],
  ['volume', volume(), 60, 18_000],
  ['volume, end of tier', volume(), 10, 5000],
  ['volume, over the cliff', volume(), 11, 4400],
  ['graduated, flat', graduated(1000), 12, 6800],
  ['graduated, flat not entered', graduated(1000), 10, 5000],
  ['volume, flat', volume(1000), 12, 5800],
])('%s: %#', async (_name, terms, quantity, total) => {
  const price = await world.stripe.prices.create({
    currency: 'usd',
    product,
    recurring: { interval: 'month' },
    ...terms,
  })
  const { id } = await world.customer()
  const preview = await world.stripe.invoices.createPreview({
    customer: id,
    subscription_details: { items: [{ price: price.id, quantity }] },
  })
  expect(preview.total).toBe(total)
  const subscription = await world.stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id, quantity }],
    expand: ['latest_invoice'],
  })
  expect((subscription.latest_invoice as Stripe.Invoice).total).toBe(total)
})

// 10 USD "regardless of the tiered pricing model used. Stripe always bills the first flat rate tier when quantity=0."
test.each(['graduated', 'volume'] as const)('of none, %s tiers cost the first flat amount', async (mode) => {
  const price = await world.stripe.prices.create({
    currency: 'usd',
    product,
    recurring: { interval: 'month' },
    billing_scheme: 'tiered',
    tiers_mode: mode,
    tiers: [
      { up_to: 5, unit_amount: 500, flat_amount: 1000 },
      { up_to: 10, unit_amount: 400, flat_amount: 2000 },
      { up_to: 'inf', unit_amount: 300, flat_amount: 3000 },
    ],
  })
  const { id } = await world.customer()
  const preview = await world.stripe.invoices.createPreview({
    customer: id,
    subscription_details: { items: [{ price: price.id, quantity: 0 }] },
  })
  expect(preview.total).toBe(1000)
})

test('unit_amount is null when the decimal is not whole', async () => {
  const fine = await world.stripe.prices.create({
    currency: 'usd',
    product,
    unit_amount_decimal: Stripe.Decimal.from('0.000000000001'),
  })
  expect(fine.unit_amount).toBeNull()
  expect(fine.unit_amount_decimal?.toString()).toBe('0.000000000001')
  const whole = await world.stripe.prices.create({ currency: 'usd', product, unit_amount: 1500 })
  expect(whole.unit_amount_decimal?.toString()).toBe('1500')
})

test('tiers are left out until they are asked for', async () => {
  const created = await world.stripe.prices.create({
    currency: 'usd',
    product,
    recurring: { interval: 'month' },
    ...graduated(),
  })
  expect(created.tiers).toBeUndefined()
  const full = await world.stripe.prices.retrieve(created.id, { expand: ['tiers'] })
  expect(full.tiers?.map((tier) => tier.up_to)).toEqual([10, 50, null])
})

test('the list shows active prices, finds lookup keys, and a key can be transferred', async () => {
  const first = await world.stripe.prices.create({
    currency: 'usd',
    product,
    unit_amount: 1,
    lookup_key: 'standard',
  })
  const taken = await refusal(
    world.stripe.prices.create({ currency: 'usd', product, unit_amount: 2, lookup_key: 'standard' }),
  )
  expect(taken.param).toBe('lookup_key')
  const second = await world.stripe.prices.create({
    currency: 'usd',
    product,
    unit_amount: 2,
    lookup_key: 'standard',
    transfer_lookup_key: true,
  })
  const found = await world.stripe.prices.list({ lookup_keys: ['standard'] })
  expect(found.data.map((price) => price.id)).toEqual([second.id])
  await world.stripe.prices.update(first.id, { active: false })
  const active = await world.stripe.prices.list({ product, limit: 100 })
  expect(active.data.map((price) => price.id)).not.toContain(first.id)
  const archived = await world.stripe.prices.list({ product, active: false })
  expect(archived.data.map((price) => price.id)).toEqual([first.id])
})
