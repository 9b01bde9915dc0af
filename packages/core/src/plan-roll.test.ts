import { expect, test } from 'vitest'
import { money } from './money.ts'
import { isNewPriceFor } from './plan-roll.ts'
import type { Price } from './price.ts'

const fee = (minor: bigint): Price => ({
  ...{ key: 'fee', name: 'Fee', product: 'team', currency: 'usd', meter: null },
  ...{ kind: 'recurring', timing: 'inAdvance', model: 'flat', amount: money(minor, 'usd') },
})
const monthly = { currency: 'usd', interval: 'month', intervalCount: 1, prices: [fee(1000n)] } as const

test.each([
  ['dearer', { prices: [fee(1200n)] }, true],
  ['the same', {}, false],
  ['without a fee', { prices: [] }, true],
  ['by the year', { interval: 'year', prices: [fee(1200n)] } as const, false],
  ['every two months', { intervalCount: 2, prices: [fee(1200n)] }, false],
  ['in another currency', { currency: 'eur', prices: [fee(1200n)] }, false],
])('a version that is %s: %#', (_, more, isNew) => {
  expect(isNewPriceFor(monthly, { ...monthly, ...more })).toBe(isNew)
})
