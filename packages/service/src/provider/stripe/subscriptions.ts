import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { type CallDeps, callStripe, readStripe } from './call.ts'
import { fetchSubscription } from './fetch.ts'
import { isOf, ownMetadata } from './metadata.ts'

export interface SubscriptionToStart {
  readonly operation: string
  readonly subscriptionId: string
  readonly customerId: string
  readonly providerCustomer: string
  readonly items: readonly { readonly providerPrice: string; readonly quantity: number }[]
  readonly trialDays: number
  /** The application's own facts. Ours are written over them. */
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Starts a subscription. It runs, or it is refused and nothing is there: a first payment that fails or
 * that the customer would have to confirm leaves no incomplete subscription behind.
 *
 * Where nothing is due at the start (a trial, a plan that is free or paid by use) no payment method is
 * needed; where something is, Stripe refuses a customer who has none.
 */
export function startSubscription(deps: CallDeps, start: SubscriptionToStart): Promise<Stripe.Subscription> {
  const { operation: id, subscriptionId, providerCustomer: customer } = start
  const body = {
    customer,
    items: start.items.map(({ providerPrice, quantity }) => ({ price: providerPrice, quantity })),
    billing_mode: { type: 'flexible' },
    collection_method: 'charge_automatically',
    payment_behavior: 'error_if_incomplete',
    // The registration is the customer's consent; later charges come without the customer.
    off_session: true,
    ...(start.trialDays > 0 && { trial_period_days: start.trialDays }),
    metadata: {
      ...start.metadata,
      ...ownMetadata(deps.provider, id, {
        lockstep_customer: start.customerId,
        lockstep_subscription: subscriptionId,
      }),
    },
  } satisfies Stripe.SubscriptionCreateParams
  return callStripe(
    deps,
    { id, kind: 'subscription.create', subjectId: subscriptionId, body, settledByCaller: true },
    (stripe, options) => stripe.subscriptions.create(body, options),
    async (stripe) => {
      for await (const found of stripe.subscriptions.list({ customer, status: 'all', limit: 100 })) {
        if (isOf(deps.provider, id, found)) return found
      }
      return undefined
    },
  )
}

/** Whether anybody has paid for a subscription, by whatever means. */
export function wasCharged(deps: Pick<CallDeps, 'provider'>, subscription: string): Promise<boolean> {
  return readStripe(deps, async (stripe) => {
    for await (const invoice of stripe.invoices.list({ subscription, limit: 100 })) {
      if (invoice.amount_paid > 0) return true
    }
    return false
  })
}

/** Takes a subscription back that nobody has paid for. One that was paid for is left to a person. */
export async function withdrawSubscription(
  deps: CallDeps,
  operation: string,
  { id: subscriptionId, providerId }: { readonly id: string; readonly providerId: string },
): Promise<void> {
  const subscription = await fetchSubscription(deps, providerId)
  if (subscription.status === 'canceled' || subscription.status === 'incomplete_expired') return
  if (await wasCharged(deps, providerId)) {
    const detail = `The subscription ${subscriptionId} was paid for and is not taken back by itself.`
    throw new Problem('provider_refused', detail)
  }
  const body = { invoice_now: false, prorate: false }
  await callStripe(
    deps,
    { id: operation, kind: 'subscription.cancel', subjectId: subscriptionId, body, repeatable: true },
    (stripe, options) => stripe.subscriptions.cancel(providerId, body, options),
  )
}
