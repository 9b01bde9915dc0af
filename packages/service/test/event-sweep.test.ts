import { formatInstant } from '@lockstep/core/instant'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newBell } from '../src/bell.ts'
import { eventSweepRoutes } from '../src/http/routes/event-sweeps.ts'
import { handlerOf } from '../src/inbox/handlers.ts'
import { type EventSweep, sweepEvents } from '../src/inbox/sweep.ts'
import { type BillingWorld, newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'

let world: BillingWorld
beforeEach(async () => {
  world = await newBillingWorld()
  // The simulator's wall is the machine's: so is ours, where what is kept for thirty days is asked for.
  world.wall.time = await wallOfSimulator()
})
afterEach(() => world.close())

async function wallOfSimulator(): Promise<number> {
  const { id, created } = await world.stripe.customers.create({})
  await world.stripe.customers.del(id)
  return created
}

const sweep = (dryRun = false): Promise<EventSweep> =>
  sweepEvents({ ...world.deps, nudge: () => {} }, { dryRun })

/** Of everything that Stripe has, what stands here and what there: nothing of it through our own code. */
async function differences({ customer, subscription, subscriptionId }: Payer): Promise<string[]> {
  const there = await world.stripe.subscriptions.retrieve(subscription)
  const { rows } = await world.pool.query(
    `select status, extract(epoch from current_period_end)::int as end, cancel_at_period_end from subscription where id = $1`,
    [subscriptionId],
  )
  const [here] = rows
  const found: string[] = []
  if (here.status !== there.status) found.push(`status ${here.status}, there ${there.status}`)
  if (here.end !== there.items.data[0]?.current_period_end) found.push('period')
  if (here.cancel_at_period_end !== there.cancel_at_period_end) found.push('cancel_at_period_end')
  for await (const invoice of world.stripe.invoices.list({ customer, limit: 100 })) {
    const ours = await world.pool.query('select status from invoice where provider_invoice_id = $1', [
      invoice.id,
    ])
    const status = ours.rows[0]?.status
    if (status !== invoice.status && !(invoice.status === 'draft' && status === 'closing'))
      found.push(`invoice ${invoice.id} ${status}, there ${invoice.status}`)
  }
  return found
}

async function stored(): Promise<{ id: string; type: string }[]> {
  return (await world.pool.query('select id, type from provider_event order by id')).rows
}

/** Of the kinds that are acted on; a webhook brings others as well where an endpoint asks for all. */
const actedOn = async () => (await stored()).filter(({ type }) => handlerOf(type) !== undefined)

test('what happened in an outage is here after one sweep, each event once, and a second sweep finds nothing', async () => {
  const ada = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await sweep()
  const before = (await actedOn()).length

  // Nobody is here while a month passes, and the customer is canceled in the dashboard.
  await world.turn(ada, '2026-02-10T02:00:00Z')
  await world.stripe.subscriptions.update(ada.subscription, { cancel_at_period_end: true })
  expect((await differences(ada)).length).toBeGreaterThan(0)

  const planned = await sweep(true)
  expect(planned.missed).toBeGreaterThan(5)
  expect(planned.events.map(({ type }) => type)).toContain('invoice.paid')
  expect((await actedOn()).length).toBe(before)

  const done = await sweep()
  expect(done.missed).toBe(planned.missed)
  await world.drain()
  expect(await differences(ada)).toEqual([])
  expect((await actedOn()).length).toBe(before + done.missed)

  // What comes late by webhook as well changes nothing any more.
  await world.deliver()
  expect((await actedOn()).length).toBe(before + done.missed)
  expect(await sweep()).toMatchObject({ missed: 0, objects: { changed: 0 }, stalled: 0 })
})

test('more events than a page holds are all read, however many were delivered meanwhile', async () => {
  await sweep()
  await world.newEvents()
  const ids: string[] = []
  for (let i = 0; i < 130; i += 1) ids.push((await world.stripe.customers.create({ name: `c${i}` })).id)
  const events = await world.newEvents()
  // The newest hundred came by webhook: behind a page of known ones there are unknown ones.
  for (const event of events.slice(-100)) await world.receive(event)
  const { missed } = await sweep()
  expect(missed).toBe(events.length - 100)
  const { rows } = await world.pool.query(
    `select count(*)::int as count from provider_event where type = 'customer.created' and object_id = any($1)`,
    [ids],
  )
  expect(rows[0].count).toBe(130)
})

test('kinds that nothing here acts on are read past: nobody subscribed to them', async () => {
  await sweep()
  await world.newEvents()
  const ada = await world.register('plain', '2026-01-10T00:00:00Z')
  const events = await world.newEvents()
  const [known, others] = [
    events.filter(({ type }) => handlerOf(type) !== undefined),
    events.filter(({ type }) => handlerOf(type) === undefined),
  ]
  // The first payment's charge: https://docs.stripe.com/api/events/types#event_types-charge.succeeded
  expect(others.map(({ type }) => type)).toContain('charge.succeeded')
  expect((await sweep(true)).missed).toBe(known.length)
  expect((await sweep()).missed).toBe(known.length)
  const ids = (await stored()).map(({ id }) => id)
  expect(others.filter(({ id }) => ids.includes(id))).toEqual([])
  expect(known.filter(({ id }) => !ids.includes(id))).toEqual([])
  await world.drain()
  expect(await differences(ada)).toEqual([])
  expect(await sweep()).toMatchObject({ missed: 0 })
})

test('what an endpoint refused is said to be undelivered, and is stored once', async () => {
  const silent = await world.stripe.webhookEndpoints.create({
    url: 'http://127.0.0.1:9/webhooks/stripe',
    enabled_events: ['*'],
  })
  const { id } = await world.stripe.customers.create({})
  const { events } = await sweep(true)
  expect(events.find(({ type }) => type === 'customer.created')).toMatchObject({ undelivered: true })
  await world.stripe.webhookEndpoints.del(silent.id)
  await sweep()
  const { rows } = await world.pool.query('select state from provider_event where object_id = $1', [id])
  expect(rows).toHaveLength(1)
})

test('after more than thirty days every object is read, and that is said', async () => {
  const ada = await world.register('plain', '2026-01-10T00:00:00Z')
  const bob = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await sweep()
  await world.turn(ada, '2026-02-10T02:00:00Z')
  await world.stripe.customers.del(bob.customer)
  // Stripe keeps none of these events any more.
  world.wall.time += 40 * 86_400
  await world.pool.query('update event_sweep set newest_event = null')
  const events = await world.newEvents()
  await world.pool.query(
    `insert into provider_event (provider, id, type, object_type, object_id, created, livemode, payload, state,
       next_attempt_at, received_at, processed_at)
     select 'stripe', id, 'forgotten', '', '', now(), false, '{}', 'ignored', now(), now(), now()
     from unnest($1::text[]) as t (id) on conflict do nothing`,
    [events.map(({ id }) => id)],
  )

  expect(await sweep(true)).toMatchObject({ isBeyond: true, missed: 0, objects: null })
  const done = await sweep()
  expect(done).toMatchObject({ isBeyond: true, missed: 0 })
  expect(done.objects?.changed).toBeGreaterThanOrEqual(3)
  expect(await differences(ada)).toEqual([])
  const { rows } = await world.pool.query(`select 1 from mapping where entity_id = $1`, [bob.customerId])
  expect(rows).toEqual([])
  const last = await world.pool.query('select relisted_at from event_sweep')
  expect(last.rows[0].relisted_at).not.toBeNull()
  expect(await sweep()).toMatchObject({ isBeyond: false, objects: { changed: 0 } })
})

test('a subscription that should have moved on is looked at, though no event tells of it', async () => {
  const ada = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.turn(ada, '2026-02-10T02:00:00Z')
  // Whatever happened is taken for known, except what time it is.
  for (const event of await world.newEvents()) {
    await world.receive(event)
    if (!event.type.startsWith('test_helpers'))
      await world.pool.query(
        `update provider_event set state = 'ignored', outcome = 'lost', processed_at = now() where id = $1`,
        [event.id],
      )
  }
  await world.drain()
  expect(await sweep()).toMatchObject({ missed: 0, stalled: 1 })
  expect(await differences(ada)).toEqual([])
  expect(await sweep(true)).toMatchObject({ stalled: 0 })
})

test('a sweep that breaks off is made again from where the last one began', async () => {
  await sweep()
  const before = await lastSwept()
  world.wall.time += 60
  await world.stripe.customers.create({})
  // More often than a read is tried again.
  world.simulator.control.fail({ kind: 'error_500', method: 'GET', path: '/v1/subscriptions', times: 6 })
  await expect(sweep()).rejects.toThrow()
  expect(await lastSwept()).toBe(before)
  await sweep()
  expect(await lastSwept()).toBe(before + 60)
})

const lastSwept = async (): Promise<number> =>
  (await world.pool.query('select swept_to as at from event_sweep')).rows[0].at

test('an event that cannot be stored is told, and keeps nothing behind it waiting', async () => {
  await sweep()
  const before = await lastSwept()
  // PostgreSQL's jsonb holds no NUL: https://www.postgresql.org/docs/current/datatype-json.html
  const poison = await world.stripe.customers.create({ name: 'A\u0000B' })
  const sound = await world.stripe.customers.create({ name: 'C' })
  world.wall.time += 60
  const { unstorable } = await sweep()
  expect(unstorable).toEqual([
    { id: expect.stringMatching(/^evt_/), reason: expect.stringContaining('JSON') },
  ])
  const { rows } = await world.pool.query(
    'select object_id as id from provider_event where object_id = any($1)',
    [[poison.id, sound.id]],
  )
  expect(rows).toEqual([{ id: sound.id }])
  expect(await lastSwept()).toBeGreaterThan(before)
})

test('an object that cannot be written down is counted, and the others are written', async () => {
  const ada = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await sweep()
  const [bad, good] = [await finalized(ada), await finalized(ada)]
  // Something in the database stands in the way of one of them.
  await world.pool.query(
    `alter table invoice add constraint broken check (provider_invoice_id is distinct from '${bad}') not valid`,
  )
  // Beyond what is kept of events, objects on test clocks are listed as well.
  world.wall.time += 40 * 86_400
  expect((await sweep()).objects).toMatchObject({ failed: 1 })
  const { rows } = await world.pool.query(
    'select provider_invoice_id as id from invoice where provider_invoice_id = any($1)',
    [[bad, good]],
  )
  expect(rows).toEqual([{ id: good }])
})

async function finalized({ customer }: Payer): Promise<string> {
  await world.stripe.invoiceItems.create({ customer, amount: 100, currency: 'usd' })
  const { id } = await world.stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' })
  await world.stripe.invoices.finalizeInvoice(id)
  return id
}

test('over HTTP it is a dry run unless told otherwise', async () => {
  const server = await newServer(world, { clock: world.deps.clock })
  eventSweepRoutes(server.app, { ...world.deps, bell: newBell() })
  await world.stripe.customers.create({})
  const ask = async (payload: object) => {
    const { status, body } = await server.call({ method: 'POST', url: '/v1/event-sweeps', payload })
    expect(status).toBe(200)
    return body as Record<string, unknown>
  }
  const planned = await ask({})
  expect(planned).toMatchObject({ dryRun: true, objects: null, readsEverything: false })
  expect(planned.missed).toBeGreaterThan(0)
  expect(await ask({ dryRun: false })).toMatchObject({ dryRun: false, missed: planned.missed })
  expect(await ask({})).toMatchObject({ missed: 0, from: formatInstant(world.wall.time - 7200) })
})
