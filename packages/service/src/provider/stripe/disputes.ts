import type Stripe from 'stripe'
import { type CallDeps, readStripe } from './call.ts'
import { idOf, idOrNull } from './field.ts'
import { pages } from './pages.ts'
import type { DisputeOfCharge } from './to-dispute.ts'

/** A dispute with whose charge it is, and the invoice that was paid by it. */
export function fetchDispute(deps: Pick<CallDeps, 'provider'>, id: string): Promise<DisputeOfCharge> {
  return readStripe(deps, async (stripe) => {
    const { evidence: _evidence, ...dispute } = await stripe.disputes.retrieve(id)
    const charge = await stripe.charges.retrieve(idOf(dispute.charge))
    const customer = idOrNull(charge.customer, 'customer')
    const payment = idOrNull(dispute.payment_intent, 'payment_intent')
    return { ...dispute, customer, invoice: payment === null ? null : await invoicePaidBy(stripe, payment) }
  })
}

/** A dispute as it is listed: with its charge, which says whose it is. */
export type ListedDispute = DisputeOfCharge & Pick<Stripe.Dispute, 'charge'>

export function listedDisputes(deps: Pick<CallDeps, 'provider'>): AsyncGenerator<ListedDispute[]> {
  return pages(deps, (stripe, page) => stripe.disputes.list({ ...page, expand: ['data.charge'] }))
}

export function listedDispute(deps: Pick<CallDeps, 'provider'>, id: string): Promise<ListedDispute> {
  return readStripe(deps, (stripe) => stripe.disputes.retrieve(id, { expand: ['charge'] }))
}

async function invoicePaidBy(stripe: Stripe, payment: string): Promise<string | null> {
  const { data } = await stripe.invoicePayments.list({
    payment: { type: 'payment_intent', payment_intent: payment },
    limit: 1,
  })
  return idOrNull(data[0]?.invoice ?? null, 'invoice')
}
