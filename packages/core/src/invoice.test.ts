import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { invoiceStatuses, isFrozen, isSettled, isWorthSending, remainder, totals } from './invoice.ts'
import { money, zero } from './money.ts'
import { units } from './quantity.ts'

const part = (count: number | null, minor: number) => ({
  quantity: count === null ? null : units(BigInt(count)),
  amount: money(BigInt(minor), 'usd'),
})
const billed = (count: number | null, minor: number) => ({ ...part(count, minor), discounted: zero('usd') })

test('what is billed already is subtracted, so tiers go on where they were', () => {
  // 1,200,000 requests at 0.40 for each begun million are 0.80; 0.40 was billed in mid-period.
  expect(remainder(part(1_200_000, 80), [billed(900_000, 40)])).toEqual(part(300_000, 40))
  expect(remainder(part(60, 18000), [billed(10, 5000), billed(1, -600)])).toEqual(part(49, 13600))
  expect(remainder(part(null, 202), [billed(null, 100)])).toEqual(part(null, 102))
  expect(remainder(part(5, 500), [])).toEqual(part(5, 500))
})

test('billed parts and the remainder are the whole', () => {
  const parts = fc.array(fc.tuple(fc.integer(), fc.integer()).map(([count, minor]) => billed(count, minor)))
  fc.assert(
    fc.property(parts, fc.integer(), fc.integer(), (before, count, minor) => {
      const rest = { ...remainder(part(count, minor), before), discounted: zero('usd') }
      expect(remainder(part(count, minor), [...before, rest])).toEqual(part(0, 0))
    }),
  )
})

test('used for nothing is shown, not used and not owed is not sent', () => {
  expect(isWorthSending(part(0, 0))).toBe(false)
  expect(isWorthSending(part(null, 0))).toBe(false)
  expect(isWorthSending(part(10, 0))).toBe(true)
  expect(isWorthSending(part(0, -40))).toBe(true)
})

test('an invoice changes until it is finalized', () => {
  expect(invoiceStatuses.filter(isFrozen)).toEqual(['open', 'paid', 'uncollectible', 'void'])
})

test('what was written off may still be paid, and what is paid or void stays so', () => {
  expect(invoiceStatuses.filter(isSettled)).toEqual(['paid', 'void'])
})

test('totals tell apart who computed what', () => {
  const lines = [
    { ratedBy: 'provider', amount: money(2000n, 'usd') },
    { ratedBy: 'lockstep', amount: money(16n, 'usd') },
    { ratedBy: 'lockstep', amount: money(-4n, 'usd') },
  ] as const
  expect(totals('usd', lines)).toEqual({
    provider: money(2000n, 'usd'),
    lockstep: money(12n, 'usd'),
    subtotal: money(2012n, 'usd'),
  })
  expect(totals('jpy', []).subtotal).toEqual(money(0n, 'jpy'))
})
