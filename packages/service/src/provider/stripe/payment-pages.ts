import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { settleSeen } from '../../store/operations.ts'
import { type CallDeps, callStripe, readStripe } from './call.ts'
import { idOf } from './field.ts'
import { isOf, ownMetadata } from './metadata.ts'

export interface PaymentPage {
  readonly operation: string
  /** Of ours: told of what happens on the page. */
  readonly workflowId: string
  readonly customerId: string
  readonly providerCustomer: string
  readonly currency: string
  /** Where the customer comes back to. */
  readonly returnUrl: string
  readonly cancelUrl: string | null
}

/**
 * Opens a page of Stripe's on which the customer leaves a payment method for later charges. Stripe closes
 * it after 24 hours. https://docs.stripe.com/payments/save-and-reuse?platform=web&ui=stripe-hosted
 */
export function openPaymentPage(deps: CallDeps, page: PaymentPage): Promise<Stripe.Checkout.Session> {
  const { operation: id, providerCustomer: customer, currency, returnUrl, cancelUrl } = page
  const body = {
    mode: 'setup',
    customer,
    currency,
    success_url: returnUrl,
    ...(cancelUrl !== null && { cancel_url: cancelUrl }),
    metadata: ownMetadata(deps.provider, id, {
      lockstep_customer: page.customerId,
      lockstep_workflow: page.workflowId,
    }),
  } satisfies Stripe.Checkout.SessionCreateParams
  return callStripe(
    deps,
    { id, kind: 'checkout_session.create', subjectId: page.customerId, body, settledByCaller: true },
    (stripe, options) => stripe.checkout.sessions.create(body, options),
    async (stripe) => {
      for await (const found of stripe.checkout.sessions.list({ customer, limit: 100 })) {
        if (isOf(deps.provider, id, found)) return found
      }
      return undefined
    },
  )
}

/** What has become of a page: still open at an address, left with a payment method, or closed without one. */
export type PageState =
  | { readonly kind: 'open'; readonly url: string }
  | { readonly kind: 'left'; readonly paymentMethod: string }
  | { readonly kind: 'closed' }

export async function readPaymentPage(deps: Pick<CallDeps, 'provider'>, id: string): Promise<PageState> {
  const session = await readStripe(deps, (stripe) =>
    stripe.checkout.sessions.retrieve(id, { expand: ['setup_intent'] }),
  )
  if (session.status === 'open' && session.url) return { kind: 'open', url: session.url }
  const intent = session.setup_intent
  if (session.status === 'complete' && typeof intent === 'object' && intent?.payment_method)
    return { kind: 'left', paymentMethod: idOf(intent.payment_method) }
  return { kind: 'closed' }
}

/** Closes a page that nobody needs any more; one that is closed or left already stays as it is. */
export async function closePaymentPage(deps: CallDeps, operation: string, id: string): Promise<void> {
  const { db, clock } = deps
  // Closed by a run that died, perhaps: its call is known to be done then.
  if ((await readPaymentPage(deps, id)).kind !== 'open') return settleSeen(db, operation, id, clock.now())
  try {
    await callStripe(
      deps,
      { id: operation, kind: 'checkout_session.expire', subjectId: id, body: { id }, repeatable: true },
      (stripe, options) => stripe.checkout.sessions.expire(id, {}, options),
    )
  } catch (error) {
    if (!(error instanceof Problem) || (await readPaymentPage(deps, id)).kind === 'open') throw error
    // The customer was faster, or it was done and the answer is lost.
    await settleSeen(db, operation, id, clock.now())
  }
}
