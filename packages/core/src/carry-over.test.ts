import { expect, test } from 'vitest'
import { type HeldBack, heldBack } from './carry-over.ts'
import { money } from './money.ts'

const from = money(500n, 'usd')

// Cents of the periods before, of the one that is over (none: -), of the one that runs; and which wait: b, c, r.
test.each([
  [0n, null, 0n, ''],
  [0n, null, 499n, 'br'],
  [0n, null, 500n, ''],
  [300n, null, 0n, 'br'],
  [300n, null, 199n, 'br'],
  [300n, null, 200n, ''],
  // They stand on one invoice: a credit takes off what was enough.
  [600n, null, -200n, 'br'],
  // The renewal that is open takes what is over; the next one takes all that waited.
  [0n, 300n, 0n, 'bcr'],
  [0n, 300n, 199n, 'bcr'],
  [0n, 300n, 200n, 'c'],
  [200n, 200n, 100n, 'c'],
  [0n, 500n, 100n, 'r'],
  [200n, 300n, 1n, 'r'],
  [0n, 600n, -200n, ''],
  // Credits wait for nothing.
  [-300n, null, 0n, ''],
  [-300n, null, 300n, ''],
  [-300n, null, 301n, 'br'],
  [0n, -300n, 301n, 'r'],
] as const)('of %s, %s and %s cents wait: %s', (before, closing, current, expected) => {
  const held = heldBack(from, {
    ...{ before: money(before, 'usd'), periodsBefore: 1, current: money(current, 'usd') },
    closing: closing === null ? null : money(closing, 'usd'),
  })
  expect(lettersOf(held)).toBe(expected)
})

test('after a year of periods what there is is collected, however little', () => {
  const waiting = { before: money(11n, 'usd'), closing: null, current: money(1n, 'usd') }
  expect(lettersOf(heldBack(from, { ...waiting, periodsBefore: 11 }))).toBe('br')
  expect(lettersOf(heldBack(from, { ...waiting, periodsBefore: 12 }))).toBe('')
})

const lettersOf = ({ before, closing, current }: HeldBack) =>
  `${before ? 'b' : ''}${closing ? 'c' : ''}${current ? 'r' : ''}`
