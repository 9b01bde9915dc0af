import type Stripe from 'stripe'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Intake } from '../src/inbox/intake.ts'
import { drainInbox } from '../src/inbox/process.ts'
import { readEvent, type WaitingEvent } from '../src/store/provider-events.ts'
import { type BillingWorld, newBillingWorld, type Payer } from './support/billing-world.ts'

let world: BillingWorld
let payer: Payer
beforeAll(async () => {
  world = await newBillingWorld()
  payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
})
afterAll(() => world.close())

let names = 0
/** What Stripe says of a customer who is called by a new name. */
async function renamed(): Promise<Stripe.Event> {
  names += 1
  await world.stripe.customers.update(payer.customer, { name: `Name ${names}` })
  const [event] = await world.newEvents()
  if (!event) throw new Error('Nobody was told.')
  return event
}

/** An event as it waits in memory. */
const waiting = (event: Stripe.Event): WaitingEvent => ({
  ...{ id: event.id, type: event.type, objectType: 'customer', objectId: payer.customer },
  ...{ created: event.created, apiVersion: event.api_version, livemode: false },
  ...{ observation: 1n, attempts: 0, payload: { data: { object: event.data.object } } },
})

const stateOf = async ({ id }: Stripe.Event) => (await readEvent(world.db, id))?.state

/** The worker of the process that takes in. */
function ownWorker() {
  const intake = new Intake()
  intake.open()
  return { intake, drain: () => drainInbox({ ...world.deps, intake }) }
}

test('what a process takes in is its own worker’s from the first moment on', async () => {
  const { intake, drain } = ownWorker()
  const event = await renamed()
  await world.receive(event, intake)
  expect((await readEvent(world.db, event.id))?.claimedBy).toBe(intake.holder())
  // Somebody else looks, and leaves it alone.
  expect(await world.drain()).toBe(0)
  expect(await stateOf(event)).toBe('received')
  expect(await drain()).toBe(1)
  expect(await stateOf(event)).toBe('processed')
  intake.close()
})

test('delivered twice it is worked on once', async () => {
  const { intake, drain } = ownWorker()
  const event = await renamed()
  await Promise.all([world.receive(event, intake), world.receive(event, intake)])
  await world.receive(event, intake)
  expect(await drain()).toBe(1)
  expect(await drain()).toBe(0)
  intake.close()
})

test('what a worker left behind is found by whoever looks', async () => {
  const { intake } = ownWorker()
  const event = await renamed()
  await world.receive(event, intake)
  intake.close()
  expect(await world.drain()).toBe(1)
  expect(await stateOf(event)).toBe('processed')
})

test('what the worker of a process that died had in hand is found by another', async () => {
  const event = await renamed()
  await world.receive(event)
  await world.pool.query(
    `update provider_event set claimed_by = 'process_dead/1', claimed_until = now() + interval '1 day' where id = $1`,
    [event.id],
  )
  expect(await world.drain()).toBe(1)
  expect(await stateOf(event)).toBe('processed')
})

test('what was in hand when something broke is looked for again', async () => {
  const { intake, drain } = ownWorker()
  const event = await renamed()
  await world.receive(event, intake)
  const broken = world.db.withTables().withPlugin({
    transformQuery: () => {
      throw new Error('The database is gone.')
    },
    transformResult: async ({ result }) => result,
  })
  await expect(drainInbox({ ...world.deps, db: broken, intake })).rejects.toThrow('The database is gone.')
  expect(await drain()).toBe(1)
  expect(await stateOf(event)).toBe('processed')
  intake.close()
})

test('what comes while there is no worker, or no room, waits for whoever looks', async () => {
  const intake = new Intake()
  expect(intake.holder()).toBe(null)
  intake.open()
  const holder = intake.holder() ?? ''
  const event = await renamed()
  for (let i = 0; i < 1000; i += 1) intake.add(waiting(event), holder)
  expect(intake.holder()).toBe(null)
  await world.receive(event, intake)
  expect(await readEvent(world.db, event.id)).toMatchObject({ state: 'received', claimedBy: null })
  expect(await world.drain()).toBe(1)
  intake.close()
})

test('what comes later does not overtake what was left for want of room, so Stripe is not asked', async () => {
  const { intake, drain } = ownWorker()
  const one = await renamed()
  const told = (event: Stripe.Event, after: number) => ({ ...event, created: one.created + after })
  const settle = async (event: Stripe.Event) => {
    await world.receive(event, intake)
    await drain()
  }
  // Told twice: from the second time on, what is held is what an event says.
  await settle(told(one, 1))
  await settle({ ...told(one, 2), id: `${one.id}_again` })
  const [earlier, later] = [told(await renamed(), 3), told(await renamed(), 4)]

  const holder = intake.holder() ?? ''
  for (let i = 0; i < 1000; i += 1) intake.add(waiting(one), holder)
  await world.receive(earlier, intake)
  intake.take(1000)
  await world.receive(later, intake)
  await drain()
  expect((await readEvent(world.db, earlier.id))?.outcome).toBe('applied')
  expect((await readEvent(world.db, later.id))?.outcome).toBe('applied')
  expect(intake.holder()).toBe(holder)
  intake.close()
})
