import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf, type Loose } from './clients.ts'
import { HOUR, JAN_1, newWorld, type World } from './world.ts'

const FEB_1 = JAN_1 + 31 * 86_400
const APR_1 = FEB_1 + 59 * 86_400

let world: World
let newest: Loose
beforeAll(async () => {
  world = await newWorld()
  newest = world.stripe
})
afterAll(() => world.close())

const at = async (version: string): Promise<Loose> => clientOf(17, world.simulator.port, version)

/** The name, the status and the parameter of a refusal, whichever release throws it. */
async function refused(call: Promise<unknown>): Promise<Loose> {
  return call.then(
    () => {
      throw new Error('the call was expected to be refused')
    },
    (error: Loose) => ({ status: error.statusCode, code: error.code, param: error.param }),
  )
}

test('a version that Stripe never had is refused, and one that is too old is named', async () => {
  expect(await refused((await at('2025-03-30.basil')).customers.list())).toMatchObject({ status: 400 })
  expect(await refused((await at('2019-12-03')).customers.list())).toMatchObject({ code: 'simulator_gap' })
})

test('the upcoming invoice is read at its own address until acacia', async () => {
  const acacia = await at('2025-02-24.acacia')
  const ada = await world.customer()
  const [small, big] = [await world.price(2000), await world.price(5000)]
  const { id, items } = await acacia.subscriptions.create({ customer: ada.id, items: [{ price: small.id }] })
  const change = {
    subscription: id,
    subscription_items: [{ id: items.data[0].id, price: big.id }],
    subscription_proration_behavior: 'none',
    subscription_billing_cycle_anchor: 'unchanged',
  }
  const upcoming = await acacia.invoices.retrieveUpcoming(change)
  expect(upcoming).toMatchObject({ object: 'invoice', subscription: id, total: 5000, paid: false })
  expect(upcoming).not.toHaveProperty('id')
  const lines = await acacia.invoices.listUpcomingLines({ ...change, limit: 1 })
  expect(lines).toMatchObject({ url: '/v1/invoices/upcoming/lines', has_more: false })
  expect(lines.data).toMatchObject([{ amount: 5000, type: 'subscription', price: { id: big.id } }])

  const more = { ...change, subscription_items: [{ price: big.id }], limit: 1 }
  const all: Loose[] = await acacia.invoices.listUpcomingLines(more).autoPagingToArray({ limit: 10 })
  expect(new Set(all.map((line) => line.amount))).toEqual(new Set([2000, 5000]))
  expect(all).toHaveLength(2)

  // The refusal names the parameter as it was sent.
  const wrong = { subscription: id, subscription_items: [{ id: 'si_none', price: big.id }] }
  expect(await refused(acacia.invoices.retrieveUpcoming(wrong))).toEqual({
    status: 400,
    code: 'resource_missing',
    param: 'subscription_items[0][id]',
  })
  // https://docs.stripe.com/changelog/basil/2025-03-31/invoice-preview-api-deprecations
  const basil = await at('2025-03-31.basil')
  expect(await refused(basil.invoices.retrieveUpcoming({ subscription: id }))).toMatchObject({ status: 404 })
})

test('the billing cycle anchor is a bare word before endive, and an object since', async () => {
  const dahlia = await at('2026-08-26.dahlia')
  const ada = await world.customer()
  const { id } = await newest.subscriptions.create({
    customer: ada.id,
    items: [{ price: (await world.price(3100)).id }],
  })
  await world.advance(ada.clock, JAN_1 + HOUR)
  const moved = await dahlia.subscriptions.update(id, {
    billing_cycle_anchor: 'now',
    proration_behavior: 'none',
  })
  expect(moved.billing_cycle_anchor).toBe(JAN_1 + HOUR)
  expect(await refused(newest.subscriptions.update(id, { billing_cycle_anchor: 'now' }))).toMatchObject({
    status: 400,
    param: 'billing_cycle_anchor',
  })
  const object = { billing_cycle_anchor: { type: 'now' } }
  expect(await refused(dahlia.subscriptions.update(id, object))).toEqual({
    status: 400,
    code: 'parameter_unknown',
    param: 'billing_cycle_anchor[type]',
  })
})

test('an invoice item names its price directly before basil', async () => {
  const acacia = await at('2020-08-27')
  const ada = await world.customer()
  const price = await newest.prices.create({
    currency: 'usd',
    unit_amount: 700,
    product_data: { name: 'Setup' },
  })
  const item = await acacia.invoiceItems.create({ customer: ada.id, price: price.id, quantity: 2 })
  expect(item).toMatchObject({
    amount: 1400,
    unit_amount: 700,
    unit_amount_decimal: '700',
    price: { object: 'price', id: price.id },
    plan: null,
    subscription: null,
  })
  for (const name of ['pricing', 'parent', 'net_amount', 'proration_details', 'quantity_decimal']) {
    expect(item).not.toHaveProperty(name)
  }
  const missing = acacia.invoiceItems.create({ customer: ada.id, price: 'price_none' })
  expect(await refused(missing)).toEqual({ status: 400, code: 'resource_missing', param: 'price' })
  // Each version knows one of the two names.
  const [older, newer] = [{ price: price.id }, { pricing: { price: price.id } }]
  expect(await refused(acacia.invoiceItems.create({ customer: ada.id, ...newer }))).toEqual({
    status: 400,
    code: 'parameter_unknown',
    param: 'pricing',
  })
  expect(await refused(newest.invoiceItems.create({ customer: ada.id, ...older }))).toEqual({
    status: 400,
    code: 'parameter_unknown',
    param: 'price',
  })
})

test('coupons and promotion codes were single, and a promotion code embedded its coupon', async () => {
  const acacia = await at('2024-06-20')
  const ada = await world.customer()
  const coupon = await acacia.coupons.create({ amount_off: 500, currency: 'usd', duration: 'forever' })
  const code = await acacia.promotionCodes.create({ coupon: coupon.id, code: 'OLDER' })
  expect(code.coupon).toMatchObject({ object: 'coupon', id: coupon.id })
  expect(code).not.toHaveProperty('promotion')
  const given = { customer: ada.id, items: [{ price: (await world.price(2000)).id }] }
  const created = await acacia.subscriptions.create({ ...given, promotion_code: code.id })
  expect(created.discount).toMatchObject({ promotion_code: code.id, coupon: { id: coupon.id } })
  // Empty text takes it away.
  const without = await acacia.subscriptions.update(created.id, { coupon: '' })
  expect(without).toMatchObject({ discount: null, discounts: [] })
  // https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-singular-coupon-promotion-code
  const clover = await at('2025-09-30.clover')
  expect(await refused(clover.subscriptions.create({ ...given, coupon: coupon.id }))).toEqual({
    status: 400,
    code: 'parameter_unknown',
    param: 'coupon',
  })
  expect(await refused(clover.promotionCodes.create({ coupon: coupon.id }))).toMatchObject({
    param: 'coupon',
  })
})

test('the billing mode came with 2025-06-30 and is flexible by itself since clover', async () => {
  const given = async () => ({
    customer: (await world.customer()).id,
    items: [{ price: (await world.price(900)).id }],
  })
  const modeIn = async (version: string) => {
    const { id } = await (await at(version)).subscriptions.create(await given())
    return (await newest.subscriptions.retrieve(id)).billing_mode.type
  }
  expect(await modeIn('2025-05-28.basil')).toBe('classic')
  expect(await modeIn('2025-08-27.basil')).toBe('classic')
  expect(await modeIn('2025-09-30.clover')).toBe('flexible')
  const [may, june] = [await at('2025-05-28.basil'), await at('2025-06-30.basil')]
  const asked = { ...(await given()), billing_mode: { type: 'flexible' } }
  expect(await refused(may.subscriptions.create(asked))).toMatchObject({ param: 'billing_mode' })
  expect((await june.subscriptions.create(asked)).billing_mode).toEqual({ type: 'flexible' })
})

test('phases counted iterations before clover', async () => {
  const basil = await at('2025-08-27.basil')
  const ada = await world.customer()
  const quarter = await world.price(3000, { recurring: { interval: 'month', interval_count: 3 } })
  const schedule = await basil.subscriptionSchedules.create({
    customer: ada.id,
    start_date: JAN_1,
    phases: [{ items: [{ price: quarter.id }], iterations: 1 }],
  })
  expect(schedule.phases).toMatchObject([{ start_date: JAN_1, end_date: APR_1 }])
  expect(schedule.billing_mode).toEqual({ type: 'classic' })
  expect((await newest.subscriptions.retrieve(schedule.subscription)).billing_mode.type).toBe('classic')
})

test('Checkout had other names for its pages and for payment methods', async () => {
  const clover = await at('2025-09-30.clover')
  const price = await world.price(1900)
  const session = await clover.checkout.sessions.create({
    mode: 'subscription',
    ui_mode: 'hosted',
    payment_method_types: ['card'],
    success_url: 'https://example.com/done',
    line_items: [{ price: price.id, quantity: 1 }],
  })
  expect(session).toMatchObject({ ui_mode: 'hosted', payment_method_types: ['card'] })
  expect(session).not.toHaveProperty('allowed_payment_method_types')
  const basil = await at('2025-08-27.basil')
  const classic = await basil.checkout.sessions.create({
    mode: 'subscription',
    success_url: 'https://example.com/done',
    line_items: [{ price: price.id, quantity: 1 }],
  })
  const done: Loose = world.simulator.control.completeCheckout(classic.id, { email: 'ada@example.com' })
  expect((await newest.subscriptions.retrieve(done.subscription)).billing_mode.type).toBe('classic')
  const wrong = { mode: 'setup', success_url: 'https://example.com/done', payment_method_types: ['card'] }
  expect(await refused(newest.checkout.sessions.create(wrong))).toEqual({
    status: 400,
    code: 'parameter_unknown',
    param: 'payment_method_types',
  })
  // https://docs.stripe.com/changelog/dahlia/2026-08-26/removes-payment-method-types-parameter-from-payment-intents-setup-intents
  const fixed: Loose = { payment_method_types: ['card'] }
  const gone = {
    status: 400,
    code: 'payment_method_types_no_longer_supported',
    param: 'payment_method_types',
  }
  const { paymentIntents, setupIntents } = newest
  const intent = await paymentIntents.create({ amount: 900, currency: 'usd' })
  const setup = await setupIntents.create({})
  expect(await refused(paymentIntents.create({ amount: 900, currency: 'usd', ...fixed }))).toEqual(gone)
  expect(await refused(paymentIntents.update(intent.id, fixed))).toEqual(gone)
  expect(await refused(paymentIntents.confirm(intent.id, fixed))).toEqual(gone)
  expect(await refused(setupIntents.create(fixed))).toEqual(gone)
  expect(await refused(setupIntents.update(setup.id, fixed))).toEqual(gone)
})

test('what is gone for good is refused by name', async () => {
  const acacia = await at('2025-02-24.acacia')
  const usage = acacia.subscriptionItems.createUsageRecord('si_any', { quantity: 1 })
  expect(await refused(usage)).toMatchObject({ code: 'simulator_gap' })
  const metered = { interval: 'month', usage_type: 'metered', aggregate_usage: 'sum' }
  const price = acacia.prices.create({ currency: 'usd', unit_amount: 1, recurring: metered, product: 'p' })
  expect(await refused(price)).toEqual({
    status: 400,
    code: 'simulator_gap',
    param: 'recurring[aggregate_usage]',
  })
  expect(await refused(acacia.customers.create({ coupon: 'C' }))).toMatchObject({ param: 'coupon' })
  // Invoice payments came with basil.
  const old: Loose = await fetch(`${world.simulator.url}/v1/invoice_payments`, {
    headers: { authorization: 'Bearer sk_test_x', 'stripe-version': '2025-02-24.acacia' },
  })
  expect(old.status).toBe(404)
})

test('an invoice that was paid elsewhere said so before basil, and did not count it as paid here', async () => {
  // "The amount_paid field on the Invoice object now reflects out of band payments."
  // https://docs.stripe.com/changelog/basil/2025-03-31/add-support-for-multiple-partial-payments-on-invoices
  const acacia = await at('2025-02-24.acacia')
  const ada = await world.customer({ card: null })
  await newest.invoiceItems.create({ customer: ada.id, amount: 4200, currency: 'usd' })
  const draft = await newest.invoices.create({
    customer: ada.id,
    collection_method: 'send_invoice',
    days_until_due: 30,
    pending_invoice_items_behavior: 'include',
  })
  await newest.invoices.finalizeInvoice(draft.id)
  const paid = await acacia.invoices.pay(draft.id, { paid_out_of_band: true })
  expect(paid).toMatchObject({
    status: 'paid',
    paid: true,
    paid_out_of_band: true,
    amount_paid: 0,
    charge: null,
  })
  expect((await newest.invoices.retrieve(draft.id)).amount_paid).toBe(4200)
})

test('taxes were amounts that name a rate', async () => {
  // https://docs.stripe.com/changelog/basil/2025-03-31/invoice-tax-configurations
  const acacia = await at('2025-02-24.acacia')
  const ada = await world.customer()
  const tax = { display_name: 'VAT', percentage: 20, inclusive: true }
  const rate = await newest.taxRates.create(tax)
  const created = await acacia.subscriptions.create({
    customer: ada.id,
    items: [{ price: (await world.price(1200)).id, tax_rates: [rate.id] }],
    expand: ['latest_invoice'],
  })
  // 1200 with 20 % inside: 1200 - 1200 / 1.2 = 200.
  const invoice = created.latest_invoice
  expect(invoice).toMatchObject({ tax: 200, total: 1200, total_excluding_tax: 1000 })
  expect(invoice.total_tax_amounts).toMatchObject([{ amount: 200, inclusive: true, tax_rate: rate.id }])
  expect(invoice.lines.data).toMatchObject([
    {
      amount: 1200,
      amount_excluding_tax: 1000,
      unit_amount_excluding_tax: '1000',
      tax_rates: [{ object: 'tax_rate', id: rate.id, percentage: 20 }],
    },
  ])
  expect(invoice.lines.data[0].tax_amounts).toMatchObject([
    { amount: 200, inclusive: true, tax_rate: rate.id, taxable_amount: 1000 },
  ])
})

test('before 2022-08-01 an invoice took pending items by itself, and a page for a payment made a customer', async () => {
  const old = await at('2020-08-27')
  const ada = await world.customer()
  const required = { customer: ada.id, pending_invoice_items_behavior: 'include_and_require' }
  expect(await refused(old.invoices.create(required))).toEqual({
    status: 400,
    code: 'invoice_no_customer_line_items',
    param: 'customer',
  })
  await newest.invoiceItems.create({ customer: ada.id, amount: 900, currency: 'usd' })
  expect(await old.invoices.create({ customer: ada.id })).toMatchObject({
    total: 900,
    rendering_options: null,
  })
  await newest.invoiceItems.create({ customer: ada.id, amount: 700, currency: 'usd' })
  const later = await at('2022-08-01')
  expect(await later.invoices.create({ customer: ada.id })).toMatchObject({ total: 0 })
  expect(await old.invoices.create(required)).toMatchObject({ total: 700 })

  const price = await newest.prices.create({
    currency: 'usd',
    unit_amount: 500,
    product_data: { name: 'Mug' },
  })
  const page = {
    mode: 'payment',
    success_url: 'https://example.com/done',
    line_items: [{ price: price.id, quantity: 1 }],
  }
  expect((await old.checkout.sessions.create(page)).customer_creation).toBe('always')
  expect((await later.checkout.sessions.create(page)).customer_creation).toBe('if_required')
})

test('before 2022-11-15 an intent embedded its charges and a charge its refunds', async () => {
  const old = await at('2022-08-01')
  const ada = await world.customer()
  const intent = await old.paymentIntents.create({
    amount: 1500,
    currency: 'usd',
    customer: ada.id,
    payment_method: 'pm_card_visa',
    payment_method_types: ['card'],
    confirm: true,
  })
  expect(intent.charges).toMatchObject({ object: 'list', total_count: 1 })
  const [charge] = intent.charges.data
  expect(charge).toMatchObject({ amount: 1500, invoice: null, refunds: { object: 'list', data: [] } })
  await old.refunds.create({ charge: charge.id, amount: 500 })
  const refunded = await old.charges.retrieve(charge.id)
  expect(refunded.refunds.data).toMatchObject([{ object: 'refund', amount: 500 }])
  const later = await (await at('2022-11-15')).charges.retrieve(charge.id)
  expect(later).not.toHaveProperty('refunds')
})

test('lines of an invoice named their price directly before basil', async () => {
  // https://docs.stripe.com/changelog/basil/2025-03-31/invoice-pricing-configurations
  const acacia = await at('2025-02-24.acacia')
  const ada = await world.customer()
  const price = await newest.prices.create({
    currency: 'usd',
    unit_amount: 700,
    product_data: { name: 'Mug' },
  })
  const draft = await newest.invoices.create({ customer: ada.id, pending_invoice_items_behavior: 'exclude' })
  const added = await acacia.invoices.addLines(draft.id, { lines: [{ price: price.id, quantity: 2 }] })
  expect(added.lines.data).toMatchObject([{ amount: 1400, price: { id: price.id }, type: 'invoiceitem' }])
  const [{ id }] = added.lines.data
  const other = await newest.prices.create({
    currency: 'usd',
    unit_amount: 900,
    product_data: { name: 'Cap' },
  })
  const line = await acacia.invoices.updateLineItem(draft.id, id, { price: other.id, quantity: 1 })
  expect(line).toMatchObject({ amount: 900, price: { id: other.id } })
  const updated = await acacia.invoices.updateLines(draft.id, {
    lines: [{ id, price: price.id, quantity: 3 }],
  })
  expect(updated.total).toBe(2100)
  const unknown = acacia.invoices.addLines(draft.id, { lines: [{ price: 'price_none' }] })
  expect(await refused(unknown)).toMatchObject({ status: 400, param: 'lines[0][price]' })
  const newer = acacia.invoices.addLines(draft.id, { lines: [{ pricing: { price: price.id } }] })
  expect(await refused(newer)).toMatchObject({ code: 'parameter_unknown', param: 'lines[0][pricing]' })
})

test('before basil the number of all could be expanded on a list', async () => {
  // https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-total-count-expansion
  const acacia = await at('2025-02-24.acacia')
  const ada = await world.customer()
  for (const amount of [100, 200, 300]) {
    await newest.invoiceItems.create({ customer: ada.id, amount, currency: 'usd' })
  }
  const asked = { customer: ada.id, limit: 1, expand: ['total_count', 'data.customer'] }
  const page = await acacia.invoiceItems.list(asked)
  expect(page).toMatchObject({ total_count: 3, has_more: true, data: [{ customer: { id: ada.id } }] })
  const next = await acacia.invoiceItems.list({ ...asked, starting_after: page.data[0].id })
  expect(next.total_count).toBe(3)
  expect(await acacia.invoiceItems.list({ customer: ada.id })).not.toHaveProperty('total_count')
  const lines = await acacia.invoices.create({ customer: ada.id, pending_invoice_items_behavior: 'include' })
  expect((await acacia.invoices.listLineItems(lines.id, { expand: ['total_count'] })).total_count).toBe(3)
  const basil = await at('2025-03-31.basil')
  expect(await refused(basil.invoiceItems.list(asked))).toMatchObject({ status: 400, param: 'expand[0]' })
})

test('a previewed schedule counted iterations, named a coupon, and was classic', async () => {
  // https://docs.stripe.com/changelog/clover/2025-09-30/remove-iterations names `createPreview.schedule_details`, too.
  const acacia = await at('2025-02-24.acacia')
  const ada = await world.customer()
  const price = await world.price(2000)
  const { id: coupon } = await newest.coupons.create({ percent_off: 25, duration: 'once' })
  const phase = { items: [{ price: price.id }], iterations: 2, coupon }
  const asked = { customer: ada.id, schedule_details: { phases: [phase] } }
  // 2000 less a quarter.
  expect(await acacia.invoices.createPreview(asked)).toMatchObject({ subtotal: 2000, total: 1500 })
  const durable = { ...phase, iterations: undefined, duration: { interval: 'month' } }
  const newer = { ...asked, schedule_details: { phases: [durable] } }
  expect(await refused(acacia.invoices.createPreview(newer))).toMatchObject({
    code: 'parameter_unknown',
    param: 'schedule_details[phases][0][duration]',
  })
})

test('before 2024-04-10 a payment was captured at once', async () => {
  // https://docs.stripe.com/changelog/2024-04-10/automatic-sync-default-paymentintents
  const asked = { amount: 900, currency: 'usd' }
  const methodIn = async (version: string) =>
    (await (await at(version)).paymentIntents.create(asked)).capture_method
  expect(await methodIn('2023-10-16')).toBe('automatic')
  expect(await methodIn('2024-04-10')).toBe('automatic_async')
  const old = await at('2023-10-16')
  expect((await old.paymentIntents.create({ ...asked, capture_method: 'manual' })).capture_method).toBe(
    'manual',
  )
})

test('before 2022-08-01 a line of a Checkout page named its product and amount, and its subscription a coupon', async () => {
  const old = await at('2020-08-27')
  const pages = { success_url: 'https://example.com/done' }
  // https://docs.stripe.com/changelog/2022-08-01/replaces-line-item-create-checkout-session
  const mug = { name: 'Mug', description: 'Blue', images: ['https://example.com/mug.png'] }
  const line = { ...mug, amount: 500, currency: 'usd', quantity: 2 }
  const session = await old.checkout.sessions.create({
    ...pages,
    mode: 'payment',
    line_items: [line],
    shipping_address_collection: { allowed_countries: ['US'] },
    expand: ['line_items.data.price.product'],
  })
  expect(session).toMatchObject({ amount_total: 1000, payment_method_collection: 'always', shipping: null })
  expect(session).toHaveProperty('shipping_rate', null)
  expect(session.line_items.data).toMatchObject([
    { amount_total: 1000, quantity: 2, price: { unit_amount: 500, product: mug } },
  ])
  for (const name of ['shipping_cost', 'shipping_details', 'collected_information']) {
    expect(session).not.toHaveProperty(name)
  }
  const later = await at('2022-08-01')
  const unnamed = { ...pages, mode: 'payment', line_items: [line] }
  expect(await refused(later.checkout.sessions.create(unnamed))).toMatchObject({
    code: 'parameter_unknown',
    param: 'line_items[0][name]',
  })
  const wrong = { ...unnamed, line_items: [{ ...line, amount: -1 }] }
  expect(await refused(old.checkout.sessions.create(wrong))).toMatchObject({ param: 'line_items[0][amount]' })

  // https://docs.stripe.com/changelog/2022-08-01/removes-subscription-data-create-checkout-session
  const price = await world.price(2000)
  const { id: coupon } = await newest.coupons.create({ percent_off: 10, duration: 'forever' })
  const subscribing = { ...pages, mode: 'subscription', line_items: [{ price: price.id, quantity: 1 }] }
  const discounted = { ...subscribing, subscription_data: { coupon } }
  expect(await old.checkout.sessions.create(discounted)).toMatchObject({ amount_total: 1800 })
  expect(await refused(later.checkout.sessions.create(discounted))).toMatchObject({
    code: 'parameter_unknown',
  })

  // https://docs.stripe.com/changelog/2022-08-01/updates-shipping-property-checkout-session
  const shown = await later.checkout.sessions.retrieve(session.id)
  expect(shown).toMatchObject({ shipping_details: null, shipping_cost: null })
  expect(shown).not.toHaveProperty('shipping')
})

test('what a later release added is not known to an earlier one, inside of lists neither', async () => {
  const ada = await world.customer()
  const price = await world.price(2000)
  const setup = await newest.prices.create({
    currency: 'usd',
    unit_amount: 500,
    product_data: { name: 'Setup' },
  })
  const extra = {
    price: setup.id,
    period: { start: { type: 'now' }, end: { type: 'min_item_period_end' } },
  }
  const asked = { customer: ada.id, items: [{ price: price.id }], add_invoice_items: [extra] }
  expect(await refused((await at('2025-07-30.basil')).subscriptions.create(asked))).toMatchObject({
    code: 'parameter_unknown',
    param: 'add_invoice_items[0][period]',
  })
  // https://docs.stripe.com/changelog/basil/2025-08-27/add_invoice_items_metadata_and_period
  expect(await (await at('2025-08-27.basil')).subscriptions.create(asked)).toMatchObject({ status: 'active' })
  const named = { business_name: 'Ada Ltd.' }
  expect(await refused((await at('2025-08-27.basil')).customers.update(ada.id, named))).toMatchObject({
    code: 'parameter_unknown',
    param: 'business_name',
  })
  // https://docs.stripe.com/changelog/clover/2025-09-30/customer-business-individual-names
  expect(await (await at('2025-09-30.clover')).customers.update(ada.id, named)).toMatchObject(named)
  expect(await (await at('2025-08-27.basil')).customers.retrieve(ada.id)).not.toHaveProperty('business_name')
})

/** As recorded in events of 2020-08-27: a list that tells of the latest charge only, and how many there are. */
test('before 2022-11-15 an intent embedded its latest charge alone, and lists that are embedded were counted', async () => {
  const old = await at('2020-08-27')
  const ada = await world.customer({ card: 'pm_card_chargeCustomerFail' })
  const price = await world.price(1500)
  const subscription = await old.subscriptions.create({
    customer: ada.id,
    items: [{ price: price.id }],
    expand: ['latest_invoice'],
  })
  const intent = subscription.latest_invoice.payment_intent
  await world.setCard(ada.id, 'pm_card_visa')
  await old.invoices.pay(subscription.latest_invoice.id)
  const { charges } = await old.paymentIntents.retrieve(intent)
  expect(charges).toMatchObject({
    has_more: true,
    total_count: 2,
    url: `/v1/charges?payment_intent=${intent}`,
  })
  expect(charges.data).toMatchObject([{ paid: true, refunds: { data: [], has_more: false, total_count: 0 } }])
  expect((await old.charges.list({ payment_intent: intent })).data).toHaveLength(2)
})

test('before basil a credit note had one refund, which could be expanded', async () => {
  const acacia = await at('2025-02-24.acacia')
  const ada = await world.customer()
  const items = [{ price: (await world.price(1500)).id }]
  const { latest_invoice: invoice } = await acacia.subscriptions.create({ customer: ada.id, items })
  const asked = { invoice, amount: 100, refund_amount: 100 }
  const note = await acacia.creditNotes.create({ ...asked, expand: ['refund'] })
  expect(note.refund).toMatchObject({ object: 'refund', amount: 100 })
  const none = await acacia.creditNotes.create({
    invoice,
    amount: 100,
    credit_amount: 100,
    expand: ['refund'],
  })
  expect(none.refund).toBeNull()
})

test('a coupon, a promotion code and discounts excluded each other', async () => {
  const acacia = await at('2025-02-24.acacia')
  const ada = await world.customer()
  const { id: coupon } = await acacia.coupons.create({ percent_off: 10, duration: 'forever' })
  const { id: code } = await acacia.promotionCodes.create({ coupon })
  const base = { customer: ada.id, items: [{ price: (await world.price(1500)).id }] }
  for (const both of [
    { coupon, promotion_code: code },
    { coupon, discounts: [{ coupon }] },
    { promotion_code: code, discounts: [{ coupon }] },
  ]) {
    const [first] = Object.keys(both)
    expect(await refused(acacia.subscriptions.create({ ...base, ...both }))).toMatchObject({
      status: 400,
      param: first,
    })
  }
  expect((await acacia.subscriptions.create({ ...base, promotion_code: code })).discount.coupon.id).toBe(
    coupon,
  )
})
