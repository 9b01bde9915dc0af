// docs.stripe.com/api/invoices/create_preview: what is asked for is shown and nothing is done.
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { clientOf, type Loose } from './clients.ts'
import { sharedWorld } from './shared-world.ts'
import { amounts, DAY, HOUR, JAN_1, refusal } from './world.ts'

const FEB_1 = JAN_1 + 31 * DAY
const MAR_1 = FEB_1 + 28 * DAY

const world = await sharedWorld()

/** From 30.00 to 10.00 at `at`. */
async function downgrade(
  at: number,
  proration_behavior: 'always_invoice' | 'create_prorations' = 'create_prorations',
) {
  const { stripe } = world
  const ada = await world.customer()
  const [price, cheap] = [(await world.price(3000)).id, (await world.price(1000)).id]
  const subscription = await stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  const made = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id })
  const phases = [
    { items: [{ price }], start_date: JAN_1, end_date: at },
    { items: [{ price: cheap }], proration_behavior, duration: { interval: 'month' as const } },
  ]
  await stripe.subscriptionSchedules.update(made.id, { phases })
  return { ada, price, cheap, id: subscription.id, schedule: made.id, phases }
}

const preview = (params: Stripe.InvoiceCreatePreviewParams) => world.stripe.invoices.createPreview(params)

test('the renewal is shown as the next phase has it, by the subscription and by its schedule, and told so', async () => {
  const { stripe } = world
  const { ada, id, schedule } = await downgrade(FEB_1)
  for (const shown of [await preview({ subscription: id }), await preview({ schedule })]) {
    expect(amounts(shown)).toEqual([1000])
    expect(shown.lines.data[0]?.period).toEqual({ start: FEB_1, end: MAR_1 })
  }
  expect((await stripe.subscriptionSchedules.retrieve(schedule)).current_phase?.start_date).toBe(JAN_1)
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  expect((await world.invoices(id)).map(({ total }) => total)).toEqual([3000, 1000])
  const upcoming = (await world.events(['invoice.upcoming'])).at(-1)?.data.object as Stripe.Invoice
  expect(upcoming.total).toBe(1000)
})

test('a phase that is billed at once is the next invoice', async () => {
  const { ada, id } = await downgrade(JAN_1 + 15.5 * DAY, 'always_invoice')
  const shown = await preview({ subscription: id })
  // Half of January is left.
  expect(amounts(shown)).toEqual([-1500, 500])
  await world.advance(ada.clock, JAN_1 + 16 * DAY)
  const [, made] = await world.invoices(id)
  expect(made && amounts(made)).toEqual([-1500, 500])
})

test('a schedule is shown as it would be with other phases, and one that is not there yet', async () => {
  const { stripe } = world
  const { ada, price, schedule, phases } = await downgrade(FEB_1)
  const seats = [phases[0], { ...phases[1], items: [{ price, quantity: 3 }] }]
  const details = { phases: seats as Stripe.InvoiceCreatePreviewParams.ScheduleDetails.Phase[] }
  expect((await preview({ schedule, schedule_details: details })).total).toBe(9000)
  expect((await preview({ schedule })).total).toBe(1000)
  const planned = await preview({
    customer: ada.id,
    schedule_details: { phases: [{ items: [{ price, quantity: 2 }], start_date: JAN_1 + 10 * DAY }] },
  })
  expect(planned).toMatchObject({ total: 6000, period_start: JAN_1 + 10 * DAY })
  expect((await stripe.subscriptions.list({ customer: ada.id })).data).toHaveLength(1)
  expect((await stripe.subscriptionSchedules.list({ customer: ada.id })).data).toHaveLength(1)
  const mixed = await refusal(preview({ schedule, invoice_items: [{ amount: 5, currency: 'usd' }] }))
  expect([mixed.statusCode, mixed.param]).toEqual([400, 'invoice_items'])
})

test('a customer who is not there yet, and one who would live elsewhere', async () => {
  const { stripe } = world
  const price = (await world.price(1000)).id
  const subscription_details = { items: [{ price }] }
  const automatic_tax = { enabled: true }
  // 19 % in Germany, on top of a price that does not say.
  const before = await preview({
    customer_details: { address: { country: 'DE' } },
    automatic_tax,
    subscription_details,
  })
  expect(before).toMatchObject({ subtotal: 1000, total: 1190 })
  const { id: customer } = await stripe.customers.create({ address: { country: 'DE' } })
  const moved = { address: { country: 'FR' } } as const
  const elsewhere = { customer, customer_details: moved, automatic_tax, subscription_details }
  expect((await preview(elsewhere)).total).toBe(1200)
  const exempt = { ...elsewhere, customer_details: { tax_exempt: 'exempt' as const } }
  expect((await preview(exempt)).total).toBe(1000)
  expect(await stripe.customers.retrieve(customer)).toMatchObject({
    address: { country: 'DE' },
    tax_exempt: 'none',
  })
})

test('discounts take the place of those that run, and empty text of all', async () => {
  const { stripe } = world
  const [tenth, half] = [
    await stripe.coupons.create({ percent_off: 10, duration: 'forever' }),
    await stripe.coupons.create({ percent_off: 50, duration: 'once' }),
  ]
  const { id: customer } = await world.customer()
  const price = (await world.price(2000)).id
  const discounts = [{ coupon: half.id }]
  expect((await preview({ customer, subscription_details: { items: [{ price }] }, discounts })).total).toBe(
    1000,
  )
  const { id: subscription } = await stripe.subscriptions.create({
    customer,
    items: [{ price }],
    discounts: [{ coupon: tenth.id }],
  })
  expect((await preview({ subscription })).total).toBe(1800)
  expect((await preview({ subscription, discounts })).total).toBe(1000)
  expect((await preview({ subscription, discounts: '' })).total).toBe(2000)
  expect((await stripe.coupons.retrieve(half.id)).times_redeemed).toBe(0)
})

test('items with prices of their own, and what is not to be discounted', async () => {
  const { stripe } = world
  const coupon = await stripe.coupons.create({ percent_off: 50, duration: 'forever' })
  const { id: customer } = await world.customer()
  const product = (await world.product('Setup')).id
  const price = (await world.price(2000)).id
  const { id: subscription } = await stripe.subscriptions.create({
    customer,
    items: [{ price }],
    discounts: [{ coupon: coupon.id }],
  })
  const shown = await preview({
    subscription,
    invoice_items: [
      { price_data: { currency: 'usd', product, unit_amount: 300 }, quantity: 2, discountable: false },
      { amount: 100, currency: 'usd' },
    ],
  })
  // 600 stays, of 100 and 2000 a half.
  expect(shown).toMatchObject({ subtotal: 2700, total: 1650 })
})

test('an item that waits is shown as it would be with other words and amounts, and stays as it is', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const price = (await world.price(3000)).id
  const { id } = await stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  const of = { customer: ada.id, subscription: id, currency: 'usd' }
  const waiting = await stripe.invoiceItems.create({ ...of, amount: 500, description: 'Usage' })
  const other = await stripe.invoiceItems.create({
    customer: (await world.customer()).id,
    amount: 1,
    currency: 'usd',
  })
  const shown = await preview({
    subscription: id,
    invoice_items: [
      { invoiceitem: waiting.id, amount: 250, description: 'Half of it' },
      { amount: 70, currency: 'usd' },
    ],
  })
  expect(amounts(shown).toSorted((a, b) => a - b)).toEqual([70, 250, 3000])
  expect(shown.lines.data.map(({ description }) => description)).toContain('Half of it')
  expect(await stripe.invoiceItems.retrieve(waiting.id)).toEqual(waiting)
  const foreign = await refusal(
    preview({ subscription: id, invoice_items: [{ invoiceitem: other.id, amount: 1 }] }),
  )
  expect(foreign.param).toBe('invoice_items[0][invoiceitem]')
})

test('the empty text shows what it would be without any discount, the customer’s included', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const coupon = await stripe.coupons.create({ percent_off: 20, duration: 'forever' })
  world.simulator.control.discountCustomer(ada.id, coupon.id)
  const subscription = await stripe.subscriptions.create({
    ...{ customer: ada.id, items: [{ price: (await world.price(1000)).id }] },
  })
  const of = (more: Partial<Stripe.InvoiceCreatePreviewParams>) =>
    preview({ subscription: subscription.id, ...more })
  expect((await of({})).total).toBe(800)
  expect((await of({ discounts: '' })).total).toBe(1000)
  // One that stands above it may be named: "existing discount on the object (or one of its ancestors)".
  const { discount } = (await stripe.customers.retrieve(ada.id)) as Stripe.Customer
  expect((await of({ discounts: [{ discount: discount?.id ?? '' }] })).total).toBe(800)
  expect((await of({})).total).toBe(800)
})

test('discounts that are there only in a preview are expanded as they were in it', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const [own, whole] = [
    await stripe.coupons.create({ percent_off: 10, duration: 'forever' }),
    await stripe.coupons.create({ amount_off: 100, currency: 'usd', duration: 'forever' }),
  ]
  const price = (await world.price(1000)).id
  const shown = await preview({
    customer: ada.id,
    subscription_details: { items: [{ price, discounts: [{ coupon: own.id }] }] },
    discounts: [{ coupon: whole.id }],
    expand: [
      'discounts',
      'lines.data.discounts',
      'lines.data.discount_amounts.discount',
      'total_discount_amounts.discount',
    ],
  })
  // 10.00 - 10 % - 1.00
  expect(shown.total).toBe(800)
  const of = (coupon: string) => ({ object: 'discount', source: { coupon } })
  expect(shown.discounts).toMatchObject([of(whole.id)])
  expect(shown.lines.data[0]?.discounts).toMatchObject([of(own.id)])
  expect(shown.lines.data[0]?.discount_amounts).toMatchObject([
    { amount: 100, discount: of(own.id) },
    { amount: 100, discount: of(whole.id) },
  ])
  expect(shown.total_discount_amounts?.map(({ discount }) => discount)).toMatchObject([
    of(own.id),
    of(whole.id),
  ])
  const listed = await stripe.invoices.listLineItems(shown.id, { expand: ['data.discounts'] })
  expect(listed.data[0]?.discounts).toMatchObject([of(own.id)])
})

// docs.stripe.com/changelog/endive/2026-09-30/polymorphic-billing-cycle-anchor
test('a new subscription is shown with its anchor at a moment, in the words of each version', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const items = [{ price: (await world.price(3100)).id }]
  // From 11 December to 11 January are 31 days, of which ten are left: 10.00.
  const timestamp = JAN_1 + 10 * DAY
  const details = { items, billing_cycle_anchor: { type: 'timestamp' as const, timestamp } }
  const shown = await preview({ customer: ada.id, subscription_details: details })
  expect(amounts(shown)).toEqual([1000])
  expect(shown.lines.data[0]?.period).toEqual({ start: JAN_1, end: timestamp })
  const dahlia: Loose = await clientOf(22, world.simulator.port)
  const bare = { items, billing_cycle_anchor: timestamp }
  expect((await dahlia.invoices.createPreview({ customer: ada.id, subscription_details: bare })).total).toBe(
    1000,
  )
  const made = await stripe.subscriptions.create({
    customer: ada.id,
    items,
    billing_cycle_anchor: timestamp,
    expand: ['latest_invoice'],
  })
  expect(amounts(made.latest_invoice as Stripe.Invoice)).toEqual([1000])

  const running = preview({ subscription: made.id, subscription_details: details })
  expect(await refusal(running)).toMatchObject({
    statusCode: 400,
    param: 'subscription_details[billing_cycle_anchor][type]',
  })
  const no = { items, billing_cycle_anchor: { type: 'timestamp' as const } }
  expect(await refusal(preview({ customer: ada.id, subscription_details: no }))).toMatchObject({
    code: 'parameter_missing',
    param: 'subscription_details[billing_cycle_anchor][timestamp]',
  })
})

test('a new subscription is shown as it would start later, and as it would have started before', async () => {
  const ada = await world.customer()
  const items = [{ price: (await world.price(3100)).id }]
  const of = (start_date: number) =>
    preview({ customer: ada.id, subscription_details: { items, start_date } })
  const later = await of(FEB_1)
  expect(amounts(later)).toEqual([3100])
  expect(later).toMatchObject({ created: FEB_1, lines: { data: [{ period: { start: FEB_1, end: MAR_1 } }] } })
  // A month that began ten days ago; flexible billing aligns the cycle to where it began.
  const before = await of(JAN_1 - 10 * DAY)
  expect(amounts(before)).toEqual([3100])
  expect(before.lines.data[0]?.period).toEqual({ start: JAN_1 - 10 * DAY, end: JAN_1 + 21 * DAY })
  expect(await world.stripe.subscriptions.list({ customer: ada.id })).toMatchObject({ data: [] })
})

// docs.stripe.com/api/invoices/create_preview#create_create_preview-customer
test('what is to be sold is shown to nobody in particular, unless its tax is asked for', async () => {
  const items = [{ price: (await world.price(3100)).id }]
  const shown = await preview({ subscription_details: { items } })
  expect(shown).toMatchObject({ customer: null, total: 3100 })
  const phases = [{ items, duration: { interval: 'month' as const } }]
  expect(await preview({ schedule_details: { phases } })).toMatchObject({ customer: null, total: 3100 })
  const taxed = preview({ automatic_tax: { enabled: true }, subscription_details: { items } })
  expect(await refusal(taxed)).toMatchObject({ statusCode: 400, param: 'customer' })
})

// docs.stripe.com/changelog/basil/2025-03-31/invoice-preview-api-deprecations
test('items of who has no subscription are shown as an invoice of their own', async () => {
  const { stripe } = world
  const { id: customer } = await world.customer()
  await stripe.invoiceItems.create({ customer, currency: 'usd', amount: 300 })
  const half = (await stripe.coupons.create({ percent_off: 50 })).id
  const shown = await preview({
    customer,
    invoice_items: [{ amount: 700, currency: 'usd', description: 'Set-up' }],
    discounts: [{ coupon: half }],
  })
  expect(shown).toMatchObject({ billing_reason: 'manual', subtotal: 1000, total: 500, customer })
  expect((await stripe.invoiceItems.list({ customer })).data.map(({ amount }) => amount)).toEqual([300])
  const nothing = preview({ customer })
  expect(await refusal(nothing)).toMatchObject({ statusCode: 404, code: 'invoice_upcoming_none' })
})

test('a price is shown in the currency that is asked for, items by their unit amount, and who is to be billed', async () => {
  const priced = await world.price(1000, { currency_options: { eur: { unit_amount: 900 } } })
  const items = [{ price: priced.id }]
  const shown = await preview({
    currency: 'eur',
    issuer: { type: 'self' },
    customer_details: {
      shipping: { name: 'Ada', address: { country: 'DE' } },
      tax_ids: [{ type: 'eu_vat', value: 'DE123456789' }],
    },
    automatic_tax: { enabled: true },
    subscription_details: { items },
    invoice_items: [{ unit_amount: -50, quantity: 2, currency: 'eur' }],
  })
  expect(amounts(shown)).toEqual([-100, 900])
  expect(shown).toMatchObject({
    customer: null,
    currency: 'eur',
    customer_shipping: { name: 'Ada', address: { country: 'DE' } },
    customer_tax_ids: [{ type: 'eu_vat', value: 'DE123456789' }],
  })
})
