import { downToStep } from './charge-step.ts'
import { add, type Currency, formatMoney, type Money, subtract, sum, zero } from './money.ts'
import { Problem } from './problem.ts'

/** `making` and `refused` are ours: the call is on its way, or nothing came of it. The others are Stripe's. */
export const refundStatuses = [
  'making',
  'refused',
  'pending',
  'requires_action',
  'succeeded',
  'failed',
  'canceled',
] as const
export type RefundStatus = (typeof refundStatuses)[number]

export const creditNoteStatuses = ['making', 'refused', 'issued', 'void'] as const
export type CreditNoteStatus = (typeof creditNoteStatuses)[number]

export const refundReasons = ['duplicate', 'fraudulent', 'requested_by_customer'] as const
export type RefundReason = (typeof refundReasons)[number]

export const creditNoteReasons = [
  'duplicate',
  'fraudulent',
  'order_change',
  'product_unsatisfactory',
] as const
export type CreditNoteReason = (typeof creditNoteReasons)[number]

/** Where the paid part of a credit note goes. */
export const waysBack = ['refund', 'balance', 'outOfBand'] as const
export type WayBack = (typeof waysBack)[number]

/** Money that came in for an invoice. */
export interface Payment {
  readonly id: string
  /** Of it for this invoice. */
  readonly paid: Money
  /** Given back of it so far, for whatever reason, or taken back by the bank; what failed is not. */
  readonly refunded: Money
}

/** A credit note in force: how much it takes off the invoice, and what became of the part that was paid. */
export interface IssuedNote {
  readonly total: Money
  readonly refunded: Money
  /** On the customer's balance, for invoices to come. */
  readonly credited: Money
  /** Given back outside the provider. */
  readonly outOfBand: Money
}

/** A final invoice, as far as money can be given back for it. */
export interface Settlement {
  readonly currency: Currency
  /** The smallest amount that can be given back, and all others are multiples of it: in the minor unit. */
  readonly step: bigint
  readonly total: Money
  /** Still to be paid; nothing once it is paid or given up. */
  readonly remaining: Money
  /** Paid from the customer's balance, of which no payment knows. */
  readonly fromBalance: Money
  /** Paid outside the provider: in cash, by a transfer. */
  readonly paidOutside: Money
  readonly payments: readonly Payment[]
  readonly notes: readonly IssuedNote[]
  /** Credited on later documents of time that it paid, beyond what they bill instead: `credited-since.ts`. */
  readonly creditedSince: Money
  /** What of it would have been credited though no usage was taken back: time, by itself. */
  readonly timeCreditedSince: Money
  /** What took back usage that it billed itself: `taken-back.ts`. */
  readonly takenBackSince: Money
}

/**
 * The most that can still be given back of what was paid: by refunds, to the balance, or outside. All ways
 * together, credits on later invoices too, give back no more than came in, though the provider looks at each of them
 * alone. In whole steps.
 */
export function leftToGiveBack(settlement: Settlement): Money {
  const left = subtract(keptOf(settlement), settlement.creditedSince)
  return downToStep(atLeastNothing(left), settlement.step)
}

/**
 * What an invoice brought in and was not given back since by way of itself, to the minor unit: what later ones credited of
 * it stands there. Below zero is what one with a total below zero put on the customer's balance.
 */
export function keptOf(settlement: Settlement): Money {
  const { currency, total, payments, notes } = settlement
  if (total.minor < 0n) return total
  const paid = cameIn(settlement)
  const refunded = payments.map((payment) => payment.refunded)
  const otherwise = notes.flatMap(({ credited, outOfBand }) => [credited, outOfBand])
  return subtract(paid, sum(currency, [...refunded, ...otherwise]))
}

/** What was paid for an invoice, by whatever way. */
export function cameIn({ currency, fromBalance, paidOutside, payments }: Settlement): Money {
  return sum(currency, [fromBalance, paidOutside, ...payments.map((payment) => payment.paid)])
}

/**
 * The most that credit notes can still take off: refunds that were made apart from them count as taken off. In
 * whole steps.
 */
export function leftToCredit({ currency, step, total, payments, notes }: Settlement): Money {
  const refunded = sum(
    currency,
    payments.map((payment) => payment.refunded),
  )
  const byNotes = sum(
    currency,
    notes.map((note) => note.refunded),
  )
  const noted = sum(
    currency,
    notes.map((note) => note.total),
  )
  const taken = add(noted, atLeastNothing(subtract(refunded, byNotes)))
  return downToStep(atLeastNothing(subtract(total, taken)), step)
}

/** The most that a credit note can take off by {@link leftToCredit}, and give back of what was paid. */
export function mostCreditable(settlement: Settlement): Money {
  const credit = leftToCredit(settlement)
  const back = add(settlement.remaining, leftToGiveBack(settlement))
  return downToStep(back.minor < credit.minor ? back : credit, settlement.step)
}

/** The payment that gives it back: the first that has enough left. A refund is never spread over several. */
export function paymentToRefund(settlement: Settlement, amount: Money): Payment {
  const most = mostRefundable(settlement)
  const payment = settlement.payments.find((one) => refundable(one).minor >= amount.minor)
  if (payment && amount.minor <= most.minor) return payment
  throw tooMuch('refund_exceeds_payment', `At most ${text(most)} can be refunded.${whyLess(settlement)}`)
}

/** The most that one refund can give back, in whole steps. */
export function mostRefundable(settlement: Settlement): Money {
  const left = leftToGiveBack(settlement)
  const largest = settlement.payments.map(refundable).reduce(larger, zero(settlement.currency))
  return downToStep(largest.minor < left.minor ? largest : left, settlement.step)
}

/** How a credit note settles: first it lowers what is still to be paid; the rest was paid and goes back. */
export interface CreditSplit {
  readonly prePayment: Money
  readonly postPayment: Money
}

export function creditSplit(settlement: Settlement, total: Money): CreditSplit {
  const most = leftToCredit(settlement)
  if (total.minor > most.minor)
    throw tooMuch('credit_note_exceeds_invoice', `At most ${text(most)} can be credited.`)
  const { remaining } = settlement
  const prePayment = remaining.minor < total.minor ? remaining : total
  return { prePayment, postPayment: subtract(total, prePayment) }
}

/** Refuses to give back more than came in, whichever way it goes. */
export function refuseToGiveBackMore(settlement: Settlement, amount: Money, asRefund: boolean): void {
  if (amount.minor === 0n) return
  if (asRefund) return void paymentToRefund(settlement, amount)
  const most = leftToGiveBack(settlement)
  if (amount.minor > most.minor)
    throw tooMuch(
      'refund_exceeds_payment',
      `At most ${text(most)} of what was paid can be given back.${whyLess(settlement)}`,
    )
}

function whyLess({ creditedSince }: Settlement): string {
  return creditedSince.minor === 0n
    ? ''
    : ` Since then ${text(creditedSince)} of it was credited on other invoices.`
}

const refundable = ({ paid, refunded }: Payment): Money => atLeastNothing(subtract(paid, refunded))

const larger = (a: Money, b: Money): Money => (b.minor > a.minor ? b : a)

const atLeastNothing = (amount: Money): Money => (amount.minor < 0n ? zero(amount.currency) : amount)

const text = (amount: Money) => `${formatMoney(amount)} ${amount.currency}`

function tooMuch(code: 'refund_exceeds_payment' | 'credit_note_exceeds_invoice', detail: string): Problem {
  return new Problem(code, detail, { faults: [{ pointer: '#/amount', code, detail }] })
}
