import { Problem } from '@lockstep/core/problem'
import { type CallDeps, readStripe } from './call.ts'
import { idOrNull } from './field.ts'

/** How far the first payment of what is bought came. */
export type FirstPayment =
  | { readonly kind: 'made' }
  /** The customer may still confirm it, at this address. */
  | { readonly kind: 'open'; readonly url: string }
  | { readonly kind: 'failed'; readonly problem: Problem }

/** Asks about a subscription that began without being paid. */
export async function firstPayment(deps: Pick<CallDeps, 'provider'>, id: string): Promise<FirstPayment> {
  const { status, latest_invoice: latest } = await readStripe(deps, (stripe) =>
    stripe.subscriptions.retrieve(id),
  )
  if (status === 'active' || status === 'trialing') return { kind: 'made' }
  if (status !== 'incomplete') return notConfirmed('The customer did not confirm the payment in time.')
  const invoice = idOrNull(latest, 'latest_invoice')
  if (invoice === null) throw new Error(`The incomplete subscription ${id} has no invoice.`)
  return paymentOfInvoice(deps, invoice)
}

/** Asks about an invoice that is open, or was. */
export async function paymentOfInvoice(deps: Pick<CallDeps, 'provider'>, id: string): Promise<FirstPayment> {
  const {
    status,
    payments,
    hosted_invoice_url: url,
  } = await readStripe(deps, (stripe) =>
    stripe.invoices.retrieve(id, { expand: ['payments.data.payment.payment_intent'] }),
  )
  if (status === 'paid') return { kind: 'made' }
  const [payment] = payments?.data ?? []
  const intent = payment?.payment.payment_intent
  const error = typeof intent === 'object' ? intent.last_payment_error : null
  if (error?.code === 'payment_intent_authentication_failure')
    return notConfirmed("The customer's bank did not get the confirmation that it asked for.")
  if (error?.code === 'card_declined') {
    const detail = `The customer confirmed, and the bank declined the card (${error.decline_code ?? error.code}).`
    return { kind: 'failed', problem: new Problem('card_declined', detail) }
  }
  if (!url) throw new Error(`The invoice ${id} is open and has no page to be paid on.`)
  return { kind: 'open', url }
}

function notConfirmed(detail: string): FirstPayment {
  return { kind: 'failed', problem: new Problem('payment_not_confirmed', detail) }
}
