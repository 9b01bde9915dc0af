import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { money, negate, sum } from './money.ts'
import { prorate, prorateOver } from './proration.ts'

// Stripe's periods and moments (facts of its proration); one debit or credit each, so that the
// nearest minor unit and the allocation agree.
test.each([
  ['usd', 1000n, 1767225600, 1769904000, 1768608000, 484n],
  ['usd', 2500n, 1767225600, 1769904000, 1768608000, 1210n],
  ['usd', 14995n, 1769904000, 1772323200, 1770813000, 9361n],
  ['usd', 23992n, 1769904000, 1772323200, 1770813000, 14977n],
  ['usd', 24000n, 1772323200, 1803859200, 1780272000, 17951n],
  ['jpy', 1000n, 1775001600, 1777593600, 1776729600, 333n],
  ['jpy', 3000n, 1775001600, 1777593600, 1776729600, 1000n],
])('%s %s from %d to %d, cut at %d, leaves %s', (currency, minor, start, end, at, unused) => {
  const parts = prorate(money(minor, currency), { start, end }, at)
  // A leftover penny goes to the earlier part, so the later one may be a penny less than rounded.
  expect([unused, unused - 1n]).toContain(parts.unused.minor)
  expect(parts.used.minor + parts.unused.minor).toBe(minor)
})

test('ten dollars over 31 days, cut after 16 of them, is 5.17 and 4.83', () => {
  const day = 86_400
  const { used, unused } = prorate(money(1000n, 'usd'), { start: 0, end: 31 * day }, 16 * day)
  // 1000 × 16/31 = 516.12…, 1000 × 15/31 = 483.87…: 516 + 483 + a penny to the first.
  expect([used.minor, unused.minor]).toEqual([517n, 483n])
})

test('at its edges a period is all used or all unused', () => {
  const price = money(999n, 'kwd')
  expect(prorate(price, { start: 10, end: 20 }, 10)).toEqual({ used: money(0n, 'kwd'), unused: price })
  expect(prorate(price, { start: 10, end: 20 }, 20)).toEqual({ used: price, unused: money(0n, 'kwd') })
  expect(() => prorate(price, { start: 10, end: 20 }, 21)).toThrow()
  expect(() => prorateOver(price, { start: 10, end: 20 }, [15, 12])).toThrow('cuts are in order')
})

const prices = fc
  .tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.constantFrom('jpy', 'usd', 'kwd'))
  .map(([minor, currency]) => money(minor, currency))

test('used and unused are the price, wherever it is cut', () => {
  fc.assert(
    fc.property(
      prices,
      fc.nat(),
      fc.integer({ min: 1, max: 40_000_000 }),
      fc.nat(),
      (price, start, length, at) => {
        const { used, unused } = prorate(price, { start, end: start + length }, start + (at % (length + 1)))
        expect(sum(price.currency, [used, unused])).toEqual(price)
      },
    ),
  )
})

test('parts of a period add up to it, however many, and a credit mirrors its charge', () => {
  fc.assert(
    fc.property(
      prices,
      fc.array(fc.integer({ min: 0, max: 2_678_400 }), { maxLength: 10 }),
      (price, list) => {
        const period = { start: 0, end: 2_678_400 }
        const cuts = list.toSorted((a, b) => a - b)
        const parts = prorateOver(price, period, cuts)
        expect(parts).toHaveLength(cuts.length + 1)
        expect(sum(price.currency, parts)).toEqual(price)
        expect(prorateOver(negate(price), period, cuts)).toEqual(parts.map(negate))
      },
    ),
  )
})
