import { type Fee, MonthlySum } from '@lockstep/core/import'
import type { PriceRhythm } from '@lockstep/core/price-rhythm'
import type Stripe from 'stripe'
import { linkedSubscriptions } from '../../store/drift.ts'
import { loadPlanVersions } from '../../store/plans.ts'
import type { LookDeps } from '../look.ts'

/** An item of a subscription of ours that the provider alone bills, and what it brings a month there, in minor units. */
export interface BilledThere {
  readonly subscription: string
  readonly providerId: string
  readonly price: string
  /** Paid in another rhythm, or in another currency, than the plan. */
  readonly because: 'rhythm' | 'currency'
  readonly currency: string
  readonly month: string
}

interface PlanPaid extends PriceRhythm {
  readonly subscription: string
}

/** By the provider's ids of subscriptions: how often the plan that each is on here is paid. */
export async function rhythmsOfPlans(
  { db, provider }: LookDeps,
  objects: readonly Stripe.Subscription[],
): Promise<ReadonlyMap<string, PlanPaid>> {
  const linked = await linkedSubscriptions(
    db,
    provider,
    objects.map(({ id }) => id),
  )
  const versions = await loadPlanVersions(
    db,
    linked.map(({ planVersionId }) => planVersionId),
  )
  return new Map(
    linked.map(({ id: subscription, providerId, currency }, index) => {
      const plan = versions[index]?.plan
      if (!plan) throw new Error(`${subscription} is on no plan.`)
      const { interval, intervalCount } = plan
      return [providerId, { subscription, currency, interval, intervalCount }]
    }),
  )
}

/**
 * A plan and its add-ons are paid in one rhythm and one currency. What is paid otherwise beside them, as subscriptions of flexible
 * billing mode may have it, stays an item at the provider; null of what is here.
 * https://docs.stripe.com/billing/subscriptions/mixed-interval
 */
export function isBilledThere(
  { id: providerId }: Stripe.Subscription,
  { price, fee }: { readonly price: Stripe.Price; readonly fee: Fee },
  plan: PlanPaid | undefined,
): BilledThere | null {
  if (!plan) return null
  const { subscription, currency } = plan
  const isOften = fee.interval === plan.interval && fee.intervalCount === plan.intervalCount
  if (isOften && price.currency === currency) return null
  const month = new MonthlySum()
  month.add(fee)
  return {
    ...{ subscription, providerId, price: price.id, because: isOften ? 'currency' : 'rhythm' },
    ...{ currency: fee.currency, month: `${month.total()[0]?.minor ?? 0n}` },
  }
}
