import { expect, test } from 'vitest'
import { defineCatalog } from './catalog.ts'
import { explain } from './derivation.ts'
import { formatMoney, zero } from './money.ts'
import type { Price } from './price.ts'
import { priceFromJson, priceToJson } from './price.ts'
import { priceInWords } from './price-in-words.ts'
import type { Problem } from './problem.ts'
import { formatQuantity, units } from './quantity.ts'
import { rate } from './rating.ts'
import type { UsageGroup } from './usage-group.ts'

const catalogOf = (price: object, dimensions: unknown = ['region'], others: object = {}) =>
  defineCatalog({
    currency: 'usd',
    products: { cloud: { name: 'Cloud' } },
    meters: {
      cpu: { name: 'CPU', unitLabel: 'second', aggregation: 'sum', dimensions: dimensions as string[] },
    },
    plans: {
      cloud: {
        name: 'Cloud',
        product: 'cloud',
        interval: 'month',
        prices: {
          fee: { kind: 'recurring', model: 'flat', amount: '20.00' },
          cpu: { meter: 'cpu', ...price } as never,
          ...others,
        },
      },
    },
  })

const faultsOf = (make: () => unknown): string[] => {
  try {
    make()
  } catch (error) {
    return (error as Problem).faults.map(({ pointer, code }) => `${pointer} ${code}`)
  }
  return []
}

const group = (value: string | null, quantity: bigint): UsageGroup => ({
  key: value ?? 'none',
  values: [value],
  totals: { count: 1n, sum: units(quantity), max: units(quantity), last: units(quantity) },
})

function linesOf(price: object, groups: readonly UsageGroup[], billed: readonly string[] = []) {
  const { meters, plans } = catalogOf(price)
  const prices = plans[0]?.prices ?? []
  return rate({
    ...{ period: { start: 0, end: 86_400 }, prices, meters, usage: new Map() },
    ...{ recurringFee: zero('usd'), groups: new Map([['cpu', groups]]), billed: new Set(billed) },
  })
}
const shown = (...args: Parameters<typeof linesOf>) =>
  linesOf(...args).map(({ key, description, amount }) => `${key} ${description} = ${formatMoney(amount)}`)

const perUnit = { model: 'perUnit', unitAmount: '0.01', groupBy: ['region'] }

test('each group is a line, a missing value last', () => {
  expect(shown(perUnit, [group('us', 100n), group(null, 7n), group('eu', 50n)])).toEqual([
    'cpu_Geu CPU, eu: 50 second = 0.50',
    'cpu_Gus CPU, us: 100 second = 1.00',
    'cpu_Gnone CPU, no region: 7 second = 0.07',
  ])
})

test('a value may have a unit amount of its own', () => {
  const price = { ...perUnit, unitAmounts: { eu: '0.02' } }
  expect(shown(price, [group('us', 100n), group('eu', 50n)])).toEqual([
    'cpu_Geu CPU, eu: 50 second = 1.00',
    'cpu_Gus CPU, us: 100 second = 1.00',
  ])
})

// 10 units at 0.10, what is beyond at 0.05: each group begins in the first tier.
test('each group goes through the tiers by itself', () => {
  const tiers = [
    { upTo: '10', unitAmount: '0.10' },
    { upTo: null, unitAmount: '0.05' },
  ]
  expect(
    shown({ model: 'graduated', tiers, groupBy: ['region'] }, [group('eu', 12n), group('us', 4n)]),
  ).toEqual(['cpu_Geu CPU, eu: 12 second = 1.10', 'cpu_Gus CPU, us: 4 second = 0.40'])
})

// 100 lines for 102 groups of 1 … 102 units: 99 would leave three, so the two least are put together: 1 + 2.
const many = Array.from({ length: 102 }, (_, i) => group(`r${String(i).padStart(3, '0')}`, BigInt(i + 1)))

test('beyond a hundred lines the least groups share one, and nothing is lost', () => {
  const lines = linesOf(perUnit, many)
  expect(lines).toHaveLength(101)
  expect(lines.at(-1)?.description).toBe('CPU, others: 3 second')
  expect(lines.reduce((sum, { quantity }) => sum + (quantity ?? 0n), 0n)).toBe(units((102n * 103n) / 2n))
})

// Three groups of 12 in tiers of 10: 30 × 0.10 and 6 × 0.05, not 10 and 26.
test('groups in one line are priced each by itself, and rounded once', () => {
  const tiers = [
    { upTo: '10', unitAmount: '0.101' },
    { upTo: null, unitAmount: '0.05' },
  ]
  const price = { model: 'graduated', tiers, groupBy: ['region'] }
  const [line] = linesOf(price, [group('a', 12n), group('b', 12n), group('c', 12n)], ['cpu_Other'])
  expect(formatMoney(line?.amount ?? zero('usd'))).toBe('3.33')
  expect(line && explain(line.derivation)).toEqual([
    'cpu: CPU, 1970-01-01T00:00:00Z … 1970-01-02T00:00:00Z',
    'cpu: 36 second measured (sum of 3 events, 3 groups, each measured and priced by itself)',
    'tier 1 (0 … 10): 30 × 0.101 = 3.03',
    'tier 2 (over 10): 6 × 0.05 = 0.3',
    'sum: 3.33',
    'rounded once, half away from zero: 3.33 → 3.33 usd',
  ])
})

test('a line that others rest on is told by its group, not by a key that nobody can read', () => {
  const { meters, plans } = catalogOf(perUnit, ['region'], {
    least: { name: 'Least', model: 'minimum', amount: '5.00' },
    support: { model: 'percentage', percent: '10' },
  })
  const lines = rate({
    ...{ period: { start: 0, end: 86_400 }, meters, usage: new Map(), recurringFee: zero('usd') },
    prices: plans[0]?.prices ?? [],
    groups: new Map([['cpu', [group('eu', 100n), group(null, 50n)]]]),
  })
  const words = (key: string) => lines.flatMap((line) => (line.key === key ? explain(line.derivation) : []))
  // 100 and 50 seconds at 0.01; 5.00 less 1.50.
  expect(words('least')).toContain('used: cpu, eu 1.00 + cpu, no region 0.50 = 1.50')
  expect(words('support')).toContain('of: recurring fee 0 + cpu, eu 1 + cpu, no region 0.5 + least 3.5 = 5')
})

test('a line that was billed stays, and so does what was billed with the others', () => {
  const billed = ['cpu_Gr000', 'cpu_Gr101', 'cpu_Other']
  const lines = linesOf(perUnit, many, billed)
  expect(lines.map(({ key }) => key)).toEqual(billed)
  expect(lines.map(({ quantity }) => formatQuantity(quantity ?? 0n))).toEqual(['1', '102', '5150'])
  // Nothing of it is used any more: it is rated at nothing, so that it is given back.
  expect(linesOf(perUnit, [], ['cpu_Other']).map(({ quantity }) => quantity)).toEqual([0n])
})

test('a price with groups is stored and read as it is, and one without as it always was', () => {
  const priceOf = (price: object) => catalogOf(price).plans[0]?.prices[1] as Price
  const grouped = priceOf({ ...perUnit, unitAmounts: { us: '0.03', eu: '0.02' } })
  const json = priceToJson(grouped)
  expect(priceFromJson(JSON.parse(JSON.stringify(json)))).toEqual(grouped)
  expect(priceInWords(json)).toEqual([
    '0.01 USD for each unit of cpu',
    'of eu: 0.02 USD',
    'of us: 0.03 USD',
    'each region by itself',
  ])
  expect(Object.keys(priceToJson(priceOf({ model: 'perUnit', unitAmount: '0.01' })))).toEqual([
    'key',
    'name',
    'product',
    'currency',
    'kind',
    'timing',
    'meter',
    'model',
    'ratePicos',
  ])
})

test('what cannot be kept apart is refused', () => {
  const at = '#/plans/cloud/prices/cpu'
  expect(faultsOf(() => catalogOf({ ...perUnit, groupBy: ['app'] }))).toEqual([`${at}/groupBy unknown`])
  expect(faultsOf(() => catalogOf({ ...perUnit, groupBy: [] }))).toEqual([`${at}/groupBy invalid`])
  expect(faultsOf(() => catalogOf({ ...perUnit, groupBy: ['region', 'region'] }))).toEqual([
    `${at}/groupBy invalid`,
  ])
  expect(faultsOf(() => catalogOf({ ...perUnit, included: '5' }))).toEqual([`${at}/included invalid`])
  const rates = { unitAmounts: { eu: '0.02' } }
  expect(faultsOf(() => catalogOf({ model: 'perUnit', unitAmount: '0.01', ...rates }))).toEqual([
    `${at}/unitAmounts invalid`,
  ])
  expect(
    faultsOf(() => catalogOf({ ...perUnit, ...rates, groupBy: ['app', 'region'] }, ['app', 'region'])),
  ).toEqual([`${at}/unitAmounts invalid`])
  expect(faultsOf(() => catalogOf(perUnit, ['region', 'quantity']))).toEqual([
    '#/meters/cpu/dimensions invalid',
  ])
})
