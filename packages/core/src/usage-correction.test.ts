import { expect, test } from 'vitest'
import { money } from './money.ts'
import { units } from './quantity.ts'
import { correctedLines } from './usage-correction.ts'

const line = (key: string, quantity: bigint | null, minor: bigint) => ({
  key,
  quantity: quantity === null ? null : units(quantity),
  amount: money(minor, 'usd'),
})

test('only what changes is told, a share without a quantity', () => {
  const before = [line('compute', 120n, 120n), line('storage', 7n, 70n), line('support', null, 19n)]
  const after = [line('compute', 100n, 100n), line('storage', 7n, 70n), line('support', null, 17n)]
  expect(correctedLines(before, after)).toEqual([
    { line: 'compute', quantity: { before: '120', after: '100' }, amount: { before: '1.20', after: '1.00' } },
    { line: 'support', quantity: null, amount: { before: '0.19', after: '0.17' } },
  ])
})

test('a quantity that costs the same is told all the same', () => {
  expect(correctedLines([line('compute', 3n, 0n)], [line('compute', 2n, 0n)])).toEqual([
    { line: 'compute', quantity: { before: '3', after: '2' }, amount: { before: '0.00', after: '0.00' } },
  ])
})

test('a line that is gone comes to nothing, and a new one came from nothing', () => {
  expect(correctedLines([line('eu', 40n, 40n)], [line('us', 7n, 14n)])).toEqual([
    { line: 'us', quantity: { before: '0', after: '7' }, amount: { before: '0.00', after: '0.14' } },
    { line: 'eu', quantity: { before: '40', after: '0' }, amount: { before: '0.40', after: '0.00' } },
  ])
})
