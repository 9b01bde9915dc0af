import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { findDrift } from '../src/workflow/drift/find.ts'
import { repairDrift } from '../src/workflow/drift/repair.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { shared } from './support/shared.ts'

// What was billed in other forms than so many of one price: nothing is invented of it, and what is altered is found.
const world = await shared(newInboundWorld())
const { stripe } = world
const at = (time: string) => Date.parse(time) / 1000
const drifts = async () =>
  (await findDrift(world.deps)).drifts.map(({ cause, repair, differences }) =>
    [...differences.map(({ field }) => field), cause, repair ?? 'none'].join(' '),
  )

async function price(terms: Partial<Stripe.PriceCreateParams>): Promise<string> {
  const { id: product } = await stripe.products.create({ name: 'Sold' })
  const recurring = { interval: 'month' } as const
  return (await stripe.prices.create({ product, currency: 'jpy', recurring, ...terms })).id
}

/** On a clock of their own, since the 31st of January. */
async function subscribed(items: Stripe.SubscriptionCreateParams.Item[], trial?: number, coupon?: string) {
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: at('2026-01-31T12:00:00Z') })
  const { id: customer } = await stripe.customers.create({ test_clock: clock.id })
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer })
  const made = await stripe.subscriptions.create({
    ...{ customer, default_payment_method: method.id, items },
    ...(trial !== undefined && { trial_period_days: trial }),
    ...(coupon !== undefined && { discounts: [{ coupon }] }),
  })
  await world.deliver()
  const { rows } = await world.pool.query('select entity_id from mapping where provider_id = $1', [made.id])
  const ours: string = rows[0].entity_id
  return {
    customer,
    made,
    item: (n: number) => made.items.data[n]?.id ?? '',
    async turn(time: string) {
      await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: at(time) })
      // As long as the machine needs: it is not the time that is tested.
      await world.simulator.control.idle({ timeoutMs: 600_000 })
      await world.deliver()
    },
    async change(params: Stripe.SubscriptionUpdateParams) {
      await stripe.subscriptions.update(made.id, params)
      await world.deliver()
    },
    history: async () =>
      (
        await world.pool.query(
          `select ordinal, starts_at, ends_at, quantity, addons, fee, status from subscription_history
            where subscription_id = $1 order by ordinal`,
          [ours],
        )
      ).rows,
    alter: (ordinal: number, change: string) =>
      world.pool.query(
        `update subscription_history set ${change} where subscription_id = $1 and ordinal = $2`,
        [ours, ordinal],
      ),
  }
}

test('tiers in yen from the 31st, with an add-on that is taken away', async () => {
  const tiers: Stripe.PriceCreateParams.Tier[] = [
    { up_to: 10, unit_amount: 100, flat_amount: 70 },
    { up_to: 'inf', unit_amount: 50 },
  ]
  const seats = await price({ billing_scheme: 'tiered', tiers_mode: 'graduated', tiers })
  const extra = await price({ unit_amount: 300 })
  const ada = await subscribed([
    { price: seats, quantity: 15 },
    { price: extra, quantity: 2 },
  ])
  await ada.turn('2026-03-05T00:00:00Z')
  await ada.change({ items: [{ id: ada.item(0), quantity: 40 }] })
  await ada.turn('2026-04-02T00:00:00Z')
  await ada.change({ items: [{ id: ada.item(1), deleted: true }] })
  await ada.turn('2026-06-02T00:00:00Z')
  expect(await drifts()).toEqual([])
  const whole = await ada.history()
  // 70 + 10 × 100 + 5 × 50 + 2 × 300; 70 + 10 × 100 + 30 × 50 + 2 × 300; the same without the add-on.
  expect(whole.map(({ fee }) => fee)).toEqual([1920n, 3170n, 2570n])

  await ada.alter(1, 'quantity = 16, fee = 1970')
  await ada.alter(2, `addons = '[]', fee = 2570`)
  expect(await drifts()).toEqual([
    'quantity of stretch 1 fee of stretch 1 changedHere look',
    'addons of stretch 2 fee of stretch 2 changedHere look',
  ])
  expect((await repairDrift(world.deps)).left.drifts).toEqual([])
  expect(await ada.history()).toEqual(whole)
})

test('a number that changes in a trial, a plan by schedule at the end of a period, a pause', async () => {
  const [first, then] = [await price({ unit_amount: 500 }), await price({ unit_amount: 900 })]
  const bob = await subscribed([{ price: first }], 14)
  await bob.turn('2026-02-05T00:00:00Z')
  await bob.change({ items: [{ id: bob.item(0), quantity: 3 }] })
  await bob.turn('2026-02-20T00:00:00Z')
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: bob.made.id })
  const [phase] = schedule.phases
  const { start_date = 0, end_date = 0 } = phase ?? {}
  await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [
      { items: [{ price: first, quantity: 3 }], start_date, end_date },
      { items: [{ price: then, quantity: 2 }], duration: { interval: 'month', interval_count: 3 } },
    ],
  })
  await world.deliver()
  await bob.turn('2026-03-20T00:00:00Z')
  await bob.change({ pause_collection: { behavior: 'void' } })
  await bob.turn('2026-04-20T00:00:00Z')
  await bob.change({ pause_collection: '' })
  await bob.turn('2026-05-20T00:00:00Z')
  expect((await bob.history()).map(({ fee }) => fee)).toEqual([500n, 1500n, 1500n, 1800n, 1800n, 1800n])
  expect(await drifts()).toEqual([])
})

// Stripe invoices these too: a trial of nothing, what is free, and what a coupon takes off wholly or nobody collects with its fee.
// https://docs.stripe.com/billing/subscriptions/trials
describe('a stretch of which nothing was paid is held against the invoice of nothing', () => {
  const altered = async (cy: Awaited<ReturnType<typeof subscribed>>, ordinal: number, change: string) => {
    expect(await drifts()).toEqual([])
    const whole = await cy.history()
    await cy.alter(ordinal, change)
    const found = await drifts()
    await repairDrift(world.deps)
    expect(await drifts()).toEqual([])
    expect(await cy.history()).toEqual(whole)
    return found
  }
  const one = (n: number) => `quantity of stretch ${n} fee of stretch ${n} changedHere look`

  test('a trial', async () => {
    const cy = await subscribed([{ price: await price({ unit_amount: 500 }), quantity: 2 }], 14)
    await cy.turn('2026-02-16T00:00:00Z')
    expect((await cy.history()).map(({ status }) => status)).toEqual(['trialing', 'active'])
    expect(await altered(cy, 1, 'quantity = 3, fee = 1500')).toEqual([one(1)])
  })

  test('what is free', async () => {
    const cy = await subscribed([{ price: await price({ unit_amount: 0 }), quantity: 2 }])
    expect(await altered(cy, 1, 'quantity = 3')).toEqual(['quantity of stretch 1 changedHere look'])
  })

  test('what is discounted wholly', async () => {
    const { id: coupon } = await stripe.coupons.create({ percent_off: 100, duration: 'forever' })
    const cy = await subscribed(
      [{ price: await price({ unit_amount: 500 }), quantity: 2 }],
      undefined,
      coupon,
    )
    expect(await altered(cy, 1, 'quantity = 3, fee = 1500')).toEqual([one(1)])
  })

  test('what is not collected', async () => {
    const cy = await subscribed([{ price: await price({ unit_amount: 500 }), quantity: 2 }])
    await cy.change({ pause_collection: { behavior: 'void' } })
    await cy.turn('2026-03-05T00:00:00Z')
    expect((await cy.history()).length).toBe(2)
    expect(await altered(cy, 2, 'quantity = 3, fee = 1500')).toEqual([one(2)])
  })
})

test('an invoice of more lines than a list shows', async () => {
  const cy = await subscribed([{ price: await price({ unit_amount: 500 }), quantity: 4 }])
  for (let n = 0; n < 30; n += 1)
    await stripe.invoiceItems.create({ customer: cy.customer, amount: 100 + n, currency: 'jpy' })
  await cy.turn('2026-03-05T00:00:00Z')
  expect(await drifts()).toEqual([])
  const whole = await cy.history()
  await cy.alter(1, 'quantity = 5, fee = 2500')
  expect(await drifts()).toEqual(['quantity of stretch 1 fee of stretch 1 changedHere look'])
  expect((await repairDrift(world.deps)).left.drifts).toEqual([])
  expect(await cy.history()).toEqual(whole)
})
