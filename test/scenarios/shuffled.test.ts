import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import { expect, test } from 'vitest'
import cloudHost from '../../examples/cloud-host/catalog.ts'
import { atRest } from '../support/at-rest.ts'
import { newWorld, type World } from '../support/world.ts'

const START = '2026-01-31T09:30:00Z'

/** How the simulator delivers webhooks. */
type DeliveryMode = 'in_order' | 'shuffled' | 'duplicated' | 'dropped'

/**
 * A year's beginning of one customer: registered on the 31st, renewed twice, canceled at Stripe's own
 * dashboard. What is left at the end, without the ids and numbers that differ from world to world.
 */
async function story(world: World) {
  const { client, stripe } = world
  await client.catalog.apply(catalogDocumentOf(cloudHost))
  const clock = await client.testClocks.create({ frozenTime: START })
  const { id } = await client.registrations.create({
    externalId: 'ada',
    plan: 'cloud-host',
    paymentMethod: 'pm_card_visa',
    testClock: clock.id,
  })
  const { customer } = await client.registrations.ended(id)
  const turn = async (to: string) => {
    await client.testClocks.advance(clock.id, to)
    await client.testClocks.ready(clock.id)
  }
  const use = (time: string, quantity: string) =>
    client.usage.send([
      { source: 'story', id: time, type: 'compute_seconds', subject: 'ada', time, data: { quantity } },
    ])

  await use(START, '100000')
  await turn('2026-02-28T12:00:00Z')
  await use('2026-02-28T10:00:00Z', '2500000.5')
  await turn('2026-03-31T12:00:00Z')
  for await (const subscription of stripe.subscriptions.list({ test_clock: await providerClock(world) }))
    await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })
  await turn('2026-04-30T12:00:00Z')
  await atRest(world)

  const invoices = []
  for await (const { status, period, total, billingReason } of client.invoices.list({ customer }))
    invoices.push({ status, period, total, billingReason })
  const subscriptions = []
  for await (const { status, currentPeriod, canceledAt, endedAt } of client.subscriptions.list({ customer }))
    subscriptions.push({ status, currentPeriod, canceledAt, endedAt })
  return { invoices, subscriptions }
}

async function providerClock({ stripe }: World): Promise<string> {
  const clocks = await stripe.testHelpers.testClocks.list()
  return clocks.data[0]?.id ?? ''
}

async function tell(mode: DeliveryMode) {
  const world = await newWorld()
  try {
    await world.deliver({ mode })
    return await story(world)
  } finally {
    await world.close()
  }
}

test('webhooks that come twice, late and in any order leave the same state behind', async () => {
  const orderly = await tell('in_order')
  expect(await tell('duplicated')).toEqual(orderly)
  expect(await tell('shuffled')).toEqual(orderly)
  expect(await tell('dropped')).toEqual(orderly)

  // By hand: 100,000 s × 0.0000144 = 1.44, support 10 % of 21.44 = 2.144; renewal 20.00 + 1.44 + 2.14.
  // 2,500,000.5 s × 0.0000144 = 36.0000072, support 10 % of 56.00 = 5.60; renewal 20.00 + 36.00 + 5.60.
  // Canceled at the end of the third period: support 10 % of 20.00 alone, no further fee.
  const cycles = orderly.invoices.filter(({ billingReason }) => billingReason === 'subscription_cycle')
  expect(cycles.map(({ total }) => total?.amount).toReversed()).toEqual(['23.58', '61.60', '2.00'])
  expect(cycles.every(({ status }) => status === 'paid')).toBe(true)
  expect(orderly.subscriptions).toMatchObject([{ status: 'canceled', endedAt: '2026-04-30T09:30:00Z' }])
})
