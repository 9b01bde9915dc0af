import { cancelNow } from '../billing/cancel.ts'
import { itemsOf } from '../billing/periods.ts'
import { resumeSubscription } from '../billing/resume.ts'
import { type Change, type ItemChange, updateSubscription } from '../billing/update.ts'
import { gap, invalid, missing } from '../errors.ts'
import { del, post } from '../http/route.ts'
import {
  bool,
  clearable,
  either,
  gaps,
  list,
  oneOf,
  type Params,
  required,
  shape,
  text,
  timestamp,
  timestampOrNow,
} from '../http/schema.ts'
import type { SubscriptionRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { ownMethod } from './customers.ts'
import { applyDiscounts } from './discounts.ts'
import { find } from './lookup.ts'
import { createInvoiceItem } from './make-invoice-item.ts'
import { addInvoiceItems, itemFields, SUBSCRIPTIONS_URL, sharedFields } from './subscription-fields.ts'
import { recurringPrice } from './subscription-items.ts'

/** Endive takes an object, older versions a bare word; both are understood. */
export const anchorParam = either(
  shape({ type: required(oneOf(['now', 'unchanged'] as const)) }),
  oneOf(['now', 'unchanged'] as const),
)

/** What a change of items consists of; previews take the same. */
export const changeFields = {
  items: list(shape({ ...itemFields, id: text(), deleted: bool, ...gaps('clear_usage') }), 20),
  proration_behavior: sharedFields.proration_behavior,
  proration_date: timestamp,
  billing_cycle_anchor: anchorParam,
  cancel_at: clearable(either(timestamp, oneOf(['min_period_end', 'max_period_end'] as const))),
  cancel_at_period_end: bool,
  trial_end: timestampOrNow,
}

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
  pause_collection: clearable(
    shape({
      behavior: required(oneOf(['keep_as_draft', 'mark_uncollectible', 'void'] as const)),
      resumes_at: timestamp,
    }),
  ),
  cancellation_details: details,
  add_invoice_items: addInvoiceItems,
}

export const subscriptionChangeRoutes = [
  post(`${SUBSCRIPTIONS_URL}/:id`, shape(updateFields), ({ world, params, path }) => {
    const subscription = find(world.subscriptions, 'subscription', path())
    if (subscription.status === 'canceled' || subscription.status === 'incomplete_expired') {
      return world.render(updateEnded(world, subscription, params))
    }
    for (const [i, extra] of (params.add_invoice_items ?? []).entries()) {
      createInvoiceItem(
        world,
        {
          customer: subscription.customer,
          subscription: subscription.id,
          pricing: { price: extra.price },
          quantity: extra.quantity,
          metadata: extra.metadata,
        },
        `add_invoice_items[${i}]`,
      )
    }
    updateSubscription(world, subscription.id, changeOf(world, subscription, params))
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
  post(
    `${SUBSCRIPTIONS_URL}/:id/resume`,
    shape({
      billing_cycle_anchor: anchorParam,
      proration_behavior: sharedFields.proration_behavior,
      payment_behavior: oneOf(['resume_on_payment_attempt', 'resume_on_payment_success'] as const),
      ...gaps('proration_date'),
    }),
    ({ world, params, path }) => {
      const subscription = find(world.subscriptions, 'subscription', path())
      if (subscription.status !== 'paused') throw invalid('Only paused subscriptions can be resumed.')
      if (anchorOf(params.billing_cycle_anchor) === 'unchanged') {
        throw gap('resuming with an unchanged billing cycle anchor', 'billing_cycle_anchor')
      }
      if (params.payment_behavior === 'resume_on_payment_success') {
        throw gap('payment_behavior=resume_on_payment_success', 'payment_behavior')
      }
      return world.render(resumeSubscription(world, subscription.id))
    },
  ),
  post(`${SUBSCRIPTIONS_URL}/:id/pause`, shape({}), () => {
    throw gap('pausing a subscription by POST /v1/subscriptions/:id/pause (pause_collection works)')
  }),
  post(
    `${SUBSCRIPTIONS_URL}/:id/migrate`,
    shape({
      billing_mode: required(shape({ type: required(oneOf(['flexible'] as const)), ...gaps('flexible') })),
    }),
    ({ world, path }) => {
      const subscription = find(world.subscriptions, 'subscription', path())
      const next = world.subscriptions.patch(subscription.id, {
        billing_mode: {
          type: 'flexible',
          flexible: { proration_discounts: 'included' },
          updated_at: world.now(subscription.own.clock),
        },
      })
      world.emit('customer.subscription.updated', next)
      return world.render(next)
    },
  ),
]

type UpdateParams = Params<typeof updateFields>

/** `canceled` is terminal: only metadata and the reasons may still change. */
function updateEnded(world: World, subscription: SubscriptionRow, params: UpdateParams): SubscriptionRow {
  const { metadata: labels, cancellation_details: reasons, ...others } = params
  if (Object.keys(defined(others)).length > 0) {
    throw invalid('A canceled subscription can only update its cancellation_details and metadata.')
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

function changeOf(world: World, subscription: SubscriptionRow, params: UpdateParams): Change {
  const { payment_settings: settings, trial_settings: trial } = params
  if (params.default_payment_method != null) {
    ownMethod(world, subscription.customer, params.default_payment_method, 'default_payment_method')
  }
  if (params.payment_behavior === 'pending_if_incomplete') {
    throw gap('payment_behavior=pending_if_incomplete', 'payment_behavior')
  }
  if (params.collection_method !== undefined && params.collection_method !== subscription.collection_method) {
    if (params.collection_method === 'send_invoice' && params.days_until_due === undefined) {
      throw invalid('Missing required param: days_until_due.', 'days_until_due', 'parameter_missing')
    }
  }
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
      description: params.description,
      collection_method: params.collection_method,
      days_until_due: params.days_until_due,
    }),
    ...(params.discounts === undefined
      ? {}
      : { discounts: discountsOf(world, subscription, params.discounts) }),
    ...(params.pause_collection === undefined ? {} : { pause_collection: pauseOf(params.pause_collection) }),
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
              billing_cycle_anchor: null,
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
  given: UpdateParams['discounts'],
): string[] {
  if (given === null) return []
  // A filled array replaces; an empty one changes nothing.
  if (given === undefined || given.length === 0) return [...subscription.discounts]
  return applyDiscounts(world, given, {
    customer: subscription.customer,
    subscription: subscription.id,
    at: world.now(subscription.own.clock),
    clock: subscription.own.clock,
  })
}

function pauseOf(
  given: NonNullable<UpdateParams['pause_collection']> | null,
): SubscriptionRow['pause_collection'] {
  return given === null ? null : { behavior: given.behavior, resumes_at: given.resumes_at ?? null }
}

export type ChangeParams = Params<typeof changeFields>

/** The part of an update that a preview can ask for as well. `prefix` leads the names of parameters. */
export function itemChange(
  world: World,
  subscription: SubscriptionRow,
  params: ChangeParams,
  prefix: string,
): Change {
  const name = (path: string) =>
    prefix === '' ? path : `${prefix}[${path.replace(/^([^[]+)/, '$1]').replace(/\]$/, '')}]`
  const now = world.now(subscription.own.clock)
  const items = (params.items ?? []).map((entry, i): ItemChange => {
    const at = prefix === '' ? `items[${i}]` : `${prefix}[items][${i}]`
    const old =
      entry.id === undefined
        ? undefined
        : find(world.subscriptionItems, 'subscription item', entry.id, `${at}[id]`)
    if (old !== undefined && old.subscription !== subscription.id)
      throw missing('subscription item', old.id, `${at}[id]`)
    if (old === undefined && entry.deleted === true) {
      throw invalid('You must give the id of the item to delete.', `${at}[id]`, 'parameter_missing')
    }
    const price =
      entry.price === undefined && old !== undefined
        ? undefined
        : recurringPrice(world, entry.price, `${at}[price]`)
    if (price !== undefined && price.currency !== subscription.currency) {
      throw invalid(
        `The price specified is in ${price.currency}; the subscription is in ${subscription.currency}.`,
        `${at}[price]`,
      )
    }
    const known = itemsOf(world, subscription.id).some(
      (item) => item.own.price === price?.id && item.id !== old?.id,
    )
    if (old === undefined && known) {
      throw invalid(
        `Cannot add multiple subscription items with the same price: ${price?.id}`,
        `${at}[price]`,
      )
    }
    return {
      id: old?.id,
      price: price?.id,
      quantity: entry.quantity,
      metadata: entry.metadata === undefined ? undefined : mergeMetadata(old?.metadata ?? {}, entry.metadata),
      deleted: entry.deleted ?? false,
    }
  })
  const kept = itemsOf(world, subscription.id).length - items.filter((item) => item.deleted).length
  if (kept + items.filter((item) => item.id === undefined).length < 1) {
    throw invalid('A subscription must have at least one active item.', name('items'))
  }
  checkProrationDate(world, subscription, params.proration_date, name('proration_date'))
  if (typeof params.trial_end === 'number' && params.trial_end <= now) {
    throw invalid('The trial end must be in the future.', name('trial_end'))
  }
  return {
    items,
    prorationBehavior: params.proration_behavior ?? 'create_prorations',
    prorationDate: params.proration_date,
    anchorNow: anchorOf(params.billing_cycle_anchor) === 'now',
    trialEnd: params.trial_end,
    paymentBehavior: 'allow_incomplete',
    offSession: false,
    fields: endFields(world, subscription, params, now),
  }
}

function anchorOf(given: ChangeParams['billing_cycle_anchor']): 'now' | 'unchanged' | undefined {
  return typeof given === 'object' ? given.type : given
}

function checkProrationDate(
  world: World,
  subscription: SubscriptionRow,
  at: number | undefined,
  param: string,
): void {
  if (at === undefined) return
  const items = itemsOf(world, subscription.id)
  const start = Math.min(...items.map((item) => item.current_period_start))
  const end = Math.max(...items.map((item) => item.current_period_end))
  if (at < start || at > end) {
    throw invalid('Invalid proration date: it must lie inside the current billing period.', param)
  }
}

/** `cancel_at_period_end` is a date in disguise; unsetting either clears what was planned. */
function endFields(
  world: World,
  subscription: SubscriptionRow,
  params: ChangeParams,
  now: number,
): Partial<SubscriptionRow> {
  const { cancel_at: at, cancel_at_period_end: atEnd, proration_behavior: prorates } = params
  if (at !== undefined && atEnd === true) {
    throw invalid(
      'You may only specify one of these parameters: cancel_at, cancel_at_period_end.',
      'cancel_at',
    )
  }
  const own = { ...subscription.own, proratesEnd: prorates !== 'none' }
  const ends = itemsOf(world, subscription.id).map((item) => item.current_period_end)
  if (atEnd === true) {
    return plan(subscription, Math.max(...ends), true, now, own)
  }
  if (typeof at === 'number') {
    if (at <= now) throw invalid('`cancel_at` must be in the future.', 'cancel_at')
    return plan(subscription, at, false, now, own)
  }
  if (at === 'min_period_end') return plan(subscription, Math.min(...ends), false, now, own)
  if (at === 'max_period_end') return plan(subscription, Math.max(...ends), false, now, own)
  if (at === null || (atEnd === false && subscription.cancel_at_period_end)) {
    return {
      cancel_at: null,
      cancel_at_period_end: false,
      canceled_at: null,
      cancellation_details: withReason(subscription, null),
      own,
    }
  }
  return {}
}

function plan(
  subscription: SubscriptionRow,
  cancelAt: number,
  atPeriodEnd: boolean,
  now: number,
  own: SubscriptionRow['own'],
): Partial<SubscriptionRow> {
  return {
    cancel_at: cancelAt,
    cancel_at_period_end: atPeriodEnd,
    canceled_at: now,
    cancellation_details: withReason(subscription, 'cancellation_requested'),
    own,
  }
}

function withReason(subscription: SubscriptionRow, reason: 'cancellation_requested' | null) {
  const present = subscription.cancellation_details ?? {
    comment: null,
    feedback: null,
    feedback_option: null,
  }
  return { ...present, reason }
}
