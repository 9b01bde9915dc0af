import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import { type CallDeps, callStripe } from './call.ts'
import { idOf } from './field.ts'

interface Target {
  readonly id: string
  readonly providerId: string
}

/**
 * Plans the end: with the running period, or at a date. Nothing is credited for the part of a period
 * after it. https://docs.stripe.com/billing/subscriptions/cancel
 */
export function planEnd(
  deps: CallDeps,
  operation: string,
  target: Target,
  when: 'periodEnd' | Instant,
): Promise<Stripe.Subscription> {
  const body =
    when === 'periodEnd'
      ? { cancel_at_period_end: true }
      : { cancel_at: when, proration_behavior: 'none' as const }
  return update(deps, operation, 'subscription.cancel_at', target, body)
}

/** Takes a planned end back. */
export function clearEnd(
  deps: CallDeps,
  operation: string,
  target: Target,
  { cancelAtPeriodEnd }: { readonly cancelAtPeriodEnd: boolean },
): Promise<Stripe.Subscription> {
  const body = cancelAtPeriodEnd ? { cancel_at_period_end: false } : { cancel_at: '' as const }
  return update(deps, operation, 'subscription.cancel_at', target, body)
}

/** Invoices are made and not collected until somebody says so, or until that moment. */
export function pauseCollection(
  deps: CallDeps,
  operation: string,
  target: Target,
  {
    behavior,
    resumesAt,
  }: {
    readonly behavior: 'keep_as_draft' | 'mark_uncollectible' | 'void'
    readonly resumesAt: Instant | null
  },
): Promise<Stripe.Subscription> {
  const body = { pause_collection: { behavior, ...(resumesAt !== null && { resumes_at: resumesAt }) } }
  return update(deps, operation, 'subscription.pause_collection', target, body)
}

/** Invoices are collected again; what was kept as a draft meanwhile stays one. */
export function resumeCollection(
  deps: CallDeps,
  operation: string,
  target: Target,
): Promise<Stripe.Subscription> {
  return update(deps, operation, 'subscription.pause_collection', target, { pause_collection: '' })
}

/**
 * Goes on with a subscription that is `paused`: a new period begins now, and its invoice is paid at once
 * or it stays paused. https://docs.stripe.com/billing/subscriptions/pause#resume-subscriptions
 */
export function resumePaused(
  deps: CallDeps,
  operation: string,
  { id: subjectId, providerId }: Target,
): Promise<Stripe.Subscription> {
  const body = {
    billing_cycle_anchor: { type: 'now' },
    payment_behavior: 'resume_on_payment_success',
  } as const
  const intention = { id: operation, kind: 'subscription.resume', subjectId, body, repeatable: true }
  return callStripe(deps, intention, (stripe, options) =>
    stripe.subscriptions.resume(providerId, body, options),
  )
}

/** The schedule that a subscription follows; null for none. */
export function scheduleOf({ schedule }: Stripe.Subscription): string | null {
  return schedule === null ? null : idOf(schedule)
}

function update(
  deps: CallDeps,
  id: string,
  kind: string,
  { id: subjectId, providerId }: Target,
  body: Stripe.SubscriptionUpdateParams,
): Promise<Stripe.Subscription> {
  return callStripe(deps, { id, kind, subjectId, body, repeatable: true }, (stripe, options) =>
    stripe.subscriptions.update(providerId, body, options),
  )
}
