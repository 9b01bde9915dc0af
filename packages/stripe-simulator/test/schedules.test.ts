// docs.stripe.com/billing/subscriptions/subscription-schedules and docs.stripe.com/api/subscription_schedules
import { describe, expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { amounts, DAY, HOUR, JAN_1, refusal } from './world.ts'

const FEB_1 = JAN_1 + 31 * DAY
const MAR_1 = FEB_1 + 28 * DAY
const APR_1 = MAR_1 + 31 * DAY

const world = await sharedWorld()

async function running(amount = 3000) {
  const ada = await world.customer()
  const price = (await world.price(amount)).id
  const subscription = await world.stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  return { ada, price, subscription }
}

/** The downgrade at the end of the period: the way that Stripe's documentation shows. */
async function downgrade() {
  const { stripe } = world
  const { ada, price, subscription } = await running()
  const cheap = (await world.price(1000)).id
  const made = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id })
  const [current] = made.phases
  const schedule = await stripe.subscriptionSchedules.update(made.id, {
    end_behavior: 'release',
    phases: [
      {
        items: [{ price, quantity: 1 }],
        start_date: current?.start_date as number,
        end_date: current?.end_date as number,
      },
      { items: [{ price: cheap, quantity: 1 }], duration: { interval: 'month', interval_count: 1 } },
    ],
  })
  return { ada, price, cheap, subscription, made, schedule }
}

test('from_subscription takes the running period over as its one phase', async () => {
  const { price, subscription, made, schedule } = await downgrade()
  expect(made).toMatchObject({
    status: 'active',
    subscription: subscription.id,
    end_behavior: 'release',
    current_phase: { start_date: JAN_1, end_date: FEB_1 },
    phases: [{ start_date: JAN_1, end_date: FEB_1, items: [{ price, quantity: 1 }] }],
  })
  expect(schedule.phases.map((phase) => [phase.start_date, phase.end_date])).toEqual([
    [JAN_1, FEB_1],
    [FEB_1, MAR_1],
  ])
  expect(await world.stripe.subscriptions.retrieve(subscription.id)).toMatchObject({ schedule: made.id })
  const twice = world.stripe.subscriptionSchedules.create({ from_subscription: subscription.id })
  expect(await refusal(twice)).toMatchObject({ statusCode: 400, param: 'from_subscription' })
})

test('a downgrade at the end of the period: the renewal bills the new price, nothing is prorated', async () => {
  const { ada, cheap, subscription, schedule } = await downgrade()
  const types = await world.typesDuring(() => world.advance(ada.clock, FEB_1 + 2 * HOUR))
  expect(types.filter((type) => type.startsWith('subscription_schedule.'))).toEqual([
    'subscription_schedule.updated',
  ])
  expect(types.filter((type) => type === 'customer.subscription.updated')).toHaveLength(1)
  expect(types).not.toContain('invoiceitem.created')
  const [, renewal] = await world.invoices(subscription.id)
  expect(renewal).toMatchObject({ total: 1000, status: 'paid', billing_reason: 'subscription_cycle' })
  const after = await world.stripe.subscriptions.retrieve(subscription.id)
  expect(after.items.data).toHaveLength(1)
  expect(after.items.data[0]).toMatchObject({
    price: { id: cheap },
    current_period_start: FEB_1,
    current_period_end: MAR_1,
  })
  expect((await world.stripe.subscriptionSchedules.retrieve(schedule.id)).current_phase).toEqual({
    start_date: FEB_1,
    end_date: MAR_1,
  })
})

test('at its end the schedule lets go, and the subscription renews at the last price', async () => {
  const { ada, subscription, schedule } = await downgrade()
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  const types = await world.typesDuring(() => world.advance(ada.clock, MAR_1 + 2 * HOUR))
  expect(types.filter((type) => type.startsWith('subscription_schedule.'))).toEqual([
    'subscription_schedule.expiring',
    'subscription_schedule.released',
  ])
  expect(await world.stripe.subscriptionSchedules.retrieve(schedule.id)).toMatchObject({
    status: 'released',
    released_subscription: subscription.id,
    subscription: null,
    current_phase: null,
    released_at: MAR_1,
  })
  expect(await world.stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'active',
    schedule: null,
  })
  expect((await world.invoices(subscription.id)).map((invoice) => invoice.total)).toEqual([3000, 1000, 1000])
})

test('a phase says whether tax is calculated and what invoices show, and else the schedule does', async () => {
  const { stripe } = world
  const { ada, price, subscription } = await running()
  await stripe.customers.update(ada.id, { address: { country: 'DE' } })
  const shown = [{ name: 'Order', value: '4711' }]
  const { id, default_settings: before } = await stripe.subscriptionSchedules.create({
    from_subscription: subscription.id,
  })
  expect(before.automatic_tax).toMatchObject({ enabled: false })
  // Changed itself, the subscription is taxed until a phase begins that says otherwise.
  await stripe.subscriptions.update(subscription.id, { automatic_tax: { enabled: true } })
  const phase = { items: [{ price }], duration: { interval: 'month' as const, interval_count: 1 } }
  const { phases } = await stripe.subscriptionSchedules.update(id, {
    phases: [
      { items: [{ price }], start_date: JAN_1, end_date: FEB_1, automatic_tax: { enabled: true } },
      phase,
      { ...phase, automatic_tax: { enabled: true }, invoice_settings: { custom_fields: shown } },
    ],
  })
  expect(phases.map(({ automatic_tax: tax }) => tax?.enabled)).toEqual([true, undefined, true])
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  await world.advance(ada.clock, MAR_1 + 2 * HOUR)
  // 30.00, and 19 % more in March.
  expect((await world.invoices(subscription.id)).map(({ total }) => total)).toEqual([3000, 3000, 3570])
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    automatic_tax: { enabled: true, liability: { type: 'self' } },
    invoice_settings: { custom_fields: shown },
  })
})

test('a phase that begins inside a period prorates: 3000 to 1000 half way', async () => {
  const { stripe } = world
  const { ada, price, subscription } = await running()
  const cheap = (await world.price(1000)).id
  const made = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id })
  const half = JAN_1 + 15.5 * DAY
  await stripe.subscriptionSchedules.update(made.id, {
    phases: [
      { items: [{ price }], start_date: JAN_1, end_date: half },
      { items: [{ price: cheap }], end_date: FEB_1 },
    ],
  })
  await world.advance(ada.clock, half)
  const { data } = await stripe.invoiceItems.list({ customer: ada.id, pending: true })
  expect(data.map((item) => item.amount).sort((a, b) => a - b)).toEqual([-1500, 500])
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  const [, renewal] = await world.invoices(subscription.id)
  expect(amounts(renewal as NonNullable<typeof renewal>).sort((a, b) => a - b)).toEqual([-1500, 500, 1000])
})

test('proration_behavior of a phase: none changes without billing', async () => {
  const { stripe } = world
  const { ada, price, subscription } = await running()
  const made = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id })
  await stripe.subscriptionSchedules.update(made.id, {
    phases: [
      { items: [{ price }], start_date: JAN_1, end_date: JAN_1 + 10 * DAY },
      { items: [{ price, quantity: 4 }], end_date: FEB_1, proration_behavior: 'none' },
    ],
  })
  await world.advance(ada.clock, JAN_1 + 10 * DAY)
  expect((await stripe.invoiceItems.list({ customer: ada.id, pending: true })).data).toEqual([])
  expect((await stripe.subscriptions.retrieve(subscription.id)).items.data[0]?.quantity).toBe(4)
})

test('a phase with another interval starts its own cycle', async () => {
  const { stripe } = world
  const { ada, price, subscription } = await running()
  const yearly = (await world.price(25_000, { recurring: { interval: 'year' } })).id
  const made = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id })
  await stripe.subscriptionSchedules.update(made.id, {
    phases: [
      { items: [{ price }], start_date: JAN_1, end_date: FEB_1 },
      { items: [{ price: yearly }], duration: { interval: 'year' } },
    ],
  })
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  const after = await stripe.subscriptions.retrieve(subscription.id)
  expect(after.items.data[0]).toMatchObject({
    current_period_start: FEB_1,
    current_period_end: FEB_1 + 365 * DAY,
  })
  expect((await world.invoices(subscription.id))[1]?.total).toBe(25_000)
})

test('where intervals meet, what is between two periods is renewed, whatever is prorated of the rest', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const [month, dearer] = [(await world.price(3000)).id, (await world.price(4000)).id]
  const quarter = (await world.price(700, { recurring: { interval: 'month', interval_count: 3 } })).id
  const { id } = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: month }, { price: quarter }],
    billing_mode: { type: 'flexible' },
  })
  await world.advance(ada.clock, JAN_1 + 30 * DAY)
  const made = await stripe.subscriptionSchedules.create({ from_subscription: id })
  // The quarter goes on to the first of April; the month ends in it.
  await stripe.subscriptionSchedules.update(made.id, {
    phases: [
      {
        items: [{ price: month }, { price: quarter }],
        start_date: made.phases[0]?.start_date as number,
        end_date: FEB_1,
      },
      {
        items: [{ price: dearer }, { price: quarter }],
        proration_behavior: 'none',
        duration: { interval: 'month', interval_count: 1 },
      },
    ],
  })
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  const renewal = (await world.invoices(id)).at(-1)
  expect(renewal).toMatchObject({ billing_reason: 'subscription_cycle', total: 4000 })
  expect(renewal?.lines.data.map(({ period }) => period)).toEqual([{ start: FEB_1, end: MAR_1 }])
})

test('end_behavior cancel ends the subscription, and bills nothing more', async () => {
  const { stripe } = world
  const { ada, subscription } = await running()
  const made = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id })
  await stripe.subscriptionSchedules.update(made.id, { end_behavior: 'cancel' })
  const types = await world.typesDuring(() => world.advance(ada.clock, FEB_1 + 2 * HOUR))
  expect(types).toContain('subscription_schedule.completed')
  expect(types).toContain('customer.subscription.deleted')
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'canceled',
    ended_at: FEB_1,
  })
  expect(await stripe.subscriptionSchedules.retrieve(made.id)).toMatchObject({
    status: 'completed',
    completed_at: FEB_1,
  })
  expect(await world.invoices(subscription.id)).toHaveLength(1)
})

test('a scheduled start: not started, then active with a draft that waits its hour', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const price = (await world.price(2000)).id
  const schedule = await stripe.subscriptionSchedules.create({
    customer: ada.id,
    start_date: FEB_1,
    end_behavior: 'release',
    phases: [{ items: [{ price, quantity: 2 }], duration: { interval: 'month', interval_count: 2 } }],
  })
  expect(schedule).toMatchObject({ status: 'not_started', subscription: null, current_phase: null })
  expect((await stripe.subscriptionSchedules.list({ customer: ada.id, scheduled: true })).data).toHaveLength(
    1,
  )
  await world.advance(ada.clock, FEB_1 + 60)
  const started = await stripe.subscriptionSchedules.retrieve(schedule.id, {
    expand: ['subscription', 'phases.items.price'],
  })
  expect(started).toMatchObject({
    status: 'active',
    current_phase: { start_date: FEB_1, end_date: APR_1 },
    subscription: { status: 'active', start_date: FEB_1, schedule: schedule.id },
    phases: [{ items: [{ price: { id: price } }] }],
  })
  const id = (started.subscription as { id: string }).id
  expect((await world.invoices(id))[0]).toMatchObject({ status: 'draft', total: 4000 })
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  expect((await world.invoices(id))[0]).toMatchObject({ status: 'paid', total: 4000 })
})

test('release leaves the subscription; cancel ends it, prorated and invoiced', async () => {
  const { stripe } = world
  const one = await running()
  const released = await stripe.subscriptionSchedules.create({ from_subscription: one.subscription.id })
  expect(await stripe.subscriptionSchedules.release(released.id)).toMatchObject({ status: 'released' })
  expect((await stripe.subscriptions.retrieve(one.subscription.id)).status).toBe('active')
  expect(await refusal(stripe.subscriptionSchedules.release(released.id))).toMatchObject({ statusCode: 400 })

  const two = await running()
  const made = await stripe.subscriptionSchedules.create({ from_subscription: two.subscription.id })
  await world.advance(two.ada.clock, JAN_1 + 15.5 * DAY)
  expect(await stripe.subscriptionSchedules.cancel(made.id)).toMatchObject({ status: 'canceled' })
  expect((await stripe.subscriptions.retrieve(two.subscription.id)).status).toBe('canceled')
  expect((await world.invoices(two.subscription.id))[1]?.total).toBe(-1500)
})

test('a scheduled subscription changes with its schedule, and is canceled through it', async () => {
  const { stripe } = world
  const { subscription } = await running()
  const made = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id })
  const error = await refusal(stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true }))
  expect(error.message).toContain(`managed by the subscription schedule \`${made.id}\``)
  const item = subscription.items.data[0]?.id as string
  await stripe.subscriptions.update(subscription.id, { items: [{ id: item, quantity: 3 }] })
  expect((await stripe.subscriptionSchedules.retrieve(made.id)).phases[0]?.items[0]?.quantity).toBe(3)
  await stripe.subscriptionItems.update(item, { quantity: 4 })
  expect((await stripe.subscriptionSchedules.retrieve(made.id)).phases[0]?.items[0]?.quantity).toBe(4)
  await stripe.subscriptions.cancel(subscription.id)
  expect((await stripe.subscriptionSchedules.retrieve(made.id)).status).toBe('canceled')
})

/** A schedule that starts now with phases of a month each, at 30.00. */
async function planned(
  phases: Partial<import('stripe').default.SubscriptionScheduleCreateParams.Phase>[],
  more: Partial<import('stripe').default.SubscriptionScheduleCreateParams> = {},
) {
  const ada = await world.customer()
  const price = (await world.price(3000)).id
  const schedule = await world.stripe.subscriptionSchedules.create({
    customer: ada.id,
    start_date: 'now',
    phases: phases.map((phase) => ({
      items: [{ price }],
      ...(phase.end_date === undefined ? { duration: { interval: 'month', interval_count: 1 } } : {}),
      ...phase,
    })),
    ...more,
  })
  return { ada, price, schedule, id: schedule.subscription as string }
}

const totals = async (id: string) => (await world.invoices(id)).map((invoice) => invoice.total)

test('a phase that is a trial bills nothing, the next one bills', async () => {
  const { ada, id, schedule } = await planned([{ trial: true }, {}])
  expect(schedule.phases[0]).toMatchObject({ trial_end: FEB_1, end_date: FEB_1 })
  expect(await world.stripe.subscriptions.retrieve(id)).toMatchObject({
    status: 'trialing',
    trial_end: FEB_1,
  })
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  expect(await world.stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'active' })
  expect(await totals(id)).toEqual([0, 3000])
})

test('a trial can end inside its phase, and begin with a later one', async () => {
  const trialEnd = JAN_1 + 10 * DAY
  const first = await planned([{ trial_end: trialEnd, end_date: MAR_1 }])
  expect(await world.stripe.subscriptions.retrieve(first.id)).toMatchObject({ trial_end: trialEnd })
  const later = await planned([{}, { trial: true }, {}])
  await world.advance(later.ada.clock, FEB_1 + 2 * HOUR)
  expect(await world.stripe.subscriptions.retrieve(later.id)).toMatchObject({
    status: 'trialing',
    trial_end: MAR_1,
  })
  await world.advance(later.ada.clock, MAR_1 + 2 * HOUR)
  expect(await totals(later.id)).toEqual([3000, 0, 3000])
})

test('discounts, extra items and labels belong to their phase', async () => {
  const coupon = await world.stripe.coupons.create({ percent_off: 50, duration: 'forever' })
  const product = (await world.product('Onboarding')).id
  const extra = { price_data: { currency: 'usd', product, unit_amount: 700 } }
  const { ada, id, schedule } = await planned([
    { discounts: [{ coupon: coupon.id }], metadata: { stage: 'first', kept: 'yes' } },
    { add_invoice_items: [extra], metadata: { stage: 'second' } },
    {},
  ])
  expect(schedule.phases[0]?.discounts).toEqual([{ coupon: coupon.id, discount: null, promotion_code: null }])
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  const entered = await world.stripe.subscriptions.retrieve(id)
  expect(entered).toMatchObject({ discounts: [], metadata: { stage: 'second', kept: 'yes' } })
  await world.advance(ada.clock, MAR_1 + 2 * HOUR)
  // Half of 30.00; then 30.00 and the 7.00 of its phase; then 30.00 alone.
  expect(await totals(id)).toEqual([1500, 3700, 3000])
  const [, february] = await world.invoices(id)
  expect(february?.lines.data.map((line) => [line.amount, line.period.start])).toEqual([
    [700, FEB_1],
    [3000, FEB_1],
  ])
})

test('items of a phase have discounts of their own, from the start and later', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const [team, extra] = [(await world.price(3000)).id, (await world.price(1000)).id]
  const half = (await stripe.coupons.create({ percent_off: 50, duration: 'forever' })).id
  const discounts = [{ coupon: half }]
  const month = { duration: { interval: 'month' as const } }
  const { subscription } = await stripe.subscriptionSchedules.create({
    customer: ada.id,
    start_date: 'now',
    phases: [
      { items: [{ price: team, discounts }, { price: extra }], ...month },
      {
        items: [
          { price: team, discounts },
          { price: extra, discounts },
        ],
        ...month,
      },
      { items: [{ price: team }, { price: extra, discounts }], ...month },
    ],
  })
  for (const at of [FEB_1, MAR_1]) await world.advance(ada.clock, at + 2 * HOUR)
  expect(await totals(subscription as string)).toEqual([2500, 2000, 3500])
  // Each item's is redeemed once, however many phases it stays in.
  expect((await stripe.coupons.retrieve(half)).times_redeemed).toBe(2)
  const after = await stripe.subscriptions.retrieve(subscription as string)
  expect(after.items.data.map((item) => item.discounts.length)).toEqual([0, 1])
})

test('a coupon that stays is not redeemed again when the schedule is changed', async () => {
  const coupon = await world.stripe.coupons.create({ percent_off: 50, duration: 'forever' })
  const { price, id, schedule } = await planned([{ discounts: [{ coupon: coupon.id }] }, {}])
  const before = (await world.stripe.subscriptions.retrieve(id)).discounts
  await world.stripe.subscriptionSchedules.update(schedule.id, {
    phases: [
      {
        items: [{ price, quantity: 2 }],
        start_date: JAN_1,
        end_date: FEB_1,
        discounts: [{ coupon: coupon.id }],
      },
    ],
  })
  expect((await world.stripe.subscriptions.retrieve(id)).discounts).toEqual(before)
  expect((await world.stripe.coupons.retrieve(coupon.id)).times_redeemed).toBe(1)
})

test('what no phase says is said by the schedule', async () => {
  const { ada, id, schedule } = await planned(
    [{}, { collection_method: 'charge_automatically', invoice_settings: { footer: 'Thank you' } }],
    {
      default_settings: {
        collection_method: 'send_invoice',
        description: 'Support',
        invoice_settings: { days_until_due: 10 },
      },
    },
  )
  expect(schedule.default_settings).toMatchObject({
    collection_method: 'send_invoice',
    invoice_settings: { days_until_due: 10 },
  })
  expect(await world.stripe.subscriptions.retrieve(id)).toMatchObject({
    collection_method: 'send_invoice',
    days_until_due: 10,
    description: 'Support',
  })
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  expect(await world.stripe.subscriptions.retrieve(id)).toMatchObject({
    collection_method: 'charge_automatically',
    days_until_due: null,
    invoice_settings: { footer: 'Thank you' },
  })
})

test('a schedule may begin in the past', async () => {
  const ada = await world.customer({ at: FEB_1 })
  const price = (await world.price(3000)).id
  const schedule = await world.stripe.subscriptionSchedules.create({
    customer: ada.id,
    start_date: JAN_1 + 15 * DAY,
    phases: [{ items: [{ price }], end_date: APR_1 }],
  })
  const subscription = await world.stripe.subscriptions.retrieve(schedule.subscription as string)
  expect(subscription).toMatchObject({ start_date: JAN_1 + 15 * DAY, status: 'active' })
  expect(await totals(subscription.id)).toEqual([3000])
})

test('usage of an item that a phase leaves out is on the renewal', async () => {
  const { stripe } = world
  const meter = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'phased_calls',
    default_aggregation: { formula: 'sum' },
  })
  const product = (await world.product('Calls')).id
  const calls = await stripe.prices.create({
    currency: 'usd',
    product,
    unit_amount: 10,
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  })
  const seats = (await world.price(3000)).id
  const { ada, id } = await planned([
    { items: [{ price: seats }, { price: calls.id }] },
    { items: [{ price: seats }] },
  ])
  await world.advance(ada.clock, JAN_1 + 5 * DAY)
  await stripe.billing.meterEvents.create({
    event_name: 'phased_calls',
    payload: { stripe_customer_id: ada.id, value: '12' },
    timestamp: JAN_1 + 5 * DAY,
  })
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  expect(await totals(id)).toEqual([3000, 3120])
})

describe('what a phase names', () => {
  test('is refused when it is planned, not when it is due', async () => {
    const { stripe } = world
    const recurring = (await world.price(500)).id
    const weekly = (await world.price(500, { recurring: { interval: 'week' } })).id
    const monthlyYen = (await world.price(500, { currency: 'jpy' })).id
    const yen = (
      await stripe.prices.create({ currency: 'jpy', unit_amount: 500, product_data: { name: 'Setup' } })
    ).id
    const stranger = await world.customer()
    const strangers = (await stripe.paymentMethods.list({ customer: stranger.id })).data[0]?.id as string
    const refused = [
      [{ add_invoice_items: [{ price: recurring }] }, 'phases[1][add_invoice_items][0][price]'],
      [{ add_invoice_items: [{ price: yen }] }, 'phases[1][add_invoice_items][0][price]'],
      [{ discounts: [{ coupon: 'nothing' }] }, 'phases[1][discounts][0][coupon]'],
      [{ discounts: [{ promotion_code: 'nothing' }] }, 'phases[1][discounts][0][promotion_code]'],
      [
        { items: [{ price: recurring, discounts: [{ coupon: 'nothing' }] }] },
        'phases[1][items][0][discounts][0][coupon]',
      ],
      [
        { items: [{ price: recurring, billing_thresholds: { usage_gte: 5 } }] },
        'phases[1][items][0][billing_thresholds]',
      ],
      [{ default_payment_method: strangers }, 'phases[1][default_payment_method]'],
      [{ currency: 'eur' }, 'phases[1][currency]'],
      [{ items: [{ price: monthlyYen }] }, 'phases[1][items]'],
      [{ items: [{ price: recurring }, { price: weekly }] }, 'phases[1][items]'],
    ] as const
    for (const [phase, param] of refused) {
      // Classic: of one interval.
      const classic = { billing_mode: { type: 'classic' } } as const
      const error = await refusal(planned([{}, phase as Parameters<typeof planned>[0][number]], classic))
      expect([error.statusCode, error.param]).toEqual([400, param])
    }
  })

  test('is in the currency of its schedule: one of those that its prices have', async () => {
    const { stripe } = world
    const ada = await world.customer()
    const price = await world.price(3000, { currency_options: { eur: { unit_amount: 2800 } } })
    const phase = { items: [{ price: price.id }], currency: 'eur', duration: { interval: 'month' as const } }
    const made = await stripe.subscriptionSchedules.create({
      customer: ada.id,
      start_date: JAN_1 + DAY,
      phases: [phase, { items: phase.items }],
    })
    expect(made.phases.map(({ currency }) => currency)).toEqual(['eur', 'eur'])
    await world.advance(ada.clock, JAN_1 + DAY + HOUR)
    const { subscription } = await stripe.subscriptionSchedules.retrieve(made.id)
    expect(await totals(subscription as string)).toEqual([2800])
    expect((await world.invoices(subscription as string))[0]?.currency).toBe('eur')
  })

  test("and its schedule's own payment method is its customer's", async () => {
    const { stripe } = world
    const [{ id: customer }, stranger] = [await world.customer(), await world.customer()]
    const strangers = (await stripe.paymentMethods.list({ customer: stranger.id })).data[0]?.id as string
    const settings = { default_payment_method: strangers }
    const phases = [{ items: [{ price: (await world.price(500)).id }] }]
    const start = { customer, start_date: JAN_1 + DAY, phases }
    const { id } = await stripe.subscriptionSchedules.create(start)
    for (const call of [
      stripe.subscriptionSchedules.create({ ...start, default_settings: settings }),
      stripe.subscriptionSchedules.update(id, { default_settings: settings }),
    ]) {
      const error = await refusal(call)
      expect([error.statusCode, error.param]).toEqual([400, 'default_settings[default_payment_method]'])
    }
  })

  test('may be archived, deleted or detached before it is due: the clock goes on', async () => {
    const { stripe } = world
    const ada = await world.customer()
    const card = await stripe.paymentMethods.attach('pm_card_mastercard', { customer: ada.id })
    const price = (await world.price(3000)).id
    const coupon = await stripe.coupons.create({ percent_off: 50, duration: 'forever' })
    const rate = await stripe.taxRates.create({ display_name: 'VAT', percentage: 20, inclusive: false })
    const phase = {
      items: [{ price, tax_rates: [rate.id] }],
      default_payment_method: card.id,
      discounts: [{ coupon: coupon.id }],
      duration: { interval: 'month', interval_count: 1 },
    } as const
    const schedule = await stripe.subscriptionSchedules.create({
      customer: ada.id,
      start_date: JAN_1 + DAY,
      phases: [phase, { ...phase, discounts: [{ coupon: coupon.id }] }],
    } as never)
    await stripe.prices.update(price, { active: false })
    await stripe.coupons.del(coupon.id)
    await stripe.taxRates.update(rate.id, { active: false })
    await stripe.paymentMethods.detach(card.id)
    await world.advance(ada.clock, FEB_1 + 2 * DAY)
    expect((await stripe.testHelpers.testClocks.retrieve(ada.clock)).status).toBe('ready')
    const { subscription } = await stripe.subscriptionSchedules.retrieve(schedule.id)
    // 30.00 and a fifth of it, undiscounted.
    expect(await totals(subscription as string)).toEqual([3600, 3600])
  })
})

// docs.stripe.com/api/subscription_schedules/create#create_subscription_schedule-phases-metadata and -phases-items-metadata
test('labels of a phase are added to those that are there, and taken off when they are empty', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const price = (await world.price(3000)).id
  const month = { duration: { interval: 'month' as const } }
  const first = { stage: 'first', kept: 'yes', gone: 'soon' }
  const second = { stage: 'second', gone: '' }
  const schedule = await stripe.subscriptionSchedules.create({
    customer: ada.id,
    start_date: 'now',
    phases: [
      { items: [{ price, metadata: first }], metadata: first, ...month },
      { items: [{ price, metadata: second }], metadata: second, ...month },
    ],
  })
  expect(schedule.phases[1]).toMatchObject({ metadata: second, items: [{ metadata: second }] })
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  const entered = await stripe.subscriptions.retrieve(schedule.subscription as string)
  const after = { stage: 'second', kept: 'yes' }
  expect(entered.metadata).toEqual(after)
  expect(entered.items.data[0]?.metadata).toEqual(after)
})

test('inside a period, too, an item keeps the labels that its new phase does not name', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const price = (await world.price(3000)).id
  const half = JAN_1 + 15 * DAY
  const schedule = await stripe.subscriptionSchedules.create({
    customer: ada.id,
    start_date: 'now',
    phases: [
      { items: [{ price, metadata: { kept: 'yes', gone: 'soon' } }], end_date: half },
      { items: [{ price, metadata: { added: 'late', gone: '' } }], duration: { interval: 'month' } },
    ],
  })
  await world.advance(ada.clock, half + HOUR)
  const entered = await stripe.subscriptions.retrieve(schedule.subscription as string)
  expect(entered.items.data[0]?.metadata).toEqual({ kept: 'yes', added: 'late' })
})

// docs.stripe.com/api/subscription_schedules/create#create_subscription_schedule-phases-add_invoice_items-discounts
test('what a phase, or a subscription, bills once has discounts of its own', async () => {
  const { stripe } = world
  const coupon = (await stripe.coupons.create({ percent_off: 50 })).id
  const { id: setup } = await world.price(700, { recurring: undefined as never })
  const discounts = [{ coupon }]
  const extras = [{ price: setup, discounts }]
  const { ada, id, schedule } = await planned([{}, { add_invoice_items: extras }])
  expect(schedule.phases[1]?.add_invoice_items).toMatchObject([
    { price: setup, discounts: [{ coupon, discount: null, promotion_code: null }] },
  ])
  expect((await stripe.coupons.retrieve(coupon)).times_redeemed).toBe(0)
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  // 30.00 and half of 7.00.
  expect(await totals(id)).toEqual([3000, 3350])

  const bob = await world.customer()
  const { latest_invoice } = await stripe.subscriptions.create({
    customer: bob.id,
    items: [{ price: (await world.price(3000)).id }],
    add_invoice_items: extras,
    expand: ['latest_invoice'],
  })
  expect(latest_invoice).toMatchObject({ subtotal: 3700, total: 3350 })
  const nobody = [{ price: setup, discounts: [{ coupon: 'nothing' }] }]
  const param = 'add_invoice_items[0][discounts][0][coupon]'
  const planning = planned([{ add_invoice_items: nobody }])
  expect(await refusal(planning)).toMatchObject({
    code: 'resource_missing',
    param: `phases[0][${param.replace('[', '][')}`,
  })
  const refused = stripe.subscriptions.update(id, { add_invoice_items: nobody })
  expect(await refusal(refused)).toMatchObject({ code: 'resource_missing', param })
})

test('what a schedule of a subscription cannot be given is named, and so is a missing customer', async () => {
  const { stripe } = world
  const { subscription, price } = await running()
  const phases = [{ items: [{ price }] }]
  const both = stripe.subscriptionSchedules.create({ from_subscription: subscription.id, phases })
  expect((await refusal(both)).message).toContain('You cannot set `phases` if `from_subscription` is set')
  const nobody = stripe.subscriptionSchedules.create({ start_date: 'now', phases })
  expect(await refusal(nobody)).toMatchObject({ code: 'parameter_missing', param: 'customer' })
})

test('an end that was planned before stays, wherever the phases of the schedule end, and after its release', async () => {
  const { stripe } = world
  const ending = async () => {
    const ada = await world.customer()
    const price = (await world.price(3000)).id
    const items = [{ price }]
    const { id } = await stripe.subscriptions.create({
      customer: ada.id,
      items,
      cancel_at_period_end: true,
    })
    const schedule = (await stripe.subscriptionSchedules.create({ from_subscription: id })).id
    await stripe.subscriptionSchedules.update(schedule, {
      phases: [{ items, start_date: JAN_1, end_date: APR_1 }],
    })
    return { ada, id, schedule }
  }
  const { ada, id, schedule } = await ending()
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'canceled', ended_at: FEB_1 })
  expect((await stripe.subscriptionSchedules.retrieve(schedule)).status).toBe('canceled')
  const other = await ending()
  await stripe.subscriptionSchedules.release(other.schedule)
  expect(await stripe.subscriptions.retrieve(other.id)).toMatchObject({
    cancel_at: FEB_1,
    cancel_at_period_end: true,
  })
})

/** The two sentences as others met them: github.com/YumaInaura (2020); "Must be set on the first phase" is the reference's. */
test('an update says where its phases begin, and leaves the beginning of the running one alone', async () => {
  const { stripe } = world
  const { price, subscription } = await running()
  const { id, phases } = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id })
  const phase = { items: [{ price }], end_date: phases[0]?.end_date as number }
  const next = { items: [{ price }], duration: { interval: 'month' as const } }
  const update = (given: object[]) =>
    stripe.subscriptionSchedules.update(id, {
      phases: given as NonNullable<Parameters<typeof stripe.subscriptionSchedules.update>[1]>['phases'] &
        object,
    })
  const missing =
    'The subscription schedule update is missing at least one phase with a `start_date` to anchor end dates to.'
  expect(await refusal(update([phase, next]))).toMatchObject({ statusCode: 400, message: missing })
  const only = 'You can only adjust the end date to a future date for the current phase.'
  expect(await refusal(update([{ ...phase, start_date: JAN_1 + HOUR }]))).toMatchObject({ message: only })
  expect(await refusal(update([{ ...next, start_date: FEB_1 }]))).toMatchObject({ message: only })
  expect((await update([{ ...phase, start_date: JAN_1 }, next])).phases).toHaveLength(2)
})
