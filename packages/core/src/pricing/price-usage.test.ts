import { expect, test } from 'vitest'
import fc from '../../../../test/support/fast-check.ts'
import { catalogs } from '../../test/catalogs.ts'
import { defineCatalog } from '../catalog.ts'
import { formatExact, formatMoney, round } from '../money.ts'
import { type Price, priceFromJson, priceToJson } from '../price.ts'
import { priceInWords } from '../price-in-words.ts'
import { parseQuantity, type Quantity } from '../quantity.ts'
import { priceUsage } from './price-usage.ts'

const quantity = (text: string) => parseQuantity(text) as Quantity

const [plan, tokyo, kuwait] = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' } },
  meters: { calls: { name: 'Calls', unitLabel: 'call', aggregation: 'sum' } },
  plans: {
    cloud: {
      ...{ name: 'Cloud', product: 'cloud', interval: 'month' },
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '0' },
        unit: { meter: 'calls', model: 'perUnit', unitAmount: '0.0125', included: '100', maximum: '20.00' },
        pack: { meter: 'calls', model: 'package', size: '1000', amount: '0.80', included: '500' },
        flat: { meter: 'calls', model: 'flat', amount: '5.00', included: '10' },
        steps: {
          ...{ meter: 'calls', model: 'graduated', included: '5' },
          tiers: [
            { upTo: '10', unitAmount: '1.00' },
            { upTo: null, unitAmount: '0.50' },
          ],
        },
        all: {
          ...{ meter: 'calls', model: 'volume', included: '5', maximum: '9.99' },
          tiers: [
            { upTo: '10', unitAmount: '1.00' },
            { upTo: null, unitAmount: '0.50' },
          ],
        },
        nothing: { meter: 'calls', model: 'perUnit', unitAmount: '1', maximum: '0' },
      },
    },
    tokyo: {
      ...{ name: 'Tokyo', product: 'cloud', interval: 'month', currency: 'jpy' },
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '0' },
        unit: { meter: 'calls', model: 'perUnit', unitAmount: '0.5', included: '1', maximum: '7' },
      },
    },
    kuwait: {
      ...{ name: 'Kuwait', product: 'cloud', interval: 'month', currency: 'kwd' },
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '0' },
        unit: { meter: 'calls', model: 'perUnit', unitAmount: '0.0015', included: '0.5', maximum: '1.230' },
      },
    },
  },
}).plans.toSorted(
  (a, b) => ['cloud', 'tokyo', 'kuwait'].indexOf(a.key) - ['cloud', 'tokyo', 'kuwait'].indexOf(b.key),
)

const priceOf = (key: string, of = plan) => of?.prices.find((price) => price.key === key) as Price

// A price, what was used, what it costs before it is rounded, and what is charged.
test.each([
  ['unit', '0', '0', '0.00'],
  ['unit', '99.999999999', '0', '0.00'],
  ['unit', '100', '0', '0.00'],
  ['unit', '133', '0.4125', '0.41'], // 33 × 0.0125
  ['unit', '1700', '20', '20.00'], // 1,600 × 0.0125, exactly the most
  ['unit', '1700.08', '20', '20.00'], // 20.001 without it
  ['unit', '1000000', '20', '20.00'],
  ['pack', '500', '0', '0.00'],
  ['pack', '500.000000001', '0.8', '0.80'], // a package is begun by the first unit that is not included
  ['pack', '2500', '1.6', '1.60'], // 2,000 of them are two packages
  ['flat', '10', '0', '0.00'],
  ['flat', '11', '5', '5.00'],
  ['steps', '15', '10', '10.00'], // tiers count what is left: 10 × 1.00
  ['steps', '17', '11', '11.00'], // 10 × 1.00 + 2 × 0.50
  ['all', '14', '9', '9.00'], // 9 × 1.00
  ['all', '15', '9.99', '9.99'], // 10 × 1.00, a cent too much
  ['all', '16', '5.5', '5.50'], // 11 × 0.50
  ['nothing', '3', '0', '0.00'],
])('%s: of %s used %s is owed, charged %s', (key, used, exact, charged) => {
  const priced = priceUsage(priceOf(key), quantity(used))
  expect([formatExact(priced.exact), formatMoney(round(priced.exact))]).toEqual([exact, charged])
})

test('in a currency without a smaller coin, and in one with thousandths', () => {
  const yen = (used: string) => formatMoney(round(priceUsage(priceOf('unit', tokyo), quantity(used)).exact))
  expect([yen('1'), yen('2'), yen('14'), yen('15'), yen('16')]).toEqual(['0', '1', '7', '7', '7'])
  const dinars = (used: string) =>
    formatMoney(round(priceUsage(priceOf('unit', kuwait), quantity(used)).exact))
  expect([dinars('0.5'), dinars('1.5'), dinars('820.5'), dinars('9000')]).toEqual([
    '0.000',
    '0.002',
    '1.230',
    '1.230',
  ])
})

test('what is included and what is too much are steps of their own', () => {
  expect(priceUsage(priceOf('unit'), quantity('2000')).steps).toEqual([
    { kind: 'included', quantity: '2000', included: '100', billable: '1900', amount: '0' },
    { kind: 'perUnit', quantity: '1900', rate: '0.0125', amount: '23.75' },
    { kind: 'maximum', before: '23.75', maximum: '20', amount: '-3.75' },
  ])
  expect(priceInWords(priceToJson(priceOf('unit')))).toEqual([
    '0.0125 USD for each unit of calls',
    'the first 100 of a period are included',
    'at most 20.00 USD a period',
  ])
})

test('limits survive being stored, and a price without any is written as it always was', () => {
  for (const key of ['unit', 'pack', 'nothing']) {
    expect(priceFromJson(JSON.parse(JSON.stringify(priceToJson(priceOf(key)))))).toEqual(priceOf(key))
  }
  expect(Object.keys(priceToJson(priceOf('fee')))).toEqual([
    ...['key', 'name', 'product', 'currency', 'kind', 'timing', 'meter', 'model', 'amountMinor'],
  ])
})

test('more usage never costs less than the part of it that is included, nor more than the maximum', () => {
  fc.assert(
    fc.property(catalogs, fc.bigInt({ min: 0n, max: 10n ** 15n }), ({ plans }, used) => {
      for (const price of plans.flatMap(({ prices }) => prices)) {
        if (price.kind !== 'usage') continue
        const { exact } = priceUsage(price, used)
        if (price.maximum) expect(round(exact).minor <= price.maximum.minor).toBe(true)
        if (price.included !== undefined && used <= price.included) expect(exact.scaled).toBe(0n)
      }
    }),
    { numRuns: 50 },
  )
})
