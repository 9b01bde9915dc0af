import { expect, test } from 'vitest'
import { syncPolicyFaults } from './direction.ts'
import { importPolicy, isSameShare, MonthlySum } from './import.ts'

test('what an import lets in holds together', () => {
  expect(syncPolicyFaults(importPolicy)).toEqual([])
})

test('fees of different rhythms add up to what they bring a month, rounded once for each currency', () => {
  const sum = new MonthlySum()
  // A third of 100 three times is 100, and not three times 33.
  for (let times = 0; times < 3; times += 1)
    sum.add({ currency: 'usd', interval: 'month', intervalCount: 3, amount: 100n })
  sum.add({ currency: 'usd', interval: 'year', intervalCount: 1, amount: 1200n })
  // 365/84 of a week's fee: 700 × 365 ÷ 84 = 3041.67.
  sum.add({ currency: 'jpy', interval: 'week', intervalCount: 1, amount: 700n })
  expect(sum.total()).toEqual([
    { currency: 'jpy', minor: 3042n },
    { currency: 'usd', minor: 200n },
  ])
  expect(new MonthlySum().total()).toEqual([])
})

test('what one subscription brings a month is compared before it is rounded', () => {
  const yearly = new MonthlySum()
  yearly.add({ currency: 'usd', interval: 'year', intervalCount: 1, amount: 100n })
  // 100 a year are 8⅓ a month, and 101 are 8 5/12: both are 8 when rounded.
  expect(isSameShare(yearly.exact('usd'), { numerator: 25n, denominator: 3n })).toBe(true)
  expect(isSameShare(yearly.exact('usd'), { numerator: 101n, denominator: 12n })).toBe(false)
  expect(isSameShare(yearly.exact('eur'), { numerator: 0n, denominator: 7n })).toBe(true)
})
