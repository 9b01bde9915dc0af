import { isTakenBack } from '@lockstep/core/dispute'
import { add, type Currency, type Money, sum, zero } from '@lockstep/core/money'
import { type IssuedNote, keptOf, type Payment, type Settlement } from '@lockstep/core/money-back'
import type Stripe from 'stripe'
import { chargeStep, fromStripeAmount } from './amount.ts'
import { type CallDeps, readStripe } from './call.ts'
import { readCreditedSince } from './credited-since.ts'
import { all } from './fetch.ts'
import { idOf, present } from './field.ts'
import { toCreditNote } from './to-credit-note.ts'
import { toDispute } from './to-dispute.ts'

/**
 * How an invoice stands at Stripe, as far as money can be given back for it; as it will stand when a subscription has ended
 * by us, where one is named.
 */
export function readSettlement(
  deps: Pick<CallDeps, 'provider'>,
  providerInvoice: string,
  ending: string | null = null,
): Promise<Settlement> {
  return readStripe(deps, async (stripe) => {
    const invoice = await stripe.invoices.retrieve(providerInvoice)
    const alone = (one: Stripe.Invoice) => settlementOf(stripe, one)
    const [settlement, since] = await Promise.all([
      alone(invoice),
      readCreditedSince(stripe, invoice, alone, ending),
    ])
    return { ...settlement, ...since }
  })
}

/** What an invoice brought in and was not given back by way of itself; what later ones credited of it is not looked for. */
export function readKept(deps: Pick<CallDeps, 'provider'>, invoice: Stripe.Invoice): Promise<Money> {
  return readStripe(deps, async (stripe) => keptOf(await settlementOf(stripe, invoice)))
}

async function settlementOf(stripe: Stripe, invoice: Stripe.Invoice): Promise<Settlement> {
  const { id, currency } = invoice
  const [payments, notes] = await Promise.all([
    paymentsOf(stripe, id),
    all(stripe.creditNotes.list({ invoice: id, limit: 100 })),
  ])
  const open = invoice.status === 'open'
  return {
    currency,
    step: chargeStep(currency),
    total: fromStripeAmount(invoice.total, currency),
    // What is not asked for any more cannot be lowered: only an open invoice has something to pay.
    remaining: fromStripeAmount(open ? invoice.amount_remaining : 0, currency),
    fromBalance: fromStripeAmount(appliedBalance(invoice), currency),
    paidOutside: fromStripeAmount(invoice.amount_paid_off_stripe ?? 0, currency),
    payments,
    notes: notes.filter(({ status }) => status === 'issued').map(toIssuedNote),
    creditedSince: zero(currency),
    timeCreditedSince: zero(currency),
    takenBackSince: zero(currency),
  }
}

/** A balance below zero is the customer's money: what the invoice took of it brought the balance up. */
function appliedBalance({ starting_balance: before, ending_balance: after }: Stripe.Invoice): number {
  return Math.max(0, (after ?? before) - before)
}

/** An invoice may be paid in parts, each by a payment of its own. What was paid outside of Stripe is refunded there. */
async function paymentsOf(stripe: Stripe, invoice: string): Promise<Payment[]> {
  const paid = await all(stripe.invoicePayments.list({ invoice, status: 'paid', limit: 100 }))
  const payments: Payment[] = []
  for (const { payment, amount_paid: amount, currency } of paid) {
    if (payment.type !== 'payment_intent' || payment.payment_intent === undefined) continue
    const id = idOf(payment.payment_intent)
    const intent = await stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] })
    payments.push({
      id,
      paid: fromStripeAmount(amount ?? 0, currency),
      refunded: add(refundedOf(intent, currency), await disputedOf(stripe, intent, currency)),
    })
  }
  return payments
}

function refundedOf({ latest_charge: charge, id }: Stripe.PaymentIntent, currency: Currency): Money {
  if (charge === null || typeof charge === 'string')
    throw new Error(`Stripe did not show the charge of ${id}.`)
  return fromStripeAmount(present(charge.amount_refunded, 'amount_refunded'), currency)
}

/**
 * What the bank took back. While it is not decided the money is not there either, and cannot be refunded.
 * https://docs.stripe.com/disputes/how-disputes-work
 */
async function disputedOf(
  stripe: Stripe,
  { latest_charge: charge, id }: Stripe.PaymentIntent,
  currency: Currency,
): Promise<Money> {
  if (charge === null || typeof charge === 'string' || !charge.disputed) return zero(currency)
  const disputes = await all(stripe.disputes.list({ payment_intent: id, limit: 100 }))
  const taken = disputes.map(toDispute).filter(({ status }) => isTakenBack(status))
  return sum(
    currency,
    taken.map(({ amount }) => amount),
  )
}

function toIssuedNote(note: Stripe.CreditNote): IssuedNote {
  const { total, refunded, credited, outOfBand } = toCreditNote(note)
  return { total, refunded, credited, outOfBand }
}
