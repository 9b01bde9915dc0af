import { afterAll, expect, test } from 'vitest'
import { usageEventRoutes } from '../src/http/routes/usage-events.ts'
import { createMetrics } from '../src/metrics.ts'
import { sqlTime } from '../src/store/time.ts'
import { newServer } from './support/server.ts'
import { at, newUsageWorld } from './support/usage-world.ts'

const world = await newUsageWorld()
const { db, pool, event } = world
afterAll(() => world.close())

const MAX_WAITING = 40
const EVENTS_PER_REQUEST = 10

test('a database that stands still: so much may wait and no more, and what is answered 2xx is there', async () => {
  const { registry, ...metrics } = createMetrics()
  const usage = world.open({ metrics: { registry, ...metrics }, queue: { maxWaiting: MAX_WAITING } })
  const { app, call } = await newServer(world)
  usageEventRoutes(app, { usage })
  await usage.take(event({ id: 'first' }))

  const requests = Array.from({ length: 30 }, (_, i) =>
    Array.from({ length: EVENTS_PER_REQUEST }, (_, j) => event({ id: `${i}-${j}` })),
  )
  const send = (payload: unknown) =>
    call({
      method: 'POST',
      url: '/v1/usage-events',
      headers: { 'content-type': 'application/json' },
      payload: JSON.stringify(payload),
    })
  const waiting = async () =>
    (await registry.getSingleMetric('lockstep_usage_events_waiting')?.get())?.values[0]?.value

  const other = await pool.connect()
  await other.query('begin')
  await other.query('lock table usage_identity in access exclusive mode')
  const answers = requests.map(send)
  // Whoever is turned away is answered while the database still stands.
  const refused = await Promise.race(answers)
  expect(refused).toMatchObject({
    status: 503,
    headers: { 'retry-after': '1', 'content-type': expect.stringContaining('application/problem+json') },
    body: { code: 'overloaded', status: 503, detail: 'Too many events are waiting to be written.' },
  })
  expect(await waiting()).toBeLessThanOrEqual(MAX_WAITING)
  await other.query('rollback')
  other.release()

  const statuses = (await Promise.all(answers)).map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([200, 503]))
  const taken = BigInt(statuses.filter((status) => status === 200).length * EVENTS_PER_REQUEST)
  expect(await world.counts()).toEqual({
    identities: 1n + taken,
    events: 1n + taken,
    counted: 1n + taken,
    same: true,
  })

  // Whoever was turned away sends the same again, and it counts once.
  for (const request of requests) expect((await send(request)).status).toBe(200)
  expect(await world.counts()).toEqual({ identities: 301n, events: 301n, counted: 301n, same: true })
  await usage.close()
})

test('an installation may limit how late usage comes, by the time of its customer', async () => {
  const usage = world.open({ times: { aheadSeconds: 0, lateDays: 31 } })
  const take = (more: object) =>
    usage.take(event(more)).then(
      () => 'taken',
      (error) => error.faults.map((fault: { code: string }) => fault.code).join(),
    )
  expect(await take({ time: '2026-02-28T12:00:00Z' })).toBe('taken')
  expect(await take({ time: '2026-02-28T11:59:59Z' })).toBe('usage_time_too_late')
  expect(await take({ time: '2026-03-31T12:00:01Z' })).toBe('usage_time_in_future')

  // On a test clock it is that clock's time, however far it was turned since we looked at it.
  const frozenAt = sqlTime(at('2015-01-01T00:00:00Z'))
  await db
    .insertInto('testClock')
    .values({ id: 'clock', name: null, providerId: null, frozenAt, createdAt: frozenAt })
    .execute()
  await world.addCustomer('clocked', 'clock')
  const old = { subject: 'clocked', time: '2014-12-15T00:00:00Z' }
  expect(await take(old)).toBe('taken')
  await db
    .updateTable('testClock')
    .set({ frozenAt: sqlTime(at('2015-02-01T00:00:00Z')) })
    .execute()
  expect(await take(old)).toBe('usage_time_too_late')
  await usage.close()
})
