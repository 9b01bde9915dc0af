import type { Plan } from '@lockstep/core/plan'
import type Stripe from 'stripe'
import { type CallDeps, callStripe } from './call.ts'
import { withAllItems } from './fetch.ts'

export type UsageInterval = NonNullable<Stripe.SubscriptionCreateParams.PendingInvoiceItemInterval>

/** Says that the interval is ours to take off again; one that somebody else set is left alone. */
const MARK = 'lockstep_usage_interval'

/** How often Stripe invoices what Lockstep rates, beside the renewals; null where the renewals are enough. */
export function usageIntervalOf({
  usageInterval,
  usageIntervalCount,
}: Pick<Plan, 'usageInterval' | 'usageIntervalCount'>): UsageInterval | null {
  return usageInterval === null ? null : { interval: usageInterval, interval_count: usageIntervalCount ?? 1 }
}

/** The parameters that begin it with a subscription. https://docs.stripe.com/api/subscriptions/create */
export function intervalParams(wanted: UsageInterval | null | undefined) {
  return wanted ? { params: { pending_invoice_item_interval: wanted }, metadata: markOf(wanted) } : undefined
}

/** Whether a subscription, as it was seen last, has another interval than it should have by us. */
export function hasOtherInterval(
  { pending_invoice_item_interval: standing, metadata }: Stripe.Subscription,
  wanted: UsageInterval | null,
): boolean {
  if (wanted === null) return standing !== null && metadata[MARK] !== undefined
  return standing?.interval !== wanted.interval || standing.interval_count !== wanted.interval_count
}

/** Sets it, or takes it off. It can be neither part of a change that waits for its payment, nor of a schedule's phase. */
export function setUsageInterval(
  deps: CallDeps,
  operation: string,
  { id: subscriptionId, providerId }: { readonly id: string; readonly providerId: string },
  wanted: UsageInterval | null,
): Promise<Stripe.Subscription> {
  const body = {
    pending_invoice_item_interval: wanted ?? ('' as const),
    metadata: wanted === null ? { [MARK]: '' } : markOf(wanted),
  }
  const call = { id: operation, kind: 'subscription.usage_interval', subjectId: subscriptionId, body }
  return callStripe(deps, { ...call, repeatable: true }, async (stripe, options) =>
    withAllItems(stripe, await stripe.subscriptions.update(providerId, body, options)),
  )
}

const markOf = ({ interval, interval_count: count }: UsageInterval) => ({
  [MARK]: `${count ?? 1} ${interval}`,
})
