import { defineCatalog } from '@lockstep/core/catalog'
import type { ContractDocument } from '@lockstep/core/contract'
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { newId } from '../src/ids.ts'
import { readSubscription } from '../src/store/subscriptions.ts'
import { findDrift } from '../src/workflow/drift/find.ts'
import { doDue } from '../src/workflow/due.ts'
import { beginChange } from '../src/workflow/plan-change/begin.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { flatPlan } from './support/catalogs.ts'
import { shared } from './support/shared.ts'

// Seats are changed in the dashboard while another plan is planned, and all that is heard of it comes by events: twice, late, or
// the last one first. https://docs.stripe.com/webhooks#event-ordering

const seats = (name: string, unitAmount: string) => ({
  ...flatPlan(name, '0'),
  prices: { each: { kind: 'recurring', model: 'perUnit', unitAmount } } as const,
})
const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: { large: seats('Large', '9.00'), small: seats('Small', '4.00') },
})

const world = await shared(newBillingWorld({ catalog }))

const due = async () => {
  // What the first one brings may be due at once.
  for (const _ of ['this', 'that']) await doDue({ ...world.deps, workflows: world.workflows })
}

async function planned(): Promise<Payer> {
  const payer = await world.register('large', '2026-01-01T00:00:00Z', { quantity: 3 })
  const asked = {
    ...{ operation: newId('operation'), requestedBy: 'key', requestOrigin: null, accepted: {} },
    mayGivePlans: true,
  }
  const { workflowId, written } = await beginChange(
    world.deps,
    payer.subscriptionId,
    { plan: 'small' },
    asked,
  )
  if (written) world.workflows.beginAs(written)
  expect(await world.workflows.settled(workflowId, 600)).toMatchObject({ state: 'completed' })
  await world.deliver()
  return payer
}

async function setSeats({ subscription }: Payer, ...numbers: number[]) {
  const { items } = await world.stripe.subscriptions.retrieve(subscription)
  for (const quantity of numbers)
    await world.stripe.subscriptionItems.update(items.data[0]?.id ?? '', {
      quantity,
      proration_behavior: 'none',
    })
}

const agreed = async ({ subscriptionId }: Payer) => {
  const { rows } = await world.pool.query(
    'select document from contract where subscription_id = $1 order by sequence',
    [subscriptionId],
  )
  return rows.map(({ document }) => {
    const { agreement } = JSON.parse(document) as ContractDocument
    return `${agreement.plan.key} ${agreement.quantity}`
  })
}

const driftOf = async ({ subscription }: Payer) =>
  (await findDrift(world.deps)).drifts.filter(({ providerId }) => providerId === subscription)

type Order = (events: readonly Stripe.Event[]) => readonly Stripe.Event[]
const orders: readonly [string, Order][] = [
  ['in order', (events) => events],
  ['twice', (events) => [...events, ...events]],
  ['the last one first', (events) => events.toReversed()],
  ['twice, and the last one first', (events) => [...events, ...events].toReversed()],
]

test.each(orders)('events %s', async (_, inOrder) => {
  const payer = await planned()
  const hear = async () => {
    for (const event of inOrder(await world.newEvents())) await world.receive(event)
    await drained()
  }
  await setSeats(payer, 5, 4, 6)
  await hear()
  expect(await readSubscription(world.db, payer.subscriptionId)).toMatchObject({
    ...{ planKey: 'large', quantity: 6, scheduledPlan: 'small', scheduledQuantity: 6 },
  })
  await world.turn(payer, '2026-02-01T02:00:00Z')
  await hear()
  expect(await readSubscription(world.db, payer.subscriptionId)).toMatchObject({
    ...{ planKey: 'small', quantity: 6, scheduledId: null },
  })
  const contracts = await agreed(payer)
  expect([contracts[0], ...contracts.slice(-2)]).toEqual(['large 3', 'large 6', 'small 6'])
  expect(contracts.filter((one) => one.startsWith('small'))).toEqual(['small 6'])
  const { data } = await world.stripe.invoices.list({ subscription: payer.subscription })
  expect(data.map(({ total }) => total)).toEqual([2400, 2700])
  expect(await driftOf(payer)).toEqual([])
})

test('events that come when it is too late: everything says what was billed', async () => {
  const payer = await planned()
  await setSeats(payer, 5)
  await world.turn(payer, '2026-02-01T02:00:00Z')
  for (const event of (await world.newEvents()).toReversed()) await world.receive(event)
  await drained()
  expect(await readSubscription(world.db, payer.subscriptionId)).toMatchObject({
    ...{ planKey: 'small', quantity: 3, scheduledId: null },
  })
  expect(await agreed(payer)).toEqual(['large 3', 'small 3'])
  const { data } = await world.stripe.invoices.list({ subscription: payer.subscription })
  expect(data.map(({ total }) => total)).toEqual([1200, 2700])
  expect(await driftOf(payer)).toEqual([])
})

/** What was heard of is worked on, and so is what becomes due by it. */
async function drained() {
  await world.drain()
  await due()
  await world.deliver()
  await due()
}
