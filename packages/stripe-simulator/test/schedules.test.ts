// docs.stripe.com/billing/subscriptions/subscription-schedules and docs.stripe.com/api/subscription_schedules
import { afterAll, beforeAll, expect, test } from 'vitest'
import { amounts, DAY, HOUR, JAN_1, newWorld, refusal, type World } from './world.ts'

const FEB_1 = JAN_1 + 31 * DAY
const MAR_1 = FEB_1 + 28 * DAY
const APR_1 = MAR_1 + 31 * DAY

let world: World
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())

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
