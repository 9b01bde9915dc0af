// docs.stripe.com/billing/taxes/collect-taxes, docs.stripe.com/tax/customer-locations and
// docs.stripe.com/invoicing/integration/workflow-transitions; the rates are those of the README's rule.
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()

const automatic_tax = { enabled: true }

async function customerIn(address: Stripe.AddressParam, more: Stripe.CustomerUpdateParams = {}) {
  const ada = await world.customer()
  await world.stripe.customers.update(ada.id, { address, ...more })
  return ada
}

async function invoiceOf(customer: string, amount: number, currency = 'usd') {
  const { id } = await world.stripe.invoices.create({ customer, currency, automatic_tax })
  return world.stripe.invoices.addLines(id, { lines: [{ amount }] })
}

test.each([
  // 19 % and 20 % VAT; 6.25 % of 10.99 is 0.686875; no sales tax in Oregon; 10 % of ¥1,005 is 100.5.
  [{ country: 'DE' }, 'eur', 1000, 190],
  [{ country: 'fr' }, 'eur', 999, 200],
  [{ country: 'US', state: 'TX' }, 'usd', 1099, 69],
  [{ country: 'US', state: 'OR' }, 'usd', 1099, 0],
  [{ country: 'JP' }, 'jpy', 1005, 101],
  [{ country: 'BR' }, 'usd', 1000, 0],
])('%o in %s: %i is taxed with %i', async (address, currency, amount, tax) => {
  const { id } = await customerIn(address)
  const invoice = await invoiceOf(id, amount, currency)
  expect(invoice).toMatchObject({
    automatic_tax: { enabled: true, status: 'complete' },
    subtotal: amount,
    total: amount + tax,
    total_excluding_tax: amount,
  })
})

test('the tax of an inclusive price is inside it; a discount comes first', async () => {
  const { stripe } = world
  const { id: customer } = await customerIn({ country: 'DE' })
  const price = await world.price(1190, { recurring: undefined as never, tax_behavior: 'inclusive' })
  const coupon = (await stripe.coupons.create({ percent_off: 50 })).id
  const { id } = await stripe.invoices.create({ customer, automatic_tax, discounts: [{ coupon }] })
  // 11.90 - 5.95 = 5.95, of which 5.95 × 19 / 119 = 0.95 is tax.
  expect(await stripe.invoices.addLines(id, { lines: [{ pricing: { price: price.id } }] })).toMatchObject({
    total: 595,
    total_excluding_tax: 500,
    total_taxes: [{ amount: 95, tax_behavior: 'inclusive', taxability_reason: 'standard_rated' }],
  })
})

test('who is exempt or accounts for tax themselves pays none', async () => {
  for (const [tax_exempt, reason] of [
    ['exempt', 'customer_exempt'],
    ['reverse', 'reverse_charge'],
  ] as const) {
    const { id } = await customerIn({ country: 'DE' }, { tax_exempt })
    expect(await invoiceOf(id, 1000)).toMatchObject({
      total: 1000,
      total_taxes: [{ amount: 0, taxability_reason: reason }],
    })
  }
})

test('a subscription is taxed at sign-up, in its preview and at renewal', async () => {
  const { stripe } = world
  const ada = await customerIn({ country: 'DE' })
  const price = (await world.price(1000)).id
  const items = [{ price }]
  const wanted = { customer: ada.id, automatic_tax, subscription_details: { items } }
  expect((await stripe.invoices.createPreview(wanted)).total).toBe(1190)
  const subscription = await stripe.subscriptions.create({ customer: ada.id, items, automatic_tax })
  expect(subscription.automatic_tax).toMatchObject({ enabled: true, liability: { type: 'self' } })
  // She moves to Denmark, 25 %.
  await stripe.customers.update(ada.id, { address: { country: 'DK' } })
  expect((await stripe.invoices.createPreview({ subscription: subscription.id })).total).toBe(1250)
  await world.advance(ada.clock, JAN_1 + 31 * DAY + HOUR)
  const invoices = await world.invoices(subscription.id)
  expect(invoices.map((invoice) => [invoice.status, invoice.total])).toEqual([
    ['paid', 1190],
    ['paid', 1250],
  ])
  expect(invoices[1]?.customer_address).toMatchObject({ country: 'DK' })
})

test('without a place there is no subscription, and a draft is not finalized', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const price = (await world.price(1000)).id
  const create = stripe.subscriptions.create({ customer: ada.id, items: [{ price }], automatic_tax })
  expect(await refusal(create)).toMatchObject({ statusCode: 400, code: 'customer_tax_location_invalid' })
  const { id, automatic_tax: waiting } = await invoiceOf(ada.id, 1000)
  expect(waiting.status).toBe('requires_location_inputs')
  const types = await world.typesDuring(async () => {
    expect((await refusal(stripe.invoices.finalizeInvoice(id))).code).toBe('customer_tax_location_invalid')
  })
  expect(types).toEqual(['invoice.finalization_failed'])
  expect(await stripe.invoices.retrieve(id)).toMatchObject({
    status: 'draft',
    last_finalization_error: { code: 'customer_tax_location_invalid' },
  })
  await stripe.customers.update(ada.id, { address: { country: 'US', state: 'NY' } })
  expect(await stripe.invoices.finalizeInvoice(id)).toMatchObject({
    status: 'open',
    total: 1040,
    last_finalization_error: null,
  })
})

test('a renewal without a place waits and goes on when the address is mended', async () => {
  const { stripe } = world
  const ada = await customerIn({ country: 'DE' })
  const price = (await world.price(1000)).id
  const { id } = await stripe.subscriptions.create({ customer: ada.id, items: [{ price }], automatic_tax })
  await stripe.customers.update(ada.id, { address: '' })
  const types = await world.typesDuring(() => world.advance(ada.clock, JAN_1 + 31 * DAY + 2 * HOUR))
  expect(types).toContain('invoice.finalization_failed')
  expect((await world.invoices(id)).at(-1)?.status).toBe('draft')
  await stripe.customers.update(ada.id, { address: { country: 'DE' } })
  await world.advance(ada.clock, JAN_1 + 33 * DAY)
  expect((await world.invoices(id)).at(-1)).toMatchObject({ status: 'paid', total: 1190 })
})

test('a customer says whether it can be taxed', async () => {
  const { stripe } = world
  const nowhere = stripe.customers.create({ tax: { validate_location: 'immediately' } })
  expect((await refusal(nowhere)).code).toBe('customer_tax_location_invalid')
  const { id } = await stripe.customers.create({
    address: { country: 'US', state: 'WA' },
    tax: { validate_location: 'immediately' },
  })
  expect(await stripe.customers.retrieve(id, { expand: ['tax'] })).toMatchObject({
    tax: { automatic_tax: 'supported', location: { country: 'US', state: 'WA', source: 'billing_address' } },
  })
  const rate = await stripe.taxRates.create({ display_name: 'VAT', inclusive: false, percentage: 19 })
  const both = stripe.invoices.create({ customer: id, automatic_tax, default_tax_rates: [rate.id] })
  expect(await refusal(both)).toMatchObject({ param: 'default_tax_rates' })
})

test('an amount that includes its tax goes on doing so when it or its quantity changes', async () => {
  const { stripe } = world
  const { id: customer } = await customerIn({ country: 'DE' })
  const { id: invoice } = await stripe.invoices.create({ customer, currency: 'eur', automatic_tax })
  const told = async () => {
    const { total, total_excluding_tax } = await stripe.invoices.retrieve(invoice)
    return [total, total_excluding_tax]
  }
  const { id } = await stripe.invoiceItems.create({
    ...{ customer, invoice, currency: 'eur', amount: 1190, tax_behavior: 'inclusive' },
  })
  // 19 % are in it: 11.90 = 10.00 × 1.19.
  expect(await told()).toEqual([1190, 1000])
  await stripe.invoiceItems.update(id, { quantity: 2 })
  expect(await told()).toEqual([2380, 2000])
  await stripe.invoiceItems.update(id, { amount: 595 })
  expect(await told()).toEqual([595, 500])
  // On top: 5.95 × 0.19 = 1.1305.
  await stripe.invoiceItems.update(id, { tax_behavior: 'exclusive' })
  expect(await told()).toEqual([708, 595])
  await stripe.invoiceItems.update(id, { quantity: 2, tax_behavior: 'inclusive' })
  expect(await told()).toEqual([1190, 1000])
  await stripe.invoiceItems.update(id, { tax_behavior: 'exclusive' })
  expect((await stripe.invoiceItems.retrieve(id)).quantity).toBe(2)
})

// docs.stripe.com/api/invoiceitems/create#create_invoiceitem-tax_behavior
test('where a price does not say whether it includes its tax, the item does', async () => {
  const { stripe } = world
  const { id: customer } = await customerIn({ country: 'DE' })
  const price = await world.price(1190, { recurring: undefined as never })
  const { id: invoice } = await stripe.invoices.create({ customer, automatic_tax })
  const told = async () => {
    const { total, total_excluding_tax } = await stripe.invoices.retrieve(invoice)
    return [total, total_excluding_tax]
  }
  const of = { customer, invoice, pricing: { price: price.id } }
  const { id } = await stripe.invoiceItems.create({ ...of, tax_behavior: 'inclusive' })
  // 19 % are in it: 11.90 = 10.00 × 1.19.
  expect(await told()).toEqual([1190, 1000])
  await stripe.invoiceItems.update(id, { quantity: 2 })
  expect(await told()).toEqual([2380, 2000])
  // On top: 23.80 × 0.19 = 4.522.
  await stripe.invoiceItems.update(id, { tax_behavior: 'exclusive' })
  expect(await told()).toEqual([2832, 2380])
  await stripe.invoices.finalizeInvoice(invoice)
  expect(await told()).toEqual([2832, 2380])
  // The price itself is as it was.
  expect((await stripe.prices.retrieve(price.id)).tax_behavior).toBe('unspecified')
})

test('how a price is taxed is said by the price: another word beside it is a gap', async () => {
  const { stripe } = world
  const { id: customer } = await customerIn({ country: 'DE' })
  const price = await world.price(1190, { recurring: undefined as never, tax_behavior: 'inclusive' })
  const of = { customer, pricing: { price: price.id } }
  const refused = { code: 'simulator_gap', param: 'tax_behavior' }
  expect(await refusal(stripe.invoiceItems.create({ ...of, tax_behavior: 'exclusive' }))).toMatchObject(
    refused,
  )
  const { id } = await stripe.invoiceItems.create({ ...of, tax_behavior: 'inclusive' })
  expect(await refusal(stripe.invoiceItems.update(id, { tax_behavior: 'exclusive' }))).toMatchObject(refused)
})
