// docs.stripe.com/billing/subscriptions/usage-based/thresholds and docs.stripe.com/api/subscriptions/create
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, refusal } from './world.ts'

const FEB_1 = JAN_1 + 31 * DAY

const world = await sharedWorld()
const meter = await world.stripe.billing.meters.create({
  display_name: 'Calls',
  event_name: 'calls',
  default_aggregation: { formula: 'sum' },
})
const recurring = { interval: 'month', usage_type: 'metered', meter: meter.id } as const
const calls = (await world.price(10, { recurring, product: (await world.product('Calls')).id })).id

type CreateParams = import('stripe').default.SubscriptionCreateParams

async function running(more: Partial<CreateParams>) {
  const ada = await world.customer()
  const { id } = await world.stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: calls }],
    ...more,
  })
  const use = async (value: string, at: number) => {
    await world.advance(ada.clock, at)
    return world.typesDuring(() =>
      world.stripe.billing.meterEvents.create({
        event_name: 'calls',
        payload: { stripe_customer_id: ada.id, value },
        timestamp: at,
      }),
    )
  }
  return { ada, id, use }
}

const shown = async (id: string) =>
  (await world.invoices(id)).map((invoice) => [invoice.billing_reason, invoice.total])

test('an amount makes an invoice before the period ends, and the renewal bills the rest', async () => {
  const { ada, id, use } = await running({ billing_thresholds: { amount_gte: 1000 } })
  expect(await use('99', JAN_1 + DAY)).toEqual([])
  expect(await use('21', JAN_1 + 2 * DAY)).toEqual(['invoice.created', 'customer.subscription.updated'])
  expect(await use('30', JAN_1 + 3 * DAY)).toEqual([])
  const [threshold] = await world.invoices(id)
  expect(threshold).toMatchObject({ status: 'paid', billing_reason: 'subscription_threshold' })
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  expect(await shown(id)).toEqual([
    ['subscription_threshold', 1200],
    ['subscription_cycle', 300],
  ])
  expect((await world.stripe.subscriptions.retrieve(id)).billing_cycle_anchor).toBe(JAN_1)
})

test('the cycle can begin anew with it', async () => {
  const { ada, id, use } = await running({
    items: [{ price: calls }, { price: (await world.price(3100)).id }],
    billing_thresholds: { amount_gte: 500, reset_billing_cycle_anchor: true },
  })
  const at = JAN_1 + 10 * DAY
  await use('50', at)
  const subscription = await world.stripe.subscriptions.retrieve(id)
  expect(subscription.billing_cycle_anchor).toBe(at)
  expect(subscription.items.data.map((item) => item.current_period_end)).toEqual([
    at + 31 * DAY,
    at + 31 * DAY,
  ])
  // 500 of usage, 3100 for a month from now, and 21 of 31 days back.
  expect((await world.invoices(id)).at(-1)?.total).toBe(500 + 3100 - 2100)
  await world.advance(ada.clock, at + 31 * DAY + 2 * HOUR)
  expect((await world.invoices(id)).at(-1)?.total).toBe(3100)
})

test('so many units of one item', async () => {
  const { id, use } = await running({ items: [{ price: calls, billing_thresholds: { usage_gte: 5 } }] })
  await use('4.5', JAN_1 + DAY)
  expect(await shown(id)).toEqual([])
  await use('0.5', JAN_1 + 2 * DAY)
  expect(await shown(id)).toEqual([['subscription_threshold', 50]])
  const ada = await world.customer()
  const seats = world.stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: (await world.price(100)).id, billing_thresholds: { usage_gte: 5 } }],
  })
  expect(await refusal(seats)).toMatchObject({ param: 'items[0][billing_thresholds]' })
})

test('thresholds are taken away by the empty text', async () => {
  const { id, use } = await running({ billing_thresholds: { amount_gte: 500 } })
  await world.stripe.subscriptions.update(id, { billing_thresholds: '' })
  await use('100', JAN_1 + DAY)
  expect(await shown(id)).toEqual([])
})

test('a pending update does not outlive a threshold', async () => {
  const seats = (await world.price(3100)).id
  const { ada, id, use } = await running({
    items: [{ price: seats }, { price: calls }],
    billing_thresholds: { amount_gte: 500 },
  })
  await world.setCard(ada.id, 'pm_card_chargeCustomerFail')
  const { items } = await world.stripe.subscriptions.retrieve(id)
  const held = await world.stripe.subscriptions.update(id, {
    items: [{ id: items.data[0]?.id as string, quantity: 2 }],
    payment_behavior: 'pending_if_incomplete',
    proration_behavior: 'always_invoice',
  })
  expect(held.pending_update).not.toBeNull()
  const types = await use('50', JAN_1 + HOUR)
  expect(types).toContain('customer.subscription.pending_update_expired')
  expect(await world.stripe.subscriptions.retrieve(id)).toMatchObject({ pending_update: null })
})
