import { afterAll, expect, test } from 'vitest'
import { usageRoutes } from '../src/http/routes/usage.ts'
import { usageEventRoutes } from '../src/http/routes/usage-events.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { sqlTime } from '../src/store/time.ts'
import { cutUsage } from '../src/store/usage.ts'
import { closeGate } from '../src/usage/gate.ts'
import { addSubscription } from './support/invoices.ts'
import { newServer } from './support/server.ts'
import { at, newUsageWorld } from './support/usage-world.ts'

const world = await newUsageWorld()
const { db, usage, event, idOf } = world
const { app, call } = await newServer(world)
usageEventRoutes(app, { usage })
usageRoutes(app, { db })
afterAll(() => world.close())

const send = async (payload: unknown) => {
  const { status, body } = await call({
    method: 'POST',
    url: '/v1/usage-events',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(payload),
  })
  return { status, body: body as { code?: string; errors?: { pointer: string; code: string }[] } }
}
const faultsOf = ({ body }: Awaited<ReturnType<typeof send>>) =>
  body.errors?.map(({ pointer, code }) => `${pointer} ${code}`)

const read = async (query: Record<string, string>) => {
  const { status, body } = await call({ method: 'GET', url: '/v1/usage', query })
  const answer = body as { code?: string; period?: unknown; data: Record<string, unknown>[] }
  return { ...answer, status }
}

test('every fault of every event is told by its place, and nothing of the batch is taken', async () => {
  const refused = await send([
    event(),
    event({ quantity: '1e3' }),
    { ...event(), specversion: '0.3', Time: 'now' },
    event({ subject: 'nobody', type: 'nothing' }),
    event({ time: '2026-03-31T12:05:01Z' }),
    event({ quantity: null }),
    event({ quantity: 0.5 }),
    event({ quantity: -1, source: '' }),
    'not an event',
    event({ quantity: -1 }),
  ])
  expect(refused).toMatchObject({ status: 422, body: { code: 'usage_event_invalid' } })
  expect(faultsOf(refused)).toEqual([
    '#/1/data/quantity quantity_invalid',
    '#/2/specversion invalid',
    '#/2/Time unknown_attribute',
    '#/3/subject customer_unknown',
    '#/3/type meter_unknown',
    '#/4/time usage_time_in_future',
    '#/5/data/quantity required',
    '#/6/data/quantity quantity_invalid',
    // Only a level may go down.
    '#/7/source invalid',
    '#/7/data/quantity quantity_invalid',
    '#/8 invalid',
    '#/9/data/quantity quantity_invalid',
  ])
  expect(await world.counts()).toMatchObject({ identities: 0n, events: 0n })
})

test('a single event is pointed at without an index; five minutes ahead is still accepted', async () => {
  expect(faultsOf(await send(event({ quantity: '٣' })))).toEqual(['#/data/quantity quantity_invalid'])
  expect(await send(event({ time: '2026-03-31T12:05:00.9Z' }))).toMatchObject({ status: 200 })
})

test('what is wrong with one attribute hides nothing of what is wrong with another', async () => {
  const strange = { ...event({ subject: 'nobody', type: 'nothing', quantity: '1e3' }), specversion: '0.3' }
  expect(faultsOf(await send(strange))).toEqual([
    '#/specversion invalid',
    '#/data/quantity quantity_invalid',
    '#/subject customer_unknown',
    '#/type meter_unknown',
  ])
  const late = { ...event({ time: '2026-03-31T12:05:01Z' }), data: 'none' }
  expect(faultsOf(await send([event(), late]))).toEqual(['#/1/data invalid', '#/1/time usage_time_in_future'])
  const plain = { meter: 'nothing', externalId: 'nobody', quantity: '1', time: 'now', id: '1' }
  expect(faultsOf(await send(plain))).toEqual([
    '#/time invalid',
    '#/externalId customer_unknown',
    '#/meter meter_unknown',
  ])
  expect(faultsOf(await send({ ...plain, meter: '', colour: 'red' }))).toEqual([
    '#/meter invalid',
    '#/time invalid',
    '#/colour unknown_attribute',
    '#/externalId customer_unknown',
  ])
})

test('a batch is 1 to 1000 events', async () => {
  expect((await send([])).body.code).toBe('usage_event_invalid')
  const thousand = Array.from({ length: 1001 }, () => event())
  expect((await send(thousand)).body.code).toBe('batch_too_large')
  expect(await send(thousand.slice(1))).toMatchObject({ status: 200, body: { accepted: 1000 } })
})

test("whether an event lies ahead is told by the customer's clock, however often that is turned", async () => {
  const frozenAt = sqlTime(at('2015-05-17T00:00:00Z'))
  await db
    .insertInto('testClock')
    .values({ id: 'clock', name: null, providerId: null, frozenAt, createdAt: frozenAt })
    .execute()
  await world.addCustomer('clocked', 'clock')
  const ahead = event({ subject: 'clocked', time: '2015-05-20T00:00:00Z' })
  expect(faultsOf(await send([ahead]))).toEqual(['#/0/time usage_time_in_future'])
  await db
    .updateTable('testClock')
    .set({ frozenAt: sqlTime(at('2015-05-20T00:00:00Z')) })
    .execute()
  expect(await send([ahead])).toMatchObject({ status: 200, body: { accepted: 1 } })
})

test('a customer and a meter that were unknown a moment ago are found when they are there', async () => {
  const early = event({ subject: 'eve', type: 'new_meter' })
  expect(faultsOf(await send(early))).toEqual(['#/subject customer_unknown', '#/type meter_unknown'])
  await world.addCustomer('eve')
  const meter = {
    key: 'new_meter',
    name: 'New',
    unitLabel: 'piece',
    aggregation: 'sum',
    createdAt: sqlTime(0),
  } as const
  await db.insertInto('meter').values(meter).execute()
  expect(await send(early)).toMatchObject({ status: 200 })
})

test('usage is read by hour, by day or in one, each meter by its aggregation', async () => {
  await world.addCustomer('fay')
  const used = [
    ['2026-03-30T23:59:59Z', '1'],
    ['2026-03-31T00:00:00Z', '2'],
    ['2026-03-31T00:30:00Z', '0.5'],
    ['2026-03-31T05:00:00Z', '4'],
  ] as const
  await usage.take(
    used.flatMap(([time, quantity]) =>
      ['sum', 'max'].map((type) => event({ subject: 'fay', type, time, quantity })),
    ),
  )
  const range = { customer: idOf('fay'), start: '2026-03-30T23:30:00Z', end: '2026-03-31T06:00:00Z' }
  const rows = async (query: Record<string, string>) =>
    (await read({ ...range, ...query })).data.map(
      ({ meter, start, quantity, events }) => `${meter} ${start} ${quantity} (${events})`,
    )
  expect((await read(range)).period).toEqual({ start: '2026-03-30T23:00:00Z', end: '2026-03-31T06:00:00Z' })
  expect(await rows({})).toEqual(['max 2026-03-30T23:00:00Z 4 (4)', 'sum 2026-03-30T23:00:00Z 7.5 (4)'])
  expect(await rows({ meter: 'sum', groupBy: 'day' })).toEqual([
    'sum 2026-03-30T23:00:00Z 1 (1)',
    'sum 2026-03-31T00:00:00Z 6.5 (3)',
  ])
  const hours = [
    'sum 2026-03-30T23:00:00Z 1 (1)',
    'sum 2026-03-31T00:00:00Z 2.5 (2)',
    'sum 2026-03-31T05:00:00Z 4 (1)',
  ]
  expect(await rows({ meter: 'sum', groupBy: 'hour' })).toEqual(hours)

  // A cut inside an hour divides periods, not what people see of an hour.
  await transaction(db, async (trx) => {
    await closeGate(trx, idOf('fay'))
    await cutUsage(trx, idOf('fay'), at('2026-03-31T00:15:00Z'))
  })
  expect(await rows({ meter: 'sum', groupBy: 'hour' })).toEqual(hours)
  const after = await read({ ...range, meter: 'sum', start: '2026-03-31T00:15:00Z' })
  expect(after).toMatchObject({ period: { start: '2026-03-31T00:15:00Z' }, data: [{ quantity: '4.5' }] })
})

test('without a range it is the running period; without one of those, it has to be said', async () => {
  const none = await read({ customer: idOf('ben') })
  expect(none).toMatchObject({ status: 400, code: 'invalid_request' })
  await addSubscription(db, idOf('ben'))
  await db
    .updateTable('subscription')
    .set({
      currentPeriodStart: sqlTime(at('2026-03-01T00:00:00Z')),
      currentPeriodEnd: sqlTime(at('2026-04-01T00:00:00Z')),
    })
    .execute()
  expect(await read({ customer: idOf('ben') })).toMatchObject({
    status: 200,
    period: { start: '2026-03-01T00:00:00Z', end: '2026-04-01T00:00:00Z' },
    data: [],
  })
})

test('whom or what there is not, is said', async () => {
  expect(await read({ customer: 'customer_01arz3ndektsv4rrffq69g5fav' })).toMatchObject({
    code: 'customer_not_found',
  })
  expect(await read({ customer: idOf('ada'), meter: 'nothing' })).toMatchObject({ code: 'meter_not_found' })
  const backwards = { customer: idOf('ada'), start: '2026-03-02T00:00:00Z', end: '2026-03-01T00:00:00Z' }
  expect(await read(backwards)).toMatchObject({ code: 'invalid_request' })
})
