import { cancelNow } from '../billing/cancel.ts'
import { schedulePendingItems } from '../billing/pending-interval.ts'
import type { Change } from '../billing/update.ts'
import { changeSubscription } from '../billing/update-if-paid.ts'
import { invalid, missing, type StripeError } from '../errors.ts'
import { del, post } from '../http/route.ts'
import {
  bool,
  clearable,
  gaps,
  oneOf,
  type Params,
  required,
  shape,
  text,
  timestamp,
} from '../http/schema.ts'
import type { SubscriptionRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { changeFields, itemChange } from './change-params.ts'
import { itemsAfter } from './changed-items.ts'
import { ownMethod } from './customers.ts'
import { applyDiscounts, redeemer } from './discounts.ts'
import { addExtraItems, extraItems } from './extra-items.ts'
import { find } from './lookup.ts'
import { ALONE, checkPendable } from './pendable.ts'
import { followSubscription } from './schedule-phases.ts'
import { sourceOf } from './sources.ts'
import { checkInvoicing } from './start-subscription.ts'
import {
  intervalOf,
  invoiceSettingsOf,
  SUBSCRIPTIONS_URL,
  sharedFields,
  thresholdsOf,
} from './subscription-fields.ts'
import { automaticTaxOf, taxRatesOf } from './tax-rates.ts'

const details = shape({
  comment: clearable(text()),
  feedback: clearable(
    oneOf([
      'customer_service',
      'low_quality',
      'missing_features',
      'other',
      'switched_service',
      'too_complex',
      'too_expensive',
      'unused',
    ] as const),
  ),
  ...gaps('feedback_option'),
})

const updateFields = {
  ...sharedFields,
  ...changeFields,
  default_payment_method: clearable(text()),
  default_source: clearable(text()),
  pause_collection: clearable(
    shape({
      behavior: required(oneOf(['keep_as_draft', 'mark_uncollectible', 'void'] as const)),
      resumes_at: timestamp,
    }),
  ),
  cancellation_details: details,
  add_invoice_items: extraItems,
}

export const subscriptionChangeRoutes = [
  post(`${SUBSCRIPTIONS_URL}/:id`, shape(updateFields), ({ world, params, path }) => {
    const subscription = find(world.subscriptions, 'subscription', path())
    if (subscription.status === 'canceled' || subscription.status === 'incomplete_expired') {
      return world.render(updateEnded(world, subscription, params))
    }
    if (params.payment_behavior === 'pending_if_incomplete') checkPendable(subscription, params, ALONE)
    addExtraItems(world, subscription.id, params.add_invoice_items ?? [])
    if (subscription.schedule !== null && (params.cancel_at ?? params.cancel_at_period_end) !== undefined) {
      throw invalid(
        `The subscription is managed by the subscription schedule \`${subscription.schedule}\`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.`,
      )
    }
    changeSubscription(world, subscription.id, changeOf(world, subscription, params))
    followSubscription(world, subscription.schedule, subscription.id)
    schedulePendingItems(world, world.subscriptions.must(subscription.id))
    return world.render(world.subscriptions.must(subscription.id))
  }),
  del(
    `${SUBSCRIPTIONS_URL}/:id`,
    shape({ prorate: bool, invoice_now: bool, cancellation_details: details }),
    ({ world, params, path }) => {
      const subscription = find(world.subscriptions, 'subscription', path())
      // A subscription that is over is not found any more by those who want to end it.
      if (subscription.status === 'canceled' || subscription.status === 'incomplete_expired') {
        throw missing('subscription', subscription.id)
      }
      cancelNow(world, subscription.id, {
        prorate: params.prorate ?? false,
        invoiceNow: params.invoice_now ?? false,
        details: defined(params.cancellation_details ?? {}),
      })
      return world.render(world.subscriptions.must(subscription.id))
    },
  ),
]

type UpdateParams = Params<typeof updateFields>

/** `canceled` is terminal: only metadata and the reasons may still change. */
function updateEnded(world: World, subscription: SubscriptionRow, params: UpdateParams): SubscriptionRow {
  const { metadata: labels, cancellation_details: reasons, ...others } = params
  if (Object.keys(defined(others)).length > 0) {
    throw endedAlready()
  }
  const next = world.subscriptions.patch(subscription.id, {
    metadata: mergeMetadata(subscription.metadata, labels),
    cancellation_details: {
      ...(subscription.cancellation_details as NonNullable<SubscriptionRow['cancellation_details']>),
      ...defined(reasons ?? {}),
    },
  })
  world.emit('customer.subscription.updated', next)
  return next
}

/** The refusal of every other change of a subscription that is over. */
export function endedAlready(): StripeError {
  return invalid(
    'A canceled subscription can only update its cancellation_details and metadata.',
    undefined,
    'invalid_canceled_subscription_fields',
  )
}

function changeOf(world: World, subscription: SubscriptionRow, params: UpdateParams): Change {
  const { payment_settings: settings, trial_settings: trial } = params
  if (params.default_payment_method != null) {
    ownMethod(world, subscription.customer, params.default_payment_method, 'default_payment_method')
  }
  if (params.default_source != null) {
    sourceOf(world, subscription.customer, params.default_source, 'default_source')
  }
  const now = world.now(subscription.own.clock)
  const method = params.collection_method ?? subscription.collection_method
  const isSent = subscription.collection_method === 'send_invoice'
  checkInvoicing(
    method,
    params.days_until_due ?? (isSent && method === 'send_invoice' ? subscription.days_until_due : undefined),
  )
  const change = itemChange(world, subscription, params, '')
  if (
    subscription.status === 'incomplete' &&
    (change.items.length > 0 || change.anchorNow || change.trialEnd !== undefined)
  ) {
    throw invalid(
      'This subscription is incomplete: only its metadata and default payment method can be changed until its first invoice is paid.',
    )
  }
  const fields: Partial<SubscriptionRow> = {
    ...change.fields,
    ...defined({
      default_payment_method: params.default_payment_method,
      default_source: params.default_source,
      description: params.description,
      collection_method: params.collection_method,
      // "Null for subscriptions where `collection_method=charge_automatically`": docs.stripe.com/api/subscriptions/object
      days_until_due: params.collection_method === 'charge_automatically' ? null : params.days_until_due,
    }),
    ...(params.discounts === undefined
      ? {}
      : { discounts: discountsOf(world, subscription, change.items, params.discounts) }),
    ...(params.billing_thresholds === undefined
      ? {}
      : { billing_thresholds: thresholdsOf(params.billing_thresholds) }),
    ...(params.invoice_settings === undefined
      ? {}
      : {
          invoice_settings: invoiceSettingsOf(world, params.invoice_settings, subscription.invoice_settings),
        }),
    ...(params.pending_invoice_item_interval === undefined
      ? {}
      : { pending_invoice_item_interval: intervalOf(params.pending_invoice_item_interval) }),
    ...(params.default_tax_rates === undefined
      ? {}
      : {
          default_tax_rates: taxRatesOf(
            world,
            params.default_tax_rates,
            'default_tax_rates',
            subscription.default_tax_rates,
          ),
        }),
    ...(params.automatic_tax === undefined
      ? {}
      : { automatic_tax: automaticTaxOf(world, subscription.customer, params.automatic_tax) }),
    ...(params.pause_collection === undefined
      ? {}
      : { pause_collection: pauseOf(params.pause_collection, now) }),
    ...(settings === undefined
      ? {}
      : {
          payment_settings: {
            ...(subscription.payment_settings as NonNullable<SubscriptionRow['payment_settings']>),
            ...defined(settings),
          },
        }),
    ...(trial === undefined
      ? {}
      : {
          trial_settings: {
            end_behavior: {
              billing_cycle_anchor: trial.end_behavior.billing_cycle_anchor ?? null,
              missing_payment_method: trial.end_behavior.missing_payment_method,
            },
          },
        }),
    ...(params.cancellation_details === undefined
      ? {}
      : {
          cancellation_details: {
            ...(subscription.cancellation_details as NonNullable<SubscriptionRow['cancellation_details']>),
            ...defined(params.cancellation_details),
          },
        }),
    metadata: mergeMetadata(subscription.metadata, params.metadata),
  }
  return {
    ...change,
    fields,
    paymentBehavior: params.payment_behavior ?? 'allow_incomplete',
    offSession: params.off_session ?? false,
  }
}

function discountsOf(
  world: World,
  subscription: SubscriptionRow,
  changes: Change['items'],
  given: UpdateParams['discounts'],
): string[] {
  if (given === null) return []
  // A filled array replaces; an empty one changes nothing.
  if (given === undefined || given.length === 0) return [...subscription.discounts]
  const to = redeemer(world, subscription, itemsAfter(world, subscription, changes))
  return applyDiscounts(world, given, to)
}

function pauseOf(
  given: NonNullable<UpdateParams['pause_collection']> | null,
  now: number,
): SubscriptionRow['pause_collection'] {
  if (given?.resumes_at !== undefined && given.resumes_at <= now) {
    throw invalid('`resumes_at` must be in the future.', 'pause_collection[resumes_at]')
  }
  return given === null ? null : { behavior: given.behavior, resumes_at: given.resumes_at ?? null }
}
