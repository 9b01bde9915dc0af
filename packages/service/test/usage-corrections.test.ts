import { describe, expect, test } from 'vitest'
import { usageCorrectionRoutes } from '../src/http/routes/usage-corrections.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { usageTotals } from '../src/store/usage.ts'
import { hasMoreEvents } from '../src/store/usage-corrections.ts'
import { replaceUsage } from '../src/usage/backfill.ts'
import { openUsage } from '../src/usage/usage.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const server = await newServer(world.deps, { clock: world.deps.clock })
const usage = await shared(openUsage({ ...world.deps, databaseUrl: world.url }))
usageCorrectionRoutes(server.app, { ...world.deps, usage })

async function subscribed(plan = 'plain'): Promise<Payer> {
  const payer = await world.register(plan, '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-20T00:00:00Z')
  return payer
}

const go = async (payer: Payer, time: string) => {
  await world.turn(payer, time)
  await world.deliver()
}

let count = 0
function eventOf(payer: Payer, time: string, quantity: string, meter = 'seconds') {
  count += 1
  return {
    ...{ specversion: '1.0', source: 'cluster', id: `job-${count}`, type: meter, subject: payer.externalId },
    ...{ time, data: { quantity } },
  }
}

/** Sends events at these times of these quantities, and answers them. */
async function use(
  payer: Payer,
  list: readonly (readonly [time: string, quantity: string])[],
  meter?: string,
) {
  const events = list.map(([time, quantity]) => eventOf(payer, time, quantity, meter))
  await usage.take(events)
  return events
}

type Body = Record<string, unknown> & { id: string; data: Body[]; errors: unknown[] }

async function ask(body: object, { dryRun = false, key }: { dryRun?: boolean; key?: string } = {}) {
  const answer = await server.call({
    method: 'POST',
    url: `/v1/usage-corrections?dryRun=${dryRun}`,
    payload: { reason: 'A faulty host', ...body },
    headers: key === undefined ? {} : { 'idempotency-key': key },
  })
  return { status: answer.status, body: answer.body as Body }
}

type Sent = ReturnType<typeof eventOf>
const nameOf = ({ source, id, time }: Sent) => ({ source, id, time })
const voidOf = (event: Sent) => ({ kind: 'void', ...nameOf(event) })

const usd = (minor: number) => ({ amount: (minor / 100).toFixed(2), minor: `${minor}`, currency: 'usd' })
const period = { start: Date.UTC(2026, 0, 10) / 1000, end: Date.UTC(2026, 1, 10) / 1000 }

/** Hours of which the rollups say something else than the events that are there, counted from these by Postgres. */
async function wrongHours({ customerId }: Payer): Promise<unknown[]> {
  const { rows } = await world.pool.query(
    `with counted as (
       select meter_key, date_trunc('hour', time, 'UTC') as hour, count(*) as count, sum(quantity) as sum, max(quantity) as max
       from usage_event where customer_id = $1 group by 1, 2
     ), kept as (
       select meter_key, date_trunc('hour', bucket, 'UTC') as hour, sum(count)::int8 as count, sum(sum) as sum, max(max) as max
       from usage_rollup where customer_id = $1 group by 1, 2
     )
     (table counted except table kept) union all (table kept except table counted)`,
    [customerId],
  )
  return rows
}

describe('in an open period', () => {
  test('an event is voided: previewed, done, and the invoice follows; it never counts again', async () => {
    const payer = await subscribed()
    const [first, second] = await use(payer, [
      ['2026-01-11T10:00:00.25Z', '100'],
      ['2026-01-11T10:30:00Z', '20'],
    ])
    if (!first || !second) throw new Error('Two were sent.')
    await world.sync(payer)
    const invoice = (await world.read(payer, 'current')).invoice.id
    const what = {
      ...{ kind: 'void', customer: payer.customerId, meter: 'seconds' },
      period: { start: '2026-01-11T10:00:00Z', end: '2026-01-11T10:00:01Z' },
      event: { source: 'cluster', id: first.id },
      removed: { events: 1, quantity: '100' },
      added: { events: 0, quantity: '0' },
      invoices: [
        {
          ...{ invoice, final: false },
          lines: [
            {
              line: 'compute',
              quantity: { before: '120', after: '20' },
              amount: { before: usd(120), after: usd(20) },
            },
          ],
        },
      ],
    }
    expect(await ask(voidOf(first), { dryRun: true })).toEqual({ status: 200, body: what })
    expect(amounts(await world.read(payer, 'current'))).toEqual(['120 Seconds: 120 second', '2000 Plain'])

    expect(await ask({ ...voidOf(first), agent: 'Bob' })).toMatchObject({
      status: 201,
      body: { ...what, reason: 'A faulty host', agent: 'Bob', madeAt: '2026-01-20T00:00:00Z' },
    })
    expect(amounts(await world.read(payer, 'current'))).toEqual(['20 Seconds: 20 second', '2000 Plain'])
    const plan = await world.sync(payer)
    expect(plan).toMatchObject({ calls: 1, update: [{ wanted: { amount: { minor: 20n } } }] })

    // The same again is a repetition, another content a conflict; neither counts.
    expect(await usage.take([first])).toMatchObject({ accepted: 0, duplicates: 1 })
    expect(await usage.take([{ ...first, data: { quantity: '7' } }])).toMatchObject({
      accepted: 0,
      conflicts: [{ id: first.id }],
    })
    expect(await ask(voidOf(first))).toMatchObject({ status: 409, body: { code: 'usage_event_voided' } })
    expect(await wrongHours(payer)).toEqual([])
  })

  test('an event is amended, and again; voided then, it is gone with its last quantity', async () => {
    const payer = await subscribed()
    const [event] = await use(payer, [['2026-01-11T10:00:00Z', '100']])
    if (!event) throw new Error('One was sent.')
    const amend = (quantity: string) => ask({ kind: 'amend', ...nameOf(event), quantity })
    expect((await amend('60.5')).body).toMatchObject({
      removed: { events: 1, quantity: '100' },
      added: { events: 1, quantity: '60.5' },
    })
    expect((await amend('70')).body).toMatchObject({
      removed: { quantity: '60.5' },
      added: { quantity: '70' },
    })
    expect(amounts(await world.read(payer, 'current'))).toEqual(['70 Seconds: 70 second', '2000 Plain'])
    expect((await ask(voidOf(event))).body).toMatchObject({ removed: { quantity: '70' } })
    expect(amounts(await world.read(payer, 'current'))).toEqual(['2000 Plain'])
    expect(await wrongHours(payer)).toEqual([])
  })

  test('the last event is voided: the one before is the last, also across an hour that is cut', async () => {
    const payer = await world.register('leveled', '2026-01-10T00:30:00Z')
    await go(payer, '2026-01-20T00:00:00Z')
    const [, , last] = await use(
      payer,
      [
        ['2026-01-10T00:10:00Z', '9'],
        ['2026-01-10T00:40:00Z', '5'],
        ['2026-01-10T00:50:00Z', '7'],
      ],
      'level',
    )
    if (!last) throw new Error('Three were sent.')
    await ask(voidOf(last))
    const of = (start: string, end: string) =>
      usageTotals(world.db, payer.customerId, {
        start: Date.parse(start) / 1000,
        end: Date.parse(end) / 1000,
      })
    const after = await of('2026-01-10T00:30:00Z', '2026-01-20T00:00:00Z')
    expect(after.get('level')).toMatchObject({ count: 1n, last: 5_000_000_000n })
    const before = await of('2026-01-10T00:00:00Z', '2026-01-10T00:30:00Z')
    expect(before.get('level')).toMatchObject({ count: 1n, last: 9_000_000_000n })
  })

  test('a stretch of time is told anew, as one step', async () => {
    const payer = await subscribed()
    await use(payer, [
      ['2026-01-11T10:00:00Z', '100'],
      ['2026-01-11T11:15:00Z', '30'],
      ['2026-01-11T12:00:00Z', '7'],
    ])
    const backfill = {
      ...{ kind: 'backfill', customer: payer.customerId, meter: 'seconds' },
      ...{ start: '2026-01-11T10:30:00Z', end: '2026-01-11T12:00:00Z' },
    }
    const events = [eventOf(payer, '2026-01-11T11:00:00Z', '4'), eventOf(payer, '2026-01-11T11:59:59Z', '5')]
    expect((await ask({ ...backfill, events }, { dryRun: true })).body).toMatchObject({
      removed: { events: 1, quantity: '30' },
      added: { events: 2, quantity: '9' },
      invoices: [{ lines: [{ quantity: { before: '137', after: '116' } }] }],
    })
    const { status } = await ask({ ...backfill, events })
    expect(status).toBe(201)
    expect(amounts(await world.read(payer, 'current'))).toEqual(['116 Seconds: 116 second', '2000 Plain'])
    expect(await usage.take(events)).toMatchObject({ accepted: 0, duplicates: 2 })
    // Told with the same ids once more, it is refused whole, and nothing has changed.
    expect(await ask({ ...backfill, events })).toMatchObject({
      status: 409,
      body: {
        code: 'usage_identity_known',
        errors: [{ pointer: '#/events/0/id' }, { pointer: '#/events/1/id' }],
      },
    })
    expect((await ask({ ...backfill, events: [] })).body).toMatchObject({
      removed: { events: 2, quantity: '9' },
    })
    expect(amounts(await world.read(payer, 'current'))).toEqual(['107 Seconds: 107 second', '2000 Plain'])
    expect(await wrongHours(payer)).toEqual([])
  })
})

describe('in a closed period', () => {
  test('the difference comes with the next invoice, with its explanation; shares follow', async () => {
    const payer = await subscribed('tiered')
    const [event] = await use(payer, [['2026-01-11T10:00:00Z', '115']])
    if (!event) throw new Error('One was sent.')
    await world.sync(payer)
    await go(payer, '2026-02-10T02:00:00Z')
    const { invoice, total } = await world.read(payer, 'paid')
    expect(total.minor).toBe(1015n + 302n + 2000n)
    // 100 at 0.10 and 15 at 0.01 were billed, and 10 % of that and of the fee; 90 at 0.10 it should have been.
    const { body } = await ask({ kind: 'amend', ...nameOf(event), quantity: '90' })
    expect(body.invoices).toEqual([
      {
        ...{ invoice: invoice.id, final: true },
        lines: [
          {
            line: 'compute',
            quantity: { before: '115', after: '90' },
            amount: { before: usd(1015), after: usd(900) },
          },
          { line: 'support', quantity: null, amount: { before: usd(302), after: usd(290) } },
        ],
      },
    ])
    const of = 'corrected for 2026-01-10 to 2026-02-10'
    const lines = [`-115 Seconds: -25 second, ${of}`, `-12 Support, 10 %, ${of}`]
    expect(amounts(await world.read(payer, 'current'))).toEqual(
      expect.arrayContaining([...lines, '2000 Tiered']),
    )
    await world.sync(payer)
    await go(payer, '2026-03-10T02:00:00Z')
    const last = (await world.atStripe(payer)).at(-1)
    expect(last?.lines).toEqual(expect.arrayContaining(lines))
    // 20.00 for March, 2.00 of support on February's fee, and what was too much in January.
    expect(last?.invoice.total).toBe(2000 + 200 - 127)
    expect((await world.read(payer, 'paid')).total.minor).toBe(2073n)
    // The final invoice itself stays as it was.
    expect((await world.invoices(payer)).find(({ id }) => id === invoice.id)?.total).toBe(3317n)
  })

  test('what nets to nothing marks nothing', async () => {
    const payer = await subscribed()
    const [event] = await use(payer, [['2026-01-11T10:00:00Z', '100']])
    if (!event) throw new Error('One was sent.')
    await world.sync(payer)
    await go(payer, '2026-02-10T02:00:00Z')
    await world.sync(payer)
    await ask({ kind: 'amend', ...nameOf(event), quantity: '90' })
    await ask({ kind: 'amend', ...nameOf(event), quantity: '100' })
    expect((await world.invoices(payer)).map(({ lateUsage }) => lateUsage)).not.toContain(true)
    expect(amounts(await world.read(payer, 'current'))).toEqual(['2000 Plain'])
  })
})

test('events of another customer, meter or time do not belong into a backfill; each is named', async () => {
  const [payer, other] = [await subscribed(), await subscribed()]
  const events = [
    eventOf(other, '2026-01-11T10:00:00Z', '1'),
    eventOf(payer, '2026-01-11T10:00:00Z', '1', 'level'),
    eventOf(payer, '2026-01-12T00:00:00Z', '1'),
    { ...eventOf(payer, '2026-01-11T10:00:00Z', '1'), data: { quantity: '-1' } },
  ]
  const backfill = {
    ...{ kind: 'backfill', customer: payer.customerId, meter: 'seconds' },
    ...{ start: '2026-01-11T00:00:00Z', end: '2026-01-12T00:00:00Z' },
  }
  expect(await ask({ ...backfill, events })).toMatchObject({
    status: 422,
    body: { code: 'usage_event_invalid', errors: [{ pointer: '#/events/3/data/quantity' }] },
  })
  expect(await ask({ ...backfill, events: events.slice(0, 3) })).toMatchObject({
    status: 400,
    body: {
      errors: [
        { pointer: '#/events/0/subject' },
        { pointer: '#/events/1/type' },
        { pointer: '#/events/2/time' },
      ],
    },
  })
  expect(await ask({ ...backfill, end: backfill.start, events: [] })).toMatchObject({ status: 400 })
  expect(await ask({ ...backfill, meter: 'none', events: [] })).toMatchObject({ status: 404 })
  expect(await ask({ ...backfill, customer: 'customer_none', events: [] })).toMatchObject({ status: 404 })
})

test('of the plain form, faults of a backfill point at its own names', async () => {
  const [payer, other] = [await subscribed(), await subscribed()]
  const event = (id: string, more: object) => ({
    ...{ id, meter: 'seconds', externalId: payer.externalId, quantity: '1', time: '2026-01-11T10:00:00Z' },
    ...more,
  })
  const events = [
    event('plain-1', { externalId: other.externalId }),
    event('plain-2', { meter: 'level' }),
    event('plain-3', { time: '2026-01-12T00:00:00Z' }),
  ]
  const backfill = {
    ...{ kind: 'backfill', customer: payer.customerId, meter: 'seconds', events },
    ...{ start: '2026-01-11T00:00:00Z', end: '2026-01-12T00:00:00Z' },
  }
  expect(await ask(backfill)).toMatchObject({
    status: 400,
    body: {
      errors: [
        { pointer: '#/events/0/externalId' },
        { pointer: '#/events/1/meter' },
        { pointer: '#/events/2/time' },
      ],
    },
  })
})

test('a quantity below zero is for a level alone', async () => {
  const payer = await subscribed()
  const [event] = await use(payer, [['2026-01-11T10:00:00Z', '100']])
  if (!event) throw new Error('One was sent.')
  expect(await ask({ kind: 'amend', ...nameOf(event), quantity: '-3' })).toMatchObject({
    status: 422,
    body: { code: 'quantity_invalid', detail: 'A quantity is not negative: -3.' },
  })
})

test('a stretch of more than a hundred thousand events is told in several, also within an hour', async () => {
  const payer = await subscribed()
  const fill = (from: number, to: number) =>
    world.pool.query(
      `insert into usage_event (customer_id, meter_key, time, quantity, source, id, data, received_at)
       select $1, 'seconds', '2026-01-11T10:20:00Z', 1, 'bulk', n::text, '{}', now()
       from generate_series($2::int4, $3::int4) as n`,
      [payer.customerId, from, to],
    )
  const [start, end] = ['2026-01-11T10:15:00Z', '2026-01-11T10:45:00Z'].map((time) => Date.parse(time) / 1000)
  if (start === undefined || end === undefined) throw new Error('Two moments.')
  const place = { customerId: payer.customerId, meterKey: 'seconds', period: { start, end } }
  await fill(1, 100_000)
  expect(await hasMoreEvents(world.db, place, 100_000)).toBe(false)
  await fill(100_001, 100_001)
  const replaced = transaction(world.db, (trx) =>
    replaceUsage(trx, 'usage_correction_none', { kind: 'backfill', ...place, arrivals: [] }, start),
  )
  await expect(replaced).rejects.toMatchObject({ code: 'batch_too_large' })
  await world.pool.query("delete from usage_event where source = 'bulk'")
})

test('an event that is not there is not found; one whose neighbours are no longer kept is not recounted', async () => {
  const payer = await subscribed()
  const [event, neighbour] = await use(payer, [
    ['2026-01-11T10:00:00Z', '100'],
    ['2026-01-11T10:30:00Z', '20'],
  ])
  if (!event || !neighbour) throw new Error('Two were sent.')
  const elsewhere = { ...voidOf(event), time: '2026-01-11T10:00:01Z' }
  expect(await ask(elsewhere)).toMatchObject({ status: 404, body: { code: 'usage_event_not_found' } })
  await world.pool.query('delete from usage_event where id = $1', [neighbour.id])
  expect(await ask(voidOf(event))).toMatchObject({ status: 409, body: { code: 'usage_events_expired' } })
  // Nothing of it was done.
  expect((await usageTotals(world.db, payer.customerId, period)).get('seconds')?.count).toBe(2n)
})

test('an event that is gone with its hour was expired, not never there; one that was never sent is not found', async () => {
  const payer = await subscribed()
  const [gone, , elsewhere] = await use(payer, [
    ['2026-01-11T14:00:00Z', '100'],
    ['2026-01-11T14:30:00Z', '20'],
    ['2026-01-11T15:30:00Z', '3'],
  ])
  if (!gone || !elsewhere) throw new Error('Three were sent.')
  await world.pool.query(
    "delete from usage_event where customer_id = $1 and time < '2026-01-11T15:00:00Z' and time >= '2026-01-11T14:00:00Z'",
    [payer.customerId],
  )
  const expired = { status: 409, body: { code: 'usage_events_expired' } }
  const notFound = { status: 404, body: { code: 'usage_event_not_found' } }
  expect(await ask(voidOf(gone))).toMatchObject(expired)
  expect(await ask({ ...voidOf(gone), kind: 'amend', quantity: '3' })).toMatchObject(expired)
  const stretch = { start: '2026-01-11T14:00:00Z', end: '2026-01-11T15:00:00Z' }
  const backfill = { kind: 'backfill', customer: payer.customerId, meter: 'seconds', ...stretch, events: [] }
  expect(await ask(backfill)).toMatchObject(expired)
  // Nobody sent this one, and no event of that other hour is missing.
  expect(await ask({ ...voidOf(gone), id: 'nobody' })).toMatchObject(notFound)
  expect(await ask({ ...voidOf(elsewhere), time: '2026-01-11T15:00:00Z' })).toMatchObject(notFound)
  // What is no longer kept counts as it did, and sent again it is still known.
  expect(await usage.take([gone])).toMatchObject({ accepted: 0, duplicates: 1 })
  expect((await usageTotals(world.db, payer.customerId, period)).get('seconds')?.count).toBe(3n)
})

test('a period that ends where events are no longer kept is not divided by guessing, and its event says why', async () => {
  const payer = await subscribed()
  await go(payer, '2026-01-20T10:20:00Z')
  await use(payer, [['2026-01-20T10:10:00Z', '45']])
  await world.pool.query('delete from usage_event where customer_id = $1', [payer.customerId])
  await world.stripe.subscriptions.cancel(payer.subscription)
  await world.deliver()
  const { rows } = await world.pool.query(
    "select state, problem ->> 'code' as code, problem ->> 'detail' as detail from provider_event where object_id = $1 and problem is not null",
    [payer.subscription],
  )
  expect(rows[0]).toEqual({
    state: 'received',
    code: 'usage_events_expired',
    detail:
      'Usage is to be divided at 2026-01-20T10:20:00Z, and some events of that hour are no longer kept.',
  })
  const { invoice } = await world.read(payer, 'current')
  expect(invoice.periodEnd).toBe(Date.UTC(2026, 1, 10) / 1000)
  expect((await usageTotals(world.db, payer.customerId, period)).get('seconds')?.count).toBe(1n)
})

test('corrected by many at once while usage comes in: each once, and the sums hold', async () => {
  const payer = await subscribed()
  const events = await use(
    payer,
    Array.from({ length: 20 }, (_, i) => [`2026-01-11T10:${10 + i}:00Z`, '1'] as const),
  )
  const answers = await Promise.all([
    ...[...events, ...events].map((event) => ask(voidOf(event))),
    ...Array.from({ length: 10 }, () => use(payer, [['2026-01-11T10:45:00Z', '3']])),
  ])
  const statuses = answers.flatMap((answer) => ('status' in answer ? [answer.status] : []))
  expect([statuses.filter((status) => status === 201).length, statuses.length]).toEqual([20, 40])
  expect((await usageTotals(world.db, payer.customerId, period)).get('seconds')).toMatchObject({
    count: 10n,
    sum: 30_000_000_000n,
  })
  expect(await wrongHours(payer)).toEqual([])
  const list = await server.call({
    method: 'GET',
    url: `/v1/usage-corrections?customer=${payer.customerId}&limit=100`,
  })
  expect((list.body as Body).data.map(({ removed }) => removed)).toEqual(
    Array(20).fill({ events: 1, quantity: '1' }),
  )
})

test('asked twice under one key it is done once', async () => {
  const payer = await subscribed()
  const [event] = await use(payer, [['2026-01-11T10:00:00Z', '100']])
  if (!event) throw new Error('One was sent.')
  const amend = { kind: 'amend', ...nameOf(event), quantity: '60' }
  const [first, second] = [await ask(amend, { key: 'k' }), await ask(amend, { key: 'k' })]
  expect([first.status, second.body.id]).toEqual([201, first.body.id])
})
