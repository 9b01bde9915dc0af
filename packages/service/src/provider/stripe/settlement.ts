import type { Currency, Money } from '@lockstep/core/money'
import type { IssuedNote, Payment, Settlement } from '@lockstep/core/money-back'
import type Stripe from 'stripe'
import { chargeStep, fromStripeAmount } from './amount.ts'
import { type CallDeps, readStripe } from './call.ts'
import { all } from './fetch.ts'
import { idOf, present } from './field.ts'
import { toCreditNote } from './to-credit-note.ts'

/** How an invoice stands at Stripe, as far as money can be given back for it. */
export function readSettlement(
  deps: Pick<CallDeps, 'provider'>,
  providerInvoice: string,
): Promise<Settlement> {
  return readStripe(deps, async (stripe) => {
    const invoice = await stripe.invoices.retrieve(providerInvoice)
    const [payments, notes] = await Promise.all([
      paymentsOf(stripe, providerInvoice),
      all(stripe.creditNotes.list({ invoice: providerInvoice, limit: 100 })),
    ])
    const { currency } = invoice
    const open = invoice.status === 'open'
    return {
      currency,
      step: chargeStep(currency),
      total: fromStripeAmount(invoice.total, currency),
      // What is not asked for any more cannot be lowered: only an open invoice has something to pay.
      remaining: fromStripeAmount(open ? invoice.amount_remaining : 0, currency),
      fromBalance: fromStripeAmount(appliedBalance(invoice), currency),
      payments,
      notes: notes.filter(({ status }) => status === 'issued').map(toIssuedNote),
    }
  })
}

/** A balance below zero is the customer's money: what the invoice took of it brought the balance up. */
function appliedBalance({ starting_balance: before, ending_balance: after }: Stripe.Invoice): number {
  return Math.max(0, (after ?? before) - before)
}

/** An invoice may be paid in parts, each by a payment of its own. Other ways than payments are not refunded here. */
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
      refunded: refundedOf(intent, currency),
    })
  }
  return payments
}

function refundedOf({ latest_charge: charge, id }: Stripe.PaymentIntent, currency: Currency): Money {
  if (charge === null || typeof charge === 'string')
    throw new Error(`Stripe did not show the charge of ${id}.`)
  return fromStripeAmount(present(charge.amount_refunded, 'amount_refunded'), currency)
}

function toIssuedNote(note: Stripe.CreditNote): IssuedNote {
  const { total, refunded, credited, outOfBand } = toCreditNote(note)
  return { total, refunded, credited, outOfBand }
}
