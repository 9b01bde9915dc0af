import { formatQuantity, type Quantity, quantityOf } from '@lockstep/core/quantity'
import { afterAll, beforeEach, expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { newUsageWorld } from './support/usage-world.ts'

const world = await newUsageWorld({ customers: ['ada', 'ben', 'cy', 'dot'] })
const { usage, event } = world
afterAll(() => world.close())

beforeEach(async () => {
  await world.pool.query('truncate usage_identity, usage_event, usage_rollup')
})

const march = (externalId = 'ada') => world.totals(externalId, '2026-03-01T00:00:00Z', '2026-04-01T00:00:00Z')
const sumOf = async (externalId = 'ada') => formatQuantity((await march(externalId)).get('sum')?.sum ?? 0n)
const taken = (accepted: number, duplicates = 0) => ({ accepted, duplicates, conflicts: [] })

test('an event sent again changes nothing, alone or in a batch, now or later', async () => {
  const [one, two] = [event({ quantity: '1' }), event({ quantity: '2' })]
  expect(await usage.take(one)).toEqual(taken(1))
  expect(await usage.take(one)).toEqual(taken(0, 1))
  expect(await usage.take([one, two, two])).toEqual(taken(1, 2))
  expect(await sumOf()).toBe('3')
  expect(await world.counts()).toEqual({ identities: 2n, events: 2n, counted: 2n, same: true })
})

test('the same id from another source is another event', async () => {
  const one = event({ id: 'a', source: 'bc' })
  expect(await usage.take([one, { ...one, source: 'b', id: 'ca' }, { ...one, source: 'c' }])).toEqual(
    taken(3),
  )
})

test('of one identity with two contents the first stands, and the other is told by its place', async () => {
  const first = event({ id: 'x', quantity: '5' })
  const other = { ...first, data: { quantity: '6' } }
  const conflict = (index: number) => ({ index, source: 'test', id: 'x' })
  expect(await usage.take([event(), first, other])).toEqual({
    accepted: 2,
    duplicates: 0,
    conflicts: [conflict(2)],
  })
  expect(await usage.take([other, first, event(), { ...other, subject: 'ben' }])).toEqual({
    accepted: 1,
    duplicates: 1,
    conflicts: [conflict(0), conflict(3)],
  })
  expect(await sumOf()).toBe('7')
  expect((await march('ben')).size).toBe(0)
})

test('a repetition may be spelled otherwise, as long as it means the same', async () => {
  const one = event({ time: '2026-03-31T10:15:00.250Z', quantity: '1.50', data: { a: 1, b: 'x' } })
  const again = { ...one, time: '2026-03-31T11:15:00.25+01:00', data: { b: 'x', a: 1, quantity: '1.5' } }
  expect(await usage.take(one)).toEqual(taken(1))
  expect(await usage.take([again])).toEqual(taken(0, 1))
  const later = { ...one, time: '2026-03-31T10:15:00.251Z' }
  expect((await usage.take([later])).conflicts).toHaveLength(1)
})

test('one batch from eight connections at once, shuffled, of two processes: each event once', async () => {
  const batch = Array.from({ length: 300 }, (_, i) => event({ quantity: `${i}` }))
  const shuffled = () => [...batch].sort(() => Math.random() - 0.5)
  const other = world.open()
  const receipts = await Promise.all(
    Array.from({ length: 8 }, (_, i) => [usage, other][i % 2]?.take(shuffled()) ?? usage.take(batch)),
  )
  await other.close()
  expect(receipts.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(300)
  expect(receipts.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(7 * 300)
  expect(await sumOf()).toBe(`${(299 * 300) / 2}`)
  expect(await world.counts()).toEqual({ identities: 300n, events: 300n, counted: 300n, same: true })
})

test('many small requests at once, each answered with its own outcome', async () => {
  const known = event({ id: 'known' })
  await usage.take(known)
  const requests = Array.from({ length: 200 }, (_, i) => {
    if (i % 4 === 0) return { sent: known, expected: taken(0, 1) }
    if (i % 4 === 1) {
      const other = { ...known, data: { quantity: '9' } }
      const conflicts = [{ index: 0, source: 'test', id: 'known' }]
      return { sent: other, expected: { accepted: 0, duplicates: 0, conflicts } }
    }
    return { sent: event(), expected: taken(1) }
  })
  const receipts = await Promise.all(requests.map(({ sent }) => usage.take(sent)))
  expect(receipts).toEqual(requests.map(({ expected }) => expected))
})

test.each([
  ['a tenth ten times is one', Array<string>(10).fill('0.1'), '1'],
  [
    'the smallest part is not lost beside the greatest',
    ['999999999999999', '0.000000001'],
    '999999999999999.000000001',
  ],
  ['15 and 9 digits', ['123456789012345.123456789', '876543210987654.876543211'], '1000000000000000'],
  ['nothing is nothing', ['0', '0.000'], '0'],
])('%s', async (_, quantities, sum) => {
  await usage.take(quantities.map((quantity) => event({ quantity })))
  expect(await sumOf()).toBe(sum)
})

test('whole JSON numbers are as good as text; count meters need no quantity', async () => {
  await usage.take([
    event({ quantity: 3 }),
    event({ quantity: '4' }),
    event({ type: 'count', quantity: null }),
  ])
  const totals = await march()
  expect(totals.get('sum')).toMatchObject({ count: 2n, sum: quantityOf('7') })
  expect(totals.get('count')).toMatchObject({ count: 1n })
})

test('max and last do not depend on the order in which events come', async () => {
  const readings: [id: string, time: string, quantity: string][] = [
    ['a', '2026-03-31T10:15:00Z', '7'],
    ['b', '2026-03-31T10:15:00.5Z', '3'],
    ['c', '2026-03-31T10:15:00.5Z', '2'], // the last: of two at one moment the greater id
    ['d', '2026-03-31T10:14:59.999999Z', '9'],
    ['z', '2026-03-31T09:59:59Z', '8'],
  ]
  const events = readings.flatMap(([id, time, quantity]) =>
    ['max', 'last'].map((type) => event({ id, source: type, type, time, quantity })),
  )
  for (const order of [events, events.toReversed(), [...events.slice(4), ...events.slice(0, 4)]]) {
    for (const batch of [1, 3, 10]) {
      await world.pool.query('truncate usage_identity, usage_event, usage_rollup')
      for (let i = 0; i < order.length; i += batch) await usage.take(order.slice(i, i + batch))
      const totals = await march()
      expect([totals.get('max')?.max, totals.get('last')?.last]).toEqual([quantityOf('9'), quantityOf('2')])
    }
  }
})

test('events of months that nobody saw before make their partitions, also from two processes at once', async () => {
  const months = Array.from({ length: 14 }, (_, i) =>
    new Date(Date.UTC(2019, i, 28, 23, 59, 59)).toISOString(),
  )
  const other = world.open()
  await Promise.all(
    [usage, other].flatMap((way) =>
      months.map((time) => way.take([event({ time }), event({ time: '1999-12-31T00:00:00Z' })])),
    ),
  )
  await other.close()
  expect(await world.counts()).toMatchObject({ events: 56n, counted: 56n, same: true })
  const totals = await world.totals('ada', '2019-02-01T00:00:00Z', '2019-03-01T00:00:00Z')
  expect(totals.get('sum')?.count).toBe(2n)
  const { rows } = await world.pool.query(
    'select count(*) as lost from only usage_event_before_2010 where time >= $1',
    [new Date('2010-01-01')],
  )
  expect(rows).toEqual([{ lost: 0n }])
})

test('a third of everything repeated, in any order, in batches of any size: the sums are exact', async () => {
  const customers = ['ada', 'ben', 'cy', 'dot']
  const quantity = fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 15n - 1n }), fc.bigInt({ min: 0n, max: 10n ** 9n - 1n }))
    .map(([whole, nanos]) => whole * 10n ** 9n + nanos)
  const sent = fc.record({
    subject: fc.constantFrom(...customers),
    quantity,
    time: fc.integer({ min: Date.UTC(2026, 2, 1), max: Date.UTC(2026, 2, 31) }),
    again: fc.integer({ min: 0, max: 2 }),
  })
  const property = fc.asyncProperty(
    fc.array(sent, { minLength: 1, maxLength: 120 }),
    fc.integer({ min: 1, max: 50 }),
    fc.infiniteStream(fc.nat()),
    async (inputs, size, order) => {
      await world.pool.query('truncate usage_identity, usage_event, usage_rollup')
      const model = new Map<string, Quantity>()
      const events = inputs.flatMap((input) => {
        model.set(input.subject, (model.get(input.subject) ?? 0n) + input.quantity)
        const made = event({
          subject: input.subject,
          time: new Date(input.time).toISOString(),
          quantity: formatQuantity(input.quantity),
        })
        return input.again === 0 ? [made, made] : [made]
      })
      const keyed = events.map((made) => ({ made, key: order.next().value as number }))
      const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ made }) => made)
      const batches = Array.from({ length: Math.ceil(shuffled.length / size) }, (_, i) =>
        shuffled.slice(i * size, (i + 1) * size),
      )
      const receipts = await Promise.all(batches.map((batch) => usage.take(batch)))
      expect(receipts.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(inputs.length)
      for (const customer of customers) {
        expect((await march(customer)).get('sum')?.sum ?? 0n).toBe(model.get(customer) ?? 0n)
      }
    },
  )
  await fc.assert(property, { numRuns: 25 })
})
