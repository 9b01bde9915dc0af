import { expect, test } from 'vitest'
import { syncPolicyFaults } from './direction.ts'
import { importPolicy, MonthlySum } from './import.ts'

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
