import { pauseSubscription } from '../billing/pause.ts'
import { schedulePendingItems } from '../billing/pending-interval.ts'
import { resumeSubscription } from '../billing/resume.ts'
import { invalid, missing } from '../errors.ts'
import { post } from '../http/route.ts'
import { oneOf, type Params, required, shape, timestamp } from '../http/schema.ts'
import type { SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { prorationDiscounts } from './billing-mode.ts'
import { anchorParam } from './change-params.ts'
import { find } from './lookup.ts'
import { SUBSCRIPTIONS_URL, sharedFields } from './subscription-fields.ts'

export const pauseFields = {
  bill_for: shape({
    outstanding_usage_through: shape({ type: required(oneOf(['none', 'now'] as const)) }),
    unused_time_from: shape({
      type: required(oneOf(['item_current_period_start', 'none', 'now'] as const)),
    }),
  }),
  invoicing_behavior: oneOf(['invoice', 'pending_invoice_item'] as const),
  type: oneOf(['subscription'] as const),
}

const resumeFields = {
  billing_cycle_anchor: anchorParam,
  payment_behavior: oneOf(['resume_on_payment_attempt', 'resume_on_payment_success'] as const),
  proration_behavior: sharedFields.proration_behavior,
  proration_date: timestamp,
}

/** Pausing, resuming, and the move to flexible billing. */
export const subscriptionVerbRoutes = [
  post(`${SUBSCRIPTIONS_URL}/:id/pause`, shape(pauseFields), ({ world, params, path }) => {
    const subscription = find(world.subscriptions, 'subscription', path())
    pause(world, subscription, params)
    schedulePendingItems(world, world.subscriptions.must(subscription.id))
    return world.render(world.subscriptions.must(subscription.id))
  }),
  post(`${SUBSCRIPTIONS_URL}/:id/resume`, shape(resumeFields), ({ world, params, path }) => {
    const subscription = find(world.subscriptions, 'subscription', path())
    resume(world, subscription, params)
    schedulePendingItems(world, world.subscriptions.must(subscription.id))
    return world.render(world.subscriptions.must(subscription.id))
  }),
  post(
    `${SUBSCRIPTIONS_URL}/:id/migrate`,
    shape({
      billing_mode: required(
        shape({
          type: required(oneOf(['flexible'] as const)),
          flexible: shape({ proration_discounts: prorationDiscounts }),
        }),
      ),
    }),
    ({ world, params, path }) => {
      const subscription = find(world.subscriptions, 'subscription', path())
      refuseOver(subscription, 'migrated')
      if (subscription.billing_mode.type === 'flexible') {
        throw invalid('The subscription already has `billing_mode[type]=flexible`.', 'billing_mode[type]')
      }
      const next = world.subscriptions.patch(subscription.id, {
        billing_mode: {
          type: 'flexible',
          flexible: {
            proration_discounts: params.billing_mode.flexible?.proration_discounts ?? 'included',
          },
          updated_at: world.now(subscription.own.clock),
        },
      })
      world.emit('customer.subscription.updated', next)
      return world.render(next)
    },
  ),
]

/** What cannot be paused, by https://docs.stripe.com/billing/subscriptions/pause */
export function pause(world: World, subscription: SubscriptionRow, params: Params<typeof pauseFields>) {
  if (subscription.billing_mode.type !== 'flexible') {
    throw invalid('Only subscriptions with `billing_mode[type]=flexible` can be paused.')
  }
  if (subscription.collection_method !== 'charge_automatically') {
    throw invalid('Subscriptions with `collection_method=send_invoice` cannot be paused.')
  }
  if (!['active', 'past_due', 'unpaid'].includes(subscription.status)) {
    throw invalid(`A subscription that is \`${subscription.status}\` cannot be paused.`)
  }
  if (subscription.schedule !== null) {
    throw invalid('A subscription with an attached subscription schedule cannot be paused.')
  }
  return pauseSubscription(world, subscription.id, {
    unusedFrom: params.bill_for?.unused_time_from?.type ?? 'now',
    usageThrough: params.bill_for?.outstanding_usage_through?.type ?? 'now',
    invoicing: params.invoicing_behavior ?? 'pending_invoice_item',
  })
}

export function resume(world: World, subscription: SubscriptionRow, params: Params<typeof resumeFields>) {
  // Both as recorded: github.com/Kiln-AI/stripe_world, cassette 12 and its probes.
  if (isOver(subscription)) throw missing('subscription', subscription.id)
  if (subscription.status !== 'paused') {
    throw invalid('You can only resume a subscription if it is `paused`.')
  }
  if (subscription.collection_method !== 'charge_automatically') {
    throw invalid('Only subscriptions with `collection_method=charge_automatically` can be resumed.')
  }
  if (subscription.own.held != null) {
    throw invalid('The subscription is being resumed: its invoice waits to be paid or voided.')
  }
  const paymentBehavior = params.payment_behavior ?? 'resume_on_payment_attempt'
  if (paymentBehavior === 'resume_on_payment_success' && subscription.billing_mode.type !== 'flexible') {
    throw invalid(
      '`resume_on_payment_success` is only available with `billing_mode[type]=flexible`.',
      'payment_behavior',
    )
  }
  return resumeSubscription(world, subscription.id, {
    anchor: params.billing_cycle_anchor?.type ?? 'now',
    prorationBehavior: params.proration_behavior ?? 'create_prorations',
    prorationDate: params.proration_date,
    paymentBehavior,
  })
}

function isOver({ status }: Pick<SubscriptionRow, 'status'>): boolean {
  return status === 'canceled' || status === 'incomplete_expired'
}

export function refuseOver(subscription: Pick<SubscriptionRow, 'status'>, what: string): void {
  if (!isOver(subscription)) return
  throw invalid(`A subscription that is \`${subscription.status}\` cannot be ${what}.`)
}
