import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { catalogs } from '../test/catalogs.ts'
import { cloudHost } from '../test/cloud-host.ts'
import { explain } from './derivation.ts'
import { parseInstant } from './instant.ts'
import type { UsageTotals } from './meter.ts'
import { formatMoney, money, zero } from './money.ts'
import type { Plan } from './plan.ts'
import { isBilledByProvider } from './price.ts'
import { parseQuantity, units } from './quantity.ts'
import { rate, recurringFee } from './rating.ts'

const [plan] = cloudHost.plans as [Plan]
const period = {
  start: parseInstant('2015-05-17T00:00:00Z') ?? 0,
  end: parseInstant('2015-06-17T00:00:00Z') ?? 0,
}

const totals = (count: bigint, sum: string, max = sum): UsageTotals => ({
  count,
  sum: parseQuantity(sum) ?? -1n,
  max: parseQuantity(max) ?? -1n,
  last: null,
})
const usage = new Map([
  ['bandwidth_bytes', totals(482n, '2747282740')],
  ['compute_seconds', totals(31n, '1234567.5')],
  ['requests', totals(1_200_001n, '0')],
  ['storage_gib', totals(3n, '36', '12.5')],
])
const input = {
  period,
  prices: plan.prices,
  meters: cloudHost.meters,
  usage,
  recurringFee: money(2000n, 'usd'),
}

// By hand:
//   compute    1,234,567.5 × 0.0000144                         = 17.777772      17.78
//   bandwidth  1,747,282,740 over the first 10^9 × 0.09 / 10^9 =  0.1572554466   0.16
//   storage    12.5 × 0.15 + 1.00                              =  2.875          2.88
//   requests   2 begun millions × 0.40                         =  0.80           0.80
//   backup                                                        2.00           2.00
//   support    10 % of 20 + 17.78 + 0.16 + 2.88 + 0.80 + 2.00  =  4.362          4.36
test('a month of a cloud, in the plan’s order, without what the provider bills', () => {
  expect(rate(input).map(({ description, amount }) => `${description} = ${formatMoney(amount)}`)).toEqual([
    'Compute: 1,234,567.5 second = 17.78',
    'Bandwidth: 2,747,282,740 byte = 0.16',
    'Storage: 12.5 GiB = 2.88',
    'Requests: 1,200,001 request = 0.80',
    'Backup = 2.00',
    'Support, 10 % = 4.36',
  ])
})

test('every line explains itself to a bookkeeper', () => {
  expect(rate(input).flatMap(({ derivation }) => explain(derivation))).toEqual([
    'compute: Compute, 2015-05-17T00:00:00Z … 2015-06-17T00:00:00Z',
    'compute: 1,234,567.5 second measured (sum of 31 events)',
    'per unit: 1,234,567.5 × 0.0000144 = 17.777772',
    'rounded once, half away from zero: 17.777772 → 17.78 usd',
    'bandwidth: Bandwidth, 2015-05-17T00:00:00Z … 2015-06-17T00:00:00Z',
    'bandwidth: 2,747,282,740 byte measured (sum of 482 events)',
    'tier 1 (0 … 1,000,000,000): 1,000,000,000 × 0 = 0',
    'tier 2 (over 1,000,000,000): 1,747,282,740 × 0.00000000009 = 0.1572554466',
    'sum: 0.1572554466',
    'rounded once, half away from zero: 0.1572554466 → 0.16 usd',
    'storage: Storage, 2015-05-17T00:00:00Z … 2015-06-17T00:00:00Z',
    'storage: 12.5 GiB measured (max of 3 events)',
    'tier 2 (over 10): 12.5 × 0.15 + 1 flat = 2.875',
    'rounded once, half away from zero: 2.875 → 2.88 usd',
    'requests: Requests, 2015-05-17T00:00:00Z … 2015-06-17T00:00:00Z',
    'requests: 1,200,001 request measured (count of 1,200,001 events)',
    'packages: 1,200,001 ÷ 1,000,000, rounded up = 2',
    'packages: 2 × 0.4 = 0.8',
    'rounded once, half away from zero: 0.8 → 0.80 usd',
    'backup: Backup, 2015-05-17T00:00:00Z … 2015-06-17T00:00:00Z',
    'flat: 2',
    'rounded once, half away from zero: 2 → 2.00 usd',
    'support: Support, 2015-05-17T00:00:00Z … 2015-06-17T00:00:00Z',
    'of: recurring fee 20 + compute 17.78 + bandwidth 0.16 + storage 2.88 + requests 0.8 + backup 2 = 43.62',
    'share: 10 % × 43.62 = 4.362',
    'rounded once, half away from zero: 4.362 → 4.36 usd',
  ])
})

test('without usage only what does not depend on it is owed', () => {
  const lines = rate({ ...input, usage: new Map() })
  expect(lines.map(({ key, amount }) => [key, formatMoney(amount)])).toEqual([
    ['compute', '0.00'],
    ['bandwidth', '0.00'],
    ['storage', '0.00'],
    ['requests', '0.00'],
    ['backup', '2.00'],
    ['support', '2.20'],
  ])
  expect(lines[0]?.quantity).toBe(0n)
  expect(lines[5]?.quantity).toBeNull()
})

test('a free trial shows the usage at nothing, and why', () => {
  const lines = rate({ ...input, recurringFee: zero('usd'), free: 'trial' })
  expect(lines.every(({ amount }) => amount.minor === 0n)).toBe(true)
  expect(lines[0]?.quantity).toBe(parseQuantity('1234567.5'))
  expect(lines.map(({ derivation }) => derivation.amount)).toEqual(Array.from({ length: 6 }, () => '0.00'))
  expect(explain(lines[0]?.derivation ?? never()).slice(-2)).toEqual([
    'rounded once, half away from zero: 17.777772 → 17.78 usd',
    'free during the trial: 0.00 usd',
  ])
})

function never(): never {
  throw new Error('there is such a line')
}

test('the fee that the provider bills is the recurring prices in advance', () => {
  expect(recurringFee(plan.prices, 'usd')).toEqual(money(2000n, 'usd'))
  expect(recurringFee([], 'jpy')).toEqual(zero('jpy'))
})

test('a meter that is not there and a second currency are mistakes of ours', () => {
  expect(() => rate({ ...input, meters: [] })).toThrow('no such meter: compute_seconds')
  expect(() => rate({ ...input, recurringFee: zero('eur') })).toThrow('a plan has one currency')
})

const quantities = fc.bigInt({ min: 0n, max: 10n ** 16n })
const usages = fc
  .record({
    seconds: fc.tuple(quantities, quantities, quantities),
    bytes: fc.tuple(quantities, quantities, quantities),
  })
  .map(
    (meters) =>
      new Map(
        Object.entries(meters).map(([key, [count, sum, max]]) => [
          key,
          { count: count % 10n ** 9n, sum, max, last: sum },
        ]),
      ),
  )

test('rating in any order gives the same lines', () => {
  fc.assert(
    fc.property(catalogs, usages, fc.infiniteStream(fc.nat(50)), (catalog, amounts, places) => {
      for (const { prices, currency } of catalog.plans) {
        const fee = recurringFee(prices, currency)
        const lines = rate({ period, prices, meters: catalog.meters, usage: amounts, recurringFee: fee })
        const shuffled = prices
          .map((price) => ({ price, place: places.next().value ?? 0 }))
          .sort((a, b) => a.place - b.place)
          .map(({ price }) => price)
        const again = rate({
          period,
          prices: shuffled,
          meters: catalog.meters.toReversed(),
          usage: amounts,
          recurringFee: fee,
        })
        const byKey = new Map(again.map((line) => [line.key, line]))
        for (const line of lines) {
          expect(byKey.get(line.key)?.amount).toEqual(line.amount)
          expect(byKey.get(line.key)?.quantity).toEqual(line.quantity)
        }
        expect(byKey.size).toBe(lines.length)
      }
    }),
    { numRuns: 40 },
  )
})

test('lines are the prices that Lockstep rates, their derivations plain JSON that ends in the amount', () => {
  fc.assert(
    fc.property(catalogs, usages, (catalog, amounts) => {
      for (const { prices, currency } of catalog.plans) {
        const lines = rate({
          period,
          prices,
          meters: catalog.meters,
          usage: amounts,
          recurringFee: zero(currency),
        })
        expect(lines.map(({ key }) => key)).toEqual(
          prices.filter((price) => !isBilledByProvider(price)).map(({ key }) => key),
        )
        for (const { amount, derivation } of lines) {
          expect(JSON.parse(JSON.stringify(derivation))).toEqual(derivation)
          expect(derivation.rounded).toBe(formatMoney(amount))
          expect(explain(derivation).at(-1)).toContain('rounded once')
        }
      }
    }),
    { numRuns: 40 },
  )
})

test('a recurring price in arrears is sold once', () => {
  const [backup] = plan.prices.filter(({ key }) => key === 'backup')
  const [line] = rate({ ...input, prices: backup ? [backup] : [] })
  expect(line?.quantity).toBe(units(1n))
  expect(line?.derivation.measured).toBeNull()
})
