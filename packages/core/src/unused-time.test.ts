import { expect, test } from 'vitest'
import { money } from './money.ts'
import { type Claim, carriedAhead, correctedAhead, spreadUnused, type TimeInvoice } from './unused-time.ts'

// Of a month of 31 days 20 are left: 6.45 of 10.00, 16.13 of 25.00, 32.26 of 50.00.

const cents = (minor: number) => money(BigInt(minor), 'usd')

/** What each document is claimed, or credits: `{ first: 645 }`. */
const claims = (of: Record<string, number>): Claim[] =>
  Object.entries(of).map(([on, minor]) => ({ on: on === 'nobody knows' ? null : on, amount: cents(minor) }))

interface Standing {
  readonly givenBack?: number
  readonly creditable?: number
  readonly payable?: number
}

function invoice(
  id: string,
  kept: number,
  credits: Record<string, number> = {},
  { givenBack = 0, creditable = Math.max(0, kept), payable = Math.max(0, kept) }: Standing = {},
): TimeInvoice {
  const amounts = { kept: cents(kept), givenBack: cents(givenBack) }
  return {
    ...{ id, ...amounts, creditable: cents(creditable), payable: cents(payable) },
    credits: claims(credits),
  }
}

function spread(
  unused: number,
  claimed: Record<string, number>,
  invoices: readonly TimeInvoice[],
  { step = 1n, most = 1_000_000 } = {},
) {
  const given = { unused: cents(unused), claims: claims(claimed), invoices, step, most: cents(most) }
  const { parts, withheld } = spreadUnused(given)
  return [
    parts.map((part) => `${part.invoice} ${part.amount.minor}`).join(', '),
    withheld.map(({ reason, amount }) => `${reason} ${amount.minor}`).join(', '),
  ]
}

const first = invoice('first', 1000)
const upgrade = invoice('upgrade', 968, { first: 645 })

test('each invoice gives what it was paid, and what an upgrade credits comes off the one before', () => {
  expect(spread(645, { first: 645 }, [first])).toEqual(['first 645', ''])
  expect(spread(1613, { upgrade: 1613 }, [first, upgrade])).toEqual(['upgrade 968, first 645', ''])
  // A second one, of the same second: 32.26 less 16.13.
  const second = invoice('second', 1613, { upgrade: 1613 })
  expect(spread(3226, { second: 3226 }, [first, upgrade, second])).toEqual([
    ...['second 1613, upgrade 968, first 645', ''],
  ])
  // Later, when 10 days are left, the newest pays all of it.
  expect(spread(806, { upgrade: 806 }, [first, upgrade])).toEqual(['upgrade 806', ''])
})

test('after a downgrade, which put a part on the balance, the rest comes off what paid it', () => {
  // 25.00 less 16.13, and 6.45 instead.
  const downgrade = invoice('downgrade', -968, { whole: 1613 })
  expect(spread(645, { downgrade: 645 }, [invoice('whole', 2500 - 968), downgrade])).toEqual([
    'whole 645',
    '',
  ])
})

test('a cent that does not divide is asked of one that has it', () => {
  // Of 30 days less 4 hours: 20.00 and 15.00 were paid; then 9.94 for a plan of 29.83, of which 19.89 are credited of the first; then
  // 7.95 for a plan that takes the place of both, and of what is credited for that 36.80 go to the balance. So 24.54 went of the second
  // and 12.26 of the first, and the second passes 14.60 on.
  const whole = invoice('whole', 3500 - 1226 - 1460)
  const upgrade = invoice('upgrade', 994 - 2454, { whole: 1989 })
  const downgrade = invoice('downgrade', -3680, { upgrade: 2983, whole: 1492 })
  // 5.29 of the 7.95 and 2.65, and a cent: the second has 19.89 less 14.60 to pass on.
  expect(spread(795, { downgrade: 795 }, [whole, upgrade, downgrade])).toEqual(['whole 795', ''])
  // Nobody has it.
  const less = invoice('whole', 794)
  expect(spread(795, { downgrade: 795 }, [less, upgrade, downgrade])).toEqual(['whole 794', 'notPaid 1'])
})

test('an add-on that nobody paid is not given back of the plan, and two claims are two', () => {
  const addon = invoice('addon', 0, {}, { payable: 0 })
  expect(spread(945, { first: 645, addon: 300 }, [first, addon])).toEqual(['first 645', 'notPaid 300'])
  expect(spread(945, { first: 645, addon: 300 }, [first, invoice('addon', 465)])).toEqual([
    ...['addon 300, first 645', ''],
  ])
  expect(spread(945, { first: 645, 'nobody knows': 300 }, [first])).toEqual(['first 645', 'notPaid 300'])
})

test('what was given back before is told from what nobody paid, and from what cannot be refunded', () => {
  const back = invoice('upgrade', 0, { first: 645 }, { givenBack: 968 })
  expect(spread(1613, { upgrade: 1613 }, [first, back])).toEqual(['first 645', 'givenBack 968'])
  const half = invoice('upgrade', 468, { first: 645 }, { givenBack: 500 })
  expect(spread(1613, { upgrade: 1613 }, [first, half])).toEqual(['upgrade 468, first 645', 'givenBack 500'])
  const unpaid = invoice('upgrade', 0, { first: 645 }, { payable: 0 })
  expect(spread(1613, { upgrade: 1613 }, [first, unpaid])).toEqual(['first 645', 'notPaid 968'])
  const outside = invoice('upgrade', 968, { first: 645 }, { payable: 0 })
  expect(spread(1613, { upgrade: 1613 }, [first, outside])).toEqual(['first 645', 'notRefundable 968'])
})

test('what usage or time that is over took of a payment is lacking there, and is not taken from earlier time', () => {
  // A renewal's draft of 0.32: 16.13 credited of 25.00, 6.45 for time that is over, 10.00 ahead.
  const draft = invoice('draft', -645, { whole: 1613 })
  expect(spread(1000, { draft: 1000 }, [invoice('whole', 2500), draft])).toEqual(['whole 968', 'notPaid 32'])
})

test('no more than is unused, though what is pending was credited of the same invoice', () => {
  // 16.13 credited and 6.45 charged on the way, which the end gives back too.
  expect(spread(1290, { whole: 1613 }, [invoice('whole', 2500)])).toEqual(['whole 1290', ''])
})

test('in whole steps, together to the nearest one, and what is less is said', () => {
  const steps = { step: 10n }
  expect(spread(4844, { first: 4844 }, [invoice('first', 10010)], steps)).toEqual(['first 4840', 'rounded 4'])
  expect(spread(4845, { first: 4845 }, [invoice('first', 10010)], steps)).toEqual(['first 4850', ''])
  // Of an upgrade that came to 7.267 and was paid with 7.270, 7.260 can be credited.
  const change = invoice('change', 7270, { first: 4844 }, { creditable: 7267, payable: 7270 })
  expect(spread(12111, { change: 12111 }, [invoice('first', 10010), change], steps)).toEqual([
    ...['change 7260, first 4850', 'rounded 1'],
  ])
})

test('never more than was paid for the time and is here, the oldest giving less', () => {
  expect(spread(1613, { upgrade: 1613 }, [first, upgrade], { most: 1000 })).toEqual([
    ...['upgrade 968, first 32', 'notPaid 613'],
  ])
  expect(spread(1613, { upgrade: 1613 }, [first, upgrade], { most: -5 })).toEqual(['', 'notPaid 1613'])
})

test('invoices that credit each other come to an end', () => {
  const one = invoice('one', 0, { other: 100 })
  const other = invoice('other', 0, { one: 100 })
  expect(spread(100, { one: 100 }, [one, other])).toEqual(['', 'notPaid 100'])
})

function carried(...invoices: [id: string, time: number, usage: number, credits?: Record<string, number>][]) {
  const all = invoices.map(([id, time, usage, credits = {}]) => ({
    ...{ id, over: cents(time + usage), time: cents(time), credits: claims(credits) },
  }))
  return Object.fromEntries([...carriedAhead(all)].map(([id, { minor }]) => [id, Number(minor)]))
}

test('what a renewal credits beyond what it bills of time that is over has paid for time ahead', () => {
  // 16.13 of the first are credited, and 12.90 charged.
  expect(carried(['renewal', -323, 0, { first: 1613 }], ['first', 2500, 0])).toEqual({ first: 323 })
  // It paid for usage, and only the rest of it for time ahead.
  expect(carried(['renewal', -323, 300, { first: 1613 }], ['first', 2500, 0])).toEqual({ first: 23 })
  expect(carried(['renewal', -323, 400, { first: 1613 }], ['first', 2500, 0])).toEqual({})
  // Usage that is credited as well is not of the time.
  expect(carried(['renewal', -323, -750, { first: 1613 }], ['first', 2500, 750])).toEqual({ first: 323 })
  expect(carried(['renewal', -323, 0, { first: 1613, 'nobody knows': 1613 }])).toEqual({ first: 162 })
})

test('what a renewal gives back of usage beyond what it bills of it has paid for time', () => {
  const corrected = (usage: number, of: Record<string, number>) =>
    Object.fromEntries(
      [...correctedAhead([{ id: 'renewal', usage: cents(usage), corrections: claims(of) }])].map(
        ([id, { minor }]) => [id, Number(minor)],
      ),
    )
  expect(corrected(-1000, { first: 1000 })).toEqual({ first: 1000 })
  // 7.00 of it paid for usage.
  expect(corrected(-300, { first: 1000 })).toEqual({ first: 300 })
  expect(corrected(200, { first: 1000 })).toEqual({})
  // A credit of support's is of no invoice.
  expect(corrected(-1500, { first: 1000, 'nobody knows': 500 })).toEqual({ first: 1000 })
  // What else was given back is none of theirs.
  expect(corrected(-1500, { first: 1000 })).toEqual({ first: 1000 })
})

test('of what is carried on from one renewal to the next, each that has time left of its own is the last', () => {
  // 9.00 of February are credited, and 2.00 charged; February cost 20.00, of which January has paid 3.23.
  expect(
    carried(['third', -700, 0, { second: 900 }], ['second', 1677, 0, { first: 1613 }], ['first', 2500, 0]),
  ).toEqual({ second: 700 })
  // An upgrade of the month that runs credits time ahead: none of it is over.
  expect(carried(['upgrade', 0, 0, { second: 900 }], ['second', -323, 0, { first: 1613 }])).toEqual({
    first: 323,
  })
})
