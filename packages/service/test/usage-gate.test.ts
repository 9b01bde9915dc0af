import { formatQuantity } from '@lockstep/core/quantity'
import { sql } from 'kysely'
import { afterAll, beforeEach, expect, test } from 'vitest'
import type { Trx } from '../src/postgres/connect.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { openPeriodInvoice } from '../src/store/invoices.ts'
import { sqlTime } from '../src/store/time.ts'
import { cutUsage, usageTotals } from '../src/store/usage.ts'
import { closeGate } from '../src/usage/gate.ts'
import { addSubscription } from './support/invoices.ts'
import { at, newUsageWorld } from './support/usage-world.ts'

const world = await newUsageWorld()
const { db, usage, event, idOf } = world
afterAll(() => world.close())

beforeEach(async () => {
  await world.pool.query('truncate usage_identity, usage_event, usage_rollup, usage_cut, invoice cascade')
})

const cut = (externalId: string, time: string) =>
  transaction(db, async (trx) => {
    await closeGate(trx, idOf(externalId))
    await cutUsage(trx, idOf(externalId), at(time))
  })

const sumOf = async (start: string, end: string, meter = 'sum') =>
  formatQuantity((await world.totals('ada', start, end)).get(meter)?.sum ?? 0n)

test('a cut divides what is in the bucket already, whatever the meter, to the second', async () => {
  const times = ['10:00:00', '10:29:59.999', '10:30:00', '10:59:59', '11:00:00']
  const quantities = ['1', '20', '3', '400', '5000']
  const events = times.flatMap((time, i) =>
    ['count', 'sum', 'max', 'last'].map((type) =>
      event({ type, time: `2026-03-31T${time}Z`, quantity: quantities[i] ?? '' }),
    ),
  )
  await usage.take(events)
  await usage.take(event({ subject: 'ben', time: '2026-03-31T10:30:00Z' }))
  await cut('ada', '2026-03-31T10:30:00Z')
  const measured = async (start: string, end: string) => {
    const totals = await world.totals('ada', `2026-03-31T${start}Z`, `2026-03-31T${end}Z`)
    const text = (value: bigint | null | undefined) => (value == null ? null : formatQuantity(value))
    return [
      Number(totals.get('count')?.count ?? 0n),
      text(totals.get('sum')?.sum),
      text(totals.get('max')?.max),
      text(totals.get('last')?.last),
    ]
  }
  expect(await measured('10:00:00', '10:30:00')).toEqual([2, '21', '20', '20'])
  expect(await measured('10:30:00', '11:00:00')).toEqual([2, '403', '400', '400'])
  expect(await measured('10:00:00', '12:00:00')).toEqual([5, '5424', '5000', '5000'])
})

test('what comes after a cut goes where it belongs, and cuts may come in any order and twice', async () => {
  for (const minute of ['30', '15', '45', '30']) {
    await usage.take(['05', '20', '35', '50'].map((at) => event({ time: `2026-03-31T10:${at}:00Z` })))
    await cut('ada', `2026-03-31T10:${minute}:00Z`)
  }
  const edges = ['10:00', '10:15', '10:30', '10:45', '11:00'].map((time) => `2026-03-31T${time}:00Z`)
  for (let i = 0; i < 4; i += 1) expect(await sumOf(edges[i] ?? '', edges[i + 1] ?? '')).toBe('4')
})

test('a period with an edge inside a whole bucket is not read', async () => {
  await usage.take(event({ time: '2026-03-31T10:15:00Z' }))
  await expect(sumOf('2026-03-31T09:00:00Z', '2026-03-31T10:30:00Z')).rejects.toThrow('is not cut at')
  // Nothing lies on the near side of this edge, so it divides nothing.
  expect(await sumOf('2026-03-31T09:00:00Z', '2026-03-31T09:30:00Z')).toBe('0')
})

test('a bucket whose events have expired is not cut by guessing', async () => {
  await usage.take(event({ time: '2026-03-31T10:15:00Z' }))
  await world.pool.query('truncate usage_event')
  await expect(cut('ada', '2026-03-31T10:30:00Z')).rejects.toMatchObject({
    problem: { code: 'usage_events_expired', status: 409 },
  })
  expect(await sumOf('2026-03-31T10:00:00Z', '2026-03-31T11:00:00Z')).toBe('1')
})

test('usage that comes while its hour is being cut is neither lost nor on the wrong side', async () => {
  const cuts = Array.from({ length: 12 }, (_, i) => at('2026-03-31T10:00:00Z') + 7 + i * 293)
  const seconds = Array.from({ length: 1200 }, (_, i) => (i * 7919) % 3600)
  const other = world.open()
  const iso = (time: number) => new Date(time * 1000).toISOString()
  const sending = Array.from({ length: 60 }, (_, i) =>
    (i % 2 ? usage : other).take(
      seconds
        .slice(i * 20, i * 20 + 20)
        .map((second) => event({ time: iso(at('2026-03-31T10:00:00Z') + second) })),
    ),
  )
  const cutting = (async () => {
    for (const time of cuts.toReversed()) await cut('ada', iso(time))
  })()
  await Promise.all([...sending, cutting])
  await other.close()
  const edges = [at('2026-03-31T10:00:00Z'), ...cuts, at('2026-03-31T11:00:00Z')]
  for (let i = 0; i + 1 < edges.length; i += 1) {
    const [start = 0, end = 0] = [edges[i], edges[i + 1]]
    const expected = seconds.filter((second) => {
      const time = at('2026-03-31T10:00:00Z') + second
      return time >= start && time < end
    })
    expect(await sumOf(iso(start), iso(end))).toBe(`${expected.length}`)
  }
  expect(await world.counts()).toMatchObject({ events: 1200n, counted: 1200n, same: true })
})

test('an event waits at a closed gate, and then goes by the cut that was made behind it', async () => {
  const waiting = Promise.withResolvers<void>()
  const cutting = transaction(db, async (trx) => {
    await closeGate(trx, idOf('ada'))
    const sent = usage.take([event({ time: '2026-03-31T10:45:00Z' })])
    await somebodyWaits(trx)
    waiting.resolve()
    await cutUsage(trx, idOf('ada'), at('2026-03-31T10:30:00Z'))
    return { sent }
  })
  await waiting.promise
  expect(await (await cutting).sent).toMatchObject({ accepted: 1 })
  expect(await sumOf('2026-03-31T10:30:00Z', '2026-03-31T11:00:00Z')).toBe('1')
})

/** Until ingest stands at the gate that this transaction holds. */
async function somebodyWaits(trx: Trx): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ waiting: bigint }>`select count(*) as waiting from pg_locks
      where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`.execute(
      trx,
    )
    if (rows[0]?.waiting) return
  }
}

async function invoices() {
  const subscriptionId = await addSubscription(db, idOf('ada'))
  const open = (status: 'current' | 'closing', start: string, end: string) =>
    openPeriodInvoice(db as Trx, {
      customerId: idOf('ada'),
      subscriptionId,
      planVersionId: 'plan_version_1',
      currency: 'usd',
      status,
      period: { start: at(start), end: at(end) },
      openedAt: 0,
    })
  await open('closing', '2026-01-15T10:30:00Z', '2026-02-15T10:30:00Z')
  await db
    .updateTable('invoice')
    .set({ status: 'paid', finalizedAt: sqlTime(1) })
    .execute()
  await open('closing', '2026-02-15T10:30:00Z', '2026-03-15T10:30:00Z')
  await open('current', '2026-03-15T10:30:00Z', '2026-04-15T10:30:00Z')
  await db.updateTable('invoice').set({ dirty: false }).execute()
  await cut('ada', '2026-02-15T10:30:00Z')
  await cut('ada', '2026-03-15T10:30:00Z')
  return async () => {
    const rows = await db
      .selectFrom('invoice')
      .select(['dirty', 'lateUsage', sql<string>`xmin::text`.as('version')])
      .orderBy('periodStart')
      .execute()
    return {
      marks: rows.map(({ dirty, lateUsage }) => `${dirty ? 'dirty' : '-'}${lateUsage ? ' late' : ''}`),
      versions: rows.map(({ version }) => version),
    }
  }
}

test.each([
  ['now', '2026-03-31T10:15:00Z', ['-', '-', 'dirty']],
  ['of the last period', '2026-03-15T10:29:59.9Z', ['-', 'dirty', '-']],
  ['of the first second', '2026-03-15T10:30:00Z', ['-', '-', 'dirty']],
  ['of a frozen period', '2026-02-15T10:29:59Z', ['- late', '-', 'dirty']],
  ['of no period', '2026-01-15T10:29:59Z', ['-', '-', '-']],
])('an event %s marks the invoice of its own time', async (_, time, marks) => {
  const read = await invoices()
  await usage.take([event({ time: '2026-03-31T10:00:00Z', subject: 'ben' }), event({ time })])
  expect((await read()).marks).toEqual(marks)
})

test('a duplicate marks nothing, and what is marked is not written again', async () => {
  const read = await invoices()
  const late = event({ time: '2026-02-01T00:00:00Z' })
  const now = event()
  await usage.take([late, now])
  const before = await read()
  expect(before.marks).toEqual(['- late', '-', 'dirty'])
  await usage.take([event(), event({ time: '2026-02-01T00:00:00Z' })])
  expect(await read()).toEqual(before)

  await db.updateTable('invoice').set({ dirty: false }).execute()
  await usage.take([late, now])
  expect((await read()).marks).toEqual(['- late', '-', '-'])
  // More late usage makes the current one dirty again, though the frozen one is marked already.
  await usage.take(event({ time: '2026-02-01T00:00:00Z' }))
  expect((await read()).marks).toEqual(['- late', '-', 'dirty'])
})

test('no event slips between a picture and its mark', async () => {
  const read = await invoices()
  const other = world.open()
  const period = { start: at('2026-03-15T10:30:00Z'), end: at('2026-04-15T10:30:00Z') }
  for (let round = 0; round < 15; round += 1) {
    let seen = 0n
    const picture = () =>
      transaction(db, async (trx) => {
        await closeGate(trx, idOf('ada'))
        seen = (await usageTotals(trx, idOf('ada'), period)).get('sum')?.count ?? 0n
        await trx.updateTable('invoice').set({ dirty: false }).where('status', '=', 'current').execute()
      })
    const pictures = (async () => {
      for (let i = 0; i < 6; i += 1) await picture()
    })()
    await Promise.all([
      ...Array.from({ length: 20 }, (_, i) => (i % 2 ? usage : other).take(event())),
      pictures,
    ])
    const total = (await usageTotals(db, idOf('ada'), period)).get('sum')?.count
    const isDirty = (await read()).marks[2] === 'dirty'
    // Clean means: the last picture has everything.
    if (!isDirty) expect(seen).toBe(total)
    expect(total).toBe(BigInt((round + 1) * 20))
  }
  await other.close()
})
