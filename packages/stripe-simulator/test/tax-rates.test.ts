// docs.stripe.com/billing/taxes/tax-rates and docs.stripe.com/invoicing/taxes/tax-rates
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { HOUR, refusal } from './world.ts'

const world = await sharedWorld()

const rate = async (percentage: number, inclusive = false) =>
  (await world.stripe.taxRates.create({ display_name: 'VAT', percentage, inclusive })).id

async function firstInvoice(amount: number, params: Partial<Stripe.SubscriptionCreateParams>) {
  const ada = await world.customer()
  const subscription = await world.stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: (await world.price(amount)).id }],
    ...params,
    expand: ['latest_invoice'],
  })
  return { ada, subscription, invoice: subscription.latest_invoice as Stripe.Invoice }
}

test('20 % on 1000 is 200 on top when exclusive: total 1200', async () => {
  const txr = await rate(20)
  const { subscription, invoice } = await firstInvoice(1000, { default_tax_rates: [txr] })
  expect(subscription.default_tax_rates).toMatchObject([{ id: txr, percentage: 20, inclusive: false }])
  expect(invoice).toMatchObject({
    subtotal: 1000,
    subtotal_excluding_tax: 1000,
    total: 1200,
    total_excluding_tax: 1000,
    amount_paid: 1200,
    status: 'paid',
  })
  const tax = {
    amount: 200,
    tax_behavior: 'exclusive',
    tax_rate_details: { tax_rate: txr },
    taxable_amount: 1000,
    type: 'tax_rate_details',
  }
  expect(invoice.total_taxes).toMatchObject([tax])
  expect(invoice.lines.data[0]?.taxes).toMatchObject([tax])
})

test('20 % inside 1000 is 1000 - 1000 / 1.2 = 167 when inclusive', async () => {
  const { invoice } = await firstInvoice(1000, { default_tax_rates: [await rate(20, true)] })
  expect(invoice).toMatchObject({
    subtotal: 1000,
    subtotal_excluding_tax: 833,
    total: 1000,
    total_excluding_tax: 833,
  })
  expect(invoice.total_taxes).toMatchObject([{ amount: 167, taxable_amount: 833, tax_behavior: 'inclusive' }])
})

test('tax comes after discounts: 19 % of 1000 less 25 %', async () => {
  const coupon = await world.stripe.coupons.create({ percent_off: 25, duration: 'forever' })
  const { invoice } = await firstInvoice(1000, {
    default_tax_rates: [await rate(19)],
    discounts: [{ coupon: coupon.id }],
  })
  // 750 × 0.19 = 142.5, away from zero
  expect(invoice).toMatchObject({ subtotal: 1000, total: 893, total_excluding_tax: 750 })
})

test('rates of an item win over those of the subscription', async () => {
  const [wide, own] = [await rate(20), await rate(7)]
  const [first, second] = [(await world.price(1000)).id, (await world.price(500)).id]
  const { invoice, subscription } = await firstInvoice(1000, {
    items: [{ price: first, tax_rates: [own] }, { price: second }],
    default_tax_rates: [wide],
  })
  expect(invoice.total).toBe(1000 + 70 + 500 + 100)
  expect(subscription.items.data[0]?.tax_rates).toMatchObject([{ id: own }])
  expect(invoice.total_taxes?.map((tax) => tax.amount).sort()).toEqual([100, 70])
})

test('two rates on one amount, each rounded by itself: 5 % and 9.975 % of 1999', async () => {
  const { invoice } = await firstInvoice(1999, { default_tax_rates: [await rate(5), await rate(9.975)] })
  // 99.95 → 100; 199.40025 → 199
  expect(invoice.total_taxes?.map((tax) => tax.amount)).toEqual([100, 199])
  expect(invoice.total).toBe(2298)
})

test('a renewal and prorations are taxed as well', async () => {
  const txr = await rate(10)
  const { ada, subscription } = await firstInvoice(1000, { default_tax_rates: [txr] })
  const half = 1767225600 + 15.5 * 86_400
  await world.advance(ada.clock, half)
  const item = subscription.items.data[0]?.id as string
  await world.stripe.subscriptions.update(subscription.id, {
    items: [{ id: item, price: (await world.price(3000)).id }],
    proration_behavior: 'always_invoice',
  })
  const [, change] = await world.invoices(subscription.id)
  expect(change?.lines.data.map((line) => [line.amount, line.taxes?.[0]?.amount])).toEqual([
    [-500, -50],
    [1500, 150],
  ])
  expect(change).toMatchObject({ subtotal: 1000, total: 1100 })
  await world.advance(ada.clock, 1769904000 + 2 * HOUR)
  expect((await world.invoices(subscription.id))[2]).toMatchObject({ subtotal: 3000, total: 3300 })
})

test('a preview is taxed like the deed', async () => {
  const ada = await world.customer()
  const txr = await rate(20)
  const items = [{ price: (await world.price(1000)).id }]
  const preview = await world.stripe.invoices.createPreview({
    customer: ada.id,
    subscription_details: { items, default_tax_rates: [txr] },
  })
  expect(preview).toMatchObject({ subtotal: 1000, total: 1200, amount_due: 1200 })
})

test.each([
  ['exempt', 'customer_exempt'],
  ['reverse', 'reverse_charge'],
] as const)('a customer who is %s pays no tax', async (exempt, reason) => {
  const ada = await world.customer()
  await world.stripe.customers.update(ada.id, { tax_exempt: exempt })
  const subscription = await world.stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: (await world.price(1000)).id }],
    default_tax_rates: [await rate(20)],
    expand: ['latest_invoice'],
  })
  const invoice = subscription.latest_invoice as Stripe.Invoice
  expect(invoice.total).toBe(1000)
  expect(invoice.total_taxes).toMatchObject([{ amount: 0, taxability_reason: reason }])
})

test('a draft by hand: rates on the invoice, on an item, and taken away again', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const [wide, own] = [await rate(20), await rate(10)]
  const draft = await stripe.invoices.create({ customer: ada.id, default_tax_rates: [wide] })
  const item = await stripe.invoiceItems.create({
    customer: ada.id,
    invoice: draft.id,
    amount: 1000,
    currency: 'usd',
  })
  expect((await stripe.invoices.retrieve(draft.id)).total).toBe(1200)
  await stripe.invoiceItems.update(item.id, { tax_rates: [own] })
  expect((await stripe.invoices.retrieve(draft.id)).total).toBe(1100)
  await stripe.invoiceItems.update(item.id, { tax_rates: '' })
  const bare = await stripe.invoices.update(draft.id, { default_tax_rates: '' })
  expect(bare).toMatchObject({ total: 1000, total_taxes: [] })
})

test('a credited line takes its tax along: 1 of 4 at 1000 and 20 %', async () => {
  const { invoice } = await firstInvoice(1000, {
    items: [{ price: (await world.price(1000)).id, quantity: 4 }],
    default_tax_rates: [await rate(20)],
  })
  const note = await world.stripe.creditNotes.create({
    invoice: invoice.id,
    lines: [
      { type: 'invoice_line_item', invoice_line_item: invoice.lines.data[0]?.id as string, quantity: 1 },
    ],
    refund_amount: 1200,
  })
  expect(note).toMatchObject({ subtotal: 1000, total: 1200, total_excluding_tax: 1000 })
  expect(note.total_taxes).toMatchObject([{ amount: 200, taxable_amount: 1000 }])
})

test('rates are archived, not changed, and then serve nothing new', async () => {
  const { stripe } = world
  const txr = await rate(20)
  const types = await world.typesDuring(() => stripe.taxRates.update(txr, { active: false }))
  expect(types).toEqual(['tax_rate.updated'])
  expect((await stripe.taxRates.list({ active: false })).data.map(({ id }) => id)).toContain(txr)
  const ada = await world.customer()
  const create = stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: (await world.price(1000)).id }],
    default_tax_rates: [txr],
  })
  expect(await refusal(create)).toMatchObject({ statusCode: 400, param: 'default_tax_rates[0]' })
})

// docs.stripe.com/api/tax_rates/create#create_tax_rate-tax_type
test('every kind of tax that Stripe has can be named', async () => {
  for (const tax_type of ['digital_excise_tax', 'get_fund', 'nhil', 'utility_users_tax'] as const) {
    const made = await world.stripe.taxRates.create({
      display_name: 'Tax',
      percentage: 1,
      inclusive: false,
      tax_type,
    })
    expect(made.tax_type).toBe(tax_type)
  }
  const unknown = { display_name: 'Tax', percentage: 1, inclusive: false, tax_type: 'window_tax' }
  expect(await refusal(world.stripe.taxRates.create(unknown))).toMatchObject({ param: 'tax_type' })
})

// As recorded in 2026-08-26.dahlia: Kiln-AI/stripe_world tests/conformance/cassettes/07_catalog.json, steps 75 to 80.
test('a rate that is set by hand is in effect what it says, and has no level', async () => {
  const rate = await world.stripe.taxRates.create({
    ...{ display_name: 'CA sales tax', percentage: 8.875, inclusive: false, country: 'US', state: 'CA' },
  })
  expect(rate).toMatchObject({
    ...{ percentage: 8.875, effective_percentage: 8.875, rate_type: 'percentage', flat_amount: null },
    ...{ jurisdiction: null, jurisdiction_level: null, tax_type: null, active: true },
  })
  const archived = await world.stripe.taxRates.update(rate.id, { active: false, description: 'archived' })
  expect(archived).toMatchObject({ active: false, description: 'archived', effective_percentage: 8.875 })
  expect(await refusal(world.stripe.taxRates.retrieve('txr_nope'))).toMatchObject({
    ...{ statusCode: 404, param: 'tax_rate', message: "No such tax rate: 'txr_nope'" },
  })
})
