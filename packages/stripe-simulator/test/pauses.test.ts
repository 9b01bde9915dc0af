// docs.stripe.com/billing/subscriptions/pause and docs.stripe.com/api/subscriptions/resume
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { amounts, DAY, HOUR, JAN_1, refusal } from './world.ts'

const FEB_1 = JAN_1 + 31 * DAY
/** Two thirds of January are over but for a bit: 10 of 31 days are left. */
const JAN_22 = JAN_1 + 21 * DAY

const world = await sharedWorld()

type Invoice = import('stripe').default.Invoice

async function running(at = JAN_22) {
  const ada = await world.customer()
  const price = (await world.price(3100)).id
  const { id } = await world.stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  await world.advance(ada.clock, at)
  return { ada, id }
}

const read = (id: string) => world.stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] })
const latest = async (id: string) => (await read(id)).latest_invoice as Invoice
const pendingOf = async (customer: string) =>
  (await world.stripe.invoiceItems.list({ customer, pending: true })).data.map(({ amount }) => amount)

test('a pause ends the period, credits what is unused, and makes no more invoices', async () => {
  const { ada, id } = await running()
  const types = await world.typesDuring(() => world.stripe.subscriptions.pause(id))
  expect(types.sort()).toEqual([
    'customer.subscription.paused',
    'customer.subscription.updated',
    'invoiceitem.created',
  ])
  expect(await read(id)).toMatchObject({
    status: 'paused',
    status_details: {
      paused: {
        subscription: { type: 'pause_requested' },
        transitioned_at: JAN_22,
        type: 'subscription',
      },
    },
    items: { data: [{ current_period_start: JAN_1, current_period_end: JAN_22 }] },
  })
  expect(await pendingOf(ada.id)).toEqual([-1000])
  await world.advance(ada.clock, FEB_1 + 20 * DAY)
  expect(await world.invoices(id)).toHaveLength(1)
})

test.each([
  [{}, [-1000]],
  [{ bill_for: { unused_time_from: { type: 'none' } } }, []],
  [{ bill_for: { unused_time_from: { type: 'item_current_period_start' } } }, [-3100]],
] as const)('what is credited is said by bill_for: %j', async (params, expected) => {
  const { ada, id } = await running()
  await world.stripe.subscriptions.pause(id, params)
  expect(await pendingOf(ada.id)).toEqual(expected)
})

test('a pause can be invoiced at once, and previewed', async () => {
  const { ada, id } = await running()
  const preview = await world.stripe.invoices.createPreview({
    subscription: id,
    subscription_details: { pause: { invoicing_behavior: 'invoice' } },
  })
  expect(preview.total).toBe(-1000)
  expect((await read(id)).status).toBe('active')
  const silent = world.stripe.invoices.createPreview({
    subscription: id,
    subscription_details: { pause: { invoicing_behavior: 'pending_invoice_item' } },
  })
  expect(await refusal(silent)).toMatchObject({ statusCode: 404, code: 'invoice_upcoming_none' })
  await world.stripe.subscriptions.pause(id, { invoicing_behavior: 'invoice' })
  expect(await latest(id)).toMatchObject({ total: -1000, status: 'paid' })
  expect(await world.stripe.customers.retrieve(ada.id)).toMatchObject({ balance: -1000 })
})

test('usage up to the pause is billed, usage during it is not', async () => {
  const { stripe } = world
  const meter = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'paused_calls',
    default_aggregation: { formula: 'sum' },
  })
  const product = (await world.product('Calls')).id
  const price = await stripe.prices.create({
    currency: 'usd',
    product,
    unit_amount: 10,
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  })
  const ada = await world.customer()
  const { id } = await stripe.subscriptions.create({ customer: ada.id, items: [{ price: price.id }] })
  const use = (value: string, timestamp: number) =>
    stripe.billing.meterEvents.create({
      event_name: 'paused_calls',
      payload: { stripe_customer_id: ada.id, value },
      timestamp,
    })
  await world.advance(ada.clock, JAN_1 + 10 * DAY)
  await use('20', JAN_1 + 5 * DAY)
  await stripe.subscriptions.pause(id)
  expect(await pendingOf(ada.id)).toEqual([200])
  await world.advance(ada.clock, JAN_1 + 20 * DAY)
  await use('50', JAN_1 + 15 * DAY)
  await stripe.subscriptions.resume(id, { billing_cycle_anchor: { type: 'unchanged' } })
  await world.advance(ada.clock, JAN_1 + 25 * DAY)
  await use('3', JAN_1 + 24 * DAY)
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  // 20 before the pause and 3 after it.
  expect((await latest(id)).total).toBe(230)
})

test('what cannot be paused', async () => {
  const { stripe } = world
  const { id } = await running()
  await stripe.subscriptions.pause(id)
  expect(await refusal(stripe.subscriptions.pause(id))).toMatchObject({ statusCode: 400 })
  const price = (await world.price(100)).id
  const kinds = [
    { billing_mode: { type: 'classic' } },
    { trial_period_days: 3 },
    { collection_method: 'send_invoice', days_until_due: 3 },
  ] as const
  for (const kind of kinds) {
    const ada = await world.customer()
    const other = await stripe.subscriptions.create({ customer: ada.id, items: [{ price }], ...kind })
    expect(await refusal(stripe.subscriptions.pause(other.id))).toMatchObject({ statusCode: 400 })
  }
  const scheduled = await running()
  await stripe.subscriptionSchedules.create({ from_subscription: scheduled.id })
  expect((await refusal(stripe.subscriptions.pause(scheduled.id))).message).toContain('schedule')
})

/** Paused on 22 January with nothing credited, to be resumed on 5 February, when 24 of 28 days are left. */
async function paused() {
  const story = await running()
  await world.stripe.subscriptions.pause(story.id, { bill_for: { unused_time_from: { type: 'none' } } })
  await world.advance(story.ada.clock, FEB_1 + 4 * DAY)
  return { ...story, now: FEB_1 + 4 * DAY }
}

test('resumed when paid: the request attempts payment', async () => {
  const { id, now } = await paused()
  const types = await world.typesDuring(() =>
    world.stripe.subscriptions.resume(id, { payment_behavior: 'resume_on_payment_success' }),
  )
  expect(types).toEqual(
    expect.arrayContaining([
      'customer.subscription.updated',
      'customer.subscription.resumed',
      'invoice.created',
      'invoice.finalized',
      'invoice.paid',
    ]),
  )
  const resumed = await read(id)
  expect(resumed).toMatchObject({ status: 'active', billing_cycle_anchor: now, pending_update: null })
  expect(resumed.status_details).toBeUndefined()
  expect(resumed.latest_invoice).toMatchObject({ status: 'paid', total: 3100 })
})

test('resumed when paid: a declined card leaves it paused and is tried again', async () => {
  const { ada, id, now } = await paused()
  await world.setCard(ada.id, 'pm_card_chargeCustomerFail')
  const waiting = await world.stripe.subscriptions.resume(id, {
    payment_behavior: 'resume_on_payment_success',
    expand: ['latest_invoice'],
  })
  expect(waiting).toMatchObject({
    status: 'paused',
    pending_update: { expires_at: now + 365 * DAY, billing_cycle_anchor: now },
  })
  const invoice = waiting.latest_invoice as Invoice
  expect(invoice.status).toBe('open')
  expect(invoice.next_payment_attempt).toBe(now + 3 * DAY)
  await world.setCard(ada.id, 'pm_card_visa')
  const types = await world.typesDuring(() => world.advance(ada.clock, now + 3 * DAY + HOUR))
  expect(types).toContain('customer.subscription.resumed')
  expect(await read(id)).toMatchObject({ status: 'active', pending_update: null })
})

test('resumed by an attempt: the request makes none, paying the invoice resumes', async () => {
  const { id } = await paused()
  const waiting = await world.stripe.subscriptions.resume(id)
  expect(waiting.status).toBe('paused')
  const invoice = await latest(id)
  expect(invoice).toMatchObject({ status: 'open', attempted: false, total: 3100 })
  const types = await world.typesDuring(() => world.stripe.invoices.pay(invoice.id))
  expect(types).toContain('customer.subscription.resumed')
  expect((await read(id)).status).toBe('active')
})

test('resumed by an attempt: one that fails makes it past due', async () => {
  const { ada, id } = await paused()
  await world.setCard(ada.id, 'pm_card_chargeCustomerFail')
  await world.stripe.subscriptions.resume(id)
  const invoice = await latest(id)
  expect(await refusal(world.stripe.invoices.pay(invoice.id))).toMatchObject({ statusCode: 402 })
  expect((await read(id)).status).toBe('past_due')
  await world.setCard(ada.id, 'pm_card_visa')
  await world.stripe.invoices.pay(invoice.id)
  expect((await read(id)).status).toBe('active')
})

test.each([
  ['voided', 'paused'],
  ['written off', 'active'],
  ['left for 23 hours', 'paused'],
] as const)('a resumption whose invoice is %s is %s', async (how, status) => {
  const { stripe } = world
  const { ada, id, now } = await paused()
  await stripe.subscriptions.resume(id)
  const invoice = await latest(id)
  if (how === 'voided') await stripe.invoices.voidInvoice(invoice.id)
  else if (how === 'written off') await stripe.invoices.markUncollectible(invoice.id)
  else await world.advance(ada.clock, now + 23 * HOUR)
  expect(await read(id)).toMatchObject({ status, pending_update: null })
  if (how === 'left for 23 hours') expect((await latest(id)).status).toBe('void')
})

test('an unchanged anchor prorates the rest of the running period, at once or on the next invoice', async () => {
  const { stripe } = world
  const preview = async (id: string) =>
    stripe.invoices.createPreview({
      subscription: id,
      subscription_details: {
        resume_at: 'now',
        billing_cycle_anchor: { type: 'unchanged' },
        proration_behavior: 'always_invoice',
      },
    })
  // 3100 x 24 / 28 = 2657.14
  for (const [behavior, pending, invoiced] of [
    ['create_prorations', [2657], 0],
    ['always_invoice', [], 2657],
    ['none', [], 0],
  ] as const) {
    const { ada, id } = await paused()
    if (behavior === 'always_invoice') expect(amounts(await preview(id))).toEqual([2657])
    const resumed = await stripe.subscriptions.resume(id, {
      billing_cycle_anchor: { type: 'unchanged' },
      proration_behavior: behavior,
      payment_behavior: 'resume_on_payment_success',
    })
    expect(resumed).toMatchObject({ status: 'active', billing_cycle_anchor: JAN_1 })
    expect(resumed.items.data[0]?.current_period_end).toBe(FEB_1 + 28 * DAY)
    expect(await pendingOf(ada.id)).toEqual(pending)
    const totals = (await world.invoices(id)).slice(1).map(({ total }) => total)
    expect(totals).toEqual(invoiced === 0 ? [] : [invoiced])
  }
})

test('a subscription moves to flexible billing once', async () => {
  const ada = await world.customer()
  const price = (await world.price(3100)).id
  const { id } = await world.stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price }],
    billing_mode: { type: 'classic' },
  })
  await world.advance(ada.clock, JAN_22)
  const moved = await world.stripe.subscriptions.migrate(id, { billing_mode: { type: 'flexible' } })
  expect(moved.billing_mode).toMatchObject({ type: 'flexible', updated_at: JAN_22 })
  const again = world.stripe.subscriptions.migrate(id, { billing_mode: { type: 'flexible' } })
  expect(await refusal(again)).toMatchObject({ statusCode: 400 })
})
