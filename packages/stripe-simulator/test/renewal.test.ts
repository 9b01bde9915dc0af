// docs.stripe.com/billing/subscriptions/overview, .../billing-cycle and .../invoices/subscription.
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { amounts, DAY, HOUR, JAN_1, newWorld, refusal } from './world.ts'

const world = await sharedWorld()

async function subscribed(options: { at?: number; card?: string; amount?: number } = {}) {
  const price = await world.price(options.amount ?? 2500)
  const customer = await world.customer(options)
  const subscription = await world.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
  })
  return { customer, subscription, price, item: subscription.items.data[0]?.id as string }
}

const date = (iso: string) => Date.parse(iso) / 1000

test('a cycle that starts on the 31st bills on the last day of short months and returns to the 31st', async () => {
  const start = date('2026-01-31T09:30:00Z')
  const { customer, subscription } = await subscribed({ at: start })
  for (const day of ['2026-03-01', '2026-04-01', '2026-05-01', '2026-06-01']) {
    await world.advance(customer.clock, date(`${day}T09:30:00Z`))
  }
  const invoices = await world.invoices(subscription.id)
  expect(invoices.map((invoice) => new Date(invoice.created * 1000).toISOString().slice(0, 16))).toEqual([
    '2026-01-31T09:30',
    '2026-02-28T09:30',
    '2026-03-31T09:30',
    '2026-04-30T09:30',
    '2026-05-31T09:30',
  ])
  const periods = invoices.map((invoice) => invoice.lines.data[0]?.period)
  for (const [i, period] of periods.entries()) {
    if (i > 0) expect(period?.start).toBe(periods[i - 1]?.end)
  }
})

test('a renewal is a draft for an hour, carries the ended period, and its lines the next one', async () => {
  const { customer, subscription } = await subscribed()
  const boundary = JAN_1 + 31 * DAY
  await world.advance(customer.clock, boundary + HOUR - 1)
  const draft = (await world.invoices(subscription.id)).at(-1)
  expect(draft).toMatchObject({
    status: 'draft',
    billing_reason: 'subscription_cycle',
    created: boundary,
    period_start: JAN_1,
    period_end: boundary,
    next_payment_attempt: boundary + HOUR,
    automatically_finalizes_at: boundary + HOUR,
    number: null,
    hosted_invoice_url: null,
    amount_due: 2500,
    amount_paid: 0,
    attempted: false,
  })
  expect(draft?.lines.data[0]?.period).toEqual({ start: boundary, end: boundary + 28 * DAY })
  const running = await world.stripe.subscriptions.retrieve(subscription.id)
  expect(running.items.data[0]?.current_period_start).toBe(boundary)
  expect(running.latest_invoice).toBe(draft?.id)

  await world.advance(customer.clock, boundary + HOUR)
  const paid = await world.stripe.invoices.retrieve(draft?.id as string)
  expect(paid).toMatchObject({ status: 'paid', amount_paid: 2500, amount_remaining: 0, attempt_count: 1 })
  expect(paid.status_transitions).toMatchObject({ finalized_at: boundary + HOUR, paid_at: boundary + HOUR })
  expect(paid.number).toMatch(/^[A-Z0-9]{8}-0002$/)
  const payments = await world.stripe.invoicePayments.list({ invoice: paid.id })
  expect(payments.data).toMatchObject([{ amount_paid: 2500, status: 'paid', is_default: true }])
  const intent = await world.stripe.paymentIntents.retrieve(
    payments.data[0]?.payment.payment_intent as string,
  )
  expect(intent).toMatchObject({ status: 'succeeded', amount_received: 2500 })
})

test('a card that fails later: past due, three retries, then the end', async () => {
  const { customer, subscription } = await subscribed()
  await world.setCard(customer.id, 'pm_card_chargeCustomerFail')
  const charged = JAN_1 + 31 * DAY + HOUR
  await world.advance(customer.clock, charged)
  const late = await world.stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] })
  expect(late.status).toBe('past_due')
  expect(late.latest_invoice).toMatchObject({
    status: 'open',
    attempt_count: 1,
    attempted: true,
    next_payment_attempt: charged + 3 * DAY,
  })
  expect(await world.stripe.customers.retrieve(customer.id)).toMatchObject({ delinquent: true })
  const [told] = (await world.stripe.events.list({ type: 'invoice.payment_failed', limit: 1 })).data
  expect(told?.data.object).toMatchObject({ attempt_count: 1, next_payment_attempt: charged + 3 * DAY })

  await world.advance(customer.clock, charged + 15 * DAY)
  const ended = await world.stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] })
  expect(ended.status).toBe('canceled')
  expect(ended.cancellation_details?.reason).toBe('payment_failed')
  expect(ended.ended_at).toBe(charged + 15 * DAY)
  expect(ended.latest_invoice).toMatchObject({
    status: 'open',
    attempt_count: 4,
    auto_advance: false,
    next_payment_attempt: null,
  })
})

// https://docs.stripe.com/invoicing/integration/automatic-advancement-collection
test('collection of an open invoice is turned off, and on again until it is paid', async () => {
  const { customer } = await subscribed()
  await world.setCard(customer.id, 'pm_card_chargeCustomerFail')
  const charged = JAN_1 + 31 * DAY + HOUR
  await world.advance(customer.clock, charged)
  const [open] = (await world.stripe.invoices.list({ customer: customer.id, limit: 1 })).data
  expect(open).toMatchObject({ status: 'open', next_payment_attempt: charged + 3 * DAY })
  const id = open?.id as string

  const off = await world.stripe.invoices.update(id, { auto_advance: false })
  expect(off).toMatchObject({ auto_advance: false, next_payment_attempt: null })
  await world.setCard(customer.id, 'pm_card_visa')
  await world.advance(customer.clock, charged + 10 * DAY)
  expect(await world.stripe.invoices.retrieve(id)).toMatchObject({ status: 'open', attempt_count: 1 })

  const on = await world.stripe.invoices.update(id, { auto_advance: true })
  expect(on).toMatchObject({ auto_advance: true, next_payment_attempt: charged + 10 * DAY + HOUR })
  await world.advance(customer.clock, charged + 10 * DAY + HOUR)
  expect(await world.stripe.invoices.retrieve(id)).toMatchObject({
    status: 'paid',
    auto_advance: false,
    attempt_count: 2,
    next_payment_attempt: null,
  })

  const refused = await refusal(world.stripe.invoices.update(id, { auto_advance: true }))
  expect(refused).toMatchObject({ statusCode: 400, code: undefined, param: 'auto_advance' })
})

test('a retry with a better card makes it active again', async () => {
  const { customer, subscription } = await subscribed()
  await world.setCard(customer.id, 'pm_card_chargeCustomerFail')
  const charged = JAN_1 + 31 * DAY + HOUR
  await world.advance(customer.clock, charged)
  await world.setCard(customer.id, 'pm_card_visa')
  const types = await world.typesDuring(() => world.advance(customer.clock, charged + 3 * DAY))
  expect(new Set(types)).toEqual(
    new Set([
      'test_helpers.test_clock.advancing',
      'charge.succeeded',
      'payment_intent.succeeded',
      'invoice_payment.paid',
      'invoice.updated',
      'invoice.paid',
      'invoice.payment_succeeded',
      'customer.updated',
      'customer.subscription.updated',
      'test_helpers.test_clock.ready',
    ]),
  )
  expect((await world.stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
  expect(await world.stripe.customers.retrieve(customer.id)).toMatchObject({ delinquent: false })
})

test('a failed attempt by hand answers 402, and is kept', async () => {
  const { customer, subscription } = await subscribed()
  await world.setCard(customer.id, 'pm_card_chargeCustomerFail')
  await world.advance(customer.clock, JAN_1 + 31 * DAY + HOUR)
  const open = (await world.invoices(subscription.id)).at(-1) as Stripe.Invoice
  const error = await refusal(world.stripe.invoices.pay(open.id))
  expect(error).toMatchObject({ statusCode: 402, type: 'StripeCardError', code: 'card_declined' })
  // Only the first attempt and automatic retries count.
  expect((await world.stripe.invoices.retrieve(open.id)).attempt_count).toBe(1)
  await world.setCard(customer.id, 'pm_card_mastercard')
  expect((await world.stripe.invoices.pay(open.id)).status).toBe('paid')
  expect((await world.stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
})

test('pending items are swallowed by the renewal, and the draft can be edited for an hour', async () => {
  const { stripe } = world
  const { customer, subscription } = await subscribed()
  const product = await world.product('Tokens')
  const own = await stripe.invoiceItems.create({
    customer: customer.id,
    subscription: subscription.id,
    price_data: { currency: 'usd', product: product.id, unit_amount: 1250 },
    description: 'Tokens in January',
    period: { start: JAN_1, end: JAN_1 + 31 * DAY },
    metadata: { line: 'l1' },
  })
  const general = await stripe.invoiceItems.create({ customer: customer.id, amount: -50, currency: 'usd' })
  const other = await stripe.invoiceItems.create({ customer: customer.id, amount: 999, currency: 'eur' })
  const preview = await stripe.invoices.createPreview({ subscription: subscription.id })
  await world.advance(customer.clock, JAN_1 + 31 * DAY + 60)
  const draft = (await world.invoices(subscription.id)).at(-1) as Stripe.Invoice
  expect(amounts(draft)).toEqual([1250, -50, 2500])
  expect(draft.total).toBe(3700)
  expect(preview.total).toBe(3700)
  expect(amounts(preview)).toEqual(amounts(draft))
  expect(draft.lines.data[0]).toMatchObject({
    description: 'Tokens in January',
    metadata: { line: 'l1' },
    period: { start: JAN_1, end: JAN_1 + 31 * DAY },
    pricing: { price_details: { product: product.id } },
    parent: {
      type: 'invoice_item_details',
      invoice_item_details: { invoice_item: own.id, subscription: subscription.id },
    },
  })
  const waiting = await stripe.invoiceItems.list({ customer: customer.id, pending: true })
  expect(waiting.data.map((item) => item.id)).toEqual([other.id])

  const late = await stripe.invoiceItems.create({
    customer: customer.id,
    invoice: draft.id,
    amount: 300,
    currency: 'usd',
    description: 'Late',
  })
  await stripe.invoiceItems.update(own.id, {
    price_data: { currency: 'usd', product: product.id, unit_amount: 1300 },
  })
  await stripe.invoiceItems.del(general.id)
  const edited = await stripe.invoices.retrieve(draft.id)
  expect(amounts(edited)).toEqual([1300, 2500, 300])
  expect(edited.total).toBe(4100)
  expect(edited.lines.data[0]?.id).toBe(draft.lines.data[0]?.id)

  await world.advance(customer.clock, JAN_1 + 31 * DAY + HOUR)
  expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'paid', amount_paid: 4100 })
  expect(await refusal(stripe.invoiceItems.update(late.id, { description: 'no' }))).toMatchObject({
    statusCode: 400,
    code: 'invoice_not_editable',
  })
  expect(await refusal(stripe.invoiceItems.del(late.id))).toMatchObject({
    message: "Can't delete an invoice item that is attached to an invoice that is no longer editable",
  })
})

test('a subscription canceled at the end of its period ends there, with what was pending billed', async () => {
  const { stripe } = world
  const { customer, subscription } = await subscribed()
  const planned = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })
  expect(planned).toMatchObject({ cancel_at: JAN_1 + 31 * DAY, canceled_at: JAN_1, status: 'active' })
  const unplanned = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false })
  expect(unplanned).toMatchObject({ cancel_at: null, canceled_at: null })
  await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })
  await stripe.invoiceItems.create({
    customer: customer.id,
    subscription: subscription.id,
    amount: 700,
    currency: 'usd',
  })
  await world.advance(customer.clock, JAN_1 + 31 * DAY + HOUR)
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'canceled',
    ended_at: JAN_1 + 31 * DAY,
    canceled_at: JAN_1,
  })
  const invoices = await world.invoices(subscription.id)
  expect(invoices.map((invoice) => [invoice.total, invoice.status])).toEqual([
    [2500, 'paid'],
    [700, 'paid'],
  ])
})

test('paused collection keeps, voids or writes off what the periods bill', async () => {
  const { stripe } = world
  for (const [behavior, status] of [
    ['keep_as_draft', 'draft'],
    ['void', 'void'],
    ['mark_uncollectible', 'uncollectible'],
  ] as const) {
    const { customer, subscription } = await subscribed()
    await stripe.subscriptions.update(subscription.id, { pause_collection: { behavior } })
    await world.advance(customer.clock, JAN_1 + 31 * DAY + 2 * HOUR)
    expect((await world.invoices(subscription.id)).at(-1)?.status).toBe(status)
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
  }
})

// How fast a thousand do is measured by the bench `simulator-clock`.
test('two hundred subscriptions of one clock live through a year', async () => {
  const own = await newWorld({ settings: { unlimitedClocks: true } })
  const clock = await own.clock()
  const price = await own.price(1000)
  const count = 200
  for (let made = 0; made < count; made += 20) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const customer = await own.stripe.customers.create({
          test_clock: clock.id,
          payment_method: 'pm_card_visa',
        })
        const [method] = (await own.stripe.customers.listPaymentMethods(customer.id)).data
        await own.stripe.subscriptions.create({
          customer: customer.id,
          items: [{ price: price.id }],
          default_payment_method: method?.id as string,
        })
      }),
    )
  }
  await own.advance(clock.id, date('2027-01-01T02:00:00Z'))
  // One at the start and one a month.
  const paid = await own.stripe.invoices
    .list({ status: 'paid', limit: 100 })
    .autoPagingToArray({ limit: 5000 })
  expect(paid).toHaveLength(count * 13)
  const last = paid.filter(({ created }) => created === date('2027-01-01T00:00:00Z'))
  expect(last).toHaveLength(count)
  await own.close()
})

test('a yearly plan bills its pending items every month', async () => {
  const { stripe } = world
  const price = await world.price(12_000, { recurring: { interval: 'year' } })
  const { id, clock } = await world.customer()
  const subscription = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
    pending_invoice_item_interval: { interval: 'month' },
  })
  expect(subscription.next_pending_invoice_item_invoice).toBe(JAN_1 + 31 * DAY)
  await stripe.invoiceItems.create({
    customer: id,
    subscription: subscription.id,
    amount: 640,
    currency: 'usd',
  })
  await world.advance(clock, JAN_1 + 31 * DAY + HOUR)
  expect((await world.invoices(subscription.id)).at(-1)).toMatchObject({
    billing_reason: 'automatic_pending_invoice_item_invoice',
    total: 640,
    status: 'paid',
    period_start: JAN_1,
    period_end: JAN_1 + 31 * DAY,
  })
  // A month without pending items makes no invoice.
  await world.advance(clock, JAN_1 + 59 * DAY + HOUR)
  expect(await world.invoices(subscription.id)).toHaveLength(2)
  const after = await stripe.subscriptions.retrieve(subscription.id)
  expect(after.next_pending_invoice_item_invoice).toBe(JAN_1 + 90 * DAY)
})

test('the interval counts from the anchor that a trial leaves behind, and ends with the subscription', async () => {
  const { stripe } = world
  const price = await world.price(12_000, { recurring: { interval: 'year' } })
  const start = date('2027-12-17T00:00:00Z')
  const { id, clock } = await world.customer({ at: start })
  const { id: subscription, next_pending_invoice_item_invoice: inTrial } = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
    trial_period_days: 14,
    pending_invoice_item_interval: { interval: 'month' },
  })
  expect(inTrial).toBeNull()
  const next = async () =>
    (await stripe.subscriptions.retrieve(subscription)).next_pending_invoice_item_invoice
  const owe = (amount: number) =>
    stripe.invoiceItems.create({ customer: id, subscription, amount, currency: 'usd' })
  // Anchored on the 31st: short months bill on their last day, 2028 is a leap year.
  await world.advance(clock, date('2027-12-31T02:00:00Z'))
  expect(await next()).toBe(date('2028-01-31T00:00:00Z'))
  await world.advance(clock, date('2028-02-01T00:00:00Z'))
  expect(await next()).toBe(date('2028-02-29T00:00:00Z'))
  await owe(300)
  await world.advance(clock, date('2028-03-01T00:00:00Z'))
  expect(await next()).toBe(date('2028-03-31T00:00:00Z'))
  expect((await world.invoices(subscription)).at(-1)).toMatchObject({
    billing_reason: 'automatic_pending_invoice_item_invoice',
    total: 300,
    period_start: date('2028-01-31T00:00:00Z'),
    period_end: date('2028-02-29T00:00:00Z'),
  })
  await owe(400)
  await stripe.subscriptions.cancel(subscription)
  const count = (await world.invoices(subscription)).length
  await world.advance(clock, date('2028-04-02T00:00:00Z'))
  expect(await world.invoices(subscription)).toHaveLength(count)
  expect(await next()).toBeNull()
})

test('where the interval meets the renewal, one invoice has the fee and what was pending', async () => {
  const { stripe } = world
  const price = await world.price(12_000, { recurring: { interval: 'year' } })
  const { id, clock } = await world.customer({ at: date('2027-03-10T00:00:00Z') })
  const { id: subscription } = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
    pending_invoice_item_interval: { interval: 'month' },
  })
  await world.advance(clock, date('2028-03-01T00:00:00Z'))
  await stripe.invoiceItems.create({ customer: id, subscription, amount: 640, currency: 'usd' })
  await world.advance(clock, date('2028-03-10T02:00:00Z'))
  const invoices = await world.invoices(subscription)
  expect(invoices.map(({ billing_reason, total }) => [billing_reason, total])).toEqual([
    ['subscription_create', 12_000],
    ['subscription_cycle', 12_640],
  ])
  const after = await stripe.subscriptions.retrieve(subscription)
  expect(after.next_pending_invoice_item_invoice).toBe(date('2028-04-10T00:00:00Z'))
})

test('a preview says when its invoice would be made and attempted', async () => {
  const { subscription } = await subscribed({ amount: 500_000 })
  const boundary = JAN_1 + 31 * DAY
  const preview = await world.stripe.invoices.createPreview({ subscription: subscription.id })
  expect(preview).toMatchObject({
    created: boundary,
    next_payment_attempt: boundary + HOUR,
    period_start: JAN_1,
    period_end: boundary,
    status: 'draft',
    billing_reason: 'upcoming',
    number: null,
  })
  expect(preview.lines.data[0]).toMatchObject({ description: '1 × Team (at $5,000.00 / month)' })
  const lines = await world.stripe.invoices.listLineItems(preview.id)
  expect(lines.data).toEqual(preview.lines.data)
})
