import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { units } from './quantity.ts'
import { capsOn, reached, type Spending, type SpendLimit, thresholdsOf } from './spend-limit.ts'

const dollars: SpendLimit = {
  ...{ id: 'spend_limit_1', owner: 'customer', meter: null, currency: 'usd' },
  ...{ cap: 10_000n, alerts: [], alertPercents: [] },
}
const calls: SpendLimit = { ...dollars, meter: 'calls', currency: null, cap: units(1000n) }
const spending = (amount: bigint, used = 0n): Spending => ({
  currency: 'usd',
  amount,
  quantities: new Map([['calls', used]]),
})
const words = (limit: SpendLimit, at: Spending) => reached(limit, at).map(({ kind, at }) => `${kind} ${at}`)

test('each figure is told of by itself, the smallest first, and one that is named twice once', () => {
  const limit = { ...dollars, alerts: [8000n, 2500n, 12_000n], alertPercents: [50, 80, 100] }
  expect(thresholdsOf(limit)).toEqual([
    { kind: 'alert', at: 2500n },
    { kind: 'alert', at: 5000n },
    { kind: 'alert', at: 8000n },
    { kind: 'alert', at: 10_000n },
    { kind: 'cap', at: 10_000n },
    { kind: 'alert', at: 12_000n },
  ])
})

test('a figure is reached at itself, and not a cent before', () => {
  const limit = { ...dollars, alertPercents: [50] }
  expect(words(limit, spending(4999n))).toEqual([])
  expect(words(limit, spending(5000n))).toEqual(['alert 5000'])
  expect(words(limit, spending(9999n))).toEqual(['alert 5000'])
  expect(words(limit, spending(10_000n))).toEqual(['alert 5000', 'cap 10000'])
  expect(words(limit, spending(-1n))).toEqual([])
})

test('a hundredth that no coin is worth is reached with the next coin', () => {
  // 33 % of 0.10 are 3.3 cents, of 1 yen a third of one.
  expect(thresholdsOf({ ...dollars, cap: 10n, alertPercents: [33] })[0]).toEqual({ kind: 'alert', at: 4n })
  expect(thresholdsOf({ ...dollars, currency: 'jpy', cap: 1n, alertPercents: [33] })).toEqual([
    { kind: 'alert', at: 1n },
    { kind: 'cap', at: 1n },
  ])
})

test('a share of the cap is reached exactly when so many hundredths of it are spent', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 10n ** 12n }),
      fc.integer({ min: 1, max: 100 }),
      fc.bigInt({ min: 0n, max: 2n * 10n ** 12n }),
      (cap, percent, spent) => {
        const limit = { ...dollars, cap, alertPercents: [percent] }
        const isTold = reached(limit, spending(spent)).some(({ kind }) => kind === 'alert')
        expect(isTold).toBe(spent * 100n >= cap * BigInt(percent))
      },
    ),
  )
})

test('a limit holds in its own currency, and on a meter that has a price', () => {
  expect(words({ ...dollars, currency: 'eur' }, spending(20_000n))).toEqual([])
  expect(words(calls, spending(0n, units(1000n)))).toEqual(['cap 1000000000000'])
  expect(words({ ...calls, meter: 'others' }, spending(0n, units(1000n)))).toEqual([])
})

test('a feature comes under the caps of its own meter, and of the amount if its use costs something', () => {
  const limits = [dollars, { ...calls, id: 'spend_limit_2' }, { ...calls, meter: 'others' }]
  expect(capsOn('calls', limits, spending(10_000n, units(999n)))).toEqual([
    { limit: 'spend_limit_1', upTo: null, isReached: true },
    { limit: 'spend_limit_2', upTo: units(1000n), isReached: false },
  ])
  expect(capsOn('others', limits, spending(10_000n))).toEqual([])
  expect(capsOn('calls', [{ ...dollars, cap: null, alerts: [1n] }], spending(10_000n))).toEqual([])
})
