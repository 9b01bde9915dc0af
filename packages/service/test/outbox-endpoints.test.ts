import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeEvents } from '../src/outbox/make-events.ts'
import { newHands } from '../src/postgres/presence.ts'
import { claimEndpoint, releaseEndpoint } from '../src/store/deliveries.ts'
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
async function addCustomer() {
  counter += 1
  const externalId = `customer_of_an_endpoint_${counter}`
  const wanted = { externalId, name: 'Ada Lovelace', email: 'ada@example.org' }
  return (await world.ask<{ id: string }>('POST', '/v1/customers', wanted)).body
}
const read = async (id: string) => (await world.ask('GET', `/v1/webhook-endpoints/${id}`)).body
const DAY = 86_400

test('an endpoint gets the events that it asked for, and its secret is shown once and kept sealed', async () => {
  const { id, secret } = await world.endpoint(app, { types: ['customer.updated'] })
  expect(Buffer.from(secret.replace('whsec_', ''), 'base64')).toHaveLength(32)
  const customer = await addCustomer()
  await world.ask('PATCH', `/v1/customers/${customer.id}`, { name: 'Grace Hopper' })
  await world.tell()
  expect(app.types()).toEqual(['customer.updated'])

  expect(JSON.stringify(await read(id))).not.toContain(secret)
  const rows = await world.db.selectFrom('webhookEndpoint').selectAll().execute()
  expect(JSON.stringify(rows)).not.toContain(secret.replace('whsec_', ''))
})

test('a new secret signs beside the former one for the overlap, and alone afterwards', async () => {
  const { id, secret } = await world.endpoint(app)
  const { body: second } = await world.ask<{ secret: string; formerSecretsUntil: string }>(
    'POST',
    `/v1/webhook-endpoints/${id}/rotate-secret`,
    { overlapHours: 24 },
  )
  expect(second.secret).not.toBe(secret)
  await addCustomer()
  await world.tell()
  world.wall.time += DAY
  await addCustomer()
  await world.tell()
  const [during, after] = app.received
  if (!during || !after) throw new Error('not both came')
  expect(during.signatures).toEqual([
    referenceSignature(second.secret, during),
    referenceSignature(secret, during),
  ])
  expect(after.signatures).toEqual([referenceSignature(second.secret, after)])
  expect((await read(id)).formerSecretsUntil).toBeNull()
})

describe('an endpoint is disabled', () => {
  test('by 410, at once', async () => {
    const { id } = await world.endpoint(app)
    app.answers(410)
    await addCustomer()
    await addCustomer()
    await world.tell()
    expect(app.received).toHaveLength(1)
    expect(await read(id)).toMatchObject({ state: 'disabled', disabledBecause: 'gone' })
  })

  test('after five days in which nothing was taken, and not before', async () => {
    const { id } = await world.endpoint(app)
    app.answers(500)
    await addCustomer()
    await world.tell()
    world.wall.time += 5 * DAY - 1
    await world.tell()
    expect(await read(id)).toMatchObject({ state: 'enabled' })
    world.wall.time += 1
    await addCustomer()
    await world.tell()
    expect(await read(id)).toMatchObject({ state: 'disabled', disabledBecause: 'failing' })
  })

  test('by whoever says so; enabled again it gets what waited, and the rest by a replay', async () => {
    const { id } = await world.endpoint(app)
    const other = await newReceiver()
    await world.endpoint(other)
    app.answers(500)
    const waited = await addCustomer()
    await world.tell()
    await world.ask('PATCH', `/v1/webhook-endpoints/${id}`, { enabled: false })
    const missed = await addCustomer()
    world.wall.time += 10
    app.answers(204)
    await world.tell()
    expect(app.received).toHaveLength(1)

    const { body } = await world.ask('PATCH', `/v1/webhook-endpoints/${id}`, { enabled: true })
    expect(body).toMatchObject({ state: 'enabled', disabledBecause: null, failingSince: null })
    await world.tell()
    const ids = () => app.received.slice(1).map((message) => message.body.data.id)
    expect(ids()).toEqual([waited.id])

    const events = other.received.map((message) => message.id)
    const replay = (wish: object) =>
      world.ask('POST', `/v1/webhook-endpoints/${id}/replay`, { events, ...wish })
    expect((await replay({})).body).toEqual({ events: 2, deliveredBefore: 1, dryRun: true })
    await world.tell()
    expect(ids()).toEqual([waited.id])
    expect((await replay({ types: ['customer.deleted'] })).body).toMatchObject({ events: 0 })
    expect((await replay({ since: '2100-01-01T00:00:00Z' })).body).toMatchObject({ events: 0 })
    expect((await replay({ until: '2000-01-01T00:00:00Z' })).body).toMatchObject({ events: 0 })
    // A day that does not exist is not as if no day had been named.
    expect(await replay({ since: '2026-11-31T00:00:00Z', dryRun: false })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '#/since' }] },
    })
    // What an endpoint does not want to know of it is not told, whoever asks.
    await world.ask('PATCH', `/v1/webhook-endpoints/${id}`, { types: ['invoice.paid'] })
    expect((await replay({ dryRun: false })).body).toMatchObject({ events: 0 })
    await world.ask('PATCH', `/v1/webhook-endpoints/${id}`, { types: null })
    await replay({ dryRun: false })
    await world.tell()
    expect(ids()).toEqual([waited.id, waited.id, missed.id])
    // Under their own ids: the receiver knows the one that it took already.
    expect(app.received.at(-1)?.id).toBe(events[1])
    await other.close()
  })
})

test('one that has waited longest is next, however old the others are', async () => {
  const other = await newReceiver()
  const first = await world.endpoint(app)
  const second = await world.endpoint(other)
  await addCustomer()
  await makeEvents(world.deps)
  const inHand = newHands()
  const turn = () =>
    inHand(async (claim) => {
      const id = await claimEndpoint(world.db, world.wall.time, claim)
      if (id !== undefined) await releaseEndpoint(world.db, id, claim.holder)
      return id
    })
  expect([await turn(), await turn(), await turn()]).toEqual([first.id, second.id, first.id])
  await world.tell()
  await other.close()
})

test('who was erased is named in no event any more, and is told of as deleted', async () => {
  app.answers(500)
  await world.endpoint(app)
  const { id } = await addCustomer()
  await world.tell()
  await world.ask('POST', `/v1/customers/${id}/erasure?dryRun=false`)
  world.wall.time += 5
  app.answers(204)
  await world.tell()
  expect(app.types()).toEqual(['customer.created', 'customer.created', 'customer.deleted'])
  for (const { body } of app.received.slice(1))
    expect(body.data).toMatchObject({ id, name: null, email: null })
  const kept = await world.db
    .selectFrom('outgoingEvent')
    .select('data')
    .where('customerId', '=', id)
    .execute()
  expect(JSON.stringify(kept)).not.toContain('Ada')
})

test.each([
  'http://10.0.0.1/hooks',
  'https://169.254.169.254/latest/meta-data',
  'https://[fd00::1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://0x0a.1/',
  'https://167772161/',
  'https://user:password@example.org/',
])('nothing is ever sent to %s', async (url) => {
  const { status, body } = await world.ask('POST', '/v1/webhook-endpoints', { url })
  expect(status).toBe(422)
  expect(body).toMatchObject({ code: 'webhook_url_refused', errors: [{ pointer: '#/url' }] })
})

test('what does not exist is answered like that', async () => {
  for (const path of ['/v1/webhook-endpoints/nobody', '/v1/deliveries/nothing'])
    expect((await world.ask('GET', path)).status).toBe(404)
  expect((await world.ask('POST', '/v1/webhook-endpoints/nobody/replay', {})).status).toBe(404)
  expect((await world.ask('POST', '/v1/deliveries/nothing/retry')).status).toBe(404)
  expect((await world.ask('DELETE', '/v1/webhook-endpoints/nobody')).status).toBe(404)
})
