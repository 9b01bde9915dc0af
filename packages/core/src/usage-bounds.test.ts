import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { wholePeriodOf } from './billing-cycle.ts'
import { defineCatalog } from './catalog.ts'
import { explain } from './derivation.ts'
import { parseInstant } from './instant.ts'
import { noUsage, type UsageTotals } from './meter.ts'
import { formatMoney, money, zero } from './money.ts'
import type { Period } from './period.ts'
import { units } from './quantity.ts'
import { type RatingInput, rate } from './rating.ts'

const at = (text: string) => parseInstant(text) ?? -1
const january: Period = { start: at('2026-01-01T00:00:00Z'), end: at('2026-02-01T00:00:00Z') }

// A cent a second, a dollar a gigabyte; at least 5.00 and at most 12.00 of both, and a tenth of it all for support.
const catalog = (currency: string, [second, gigabyte, least, most]: [string, string, string, string]) =>
  defineCatalog({
    currency,
    products: { cloud: { name: 'Cloud' } },
    meters: {
      seconds: { name: 'Compute', unitLabel: 'second', aggregation: 'sum' },
      traffic: { name: 'Traffic', unitLabel: 'GB', aggregation: 'sum' },
    },
    plans: {
      cloud: {
        ...{ name: 'Cloud', product: 'cloud', interval: 'month' },
        prices: {
          fee: { kind: 'recurring', model: 'flat', amount: '0' },
          compute: { meter: 'seconds', model: 'perUnit', unitAmount: second },
          traffic: { meter: 'traffic', model: 'perUnit', unitAmount: gigabyte },
          least: { name: 'Minimum usage', model: 'minimum', amount: least },
          most: { name: 'Usage cap', model: 'maximum', amount: most },
          support: { model: 'percentage', percent: '10' },
        },
      },
    },
  })

const dollars = catalog('usd', ['0.01', '1.00', '5.00', '12.00'])

const used = (quantity: bigint): UsageTotals => ({ ...noUsage, count: 1n, sum: units(quantity) })

function input({ plans: [plan], meters } = dollars, seconds = 0n, gigabytes = 0n): RatingInput {
  if (!plan) throw new Error('there is a plan')
  return {
    ...{ period: january, prices: plan.prices, meters, recurringFee: zero(plan.currency) },
    usage: new Map([
      ['seconds', used(seconds)],
      ['traffic', used(gigabytes)],
    ]),
  }
}

const charges = (of: RatingInput) =>
  Object.fromEntries(rate(of).map(({ key, amount }) => [key, formatMoney(amount)]))

// Seconds and gigabytes; then compute, traffic, what is missing to 5.00, and a tenth of the three.
test.each([
  ['nothing', 0n, 0n, '0.00', '0.00', '5.00', '0.50'],
  ['too little', 123n, 2n, '1.23', '2.00', '1.77', '0.50'],
  ['a cent too little', 499n, 0n, '4.99', '0.00', '0.01', '0.50'],
  ['exactly the least', 300n, 2n, '3.00', '2.00', '0.00', '0.50'],
  ['between', 355n, 4n, '3.55', '4.00', '0.00', '0.76'], // 0.755
  ['exactly the most', 200n, 10n, '2.00', '10.00', '0.00', '1.20'],
  ['too much', 200n, 11n, '2.00', '10.00', '0.00', '1.20'],
  ['too much of the first', 5000n, 11n, '12.00', '0.00', '0.00', '1.20'],
])('%s', (_name, seconds, gigabytes, compute, traffic, least, support) => {
  expect(charges(input(dollars, seconds, gigabytes))).toEqual({ compute, traffic, least, support })
})

test('a line says how much was used of the least, and a cut one what was left for it', () => {
  const short = rate(input(dollars, 123n, 2n)).find(({ key }) => key === 'least')
  expect(short?.description).toBe('Minimum usage: 3.23 used of 5.00 USD')
  expect(short && explain(short.derivation)).toEqual([
    'least: Minimum usage, 2026-01-01T00:00:00Z … 2026-02-01T00:00:00Z',
    'at least: 5.00',
    'used: compute 1.23 + traffic 2.00 = 3.23',
    'missing: 1.77',
    'rounded once, half away from zero: 1.77 → 1.77 usd',
  ])
  const cut = rate(input(dollars, 200n, 11n)).find(({ key }) => key === 'traffic')
  expect(cut && explain(cut.derivation)).toEqual([
    'traffic: Traffic, 2026-01-01T00:00:00Z … 2026-02-01T00:00:00Z',
    'traffic: 11 GB measured (sum of 1 event)',
    'per unit: 11 × 1 = 11',
    'rounded once, half away from zero: 11 → 11.00 usd',
    'Usage cap, at most 12.00 − 2.00 of the lines before = 10.00 usd',
  ])
})

test('of a part of a period a part is promised, to the second and never a coin more', () => {
  const part = (end: string) => {
    const time = { ...january, end: at(end) }
    return { ...input(), period: time, promised: { time, whole: january } }
  }
  const until = (end: string) => rate(part(end))
  const least = (end: string) => {
    const line = until(end).find(({ key }) => key === 'least')
    return line && formatMoney(line.amount)
  }
  // 31 days: 15.5 of them are half.
  expect(least('2026-01-16T12:00:00Z')).toBe('2.50')
  // 10 of 31: 1.6129….
  expect(least('2026-01-11T00:00:00Z')).toBe('1.61')
  // A cent is 5,356.8 seconds of it.
  expect([least('2026-01-01T01:29:16Z'), least('2026-01-01T01:29:17Z')]).toEqual(['0.00', '0.01'])
  expect(least('2026-01-01T00:00:00Z')).toBe('0.00')
  // A period that was made longer costs no more.
  expect(least('2026-02-14T00:00:00Z')).toBe('5.00')
  const half = until('2026-01-16T12:00:00Z').find(({ key }) => key === 'least')
  expect(half && explain(half.derivation)[1]).toBe(
    'at least: 5.00 × 1,339,200 s ÷ 2,678,400 s, rounded down = 2.50',
  )
})

test('a trial has promised nothing; a free one is not cut either, because nothing is charged', () => {
  const billed = charges({ ...input(dollars, 2000n), promised: null })
  expect(billed).toEqual({ compute: '12.00', traffic: '0.00', support: '1.20' })
  expect(charges({ ...input(dollars, 2000n), free: 'trial', promised: null })).toEqual({
    ...{ compute: '0.00', traffic: '0.00', support: '0.00' },
  })
})

test('without a smaller coin, and where only whole tens of one are charged', () => {
  const yen = catalog('jpy', ['0.5', '100', '500', '1200'])
  expect(charges(input(yen, 3n, 0n))).toEqual({ compute: '2', traffic: '0', least: '498', support: '50' })
  expect(charges(input(yen, 2000n, 9n))).toMatchObject({ compute: '1000', traffic: '200', least: '0' })

  // Half a dinar's cent goes up; what is held against the bounds is what is charged.
  const dinars = catalog('kwd', ['0.005', '0.005', '1.000', '1.250'])
  expect(charges({ ...input(dinars, 1n, 3n), step: 10n })).toMatchObject({
    ...{ compute: '0.010', traffic: '0.020', least: '0.970' },
  })
  expect(charges({ ...input(dinars, 247n, 3n), step: 10n })).toMatchObject({
    ...{ compute: '1.240', traffic: '0.010', least: '0.000' },
  })
})

test('of a dinar the part is rounded down to what is charged, and a line tells its step', () => {
  const dinars = catalog('kwd', ['0.005', '0.005', '1.000', '1.250'])
  const time = { ...january, end: at('2026-01-17T00:00:00Z') }
  const rated = rate({
    ...input(dinars, 47n),
    ...{ period: time, promised: { time, whole: january }, step: 10n },
  })
  // 16 of 31 days are 0.516…, of which 0.510 can be charged; 47 × 0.005 are 0.235, charged 0.240; 0.270 are missing.
  const told = Object.fromEntries(rated.map(({ key, derivation }) => [key, explain(derivation)]))
  expect(told.compute?.slice(2)).toEqual([
    'per unit: 47 × 0.005 = 0.235',
    'rounded once, half away from zero: 0.235 → 0.235 kwd',
    'charged in steps of 0.010: 0.235 → 0.240 kwd',
  ])
  expect(told.least?.slice(1, 4)).toEqual([
    'at least: 1.000 × 1,382,400 s ÷ 2,678,400 s, rounded down = 0.510',
    'used: compute 0.240 + traffic 0.000 = 0.240',
    'missing: 0.270',
  ])
  // A tenth of 0.510 is 0.051.
  expect(told.support?.at(-1)).toBe('charged in steps of 0.010: 0.051 → 0.050 kwd')
})

test('without bounds a line of a dinar tells its step as well', () => {
  const dinars = catalog('kwd', ['0.005', '0.005', '1.000', '1.250'])
  const { prices, ...rest } = input(dinars, 1n)
  const [compute] = rate({ ...rest, prices: prices.filter(({ kind }) => kind !== 'bound'), step: 10n })
  expect(compute && explain(compute.derivation).at(-1)).toBe('charged in steps of 0.010: 0.005 → 0.010 kwd')
  expect(compute).toMatchObject({ amount: { minor: 10n }, derivation: { amount: '0.010' } })
})

test('the least is never more than the most: own prices may have made it so', () => {
  const crossed = input()
  const prices = crossed.prices.map((price) =>
    price.model === 'minimum' ? { ...price, amount: money(2000n, 'usd') } : price,
  )
  const missing = (of: RatingInput) => rate(of).find(({ key }) => key === 'least')
  expect(charges({ ...crossed, prices })).toMatchObject({ compute: '0.00', least: '12.00' })
  const least = missing({ ...input(dollars, 200n), prices })
  expect(least && explain(least.derivation).slice(1, 4)).toEqual([
    'at least: 20.00, and at most 12.00',
    'used: compute 2.00 + traffic 0.00 = 2.00',
    'missing: 10.00',
  ])
  // Of half the time it is 10.00, which is less.
  const time = { ...january, end: at('2026-01-16T12:00:00Z') }
  const half = missing({ ...crossed, prices, period: time, promised: { time, whole: january } })
  expect(half && formatMoney(half.amount)).toBe('10.00')
})

test('usage and what is missing of it always come to what was used, but within the bounds', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 3000n }),
      fc.bigInt({ min: 0n, max: 20n }),
      (seconds, gigabytes) => {
        const lines = rate(input(dollars, seconds, gigabytes)).filter(({ key }) => key !== 'support')
        const cents = seconds + 100n * gigabytes
        const within = cents < 500n ? 500n : cents > 1200n ? 1200n : cents
        expect(lines.reduce((total, { amount }) => total + amount.minor, 0n)).toBe(within)
        expect(lines.every(({ amount }) => amount.minor >= 0n)).toBe(true)
      },
    ),
  )
})

// A period's start, the cycle's anchor, and the whole period that it begins.
test.each([
  ['2026-02-28T00:00:00Z', '2026-01-31T00:00:00Z', '2026-02-28T00:00:00Z … 2026-03-31T00:00:00Z'],
  ['2026-03-10T00:00:00Z', '2026-01-10T00:00:00Z', '2026-03-10T00:00:00Z … 2026-04-10T00:00:00Z'],
  // The cycle was begun anew on the 20th, after this period had begun.
  ['2026-01-10T00:00:00Z', '2026-01-20T00:00:00Z', '2026-01-10T00:00:00Z … 2026-02-10T00:00:00Z'],
])('a period that began %s, in a cycle from %s', (start, anchor, whole) => {
  const cycle = { anchor: at(anchor), interval: 'month', intervalCount: 1 } as const
  const [from = '', to = ''] = whole.split(' … ')
  const part = { start: at(start), end: at(start) + 86_400 }
  expect(wholePeriodOf(part, cycle)).toEqual({ start: at(from), end: at(to) })
})
