import { formatQuantity } from '@lockstep/core/quantity'
import { sql } from 'kysely'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createLog } from '../src/log.ts'
import { snapshot, transaction } from '../src/postgres/transaction.ts'
import type { InvoiceRow } from '../src/store/invoices.ts'
import { cutUsage, usageTotals } from '../src/store/usage.ts'
import { addUpSum, announceSum, type Stretch, summedUntil } from '../src/store/usage-sums.ts'
import { closeGate } from '../src/usage/gate.ts'
import { newSumsAhead } from '../src/usage/sums-ahead.ts'
import { at, newUsageWorld } from './support/usage-world.ts'

const world = await newUsageWorld()
const { db, usage, event, idOf } = world
afterAll(() => world.close())

beforeEach(async () => {
  await world.pool.query('truncate usage_identity, usage_event, usage_rollup, usage_cut, usage_sum')
})

const START = '2026-03-02T00:00:00Z'
const END = '2026-04-01T00:00:00Z'

const stretchOf = (until: string, { of = 'ada', starts = START } = {}): Stretch => ({
  ...{ customerId: idOf(of), starts: at(starts), until: at(until) },
})

/** Adds a stretch up: as often as it takes until nobody is at work any more who was before, in whichever database. */
async function addUp(stretch: Stretch): Promise<void> {
  while (!(await isSummed(stretch))) {
    const announced = await announceSum(db, stretch)
    if (announced) await addUpSum(db, announced)
  }
}

const isSummed = async ({ customerId, starts, until }: Stretch) =>
  (await summedUntil(db, { customerId, starts, end: at(END) })) === until

/** All that is read of a period, as text. */
async function read(of = 'ada', start = START, end = END) {
  const totals = await world.totals(of, start, end)
  const text = (value: bigint | null) => (value === null ? null : formatQuantity(value))
  return Object.fromEntries(
    [...totals].map(([key, { count, sum, max, last }]) => [
      key,
      [Number(count), text(sum), text(max), text(last)],
    ]),
  )
}

/** Usage of four meters, an event each at these times of these quantities. */
const use = async (list: readonly (readonly [time: string, quantity: string])[], subject = 'ada') => {
  const events = list.flatMap(([time, quantity]) =>
    ['count', 'sum', 'max', 'last'].map((type) => event({ type, time, quantity, subject })),
  )
  await usage.take(events)
}

const month = [
  [START, '7'],
  ['2026-03-02T10:15:00Z', '0.000000001'],
  ['2026-03-09T23:59:59.999Z', '123456789012345.123456789'],
  ['2026-03-10T00:00:00Z', '3'],
  ['2026-03-31T10:00:00Z', '2'],
] as const

test('a period whose beginning is added up reads as its hours do', async () => {
  await use(month)
  const before = await read()
  // 7 + 0.000000001 + 123456789012345.123456789 + 3 + 2
  expect(before.sum).toEqual([5, '123456789012357.12345679', '123456789012345.123456789', '2'])
  for (const until of ['2026-03-02T01:00:00Z', '2026-03-10T00:00:00Z', END]) {
    await addUp(stretchOf(until))
    expect(await isSummed(stretchOf(until))).toBe(true)
    expect(await read()).toEqual(before)
  }
})

test('what is added up is not read again, and a period that ends before it goes by its hours', async () => {
  await use(month)
  await addUp(stretchOf('2026-03-10T00:00:00Z'))
  await sql`update usage_sum set counts = array(select count + 100 from unnest(counts) count)`.execute(db)
  expect((await read()).sum?.[0]).toBe(105)
  expect((await read('ada', START, '2026-03-10T00:00:00Z')).sum?.[0]).toBe(103)
  expect((await read('ada', START, '2026-03-09T00:00:00Z')).sum?.[0]).toBe(2)
  expect((await read('ada', '2026-03-02T01:00:00Z')).sum?.[0]).toBe(4)
})

test('a beginning without usage comes to nothing, and a meter that is used later is there', async () => {
  await addUp(stretchOf('2026-03-10T00:00:00Z'))
  expect(await read()).toEqual({})
  await use([['2026-03-31T10:00:00Z', '2']])
  expect(await isSummed(stretchOf('2026-03-10T00:00:00Z'))).toBe(true)
  expect((await read()).sum).toEqual([1, '2', '2', '2'])
})

test('late usage takes away the sums that it belongs to, of one customer, and no others', async () => {
  await use(month)
  await use(month, 'ben')
  const until = '2026-03-10T00:00:00Z'
  const others = [stretchOf(until, { of: 'ben' }), stretchOf(until, { starts: '2026-03-05T00:00:00Z' })]
  for (const one of [stretchOf(until), ...others]) await addUp(one)
  // Of an hour that has a rollup, and that of another one which has none yet.
  for (const time of ['2026-03-02T10:30:00Z', '2026-03-03T00:00:00Z']) {
    await use([[time, '10']])
    expect(await isSummed(stretchOf(until))).toBe(false)
    for (const one of others) expect(await isSummed(one)).toBe(true)
    await addUp(stretchOf(until))
  }
  expect((await read()).sum).toEqual([7, '123456789012377.12345679', '123456789012345.123456789', '2'])
  expect((await read('ben')).sum?.[0]).toBe(5)
  await use([[until, '10']])
  expect(await isSummed(stretchOf(until))).toBe(true)
  expect((await read()).sum?.[0]).toBe(8)
})

test('hours that are counted again or taken away take the sums with them', async () => {
  await use(month)
  const until = '2026-03-10T00:00:00Z'
  await addUp(stretchOf(until))
  await transaction(db, async (trx) => {
    await closeGate(trx, idOf('ada'))
    await cutUsage(trx, idOf('ada'), at('2026-03-02T10:10:00Z'))
  })
  expect(await isSummed(stretchOf(until))).toBe(false)
  await addUp(stretchOf(until))
  await sql`delete from usage_rollup where meter_key = 'sum' and bucket < '2026-03-02T01:00:00Z'`.execute(db)
  expect(await isSummed(stretchOf(until))).toBe(false)
  expect((await read()).sum?.[0]).toBe(4)
})

/** What every version does, whatever it knows of sums. */
const add = (time: string) => ({
  text: `insert into usage_rollup as here (customer_id, bucket, meter_key, count, sum, max, last, last_at, last_id)
    values ($1, $2, 'sum', 1, 10, 10, 10, $2, 'x')
    on conflict (customer_id, bucket, meter_key) do update set count = here.count + 1, sum = here.sum + 10`,
  values: [idOf('ada'), time],
})

test.each([
  ['that has a rollup', '2026-03-02T10:00:00Z'],
  ['that has none', '2026-03-03T00:00:00Z'],
])(
  'nothing is added up while somebody may have it in hand who had not heard of it, of an hour %s',
  async (_, time) => {
    await use(month)
    const stretch = stretchOf('2026-03-10T00:00:00Z')
    const writer = await world.pool.connect()
    try {
      await writer.query('begin')
      await writer.query(add(time))
      const announced = await announceSum(db, stretch)
      expect(announced).toBeDefined()
      expect(announced && (await addUpSum(db, announced))).toBe(false)
      await writer.query('commit')
      await addUp(stretch)
      expect((await read()).sum?.[0]).toBe(6)

      // Who begins behind it takes it away, whether that is done before it is added up or after.
      const again = await announceSum(db, { ...stretch, until: at('2026-03-11T00:00:00Z') })
      await writer.query('begin')
      await writer.query(add(time))
      const adding = again && addUpSum(db, again)
      await writer.query('commit')
      expect(await adding).toBe(false)
      expect((await read()).sum?.[0]).toBe(7)
      expect(await announceSum(db, stretch)).toBeDefined()
    } finally {
      writer.release()
    }
  },
)

test('one that is announced anew is another one, and nobody adds up what somebody else has', async () => {
  const stretch = stretchOf('2026-03-10T00:00:00Z')
  const first = await announceSum(db, stretch)
  await world.pool.query(add('2026-03-02T10:00:00Z'))
  const second = await announceSum(db, stretch)
  expect(first && (await addUpSum(db, first))).toBe(false)
  expect(second?.announced).not.toBe(first?.announced)
  await addUp(stretch)
  expect(await announceSum(db, stretch)).toBeUndefined()
  expect(second && (await addUpSum(db, second))).toBe(false)
})

test('while two processes take usage in, late or not, no sum is read beside other usage than its own', async () => {
  const other = world.open()
  const stretch = stretchOf('2026-03-10T00:00:00Z')
  const hours = (i: number) =>
    `2026-03-${String(2 + (i % 14)).padStart(2, '0')}T${String(i % 24).padStart(2, '0')}:30:00Z`
  let done = false
  let summed = 0
  const adding = (async () => {
    while (!done) {
      const announced = await announceSum(db, stretch)
      if (announced && (await addUpSum(db, announced))) summed += 1
    }
  })()
  const reading = (async () => {
    while (!done) {
      await snapshot(db, async (trx) => {
        const totals = await usageTotals(trx, idOf('ada'), { start: at(START), end: at(END) })
        const { rows } = await sql<{
          count: bigint
        }>`select coalesce(sum(count), 0)::int8 as count from usage_rollup`.execute(trx)
        expect(totals.get('sum')?.count ?? 0n).toBe(rows[0]?.count)
      })
    }
  })()
  let rounds = 0
  // Whoever is at work in another database may keep sums from being made for as long as it likes.
  for (; rounds < 30 || summed === 0; rounds += 1) {
    const round = rounds
    await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        (i % 2 ? usage : other).take([event({ time: hours(round * 10 + i) }), event({ time: hours(round) })]),
      ),
    )
  }
  done = true
  await Promise.all([adding, reading])
  await other.close()
  await addUp(stretch)
  expect((await read()).sum?.[0]).toBe(20 * rounds)
})

test('an invoice that is read again is added up ahead, up to a midnight more than a day ago', async () => {
  await use(month)
  const before = await read()
  const sums = newSumsAhead({ db, clock: world.clock, log: createLog({ logLevel: 'silent' }) })
  const invoice = (fields: Partial<InvoiceRow> = {}) =>
    ({
      ...{ customerId: idOf('ada'), status: 'current', planVersionId: 'plan_version_1' },
      ...{ periodStart: at(START), periodEnd: at(END), ...fields },
    }) as InvoiceRow
  const wait = world.wall.time
  const readAt = async (second: number, now: string, fields?: Partial<InvoiceRow>) => {
    world.wall.time = wait + second
    sums.noticeRead(invoice(fields), at(now))
    await sums.settled()
    return summedUntil(db, { customerId: idOf('ada'), starts: at(START), end: at(END) })
  }
  const rows = async () => (await db.selectFrom('usageSum').select('until').execute()).length
  expect(await readAt(0, '2026-03-11T18:00:00Z')).toBeUndefined()
  expect(await readAt(0, '2026-03-11T18:00:00Z')).toBeUndefined()
  expect(await rows()).toBe(0)
  expect(await readAt(1, '2026-03-11T18:00:00Z', { status: 'paid' })).toBeUndefined()
  expect(await rows()).toBe(0)
  expect(await readAt(1, '2026-03-11T18:00:00Z')).toBeUndefined()
  expect(await rows()).toBe(1)
  let second = 2
  // Somebody who was at work may be still, in whichever database.
  while ((await readAt(second, '2026-03-11T18:00:00Z')) === undefined) second += 1
  expect(await readAt(second, '2026-03-11T18:00:00Z')).toBe(at('2026-03-10T00:00:00Z'))
  expect(await read()).toEqual(before)
  // A day later a longer one takes its place, and of a period that has just begun nothing is.
  while ((await readAt(second, '2026-03-12T18:00:00Z')) !== at('2026-03-11T00:00:00Z')) second += 60
  expect(await rows()).toBe(1)
  expect(await read()).toEqual(before)
  for (const later of [0, 100, 200, 300])
    await readAt(second + later, '2026-03-12T18:00:00Z', { periodStart: at('2026-03-11T00:00:00Z') })
  expect(await rows()).toBe(1)
  await sums.close()
})
