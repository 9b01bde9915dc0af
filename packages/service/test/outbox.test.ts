import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeEvents } from '../src/outbox/make-events.ts'
import { drainOutbox } from '../src/outbox/outbox.ts'
import { mortalConnection } from './support/mortal.ts'
import { newOutboxWorld } from './support/outbox-world.ts'
import { newReceiver, type Receiver, referenceSignature } from './support/receiver.ts'
import { shared } from './support/shared.ts'

let app: Receiver
const world = await shared(newOutboxWorld())
beforeEach(async () => {
  app = await newReceiver()
})
afterEach(async () => {
  await app.close()
  await world.db.deleteFrom('webhookEndpoint').execute()
})

let counter = 0
const newUser = () => {
  counter += 1
  return { externalId: `customer_of_the_outbox_${counter}`, name: 'Ada', email: 'ada@example.org' }
}
const addCustomer = async () => (await world.ask<{ id: string }>('POST', '/v1/customers', newUser())).body

describe('what an application is told', () => {
  test('is signed as the reference library signs, and says of an object what the API says', async () => {
    const { secret } = await world.endpoint(app)
    const { body: customer } = await world.ask('POST', '/v1/customers', newUser())
    await world.tell()

    expect(app.received).toHaveLength(1)
    const [message] = app.received
    if (!message) throw new Error('nothing came')
    expect(message.signatures).toEqual([referenceSignature(secret, message)])
    expect(message.id).toBe(message.body.id)
    expect(message.body).toEqual({
      id: expect.stringMatching(/^event_/),
      type: 'customer.created',
      timestamp: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      data: customer,
    })
  })

  test('is a registration with all that it brings, each object in its order', async () => {
    await world.endpoint(app)
    const payer = await world.register('plain', '2026-01-10T00:00:00Z')
    await world.deliver()
    await world.tell()

    const types = app.types()
    expect(types.toSorted()).toEqual([
      'customer.created',
      'invoice.finalized',
      'invoice.paid',
      'registration.completed',
      'subscription.started',
    ])
    expect(types.indexOf('invoice.finalized')).toBeLessThan(types.indexOf('invoice.paid'))
    const started = app.received.find(({ body }) => body.type === 'subscription.started')
    const { body: subscription } = await world.ask('GET', `/v1/subscriptions/${payer.subscriptionId}`)
    expect(started?.body.data).toMatchObject({
      id: payer.subscriptionId,
      status: 'active',
      plan: 'plain',
      currentPeriod: subscription.currentPeriod as object,
    })
    // Of a customer on a test clock: its own time.
    expect(started?.body.timestamp).toBe('2026-01-10T00:00:00Z')
  })
})

describe('a delivery', () => {
  const log = async (query = '') =>
    (
      await world.ask<{ data: { id: string; event: string; state: string; lastStatus: number }[] }>(
        'GET',
        `/v1/deliveries?limit=100${query}`,
      )
    ).body.data

  test('that is not taken is sent again on the schedule, under the same id, and all answers are kept', async () => {
    const { id } = await world.endpoint(app)
    await addCustomer()
    app.answers(500)
    await world.tell()
    await world.tell()
    expect(app.received).toHaveLength(1)

    world.wall.time += 5
    app.answers((_, response) => void response.writeHead(200).end('thank you'))
    await world.tell()
    const ids = app.received.map((message) => message.id)
    expect(ids).toHaveLength(2)
    expect(new Set(ids).size).toBe(1)
    const [delivery] = await log(`&endpoint=${id}`)
    const { body } = await world.ask('GET', `/v1/deliveries/${delivery?.id}`)
    expect(body).toMatchObject({
      state: 'delivered',
      attempts: 2,
      log: [
        { status: 500, body: 'no', problem: null },
        { status: 200, body: 'thank you', problem: null },
      ],
    })
  })

  test('that fails holds back what comes after it of the same customer, and nobody else', async () => {
    await world.endpoint(app)
    const [ada, bob] = [await addCustomer(), await addCustomer()]
    app.answers(({ body }, response) => void response.writeHead(body.data.id === ada.id ? 503 : 204).end())
    await world.tell()
    for (const { id } of [ada, bob]) await world.ask('PATCH', `/v1/customers/${id}`, { name: 'Grace' })
    await world.tell()
    const told = () =>
      app.received.map(({ body }) => `${body.type} ${body.data.id === ada.id ? 'ada' : 'bob'}`)
    expect(told()).toEqual(['customer.created ada', 'customer.created bob', 'customer.updated bob'])

    world.wall.time += 5
    app.answers(204)
    await world.tell()
    expect(told().slice(3)).toEqual(['customer.created ada', 'customer.updated ada'])
  })

  test('to an endpoint that hangs delays no other endpoint', async () => {
    const other = await newReceiver()
    const hung = Promise.withResolvers<void>()
    app.answers(async (_, response) => {
      await hung.promise
      response.writeHead(204).end()
    })
    await world.endpoint(app)
    await world.endpoint(other)
    await addCustomer()
    const told = world.tell()
    const patience = { timeout: 200_000, interval: 20 }
    await expect.poll(() => app.received.length + other.received.length, patience).toBe(2)
    await expect
      .poll(async () => (await log()).map(({ state }) => state).toSorted(), patience)
      .toEqual(['delivered', 'waiting'])
    hung.resolve()
    await told
    await other.close()
    expect((await log()).every(({ state }) => state === 'delivered')).toBe(true)
  })

  test('whose sender is killed before it wrote the answer down is sent again, and nothing is lost', async () => {
    await world.endpoint(app)
    for (let i = 0; i < 3; i += 1) await addCustomer()
    await makeEvents(world.deps)
    const ids = new Set((await log()).map(({ event }) => event))
    expect(ids.size).toBe(3)
    for (let statements = 3; ; statements += 1) {
      const { db, close, died } = mortalConnection(world.url, statements)
      const sender = world.sender(db)
      while ((await sender.begin().catch(() => 0)) > 0) await sender.settled()
      await sender.settled()
      // Its sessions end with it, and so does what it had claimed.
      await close()
      if (!died()) break
    }
    expect((await log()).map(({ state }) => state)).toEqual(['delivered', 'delivered', 'delivered'])
    expect(new Set(app.received.map((message) => message.id))).toEqual(ids)
    expect(app.received.length).toBeGreaterThan(3)
  })

  test('is left to the process that is at its endpoint, and taken over when that one dies', async () => {
    const { id } = await world.endpoint(app)
    await addCustomer()
    const other = new pg.Client({ connectionString: world.url, application_name: 'lockstep process_other' })
    await other.connect()
    await other.query(
      `update webhook_endpoint set claimed_by = 'process_other/1', claimed_until = now() + interval '1 day'
        where id = $1`,
      [id],
    )
    await world.tell()
    expect(app.received).toHaveLength(0)
    await other.end()
    const received = async () => {
      await world.tell()
      return app.received.length
    }
    await expect.poll(received, { timeout: 200_000, interval: 20 }).toBe(1)
  })

  test('that cannot be signed counts as not taken, until its secret is rotated', async () => {
    const other = await newReceiver()
    const endpoints = [await world.endpoint(app), await world.endpoint(other)]
    await addCustomer()
    await makeEvents(world.deps)
    // The secret of before, which sealed those of the endpoints, was taken out.
    const sender = world.sender(world.db, ['another secret of the tests, long enough'])
    expect(await sender.begin()).toBe(2)
    await sender.settled()
    expect(await sender.begin()).toBe(0)
    const problem = 'Its secret cannot be opened; rotate it.'
    for (const { id } of await log()) {
      const { body } = await world.ask('GET', `/v1/deliveries/${id}`)
      expect(body).toMatchObject({ state: 'waiting', attempts: 1, log: [{ status: null, problem }] })
    }
    expect([...app.received, ...other.received]).toEqual([])

    for (const { id } of endpoints)
      expect((await world.ask('POST', `/v1/webhook-endpoints/${id}/rotate-secret`, {})).status).toBe(200)
    world.wall.time += 5
    await world.tell()
    expect([app.received.length, other.received.length]).toEqual([1, 1])
    await other.close()
  })

  test('begins before all of many changes are made into events', async () => {
    await world.endpoint(app)
    await world.pool.query(
      `insert into outgoing_change (source, subject, changed_at)
       select 'nothing', i::text, now() from generate_series(1, 250) i`,
    )
    const left: number[] = []
    const sender = world.sender()
    const begin = async () => {
      const { rows } = await world.pool.query('select count(*)::int as count from outgoing_change')
      left.push(rows[0].count)
      return sender.begin()
    }
    await drainOutbox(world.deps, { begin })
    expect(left).toEqual([50, 0])
  })

  test('is given up after ten attempts, and can be retried by hand', async () => {
    await world.endpoint(app)
    await addCustomer()
    app.answers(500)
    for (const wait of [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]) {
      world.wall.time += wait
      await world.tell()
    }
    expect(app.received).toHaveLength(10)
    const [failed] = await log('&state=failed')
    expect(failed).toMatchObject({ lastStatus: 500 })
    app.answers(204)
    await world.tell()
    expect(app.received).toHaveLength(10)
    await world.ask('POST', `/v1/deliveries/${failed?.id}/retry`)
    await world.tell()
    expect(await log()).toMatchObject([{ id: failed?.id, state: 'delivered' }])
  })
})
