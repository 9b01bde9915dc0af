// docs.stripe.com/billing/subscriptions/trials
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()

async function trialing(
  options: { card?: string | null; missing?: 'cancel' | 'create_invoice' | 'pause' } = {},
) {
  const price = await world.price(3000)
  const customer = await world.customer(options)
  const subscription = await world.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    trial_period_days: 14,
    ...(options.missing === undefined
      ? {}
      : { trial_settings: { end_behavior: { missing_payment_method: options.missing } } }),
    expand: ['latest_invoice'],
  })
  return { customer, subscription, item: subscription.items.data[0]?.id as string }
}

test('a trial starts with a paid invoice of nothing and is charged an hour after its end', async () => {
  const { customer, subscription } = await trialing()
  const end = JAN_1 + 14 * DAY
  expect(subscription).toMatchObject({ status: 'trialing', trial_end: end, billing_cycle_anchor: end })
  expect(subscription.items.data[0]?.current_period_end).toBe(end)
  const first = subscription.latest_invoice as Stripe.Invoice
  expect(first).toMatchObject({ status: 'paid', total: 0, billing_reason: 'subscription_create' })
  expect(first.lines.data[0]?.description).toBe('Free trial for 1 × Team')
  expect((await world.stripe.paymentIntents.list({ customer: customer.id })).data).toEqual([])

  await world.advance(customer.clock, end)
  const [, draft] = await world.invoices(subscription.id)
  expect(draft).toMatchObject({ status: 'draft', total: 3000, period_start: JAN_1, period_end: end })
  expect((await world.stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
  await world.advance(customer.clock, end + HOUR)
  expect((await world.invoices(subscription.id))[1]?.status).toBe('paid')
})

test('trial_will_end comes three days before, or at once when the trial is shorter', async () => {
  const { customer } = await trialing()
  const types = await world.typesDuring(() => world.advance(customer.clock, JAN_1 + 11 * DAY))
  expect(types).toContain('customer.subscription.trial_will_end')
  const price = await world.price(100)
  const { id } = await world.customer()
  const short = await world.typesDuring(() =>
    world.stripe.subscriptions.create({ customer: id, items: [{ price: price.id }], trial_period_days: 2 }),
  )
  expect(short).toContain('customer.subscription.trial_will_end')
})

test.each([
  ['create_invoice', 'past_due', 'open'],
  ['pause', 'paused', 'paid'],
  ['cancel', 'canceled', 'paid'],
] as const)('a trial that ends without a method: %s', async (missing, status, invoice) => {
  const { customer, subscription } = await trialing({ card: null, missing })
  await world.advance(customer.clock, JAN_1 + 14 * DAY + HOUR)
  const after = await world.stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] })
  expect(after.status).toBe(status)
  expect((after.latest_invoice as Stripe.Invoice).status).toBe(invoice)
})

test('a paused subscription resumes with a whole new period, charged at once', async () => {
  const { customer, subscription } = await trialing({ card: null, missing: 'pause' })
  await world.advance(customer.clock, JAN_1 + 20 * DAY)
  await world.setCard(customer.id, 'pm_card_visa')
  const types = await world.typesDuring(() =>
    world.stripe.subscriptions.resume(subscription.id, { payment_behavior: 'resume_on_payment_success' }),
  )
  expect(types).toContain('customer.subscription.resumed')
  const resumed = await world.stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] })
  expect(resumed).toMatchObject({ status: 'active', billing_cycle_anchor: JAN_1 + 20 * DAY })
  expect(resumed.latest_invoice).toMatchObject({ status: 'paid', total: 3000 })
})

test('a trial is ended now: the first period starts and is paid at once', async () => {
  const { customer, subscription } = await trialing()
  await world.advance(customer.clock, JAN_1 + 5 * DAY)
  const updated = await world.stripe.subscriptions.update(subscription.id, {
    trial_end: 'now',
    expand: ['latest_invoice'],
  })
  expect(updated).toMatchObject({ status: 'active', billing_cycle_anchor: JAN_1 + 5 * DAY })
  expect(updated.latest_invoice).toMatchObject({ status: 'paid', total: 3000 })
})

// As github.com/Kiln-AI/stripe_world recorded it at 2026-08-26.dahlia.
test('a trial that nothing could pay waits for a method with an intent to set one up', async () => {
  const { stripe } = world
  const { subscription } = await trialing()
  expect(subscription.pending_setup_intent).toBeNull()
  const lacking = await trialing({ card: null })
  const intent = await stripe.setupIntents.retrieve(lacking.subscription.pending_setup_intent as string)
  expect(intent).toMatchObject({
    status: 'requires_payment_method',
    customer: lacking.customer.id,
    usage: 'off_session',
  })
  await stripe.setupIntents.confirm(intent.id, {
    payment_method: 'pm_card_visa',
    return_url: 'https://example.com/done',
  })
  await world.advance(lacking.customer.clock, JAN_1 + 14 * DAY + HOUR)
  const paid = await stripe.subscriptions.retrieve(lacking.subscription.id, { expand: ['latest_invoice'] })
  expect(paid).toMatchObject({ status: 'active', pending_setup_intent: null })
  expect(paid.latest_invoice).toMatchObject({ status: 'paid', total: 3000 })
})

// As github.com/Kiln-AI/stripe_world recorded it at 2026-08-26.dahlia: nothing begins that nothing can pay.
test('a trial that is ended now without a method is refused, paused or canceled', async () => {
  const { stripe } = world
  const made = await trialing({ card: null, missing: 'create_invoice' })
  await world.advance(made.customer.clock, JAN_1 + 5 * DAY)
  const end = () => stripe.subscriptions.update(made.subscription.id, { trial_end: 'now' })
  const types = await world.typesDuring(async () => {
    const error = await refusal(end())
    expect(error).toMatchObject({ statusCode: 400, code: 'resource_missing', param: undefined })
    expect(error.message).toMatch(/^This customer has no attached payment source or default payment method\./)
  })
  expect(types).toEqual([])
  expect((await stripe.subscriptions.retrieve(made.subscription.id)).status).toBe('trialing')
  await world.setCard(made.customer.id, 'pm_card_visa')
  expect((await end()).status).toBe('active')

  const halted = await trialing({ card: null, missing: 'pause' })
  await world.advance(halted.customer.clock, JAN_1 + 5 * DAY)
  const paused = await stripe.subscriptions.update(halted.subscription.id, {
    trial_end: 'now',
    metadata: { asked: 'yes' },
  })
  expect(paused).toMatchObject({ status: 'paused', metadata: { asked: 'yes' }, trial_end: JAN_1 + 5 * DAY })
  expect(paused.items.data[0]?.current_period_end).toBe(JAN_1 + 5 * DAY)
  await world.advance(halted.customer.clock, JAN_1 + 20 * DAY)
  expect(await world.invoices(halted.subscription.id)).toHaveLength(1)

  const over = await trialing({ card: null, missing: 'cancel' })
  await world.advance(over.customer.clock, JAN_1 + 5 * DAY)
  const canceled = await stripe.subscriptions.update(over.subscription.id, { trial_end: 'now' })
  expect(canceled).toMatchObject({
    status: 'canceled',
    ended_at: JAN_1 + 5 * DAY,
    cancellation_details: { reason: 'cancellation_requested' },
  })

  // A method that comes with the call is one.
  const paid = await trialing({ card: null, missing: 'pause' })
  const { id: method } = await stripe.paymentMethods.attach('pm_card_visa', { customer: paid.customer.id })
  const active = await stripe.subscriptions.update(paid.subscription.id, {
    trial_end: 'now',
    default_payment_method: method,
  })
  expect(active.status).toBe('active')
})

test('a trial is prolonged, and the anchor moves with it', async () => {
  const { customer, subscription } = await trialing()
  const later = JAN_1 + 30 * DAY
  const updated = await world.stripe.subscriptions.update(subscription.id, { trial_end: later })
  expect(updated).toMatchObject({ status: 'trialing', trial_end: later, billing_cycle_anchor: later })
  expect(updated.items.data[0]?.current_period_end).toBe(later)
  await world.advance(customer.clock, JAN_1 + 15 * DAY)
  expect((await world.stripe.subscriptions.retrieve(subscription.id)).status).toBe('trialing')
})

test('a change of price during a trial prorates nothing', async () => {
  const { customer, subscription, item } = await trialing()
  const dearer = await world.price(9000)
  await world.stripe.subscriptions.update(subscription.id, { items: [{ id: item, price: dearer.id }] })
  expect((await world.stripe.invoiceItems.list({ customer: customer.id })).data).toEqual([])
  await world.advance(customer.clock, JAN_1 + 14 * DAY + HOUR)
  expect((await world.invoices(subscription.id)).at(-1)?.total).toBe(9000)
})

// The periods of a trial end with it, so another rhythm or anchor is that of what follows.
test.each(['classic', 'flexible'] as const)(
  '%s: another interval or anchor leaves a trial as long as it is',
  async (mode) => {
    const { stripe } = world
    const month = await world.price(3000)
    const year = await world.price(36_500, { recurring: { interval: 'year' } })
    const { id, clock } = await world.customer()
    const subscription = await stripe.subscriptions.create({
      customer: id,
      items: [{ price: month.id }],
      trial_period_days: 45,
      billing_mode: { type: mode },
    })
    const end = JAN_1 + 45 * DAY
    await world.advance(clock, JAN_1 + 10 * DAY)
    const changed = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id as string, price: year.id }],
      proration_behavior: 'none',
    })
    expect(changed).toMatchObject({ status: 'trialing', billing_cycle_anchor: end, trial_end: end })
    expect(changed.items.data[0]).toMatchObject({ current_period_start: JAN_1, current_period_end: end })
    const moved = await stripe.subscriptions.update(subscription.id, {
      billing_cycle_anchor: { type: 'now' },
    })
    expect(moved).toMatchObject({ status: 'trialing', billing_cycle_anchor: JAN_1 + 10 * DAY })
    expect(moved.items.data[0]?.current_period_end).toBe(end)
    await world.advance(clock, end)
    const after = await stripe.subscriptions.retrieve(subscription.id)
    // The year is counted from the 11th of January: 330 of its 365 days are left after the trial.
    expect(after.status).toBe('active')
    expect(after.items.data[0]).toMatchObject({
      current_period_start: end,
      current_period_end: JAN_1 + (10 + 365) * DAY,
    })
    expect((await world.invoices(subscription.id)).map(({ total }) => total)).toEqual([0, 33_000])
  },
)

test('parameters that exclude each other, and times that have passed', async () => {
  const price = await world.price(100)
  const { id } = await world.customer()
  const both = await refusal(
    world.stripe.subscriptions.create({
      customer: id,
      items: [{ price: price.id }],
      trial_period_days: 3,
      trial_end: JAN_1 + DAY,
    }),
  )
  expect(both.param).toBe('trial_end')
  const past = await refusal(
    world.stripe.subscriptions.create({
      customer: id,
      items: [{ price: price.id }],
      trial_end: JAN_1 - DAY,
    }),
  )
  expect(past.param).toBe('trial_end')
})
