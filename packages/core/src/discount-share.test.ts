import { expect, test } from 'vitest'
import { type DiscountableLine, type DiscountToShare, shareDiscounts } from './discount-share.ts'

const line = (amount: bigint, of: Partial<DiscountableLine> = {}): DiscountableLine => ({
  ...{ amount, discountable: true, product: null, item: null },
  ...of,
})
const percent = (text: string, of: Partial<DiscountToShare> = {}): DiscountToShare => ({
  ...{ off: { kind: 'percent', percent: text }, products: [], item: null },
  ...of,
})
const amount = (off: bigint, of: Partial<DiscountToShare> = {}): DiscountToShare => ({
  ...{ off: { kind: 'amount', amount: off }, products: [], item: null },
  ...of,
})

test('five dollars off lines of ten and twenty are 1.66 and 3.34', () => {
  // docs.stripe.com/billing/subscriptions/billing-mode/compare
  expect(shareDiscounts([line(1000n), line(2000n)], [amount(500n)])).toMatchObject({
    ...{ taken: [500n], of: [3000n], left: [834n, 1666n] },
  })
})

test('a percentage is rounded once for all lines, and the last one has the rest', () => {
  // 33.3 % of 1001 + 333 + 77 = 1411 is 469.863, so 470: 333 (333.4), 110 (110.9), and 27.
  expect(shareDiscounts([line(1001n), line(333n), line(77n)], [percent('33.3')])).toMatchObject({
    ...{ taken: [470n], left: [668n, 223n, 50n] },
  })
  // Half a cent is one: 50 % of 1.
  expect(shareDiscounts([line(1n)], [percent('50')]).taken).toEqual([1n])
})

test('the second of two is taken off what the first one left', () => {
  // 10 % of 3000 are 300; 5.00 off what is left is 5.00. The other way round: 5.00, then 10 % of 2500.
  expect(shareDiscounts([line(3000n)], [percent('10'), amount(500n)]).left).toEqual([2200n])
  expect(shareDiscounts([line(3000n)], [amount(500n), percent('10')]).left).toEqual([2250n])
})

test('no more is taken off than there is', () => {
  expect(shareDiscounts([line(300n), line(200n)], [amount(800n), percent('50')])).toMatchObject({
    ...{ taken: [500n, 0n], left: [0n, 0n] },
  })
})

test('credits and prorations stay as they are', () => {
  const lines = [line(1000n), line(-300n), line(500n, { discountable: false })]
  expect(shareDiscounts(lines, [percent('50')])).toMatchObject({ taken: [500n], left: [500n, -300n, 500n] })
})

test('one of a product is taken off the lines of that product, one of an item off that item', () => {
  const lines = [line(1000n, { product: 'a', item: 'first' }), line(1000n, { product: 'b' }), line(1000n)]
  expect(shareDiscounts(lines, [percent('50', { products: ['b', 'c'] })]).left).toEqual([1000n, 500n, 1000n])
  expect(shareDiscounts(lines, [percent('50', { item: 'first' })]).left).toEqual([500n, 1000n, 1000n])
})

test('nothing is taken off an empty invoice', () => {
  expect(shareDiscounts([], [percent('50'), amount(500n)])).toEqual({
    taken: [0n, 0n],
    of: [0n, 0n],
    left: [],
  })
})
