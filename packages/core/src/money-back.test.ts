import { expect, test } from 'vitest'
import { money } from './money.ts'
import {
  creditSplit,
  type IssuedNote,
  leftToCredit,
  leftToGiveBack,
  mostCreditable,
  mostRefundable,
  paymentToRefund,
  type Settlement,
} from './money-back.ts'

const yen = (amount: number) => money(BigInt(amount), 'jpy')

/** An invoice of 3,000 yen, paid by these payments of which so much was refunded. */
function invoice(
  payments: [paid: number, refunded: number][],
  notes: Partial<Record<keyof IssuedNote, number>>[] = [],
  { remaining = 0, fromBalance = 0, paidOutside = 0, creditedSince = 0 } = {},
): Settlement {
  return {
    currency: 'jpy',
    step: 1n,
    total: yen(3000),
    remaining: yen(remaining),
    fromBalance: yen(fromBalance),
    paidOutside: yen(paidOutside),
    payments: payments.map(([paid, refunded], at) => ({
      id: `payment ${at}`,
      paid: yen(paid),
      refunded: yen(refunded),
    })),
    notes: notes.map(({ total = 0, refunded = 0, credited = 0, outOfBand = 0 }) => ({
      total: yen(total),
      refunded: yen(refunded),
      credited: yen(credited),
      outOfBand: yen(outOfBand),
    })),
    creditedSince: yen(creditedSince),
    timeCreditedSince: yen(0),
    takenBackSince: yen(0),
  }
}

test.each([
  // what was paid and done                                                 give back  credit
  ['paid', invoice([[3000, 0]]), 3000, 3000],
  ['refunded in part', invoice([[3000, 1000]]), 2000, 2000],
  ['a note that refunded', invoice([[3000, 500]], [{ total: 500, refunded: 500 }]), 2500, 2500],
  ['a note to the balance', invoice([[3000, 0]], [{ total: 500, credited: 500 }]), 2500, 2500],
  ['a note settled outside', invoice([[3000, 0]], [{ total: 500, outOfBand: 500 }]), 2500, 2500],
  ['a refund beside a note', invoice([[3000, 800]], [{ total: 500, refunded: 500 }]), 2200, 2200],
  ['not paid', invoice([], [], { remaining: 3000 }), 0, 3000],
  ['not paid, credited in part', invoice([], [{ total: 1000 }], { remaining: 2000 }), 0, 2000],
  ['a part from the balance', invoice([[2000, 0]], [], { fromBalance: 1000 }), 3000, 3000],
  [
    'all from the balance, a part back',
    invoice([], [{ total: 500, credited: 500 }], { fromBalance: 3000 }),
    2500,
    2500,
  ],
  [
    'paid outside, a part back',
    invoice([], [{ total: 500, credited: 500 }], { paidOutside: 3000 }),
    2500,
    2500,
  ],
  ['credited since', invoice([[3000, 0]], [], { creditedSince: 1200 }), 1800, 3000],
  ['credited since and refunded', invoice([[3000, 1800]], [], { creditedSince: 1200 }), 0, 1200],
  ['given back whole', invoice([[3000, 3000]]), 0, 0],
])('%s', (_name, settlement, giveBack, credit) => {
  expect(leftToGiveBack(settlement)).toEqual(yen(giveBack))
  expect(leftToCredit(settlement)).toEqual(yen(credit))
})

test('one payment gives a refund back, the first that has enough left', () => {
  const settlement = invoice([
    [1000, 200],
    [2000, 0],
  ])
  expect(paymentToRefund(settlement, yen(800)).id).toBe('payment 0')
  expect(paymentToRefund(settlement, yen(801)).id).toBe('payment 1')
  expect(mostRefundable(settlement)).toEqual(yen(2000))
  expect(() => paymentToRefund(settlement, yen(2001))).toThrow('At most 2000 jpy')
})

test('what went to the balance is not refunded as well, though the payment has it', () => {
  const settlement = invoice([[3000, 0]], [{ total: 2500, credited: 2500 }])
  expect(mostRefundable(settlement)).toEqual(yen(500))
  expect(paymentToRefund(settlement, yen(500)).id).toBe('payment 0')
  expect(() => paymentToRefund(settlement, yen(501))).toThrow('At most 500 jpy')
})

test('a note lowers what is to be paid before it gives anything back', () => {
  const settlement = invoice([[1000, 0]], [], { remaining: 2000 })
  expect(creditSplit(settlement, yen(1500))).toEqual({ prePayment: yen(1500), postPayment: yen(0) })
  expect(creditSplit(settlement, yen(2400))).toEqual({ prePayment: yen(2000), postPayment: yen(400) })
  expect(() => creditSplit(settlement, yen(3001))).toThrow('At most 3000 jpy')
})

test('what was credited since is in no credit note, but what is still to be paid can be taken off', () => {
  const paid = invoice([[3000, 0]], [], { creditedSince: 1200 })
  expect([mostCreditable(paid), mostRefundable(paid)]).toEqual([yen(1800), yen(1800)])
  const inPart = invoice([[1000, 0]], [], { remaining: 2000, creditedSince: 1200 })
  expect([mostCreditable(inPart), mostRefundable(inPart)]).toEqual([yen(2000), yen(0)])
  expect(() => paymentToRefund(paid, yen(1801))).toThrow(
    'At most 1800 jpy can be refunded. Since then 1200 jpy of it was credited on other invoices.',
  )
})

test('a refund gives back no more than a payment brought, whatever came from the balance', () => {
  const settlement = invoice([[2000, 0]], [], { fromBalance: 1000 })
  expect(mostRefundable(settlement)).toEqual(yen(2000))
  expect(() => paymentToRefund(settlement, yen(2001))).toThrow('At most 2000 jpy')
})

test('of dinars, whose fils go back in tens, the rest stays', () => {
  const kwd = (fils: number) => money(BigInt(fils), 'kwd')
  // 3.387 were billed, 3.390 charged; 3 fils are on the balance.
  const settlement: Settlement = {
    ...{ currency: 'kwd', step: 10n, total: kwd(3387), remaining: kwd(0), fromBalance: kwd(0) },
    ...{
      paidOutside: kwd(0),
      notes: [],
      creditedSince: kwd(0),
      timeCreditedSince: kwd(0),
      takenBackSince: kwd(0),
    },
    payments: [{ id: 'payment', paid: kwd(3390), refunded: kwd(1000) }],
  }
  expect(leftToCredit(settlement)).toEqual(kwd(2380))
  expect(leftToGiveBack(settlement)).toEqual(kwd(2390))
  expect(mostRefundable(settlement)).toEqual(kwd(2390))
})
