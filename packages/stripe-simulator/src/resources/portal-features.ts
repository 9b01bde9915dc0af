import { gap, invalid } from '../errors.ts'
import {
  bool,
  clearable,
  gaps,
  integer,
  list,
  oneOf,
  type Params,
  playedOf,
  required,
  shape,
  text,
} from '../http/schema.ts'
import type { PortalConfigurationRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import type { World } from '../world.ts'
import { find, liveProduct } from './lookup.ts'

type Features = PortalConfigurationRow['features']

const REASONS = [
  'customer_service',
  'low_quality',
  'missing_features',
  'other',
  'switched_service',
  'too_complex',
  'too_expensive',
  'unused',
] as const

/** What a portal can let its customer do. https://docs.stripe.com/api/customer_portal/configurations/create */
export const featuresParam = shape({
  customer_update: shape({
    allowed_updates: clearable(
      list(oneOf(['address', 'email', 'name', 'phone', 'shipping', 'tax_id'] as const)),
    ),
    enabled: bool,
  }),
  invoice_history: shape({ enabled: required(bool) }),
  payment_method_update: shape({ enabled: required(bool), ...gaps('payment_method_configuration') }),
  subscription_cancel: shape({
    cancellation_reason: shape({
      enabled: required(bool),
      options: clearable(list(oneOf(REASONS))),
      ...gaps('feedback_options'),
    }),
    enabled: bool,
    mode: oneOf(['at_period_end', 'immediately'] as const),
    proration_behavior: playedOf(['create_prorations', 'none'] as const, ['always_invoice']),
  }),
  subscription_pause: shape({
    duration: shape({
      interval_options: clearable(
        list(
          shape({
            interval: required(oneOf(['day', 'month', 'week', 'year'] as const)),
            interval_count: integer({ min: 1 }),
          }),
        ),
      ),
      type: required(oneOf(['indefinite', 'interval_options'] as const)),
    }),
    enabled: bool,
  }),
  subscription_update: shape({
    billing_cycle_anchor: oneOf(['now', 'unchanged'] as const),
    default_allowed_updates: clearable(list(oneOf(['price', 'promotion_code', 'quantity'] as const))),
    enabled: bool,
    products: clearable(
      list(
        shape({
          adjustable_quantity: shape({
            enabled: required(bool),
            maximum: integer({ min: 1 }),
            minimum: integer({ min: 0 }),
          }),
          prices: required(list(text())),
          product: required(text()),
        }),
        10,
      ),
    ),
    proration_behavior: oneOf(['always_invoice', 'create_prorations', 'none'] as const),
    schedule_at_period_end: shape({
      conditions: clearable(
        list(shape({ type: required(oneOf(['decreasing_item_amount', 'shortening_interval'] as const)) })),
      ),
    }),
    trial_update_behavior: oneOf(['continue_trial', 'end_trial'] as const),
  }),
})

export type FeaturesGiven = Params<{ features: typeof featuresParam }>['features']

/** What a configuration has that was given nothing: everything off, with the documented defaults. */
const plainFeatures: Features = {
  customer_update: { allowed_updates: [], enabled: false },
  invoice_history: { enabled: false },
  payment_method_update: { enabled: false, payment_method_configuration: null },
  subscription_cancel: {
    cancellation_reason: { enabled: false, feedback_options: null, options: [...REASONS] },
    enabled: false,
    mode: 'at_period_end',
    proration_behavior: 'none',
  },
  subscription_pause: {
    duration: { interval_options: [{ interval: 'month', interval_count: 1 }], type: 'interval_options' },
    enabled: false,
  },
  subscription_update: {
    billing_cycle_anchor: 'unchanged',
    default_allowed_updates: [],
    enabled: false,
    products: [],
    proration_behavior: 'none',
    schedule_at_period_end: { conditions: [] },
    trial_update_behavior: 'end_trial',
  },
}

/** The account's own portal: details, cards and invoices, and plans that end with their period. */
export const defaultFeatures: Features = {
  ...plainFeatures,
  customer_update: {
    allowed_updates: ['address', 'email', 'name', 'phone'],
    enabled: true,
  },
  invoice_history: { enabled: true },
  payment_method_update: { enabled: true, payment_method_configuration: null },
  subscription_cancel: { ...plainFeatures.subscription_cancel, enabled: true },
}

/** Puts what was sent over what stands; a list that is sent empty is emptied. */
export function featuresOf(
  world: World,
  given: FeaturesGiven = {},
  present: Features = plainFeatures,
): Features {
  const cancel = given.subscription_cancel ?? {}
  const update = given.subscription_update ?? {}
  const features: Features = {
    customer_update: {
      ...present.customer_update,
      ...emptied(given.customer_update ?? {}),
    },
    invoice_history: given.invoice_history ?? present.invoice_history,
    payment_method_update: { ...present.payment_method_update, ...given.payment_method_update },
    subscription_cancel: {
      ...present.subscription_cancel,
      ...emptied({ ...cancel, cancellation_reason: undefined }),
      cancellation_reason: {
        ...present.subscription_cancel.cancellation_reason,
        ...emptied(cancel.cancellation_reason ?? {}),
      },
    },
    subscription_pause: pauseOf(given.subscription_pause, present.subscription_pause),
    subscription_update: {
      ...present.subscription_update,
      ...emptied({ ...update, products: undefined, schedule_at_period_end: undefined }),
      ...(update.products === undefined ? {} : { products: productsOf(world, update.products ?? []) }),
      schedule_at_period_end:
        update.schedule_at_period_end === undefined
          ? present.subscription_update.schedule_at_period_end
          : { conditions: update.schedule_at_period_end.conditions ?? [] },
    },
  }
  check(features)
  return features
}

/** A pause that ends by itself needs pause schedules, which the simulator has not. */
function pauseOf(
  given: NonNullable<FeaturesGiven>['subscription_pause'],
  present: Features['subscription_pause'],
): Features['subscription_pause'] {
  const enabled = given?.enabled ?? present.enabled
  const duration =
    given?.duration === undefined
      ? present.duration
      : {
          interval_options: (given.duration.interval_options ?? []).map((row) => ({
            interval: row.interval,
            interval_count: row.interval_count ?? 1,
          })),
          type: given.duration.type,
        }
  if (enabled && duration.type !== 'indefinite') {
    throw gap('pauses that end by themselves', 'features[subscription_pause][duration][type]')
  }
  return { enabled, duration }
}

function check({ subscription_cancel: cancel, subscription_update: update }: Features): void {
  if (cancel.mode === 'at_period_end' && cancel.proration_behavior !== 'none') {
    throw invalid(
      'Prorations are only compatible with canceling immediately.',
      'features[subscription_cancel][proration_behavior]',
    )
  }
  if (!update.enabled) return
  const missing =
    update.default_allowed_updates.length === 0
      ? 'default_allowed_updates'
      : (update.products ?? []).length === 0
        ? 'products'
        : undefined
  if (missing !== undefined) {
    const param = `features[subscription_update][${missing}]`
    throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing')
  }
}

type ProductsGiven = NonNullable<NonNullable<NonNullable<FeaturesGiven>['subscription_update']>['products']>

/** Up to ten products with the prices that may be chosen; one price for each rhythm of a product. */
function productsOf(
  world: World,
  given: ProductsGiven,
): NonNullable<Features['subscription_update']['products']> {
  return given.map((entry, i) => {
    const at = `features[subscription_update][products][${i}]`
    liveProduct(world, entry.product, `${at}[product]`)
    for (const [k, id] of entry.prices.entries()) {
      const price = find(world.prices, 'price', id, `${at}[prices][${k}]`)
      if (price.product !== entry.product || price.recurring === null) {
        throw invalid(
          'The price must be a recurring price of the product that it is listed under.',
          `${at}[prices][${k}]`,
        )
      }
    }
    return {
      adjustable_quantity: {
        enabled: entry.adjustable_quantity?.enabled ?? false,
        maximum: entry.adjustable_quantity?.maximum ?? null,
        minimum: entry.adjustable_quantity?.minimum ?? 1,
      },
      prices: entry.prices,
      product: entry.product,
    }
  })
}

/** What was given, with lists that were cleared (null) as empty ones. */
function emptied<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], null | undefined> } {
  const entries = Object.entries(defined(given)).map(([name, value]) => [name, value ?? []])
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], null | undefined> }
}
