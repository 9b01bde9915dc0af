import { expect, test } from 'vitest'
import { parseInstant } from './instant.ts'
import { discountsLeft, discountsTakenOff, type StandingDiscount } from './standing-discount.ts'

function standing(
  scope: StandingDiscount['scope'],
  name: string,
  [start, end]: readonly [string, string | null],
): StandingDiscount {
  const terms = { name, coupon: null, off: { kind: 'percent', percent: '10' }, duration: { kind: 'forever' } }
  return {
    ...{ id: name, scope, item: scope === 'item' ? { id: 'si_1', price: 'price_1' } : null, products: [] },
    terms: { ...terms, start: `${start}T00:00:00Z`, end: end === null ? null : `${end}T00:00:00Z` },
  } as StandingDiscount
}

const ofCustomer = standing('customer', 'customer', ['2026-01-01', null])
const own = standing('subscription', 'own', ['2026-01-31', '2026-02-28'])
const second = standing('subscription', 'second', ['2026-02-01', null])
const ofItem = standing('item', 'item', ['2026-01-31', '2026-03-31'])

test.each<[string, StandingDiscount[], string, string[]]>([
  ['items come first', [ofCustomer, own, ofItem], '2026-01-31', ['item', 'own']],
  ['one of its own keeps the customer’s off', [ofCustomer, own], '2026-02-27', ['own']],
  [
    'the customer’s comes again in the second that its own is over',
    [ofCustomer, own],
    '2026-02-28',
    ['customer'],
  ],
  ['one of an item keeps it off from nothing', [ofCustomer, ofItem], '2026-02-01', ['item', 'customer']],
  ['its own stay in their order', [second, own], '2026-02-01', ['second', 'own']],
  ['before anything begins there is nothing', [own, ofItem], '2026-01-30', []],
])('%s', (_, all, day, expected) => {
  const at = parseInstant(`${day}T00:00:00Z`) ?? Number.NaN
  expect(discountsTakenOff(all, at).map(({ terms }) => terms.name)).toEqual(expected)
})

// As far as an invoice of the same end took it, in tens of a dinar's thousandths and in whole cents.
test.each([
  ['kwd', 6677n, '320'],
  ['kwd', 6990n, '10'],
  ['kwd', 6991n, null],
  ['kwd', 7000n, null],
  ['kwd', 0n, '7000'],
  ['usd', 6677n, '323'],
  ['jpy', 6999n, '1'],
] as const)('of 7000 %s of which %i were taken %s are left', (currency, minor, left) => {
  const off = { kind: 'amount', minor: '7000', currency } as const
  const one = { ...second, terms: { ...second.terms, off } }
  const given = [{ invoiceId: 'invoice_1', discount: 'second', minor, afterEnd: true, elsewhere: false }]
  const stepOf = (of: string) => (of === 'kwd' ? 10n : 1n)
  expect(discountsLeft([one], given, stepOf).map(({ terms }) => terms.off)).toEqual(
    left === null ? [] : [{ ...off, minor: left }],
  )
})

test.each([
  ['for one invoice is used up by another subscription of the customer', { kind: 'once' }, []],
  ['for all is given to each of its subscriptions whole', { kind: 'forever' }, ['7000']],
] as const)('one %s', (_, duration, left) => {
  const off = { kind: 'amount', minor: '7000', currency: 'usd' } as const
  const one: StandingDiscount = { ...ofCustomer, terms: { ...ofCustomer.terms, off, duration } }
  const given = [
    { invoiceId: 'invoice_1', discount: 'customer', minor: 6677n, afterEnd: true, elsewhere: true },
  ]
  expect(discountsLeft([one], given, () => 1n).map(({ terms }) => terms.off)).toEqual(
    left.map((minor) => ({ ...off, minor })),
  )
})
