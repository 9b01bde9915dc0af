import { expect, test } from 'vitest'
import { type BilledTime, creditedSince, passingOn } from './credited-since.ts'
import { money } from './money.ts'

// A basic plan of 10.00, a premium one of 25.00, and January, of whose 31 days 20 are left on the 12th: 6.45 and 16.13.

const usd = (minor: number) => money(BigInt(minor), 'usd')
const JAN_1 = 0
const JAN_12 = 11
const JAN_20 = 19
const FEB_1 = 31
const MAR_1 = 59

type Line = [amount: number, start: number, end: number, credits?: string | null]

function document(id: string, ...lines: Line[]): BilledTime {
  return {
    id,
    lines: lines.map(([amount, start, end, credits = null]) => ({
      subscription: 'sub',
      period: { start, end },
      amount: usd(amount),
      credits,
      isUsage: false,
    })),
  }
}

function since(id: string, documents: BilledTime[], kept: Record<string, number> = {}): number {
  return Number(creditedSince(id, { currency: 'usd', documents, kept: (one) => usd(kept[one] ?? 0) }).minor)
}

const premium = document('first', [2500, JAN_1, FEB_1])
const basic = document('first', [1000, JAN_1, FEB_1])
const down = document('second', [-1613, JAN_12, FEB_1, 'first'], [645, JAN_12, FEB_1])
const up = document('second', [-645, JAN_12, FEB_1, 'first'], [1613, JAN_12, FEB_1])

test('a downgrade gives back what it credits beyond what it bills instead', () => {
  expect(since('first', [down, premium])).toBe(968)
  expect(since('second', [down, premium])).toBe(0)
})

test('an end gives back all that it credits', () => {
  expect(since('first', [document('last', [-1613, JAN_12, FEB_1, 'first']), premium])).toBe(1613)
})

test('an upgrade keeps what it credits, so all of both payments can go back', () => {
  expect(since('first', [up, basic], { second: 968 })).toBe(0)
})

test('what the next renewal bills anew is not instead of what it credits', () => {
  const renewal = document(
    'renewal',
    [-1613, JAN_12, FEB_1, 'first'],
    [645, JAN_12, FEB_1],
    [1000, FEB_1, MAR_1],
  )
  expect(since('first', [renewal, premium])).toBe(968)
})

test('two downgrades, of which the second takes from the first what nobody paid for it', () => {
  // 12 of 31 days are left: 3.87 of basic, of which 1.94 are billed for the plan of 5.00.
  const again = document('third', [-387, JAN_20, FEB_1, 'second'], [194, JAN_20, FEB_1])
  expect(since('first', [again, down, premium])).toBe(968 + 193)
  expect(passingOn([again, down, premium])).toEqual(['second'])
})

test('after an upgrade a downgrade takes from its payment first, and from the one before for the rest', () => {
  // 12 of 31 days: 9.68 of premium, 3.87 of basic.
  const back = document('third', [-968, JAN_20, FEB_1, 'second'], [387, JAN_20, FEB_1])
  const documents = [back, up, basic]
  expect([since('second', documents, { second: 968 }), since('first', documents, { second: 968 })]).toEqual([
    581, 0,
  ])
  // Once 7.00 of the 9.68 went back, 2.68 of the 5.81 are there: 3.13 come off the first.
  expect(since('first', documents, { second: 268 })).toBe(313)
  // Once all went back, all of it.
  expect(since('first', documents, { second: 0 })).toBe(581)
})

test('what was changed twice before it was billed takes back its own line', () => {
  const twice = document(
    'second',
    [-1613, JAN_12, FEB_1, 'first'],
    [645, JAN_12, FEB_1],
    [-387, JAN_20, FEB_1, 'second'],
    [194, JAN_20, FEB_1],
  )
  expect(since('first', [twice, premium])).toBe(1613 - 645 + 387 - 194)
})

test('what is credited of several invoices comes off each in proportion, to the cent', () => {
  // 12.00 billed instead of 30.00, of which 10.00 and 20.00 were on two invoices, or longer ago.
  const both = document(
    'last',
    [-1000, JAN_12, FEB_1, 'first'],
    [-2000, JAN_12, FEB_1, 'other'],
    [1200, JAN_12, FEB_1],
  )
  expect([since('first', [both]), since('other', [both])]).toEqual([600, 1200])
  const older = document('last', [-1000, JAN_12, FEB_1, 'first'], [-2000, JAN_12, FEB_1, null])
  expect(since('first', [older])).toBe(1000)
  const odd = document('last', [-1, JAN_12, FEB_1, 'first'], [-1, JAN_12, FEB_1, 'other'], [1, JAN_12, FEB_1])
  expect(since('first', [odd]) + since('other', [odd])).toBe(1)
})

test('another subscription bills nothing instead', () => {
  const line = { period: { start: JAN_12, end: FEB_1 }, credits: null, isUsage: false }
  const both: BilledTime = {
    id: 'last',
    lines: [
      { ...line, subscription: 'sub', amount: usd(-1613), credits: 'first' },
      { ...line, subscription: 'another', amount: usd(2000) },
    ],
  }
  expect(since('first', [both, premium])).toBe(1613)
})

test('documents that claim to credit each other come to an end', () => {
  const one = document('one', [-100, JAN_12, FEB_1, 'two'])
  const two = document('two', [-100, JAN_12, FEB_1, 'one'])
  expect(since('one', [one, two])).toBe(200)
})

const usage = (id: string, amount: number, credits: string): BilledTime => ({
  id,
  lines: [
    {
      ...{ subscription: 'usage', period: { start: JAN_12, end: JAN_12 }, credits, isUsage: true },
      amount: usd(amount),
    },
  ],
})

test('usage that was paid by crediting time is given back once, when it is taken back', () => {
  // 16.13 of premium, and 2.87 of usage: 13.26 went to the balance, and 2.87 have paid for the usage.
  const left = document('second', [-1613, JAN_12, FEB_1, 'first'])
  expect(since('first', [usage('third', -287, 'second'), left, premium], { second: -1326 })).toBe(1613)
  // With 20.00 of usage 3.87 were paid, of which nothing is left: what goes back beyond the 16.13 came from there.
  const documents = [usage('third', -2000, 'second'), left, premium]
  expect(since('first', documents, { second: 387 })).toBe(1613)
  expect(since('first', documents, { second: 0 })).toBe(1613 + 387)
})

test('usage that was paid with money is not of the time beside it', () => {
  // 9.68 more for premium and 5.00 of usage: all of it was paid.
  const documents = [usage('third', -500, 'second'), up, basic]
  expect(since('first', documents, { second: 1468 })).toBe(0)
  // Once 12.00 went back, 2.68 are there.
  expect(since('first', documents, { second: 268 })).toBe(232)
})
