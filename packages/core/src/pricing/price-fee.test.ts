import { expect, test } from 'vitest'
import { numberOf } from '../item-numbers.ts'
import { money, round } from '../money.ts'
import type { PriceModel, Tier } from '../price.ts'
import { units } from '../quantity.ts'
import { feesOf, priceFee } from './price-fee.ts'

const usd = (minor: bigint) => money(minor, 'usd')
const tier = (upTo: bigint | null, unit: bigint, flat: bigint): Tier => ({
  upTo: upTo === null ? null : units(upTo),
  rate: { picos: unit * 10n ** 12n, currency: 'usd' },
  flat: usd(flat),
})

// https://docs.stripe.com/products-prices/pricing-models: 5 a unit and 10 up to five, 4 and 20 up to ten, 3 and 30
// beyond. Twelve cost 25 + 10 + 20 + 20 + 6 + 30 = 111 graduated; none cost 10 whatever the tiers mode.
const tiers = [tier(5n, 500n, 1000n), tier(10n, 400n, 2000n), tier(null, 300n, 3000n)]

test.each<[PriceModel['model'], bigint, bigint]>([
  ['graduated', 0n, 1000n],
  ['graduated', 1n, 1500n],
  ['graduated', 12n, 11_100n],
  ['volume', 0n, 1000n],
  ['volume', 12n, 6600n],
])('%s tiers cost, of %d, %d', (model, number, total) => {
  const price = { model: model as 'graduated' | 'volume', tiers, currency: 'usd' }
  expect(round(priceFee(price, number).exact)).toEqual(usd(total))
})

test('of no package and no unit nothing is paid', () => {
  const packages = { model: 'package', amount: usd(1000n), size: units(1000n), round: 'up' } as const
  expect(round(priceFee({ ...packages, currency: 'usd' }, 0n).exact)).toEqual(usd(0n))
  expect(round(priceFee({ ...packages, currency: 'usd' }, 2001n).exact)).toEqual(usd(3000n))
})

const flat = { key: 'fee', model: 'flat', amount: usd(2000n), currency: 'usd' } as const
const seat = {
  key: 'seat',
  model: 'perUnit',
  rate: { picos: 500n * 10n ** 12n, currency: 'usd' },
  currency: 'usd',
} as const

test.each([
  [0, 0n],
  [1, 2000n],
  [3, 6000n],
])('a flat price alone is paid as often as it stands there: %d times', (number, total) => {
  expect(feesOf([flat], number)).toEqual([usd(total)])
})

test.each([0, 1, 7])('a flat price is paid once beside %d of another', (number) => {
  expect(numberOf(flat, [flat, seat], number)).toBe(1)
  expect(feesOf([flat, seat], number)).toEqual([usd(2000n), usd(500n * BigInt(number))])
})

test.each([
  [{}, 2000n, 500n],
  [{ fee: 2 }, 4000n, 500n],
  [{ care: 0 }, 2000n, 0n],
  [{ fee: 0, care: 3 }, 0n, 1500n],
])('of several flat prices each is paid as often as its own item says: %j', (numbers, fee, care) => {
  const other = { ...flat, key: 'care', amount: usd(500n) }
  expect(feesOf([flat, other], 1, numbers)).toEqual([usd(fee), usd(care)])
  expect(feesOf([flat, seat], 3, numbers)).toEqual([usd(fee), usd(1500n)])
})

test('what has no item costs nothing, not even the flat amount of the first tier that none of it costs', () => {
  const tiered = { key: 'room', model: 'graduated', tiers: [tier(10n, 100n, 700n)], currency: 'usd' } as const
  expect(feesOf([flat, tiered], 0)).toEqual([usd(2000n), usd(700n)])
  expect(feesOf([flat, tiered], 0, { room: null })).toEqual([usd(2000n), usd(0n)])
})

test('several of a flat price are shown as so many times its amount', () => {
  expect(priceFee(flat, 3n).steps).toEqual([{ kind: 'perUnit', quantity: '3', rate: '20', amount: '60' }])
  expect(priceFee(flat, 1n).steps).toEqual([{ kind: 'flat', quantity: '1', amount: '20' }])
})
