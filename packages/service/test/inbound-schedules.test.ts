import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { nextObservation } from '../src/store/provider-objects.ts'
import { readSubscription } from '../src/store/subscriptions.ts'
import { doDue } from '../src/workflow/due.ts'
import { knowSchedule, lookAt } from '../src/workflow/look.ts'
import { observe } from '../src/workflow/observe.ts'
import { beginChange } from '../src/workflow/plan-change/begin.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(newInboundWorld())

let counter = 0
async function sold(amount: number) {
  counter += 1
  const product = await world.stripe.products.create({ name: `Plan ${counter}` })
  const price = await world.stripe.prices.create({
    product: product.id,
    ...{ currency: 'usd', unit_amount: amount, recurring: { interval: 'month' } },
  })
  return { price: price.id, key: `plan-${counter}` }
}

/** A customer on a clock of their own, who pays for a plan that was made at Stripe. */
async function subscribed(price: string) {
  const clock = await world.stripe.testHelpers.testClocks.create({
    frozen_time: Date.UTC(2026, 0, 10) / 1000,
  })
  const customer = await world.stripe.customers.create({ name: 'Ada', test_clock: clock.id })
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  const made = await world.stripe.subscriptions.create({
    ...{ customer: customer.id, default_payment_method: method.id, items: [{ price, quantity: 3 }] },
  })
  await world.deliver()
  return { made, clock }
}

async function here({ id }: { readonly id: string }) {
  const { rows } = await world.pool.query(`select entity_id as id from mapping where provider_id = $1`, [id])
  const found = await readSubscription(world.db, rows[0].id)
  if (!found) throw new Error(`${id} was not taken up.`)
  return found
}

/** As somebody plans it in the dashboard: of the subscription as it is, and then what comes. */
async function plan(subscription: Stripe.Subscription, price: string, quantity: number) {
  const schedule = await world.stripe.subscriptionSchedules.create({ from_subscription: subscription.id })
  return replan(schedule, subscription, [{ price, quantity }])
}

async function replan(
  { id, phases: [phase] }: Stripe.SubscriptionSchedule,
  { items: { data } }: Stripe.Subscription,
  items: { price: string; quantity: number }[],
) {
  const standing = data.map(({ price, quantity }) => ({ price: price.id, quantity: quantity ?? 1 }))
  return world.stripe.subscriptionSchedules.update(id, {
    phases: [
      { items: standing, start_date: phase?.start_date ?? 0, end_date: phase?.end_date ?? 0 },
      { items, duration: { interval: 'month', interval_count: 1 } },
    ],
  })
}

const changesOf = async ({ id }: { readonly id: string }) =>
  (
    await world.pool.query(
      `select state, origin, quantity::int, requested_by as by from plan_change where subscription_id = $1 order by created_at, id`,
      [id],
    )
  ).rows

test('a downgrade that is planned at Stripe is a planned change here, and takes effect when it is due', async () => {
  const [large, small] = [await sold(5000), await sold(1000)]
  const { made, clock } = await subscribed(large.price)
  await plan(made, small.price, 2)
  // Twice, and the last first.
  const events = await world.newEvents()
  for (const event of [...events.toReversed(), ...events]) await world.receive(event)
  await world.drain()
  const planned = await here(made)
  expect(planned).toMatchObject({
    ...{ planKey: large.key, quantity: 3, unreadSchedule: null },
    ...{ scheduledPlan: small.key, scheduledQuantity: 2, scheduledAt: Date.UTC(2026, 1, 10) / 1000 },
  })
  expect(await changesOf(planned)).toEqual([
    { state: 'scheduled', origin: 'provider', quantity: 2, by: 'provider' },
  ])

  await world.stripe.testHelpers.testClocks.advance(clock.id, {
    frozen_time: Date.UTC(2026, 1, 10, 3) / 1000,
  })
  await world.simulator.control.idle()
  await world.deliver()
  expect(await here(made)).toMatchObject({ planKey: small.key, quantity: 2, scheduledId: null })
  expect(await changesOf(planned)).toMatchObject([{ state: 'effective' }])
  const { rows } = await world.pool.query(
    `select c.document::json -> 'acceptance' -> 'terms' as terms, c.document::json -> 'agreement' ->> 'quantity' as quantity
     from contract c where c.subscription_id = $1 order by c.sequence`,
    [planned.id],
  )
  expect(rows).toEqual([
    { terms: null, quantity: '3' },
    { terms: null, quantity: '2' },
  ])
})

test('what is planned anew takes its place, and what is released does not come', async () => {
  const [large, small] = [await sold(5000), await sold(1000)]
  const { made } = await subscribed(large.price)
  const schedule = await plan(made, small.price, 2)
  await world.deliver()
  await replan(schedule, made, [{ price: small.price, quantity: 1 }])
  await world.deliver()
  expect(await here(made)).toMatchObject({ scheduledPlan: small.key, scheduledQuantity: 1 })
  await world.stripe.subscriptionSchedules.release(schedule.id)
  await world.deliver()
  const released = await here(made)
  expect(released).toMatchObject({ planKey: large.key, scheduledId: null })
  expect(await changesOf(released)).toMatchObject([
    { state: 'withdrawn', quantity: 2 },
    { state: 'withdrawn', quantity: 1 },
  ])
})

test('while it stands, a change here is refused, and the schedule stays', async () => {
  const [large, small] = [await sold(5000), await sold(1000)]
  const { made } = await subscribed(large.price)
  const schedule = await plan(made, small.price, 2)
  await world.deliver()
  const { id } = await here(made)
  const asked = {
    operation: 'operation_1',
    requestedBy: 'key',
    requestOrigin: null,
    accepted: {},
    mayGivePlans: true,
  }
  for (const wish of [{ quantity: 5 }, { withdraw: true as const }])
    await expect(beginChange(world.deps, id, wish, asked)).rejects.toMatchObject({
      code: 'subscription_not_changeable',
    })
  const { status } = await world.stripe.subscriptionSchedules.retrieve(schedule.id)
  expect(status).toBe('active')
})

test('made by hand before it is due, it would be made once more: a change here is refused until then', async () => {
  const [large, small] = [await sold(5000), await sold(1000)]
  const { made, clock } = await subscribed(large.price)
  const schedule = await plan(made, small.price, 2)
  await world.deliver()
  const early = { price: small.price, quantity: 2, proration_behavior: 'none' } as const
  await world.stripe.subscriptionItems.update(made.items.data[0]?.id ?? '', early)
  await world.deliver()
  const now = await here(made)
  expect(now).toMatchObject({ planKey: small.key, quantity: 2, scheduledId: null })
  await doDue({ ...world.deps, workflows: world.workflows })
  expect(await world.stripe.subscriptionSchedules.retrieve(schedule.id)).toMatchObject({ status: 'active' })
  const asked = (operation: string) => ({
    ...{ operation, requestedBy: 'key', requestOrigin: null, accepted: {}, mayGivePlans: true },
  })
  await expect(beginChange(world.deps, now.id, { quantity: 5 }, asked('early'))).rejects.toMatchObject({
    code: 'subscription_not_changeable',
  })
  await world.stripe.testHelpers.testClocks.advance(clock.id, {
    frozen_time: Date.UTC(2026, 1, 10, 3) / 1000,
  })
  await world.simulator.control.idle()
  await world.deliver()
  expect(await beginChange(world.deps, now.id, { quantity: 5 }, asked('late'))).toMatchObject({
    written: {},
  })
})

test('what cannot be said as a plan of ours is said to be that, and is not guessed', async () => {
  const large = await sold(5000)
  const { made } = await subscribed(large.price)
  const { provider } = world.deps
  const directions = { ...provider.sync.directions, plan: 'off' as const, price: 'off' as const }
  const closed = { ...world.deps, provider: { ...provider, sync: { ...provider.sync, directions } } }
  const foreign = await world.stripe.prices.create({
    ...{ product_data: { name: 'Not here' }, currency: 'usd', unit_amount: 100 },
    recurring: { interval: 'month' },
  })
  const schedule = await plan(made, foreign.id, 1)
  await lookAt(closed, { type: 'subscription_schedule', id: schedule.id })
  expect(await here(made)).toMatchObject({
    scheduledId: null,
    unreadSchedule: expect.stringContaining('linked to no plan here'),
  })
  await world.stripe.subscriptionSchedules.release(schedule.id)
  await lookAt(closed, { type: 'subscription', id: made.id })
  expect(await here(made)).toMatchObject({ unreadSchedule: null })
})

test('one that was planned before the subscription was met is seen with it', async () => {
  const [large, small] = [await sold(5000), await sold(1000)]
  await world.deliver()
  const customer = await world.stripe.customers.create({ name: 'Bob' })
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  const made = await world.stripe.subscriptions.create({
    ...{ customer: customer.id, default_payment_method: method.id, items: [{ price: large.price }] },
  })
  await plan(made, small.price, 1)
  await lookAt(world.deps, { type: 'subscription', id: made.id })
  expect(await here(made)).toMatchObject({ planKey: large.key, scheduledPlan: small.key })
})

test('a picture of before it was planned, written down behind it, takes nothing away', async () => {
  const [large, small] = [await sold(5000), await sold(1000)]
  const { made } = await subscribed(large.price)
  const before = await world.stripe.subscriptions.retrieve(made.id)
  await plan(made, small.price, 2)
  await world.deliver()
  const { id } = await here(made)
  // Asked for last, and answered by what stood there before.
  const observation = await nextObservation(world.db)
  const observed = { type: 'subscription', object: before, observation, source: 'fetch' } as const
  const outcome = await observe(world.deps, observed)
  if (outcome.kind !== 'applied') throw new Error(outcome.kind)
  await knowSchedule(world.deps, observed, outcome)
  expect(await here(made)).toMatchObject({ id, scheduledPlan: small.key, scheduledQuantity: 2 })
})

test('a planned change in whose place something else came is over, and nobody asks for it for ever', async () => {
  const [large, small, other] = [await sold(5000), await sold(1000), await sold(2000)]
  const { made, clock } = await subscribed(large.price)
  const schedule = await plan(made, small.price, 2)
  await world.deliver()
  const { id } = await here(made)
  // Planned anew, of which nobody tells, and a phase behind it.
  const [phase] = schedule.phases
  await world.stripe.subscriptionSchedules.update(schedule.id, {
    phases: [
      {
        items: [{ price: large.price, quantity: 3 }],
        ...{ start_date: phase?.start_date ?? 0, end_date: phase?.end_date ?? 0 },
      },
      { items: [{ price: other.price, quantity: 1 }], duration: { interval: 'month', interval_count: 2 } },
      { items: [{ price: other.price, quantity: 9 }], duration: { interval: 'month', interval_count: 1 } },
    ],
  })
  await world.newEvents()
  await world.stripe.testHelpers.testClocks.advance(clock.id, {
    frozen_time: Date.UTC(2026, 2, 11) / 1000,
  })
  await world.simulator.control.idle()
  const clocks = (await world.newEvents()).filter(({ type }) => type.startsWith('test_helpers'))
  for (const event of clocks) await world.receive(event)
  await world.drain()
  const due = () => doDue({ ...world.deps, workflows: world.workflows })
  const first = await world.requests(due)
  expect(first).toContainEqual(expect.stringMatching('GET /v1/subscription_schedules/'))
  expect(await world.requests(due)).toEqual([])
  expect(await here(made)).toMatchObject({
    ...{ planKey: other.key, quantity: 1, scheduledPlan: other.key, scheduledQuantity: 9 },
  })
  const { rows } = await world.pool.query(
    `select state, quantity::int from plan_change where subscription_id = $1 order by created_at, id`,
    [id],
  )
  expect(rows).toEqual([
    { state: 'withdrawn', quantity: 2 },
    { state: 'scheduled', quantity: 9 },
  ])
})

test('a phase that changes nothing of the plan hides none behind it', async () => {
  const [large, small] = [await sold(5000), await sold(1000)]
  const { made } = await subscribed(large.price)
  const { id, phases } = await world.stripe.subscriptionSchedules.create({ from_subscription: made.id })
  const off = await world.stripe.coupons.create({ percent_off: 10, duration: 'forever' })
  const standing = [{ price: large.price, quantity: 3 }]
  const [phase] = phases
  await world.stripe.subscriptionSchedules.update(id, {
    phases: [
      { items: standing, start_date: phase?.start_date ?? 0, end_date: phase?.end_date ?? 0 },
      {
        ...{ items: standing, discounts: [{ coupon: off.id }] },
        duration: { interval: 'month', interval_count: 1 },
      },
      { items: [{ price: small.price, quantity: 1 }], duration: { interval: 'month', interval_count: 1 } },
    ],
  })
  await world.deliver()
  expect(await here(made)).toMatchObject({
    ...{ scheduledPlan: small.key, scheduledQuantity: 1, scheduledAt: Date.UTC(2026, 2, 10) / 1000 },
  })
})
