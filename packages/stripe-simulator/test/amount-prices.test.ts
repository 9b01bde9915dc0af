// docs.stripe.com/api/invoiceitems/object: `pricing.price_details`. As recorded: github.com/Kiln-AI/stripe_world,
// cassette 13 (2026-08-26.dahlia), and github.com/zulip/zulip, stripe_fixtures (InvoiceItem.create, January 2024).
import Stripe from 'stripe'
import { afterAll, expect, test } from 'vitest'
import { newWorld } from './world.ts'

const world = await newWorld()
const { stripe } = world
afterAll(world.close)

async function item(more: Partial<Stripe.InvoiceItemCreateParams>) {
  const { id: customer } = await stripe.customers.create({})
  return stripe.invoiceItems.create({ customer, currency: 'usd', ...more })
}

const priceOf = ({ pricing }: Pick<Stripe.InvoiceItem, 'pricing'>) => pricing?.price_details?.price as string
const productOf = ({ pricing }: Pick<Stripe.InvoiceItem, 'pricing'>) => pricing?.price_details?.product

test('an item by its amount has an inactive price of a product that is called as it is', async () => {
  const before = { active: await listed(true), inactive: await listed(false) }
  const made: Stripe.InvoiceItem[] = []
  const types = await world.typesDuring(async () => {
    made.push(await item({ amount: 2000, description: 'One-time setup fee' }))
  })
  const [fee] = made as [Stripe.InvoiceItem]
  expect(fee.pricing).toEqual({
    price_details: { price: expect.stringMatching(/^price_/), product: expect.stringMatching(/^prod_/) },
    type: 'price_details',
    unit_amount_decimal: Stripe.Decimal.from('2000'),
  })
  expect(await stripe.prices.retrieve(priceOf(fee))).toMatchObject({
    active: false,
    billing_scheme: 'per_unit',
    currency: 'usd',
    custom_unit_amount: null,
    lookup_key: null,
    metadata: {},
    nickname: null,
    product: productOf(fee),
    recurring: null,
    tax_behavior: 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: 'one_time',
    unit_amount: 2000,
  })
  expect(await stripe.products.retrieve(productOf(fee) as string)).toMatchObject({
    active: false,
    name: 'One-time setup fee',
  })
  // `stripe trigger invoice.paid` shows these two and nothing of a price.
  expect(types).toEqual(['customer.created', 'invoiceitem.created'])
  expect({ active: await listed(true), inactive: await listed(false) }).toEqual(before)
})

async function listed(active: boolean) {
  const [prices, products] = [await stripe.prices.list({ active }), await stripe.products.list({ active })]
  return [...prices.data, ...products.data].map(({ id }) => id)
}

test('the same amount under the same name is the same price, whoever is billed', async () => {
  const [one, two, more, other, euros] = [
    await item({ amount: 800, description: 'Late fee' }),
    await item({ amount: 800, description: 'Late fee' }),
    await item({ amount: 900, description: 'Late fee' }),
    await item({ amount: 800, description: 'Travel' }),
    await item({ amount: 800, description: 'Late fee', currency: 'eur' }),
  ]
  expect(priceOf(two)).toBe(priceOf(one))
  expect(new Set([one, more, other, euros].map(priceOf)).size).toBe(4)
  expect([more, euros].map(productOf)).toEqual([productOf(one), productOf(one)])
  expect(productOf(other)).not.toBe(productOf(one))
})

test('an amount of one unit and a credit have prices too', async () => {
  const seats = await item({
    unit_amount_decimal: Stripe.Decimal.from('4000'),
    quantity: 25,
    description: 'Seats',
  })
  expect(seats).toMatchObject({ amount: 100_000, quantity: 25 })
  expect(await stripe.prices.retrieve(priceOf(seats))).toMatchObject({ active: false, unit_amount: 4000 })
  const credit = await item({ amount: -7200, description: 'Payment (Card ending in 4242)' })
  expect(await stripe.prices.retrieve(priceOf(credit))).toMatchObject({ active: false, unit_amount: -7200 })
})

test('another amount is another price of the same product; another description changes neither', async () => {
  const { id: customer } = await stripe.customers.create({})
  const { id: invoice } = await stripe.invoices.create({ customer })
  const { lines } = await stripe.invoices.addLines(invoice, {
    lines: [{ amount: 999, description: 'Extra line' }],
  })
  const [added] = lines.data as [Stripe.InvoiceLineItem]
  const first = { price: priceOf(added), product: productOf(added) }
  const revised = await stripe.invoices.updateLineItem(invoice, added.id, {
    amount: 777,
    description: 'Extra line (revised)',
  })
  expect(priceOf(revised)).not.toBe(first.price)
  expect(productOf(revised)).toBe(first.product)
  const again = await stripe.invoices.updateLines(invoice, { lines: [{ id: added.id, amount: 999 }] })
  expect(again.lines.data[0]).toMatchObject({ pricing: { price_details: first } })
  const id = added.parent?.invoice_item_details?.invoice_item as string
  const renamed = await stripe.invoiceItems.update(id, { description: 'Something else' })
  expect(renamed).toMatchObject({ pricing: { price_details: first } })
  const more = await stripe.invoiceItems.update(id, { quantity: 3 })
  expect(more).toMatchObject({ amount: 2997, pricing: { price_details: first } })
  const [expanded] = (
    await stripe.invoices.listLineItems(invoice, { expand: ['data.pricing.price_details.price'] })
  ).data
  expect(expanded).toMatchObject({
    pricing: { price_details: { price: { id: first.price, active: false } } },
  })
})

test('an amount that includes its tax says so in its price', async () => {
  const gross = await item({ amount: 1190, description: 'Dinner', tax_behavior: 'inclusive' })
  expect(await stripe.prices.retrieve(priceOf(gross))).toMatchObject({ tax_behavior: 'inclusive' })
  expect(priceOf(await item({ amount: 1190, description: 'Dinner' }))).not.toBe(priceOf(gross))
})

test('before basil an item shows the price whole, and no plan', async () => {
  const older = new Stripe('sk_test_simulator', {
    host: '127.0.0.1',
    port: world.simulator.port,
    protocol: 'http',
    apiVersion: '2023-10-16' as Stripe.LatestApiVersion,
  })
  const { id: customer } = await stripe.customers.create({})
  const made = await older.invoiceItems.create({
    customer,
    currency: 'usd',
    amount: 4000,
    description: 'Seats',
  })
  expect(made).toMatchObject({
    plan: null,
    price: { object: 'price', active: false, type: 'one_time', unit_amount: 4000 },
    unit_amount: 4000,
  })
})

test('a preview shows the price of an amount, which is there only in it', async () => {
  const ada = await world.customer()
  const price = await world.price(1000)
  await stripe.subscriptions.create({ customer: ada.id, items: [{ price: price.id }] })
  const preview = await stripe.invoices.createPreview({
    customer: ada.id,
    invoice_items: [{ amount: 500, currency: 'usd', description: 'Only thought of' }],
  })
  const lines = await stripe.invoices.listLineItems(preview.id, {
    expand: ['data.pricing.price_details.price'],
  })
  const line = lines.data.find(({ amount }) => amount === 500) as Stripe.InvoiceLineItem
  const shown = line.pricing?.price_details?.price
  expect(typeof shown).toBe('string')
  await expect(stripe.prices.retrieve(shown as string)).rejects.toMatchObject({ statusCode: 404 })
})

test('another amount of what had a price of the catalogue is called as it was', async () => {
  const { id: customer } = await stripe.customers.create({})
  const { id: product } = await stripe.products.create({ name: 'Set-up' })
  const price = await stripe.prices.create({ product, currency: 'usd', unit_amount: 500 })
  const nameOf = async (priced: Stripe.InvoiceItem) =>
    (await stripe.products.retrieve(productOf(priced) as string)).name
  const { id } = await stripe.invoiceItems.create({ customer, pricing: { price: price.id } })
  expect(await nameOf(await stripe.invoiceItems.update(id, { amount: 400 }))).toBe('Set-up')
  const { id: other } = await stripe.invoiceItems.create({ customer, pricing: { price: price.id } })
  const renamed = await stripe.invoiceItems.update(other, { amount: 300, description: 'Half of it' })
  expect(await nameOf(renamed)).toBe('Half of it')
})
