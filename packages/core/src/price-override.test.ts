import { expect, test } from 'vitest'
import { readOverride } from './catalog/read-override.ts'
import { defineCatalog } from './catalog.ts'
import { type Price, priceToJson } from './price.ts'
import { beginningsOf, isOverridable, type PriceOverride, withOwnPrices } from './price-override.ts'

const { plans } = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' } },
  meters: {
    seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' },
    bytes: { name: 'Bytes', unitLabel: 'byte', aggregation: 'sum' },
  },
  plans: {
    cloud: {
      ...{ name: 'Cloud', product: 'cloud', interval: 'month' },
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '9.00' },
        backup: { kind: 'recurring', model: 'flat', amount: '2.00', timing: 'inArrears' },
        compute: { meter: 'seconds', model: 'perUnit', unitAmount: '0.01', included: '10' },
        support: { model: 'percentage', percent: '10' },
        least: { model: 'minimum', amount: '5.00' },
      },
    },
    traffic: {
      ...{ name: 'Traffic', product: 'cloud', interval: 'month' },
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '9.00' },
        compute: { meter: 'bytes', model: 'perUnit', unitAmount: '0.03' },
      },
    },
  },
})
const prices = plans.find(({ key }) => key === 'cloud')?.prices ?? []
const priceOf = (key: string) => prices.find((price) => price.key === key) as Price

const own = (id: string, startsAt: number, unitAmount: string | null): PriceOverride => ({
  id,
  price: 'compute',
  terms:
    unitAmount === null
      ? null
      : readOverride({ model: 'perUnit', unitAmount }, priceOf('compute'), '#').price,
  startsAt,
})

/** Which override a period has that begins then. */
const holding = (overrides: readonly PriceOverride[], at: number) =>
  withOwnPrices(prices, overrides, at).find(({ key }) => key === 'compute')?.override

test('a period has the one made last of those that began before it, also where one made earlier begins later', () => {
  const made = [own('a', 200, '0.02'), own('b', 100, '0.03'), own('c', 100, '0.04'), own('d', 300, null)]
  expect([99, 100, 199, 200, 299, 300].map((at) => holding(made, at))).toEqual([
    ...[undefined, 'c', 'c', 'c', 'c', undefined],
  ])
})

test.each([
  ['corrected', '0.008', 'b'],
  ['taken back', null, undefined],
])(
  'a mistake for the next period that is %s from this one on does not come back with the next',
  (_, unitAmount, expected) => {
    // 0.08 was typed for 0.008, from 101 on; the period that runs began at 100.
    const made = [own('a', 101, '0.08'), own('b', 100, unitAmount)]
    expect([100, 101, 500].map((at) => holding(made, at))).toEqual([expected, expected, expected])
    expect(holding(made, 99)).toBeUndefined()
  },
)

test('the moments at which something may become different, in order and each once', () => {
  const made = [own('a', 300, '0.02'), own('b', 100, '0.03'), own('c', 300, null), own('d', 50, '0.01')]
  expect(beginningsOf(made, 100)).toEqual([100, 300])
})

test('its terms take the place of all of the plan’s; another meter is another thing', () => {
  const [, , compute] = withOwnPrices(prices, [own('a', 0, '0.02')], 0)
  expect(compute).toMatchObject({ key: 'compute', name: 'Seconds', meter: 'seconds', override: 'a' })
  expect(compute?.included).toBeUndefined()
  const traffic = plans.find(({ key }) => key === 'traffic')?.prices ?? []
  expect(withOwnPrices(traffic, [own('a', 0, '0.02')], 0)).toEqual(traffic)
})

test('where the plan groups by other dimensions since, the plan’s price holds: usage is read in its groups', () => {
  const grouped = prices.map((price) => (price.key === 'compute' ? { ...price, groupBy: ['region'] } : price))
  expect(withOwnPrices(grouped, [own('a', 0, '0.02')], 0)).toEqual(grouped)
})

test('of a price that groups, single values may have rates of their own here too', () => {
  const grouped: Price = { ...priceOf('compute'), groupBy: ['region'] }
  const written = { model: 'perUnit', unitAmount: '0.02', unitAmounts: { eu: '0.03' } }
  const { price, faults } = readOverride(written, grouped, '#')
  expect(faults).toEqual([])
  // 2 and 3 cents, in millionths of a millionth of a cent.
  const kept = JSON.parse(JSON.stringify(priceToJson(price)))
  expect(kept).toMatchObject({
    groupBy: ['region'],
    ratePicos: '2000000000000',
    picosByValue: { eu: '3000000000000' },
  })
  const refused = (of: Price) => readOverride(written, of, '#').faults.map(({ pointer }) => pointer)
  expect(refused(priceOf('compute'))).toEqual(['#/unitAmounts'])
  expect(refused({ ...grouped, groupBy: ['app', 'region'] })).toEqual(['#/unitAmounts'])
})

test('what Lockstep rates by usage may be a subscription’s own, and no fee, whether in advance or in arrears', () => {
  expect(prices.filter(isOverridable).map(({ key }) => key)).toEqual(['compute', 'support', 'least'])
})

test.each([
  ['compute', { model: 'share' }, ['#/terms/model invalid', '#/terms/amount required']],
  ['compute', { model: 'perUnit', unitAmount: '0.01', meter: 'bytes' }, ['#/terms/meter unknown_field']],
  ['compute', { model: 'flat', amount: '-1' }, ['#/terms/amount amount_invalid']],
  ['support', { model: 'percentage', percent: '10', maximum: '1' }, ['#/terms/maximum invalid']],
  ['least', { model: 'maximum', amount: '1' }, ['#/terms/model invalid']],
  ['least', { model: 'minimum', amount: '4.00' }, []],
])('of %s %j', (key, written, expected) => {
  const { faults } = readOverride(written, priceOf(key), '#/terms')
  expect(faults.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(expected)
})
