import { Problem } from '@lockstep/core/problem'
import { type CallDeps, readStripe } from './call.ts'
import { idOrNull } from './field.ts'

/** How far the first payment of what is bought came. */
export type FirstPayment =
  | { readonly kind: 'made' }
  /** The customer may still confirm it, at this address. */
  | { readonly kind: 'open'; readonly url: string }
  | { readonly kind: 'failed'; readonly problem: Problem }

/** An invoice that the customer can still pay, where, and what the last try came to; `problem` null: the bank asks. */
export interface LeftToPay {
  readonly url: string
  readonly problem: { readonly code: string; readonly detail: string } | null
}

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
  const { status, payments, hosted_invoice_url: url } = await retrieveWithIntent(deps, id)
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

/** What is left to pay of an open invoice, also where a card was declined: another one may pay it. Null: nothing. */
export async function leftToPay(deps: Pick<CallDeps, 'provider'>, id: string): Promise<LeftToPay | null> {
  const { status, payments, hosted_invoice_url: url } = await retrieveWithIntent(deps, id)
  if (status !== 'open') return null
  if (!url) throw new Error(`The invoice ${id} is open and has no page to be paid on.`)
  const intent = payments?.data[0]?.payment.payment_intent
  const error = typeof intent === 'object' ? intent.last_payment_error : null
  if (!error || error.code === 'authentication_required') return { url, problem: null }
  const detail = `The card was declined (${error.decline_code ?? error.code}); another one may pay the invoice.`
  return { url, problem: { code: 'card_declined', detail } }
}

function retrieveWithIntent(deps: Pick<CallDeps, 'provider'>, id: string) {
  return readStripe(deps, (stripe) =>
    stripe.invoices.retrieve(id, { expand: ['payments.data.payment.payment_intent'] }),
  )
}

function notConfirmed(detail: string): FirstPayment {
  return { kind: 'failed', problem: new Problem('payment_not_confirmed', detail) }
}
