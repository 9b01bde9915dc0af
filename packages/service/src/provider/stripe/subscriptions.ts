import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { settleSeen } from '../../store/operations.ts'
import { type CallDeps, callStripe, readStripe } from './call.ts'
import { all, fetchSubscription } from './fetch.ts'
import { isOf, ownMetadata } from './metadata.ts'
import { intervalParams, type UsageInterval } from './usage-interval.ts'

export interface SubscriptionToStart {
  readonly operation: string
  readonly subscriptionId: string
  readonly customerId: string
  readonly providerCustomer: string
  readonly items: readonly { readonly providerPrice: string; readonly quantity: number }[]
  readonly trialDays: number
  /** Of usage that is billed more often than the fees. */
  readonly usageInterval?: UsageInterval | null
  /** Charged to this one; null: to what the customer has everything charged to. */
  readonly paymentMethod: string | null
  /** Stripe's ids of the coupons, each with its own duration, in the order in which they are applied. */
  readonly coupons: readonly string[]
  /** The customer can be asked by the bank: what is not paid at once waits as `incomplete`. */
  readonly customerPresent: boolean
  /** Stripe computes the tax of each invoice. */
  readonly automaticTax: boolean
  /** The application's own facts. Ours are written over them. */
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Starts a subscription. It runs, or it is refused and nothing is there: a first payment that fails or
 * that the customer would have to confirm leaves no incomplete subscription behind, unless the customer
 * is there to be asked. https://docs.stripe.com/billing/subscriptions/overview#payment-behavior
 *
 * Where nothing is due at the start (a trial, a plan that is free or paid by use) no payment method is
 * needed; where something is, Stripe refuses a customer who has none.
 */
export function startSubscription(deps: CallDeps, start: SubscriptionToStart): Promise<Stripe.Subscription> {
  const { operation: id, subscriptionId, providerCustomer: customer } = start
  const interval = intervalParams(start.usageInterval)
  const body = {
    customer,
    items: start.items.map(({ providerPrice, quantity }) => ({ price: providerPrice, quantity })),
    billing_mode: { type: 'flexible' },
    collection_method: 'charge_automatically',
    // The registration is the customer's consent; later charges come without the customer.
    ...(start.customerPresent
      ? { payment_behavior: 'allow_incomplete' as const }
      : { payment_behavior: 'error_if_incomplete' as const, off_session: true }),
    ...(start.paymentMethod !== null && { default_payment_method: start.paymentMethod }),
    ...(start.automaticTax && { automatic_tax: { enabled: true } }),
    ...(start.coupons.length > 0 && { discounts: start.coupons.map((coupon) => ({ coupon })) }),
    ...(start.trialDays > 0 && { trial_period_days: start.trialDays }),
    ...interval?.params,
    metadata: {
      ...start.metadata,
      ...interval?.metadata,
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
      if (isPaidFor(invoice)) return true
    }
    return false
  })
}

/** With a balance too: what that pays is not among `amount_paid`. https://docs.stripe.com/billing/customer/balance */
const isPaidFor = ({ amount_paid: paid, status, total }: Stripe.Invoice) =>
  paid > 0 || (status === 'paid' && total > 0)

/**
 * Takes a subscription back that nobody has paid for. One that was paid for is left to a person. What a run
 * that died has done of it is seen, and its calls are settled.
 */
export async function withdrawSubscription(
  deps: CallDeps,
  operation: string,
  { id: subscriptionId, providerId }: { readonly id: string; readonly providerId: string },
): Promise<void> {
  const { db, clock } = deps
  const isOver = async () => {
    const { status } = await fetchSubscription(deps, providerId)
    return status === 'canceled' || status === 'incomplete_expired'
  }
  const invoices = await readStripe(deps, (stripe) =>
    all(stripe.invoices.list({ subscription: providerId, limit: 100 })),
  )
  for (const { id, status } of invoices)
    if (status === 'void') await settleSeen(db, `${operation}/${id}`, id, clock.now())
  if (await isOver()) return settleSeen(db, operation, providerId, clock.now())
  if (invoices.some(isPaidFor)) {
    const detail = `The subscription ${subscriptionId} was paid for and is not taken back by itself.`
    throw new Problem('provider_refused', detail)
  }
  // Ended, its open invoice could still be paid on its page: it is voided first.
  const open = invoices.filter(({ status }) => status === 'open')
  for (const { id } of open) {
    const intention = { id: `${operation}/${id}`, kind: 'invoice.void', subjectId: subscriptionId }
    await callStripe(deps, { ...intention, body: { id }, repeatable: true }, (stripe, options) =>
      stripe.invoices.voidInvoice(id, {}, options),
    )
  }
  // Voiding the first invoice may have ended it already.
  if (open.length > 0 && (await isOver())) return
  await endSubscription(deps, operation, { id: subscriptionId, providerId })
}

/** Ends a subscription now, in the middle of whatever period; nothing is billed or given back for it. */
export async function endSubscription(
  deps: CallDeps,
  operation: string,
  { id: subscriptionId, providerId }: { readonly id: string; readonly providerId: string },
): Promise<Stripe.Subscription> {
  const body = { invoice_now: false, prorate: false }
  const intention = { id: operation, kind: 'subscription.cancel', subjectId: subscriptionId, body }
  return callStripe(deps, { ...intention, repeatable: true }, (stripe, options) =>
    stripe.subscriptions.cancel(providerId, body, options),
  )
}

/**
 * Has a subscription that named a payment method of its own charged to the customer's default from now on.
 * https://docs.stripe.com/api/subscriptions/update: an empty string takes it off.
 */
export async function chargeToDefault(
  deps: CallDeps,
  operation: string,
  { id: subscriptionId, providerId }: { readonly id: string; readonly providerId: string },
): Promise<void> {
  const body = { default_payment_method: '' as const }
  const kind = 'subscription.default_payment_method'
  await callStripe(
    deps,
    { id: operation, kind, subjectId: subscriptionId, body, repeatable: true },
    (stripe, options) => stripe.subscriptions.update(providerId, body, options),
  )
}

/** Lets a trial end later; nothing is billed for the time in between. */
export async function extendTrial(
  deps: CallDeps,
  operation: string,
  { id: subscriptionId, providerId }: { readonly id: string; readonly providerId: string },
  until: Instant,
): Promise<void> {
  const body = { trial_end: until, proration_behavior: 'none' as const }
  const intention = { id: operation, kind: 'subscription.trial', subjectId: subscriptionId, body }
  await callStripe(deps, { ...intention, repeatable: true }, (stripe, options) =>
    stripe.subscriptions.update(providerId, body, options),
  )
}
