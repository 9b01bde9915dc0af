import { rhythmOf, worthOf } from '../billing/periods.ts'
import { invalid } from '../errors.ts'
import {
  bool,
  clearable,
  gaps,
  integer,
  list,
  type MetadataParam,
  metadata,
  oneOf,
  type Params,
  required,
  shape,
  text,
  timestamp,
  timestampOrNow,
} from '../http/schema.ts'
import type { ScheduleRow, SubscriptionRow } from '../rows.ts'
import { boundary } from '../rules/billing-cycle.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { currency } from './currency-param.ts'
import { ownMethod } from './customers.ts'
import { discountsParam, type Redeemer } from './discounts.ts'
import { extraItems } from './extra-items.ts'
import { extraRows, pricedItem, refuseDiscounts, shownDiscounts } from './phase-extras.ts'
import { scheduleInvoiceSettings, settingsOf } from './schedule-defaults.ts'
import { currencyOf, refuseMixed } from './subscription-currency.ts'
import { itemFields, sharedFields, thresholdsOf, usageThresholdOf } from './subscription-fields.ts'
import { itemPrice, itemQuantity } from './subscription-items.ts'
import { automaticTaxOf, automaticTaxParam, taxRatesOf, taxRatesParam } from './tax-rates.ts'

type Phase = ScheduleRow['phases'][number]

export const phasesParam = list(
  shape({
    items: required(list(shape(itemFields), 20)),
    start_date: timestampOrNow,
    end_date: timestamp,
    duration: shape({
      interval: required(oneOf(['day', 'week', 'month', 'year'] as const)),
      interval_count: integer({ min: 1 }),
    }),
    proration_behavior: sharedFields.proration_behavior,
    billing_cycle_anchor: oneOf(['automatic', 'phase_start'] as const),
    collection_method: sharedFields.collection_method,
    default_payment_method: text(),
    default_tax_rates: taxRatesParam,
    description: clearable(text(500)),
    currency,
    metadata,
    add_invoice_items: extraItems,
    billing_thresholds: sharedFields.billing_thresholds,
    discounts: clearable(discountsParam),
    invoice_settings: scheduleInvoiceSettings,
    trial: bool,
    trial_end: timestamp,
    automatic_tax: automaticTaxParam,
    ...gaps('application_fee_percent', 'on_behalf_of', 'transfer_data'),
  }),
  10,
)

export type PhasesGiven = NonNullable<Params<{ phases: typeof phasesParam }>['phases']>

/** Whom phases are planned for. */
interface Planned {
  readonly customer: string
  /** The currency of the running subscription, or else the customer's; null while neither has one. */
  readonly currency: string | null
  readonly billing_mode: ScheduleRow['billing_mode']
}

/**
 * Phases with their dates: each begins where the one before ends, by date or by duration. All are in one
 * currency, as the subscription that they make.
 */
export function phasesOf(world: World, given: PhasesGiven, start: number, of: Planned): Phase[] {
  let at = start
  let locked = of.currency
  return given.map((phase, i): Phase => {
    const param = `phases[${i}]`
    if (phase.end_date !== undefined && phase.duration !== undefined) {
      throw invalid('You may only specify one of these parameters: end_date, duration.', `${param}[end_date]`)
    }
    if (i > 0 && phase.start_date !== undefined && phase.start_date !== at) {
      throw invalid('A phase must start when the one before it ends.', `${param}[start_date]`)
    }
    const items = phase.items.map((item, k) => {
      const price = itemPrice(world, item, `${param}[items][${k}]`)
      return {
        billing_thresholds: usageThresholdOf(price, item.billing_thresholds, `${param}[items][${k}]`),
        discounts: shownDiscounts(item.discounts),
        metadata: labelsOf(item.metadata),
        plan: price.id,
        price: price.id,
        ...quantityOf(itemQuantity(price, item.quantity, `${param}[items][${k}]`)),
        tax_rates: taxRatesOf(world, item.tax_rates, `${param}[items][${k}][tax_rates]`),
      }
    })
    const prices = items.map((item) => world.prices.must(item.price))
    const [price] = prices
    if (price === undefined) throw invalid('A phase must have items.', `${param}[items]`)
    refuseMixed(of.billing_mode, prices, `${param}[items]`)
    const money = currencyOf(prices, locked, phase.currency, (name) => `${param}[${name}]`)
    locked = money
    const rhythm = phase.duration ?? rhythmOf(price)
    const end =
      phase.end_date ??
      boundary(at, { interval: rhythm.interval, interval_count: rhythm.interval_count ?? 1 }, 1)
    if (end <= at) throw invalid('A phase must end after it starts.', `${param}[end_date]`)
    const worth = () => worthOf(world, items.map(pricedItem), money)
    checkPhase(world, phase, { customer: of.customer, currency: money, worth }, param)
    const shown = {
      ...blankPhase,
      ...trialFields(phase, { start: at, end }, param),
      add_invoice_items: extraRows(
        world,
        phase.add_invoice_items ?? [],
        { customer: of.customer, currency: money },
        param,
      ),
      ...(phase.automatic_tax && {
        automatic_tax: automaticTaxOf(world, of.customer, phase.automatic_tax),
      }),
      billing_cycle_anchor: phase.billing_cycle_anchor ?? null,
      billing_thresholds: thresholdsOf(phase.billing_thresholds),
      collection_method: phase.collection_method ?? null,
      discounts: shownDiscounts(phase.discounts),
      invoice_settings:
        phase.invoice_settings === undefined
          ? null
          : settingsOf(world, phase.invoice_settings, `${param}[invoice_settings]`),
      currency: money,
      default_payment_method: phase.default_payment_method ?? null,
      default_tax_rates: taxRatesOf(world, phase.default_tax_rates, `${param}[default_tax_rates]`),
      description: phase.description ?? null,
      end_date: end,
      items,
      metadata: labelsOf(phase.metadata),
      proration_behavior: phase.proration_behavior ?? 'create_prorations',
      start_date: at,
    }
    at = end
    return shown
  })
}

/**
 * Labels as they were given: an empty one takes the label off the subscription, or off its item, when the phase is
 * entered. https://docs.stripe.com/api/subscription_schedules/create#create_subscription_schedule-phases-metadata
 */
function labelsOf(given: MetadataParam | undefined): Record<string, string> {
  mergeMetadata({}, given)
  return given ?? {}
}

/** What a phase names must be the customer's and redeemable when it is planned, though it is used later. */
function checkPhase(
  world: World,
  { default_payment_method: method, discounts, items }: PhasesGiven[number],
  of: Redeemer,
  param: string,
): void {
  if (method !== undefined) ownMethod(world, of.customer, method, `${param}[default_payment_method]`)
  refuseDiscounts(world, discounts, of, `${param}[discounts]`)
  for (const [i, item] of items.entries()) {
    refuseDiscounts(world, item.discounts, of, `${param}[items][${i}][discounts]`)
  }
}

/** Discounts that run, as those of a phase. */
function runningDiscounts(ids: SubscriptionRow['discounts']): Phase['discounts'] {
  return ids.map((discount) => ({ coupon: null, discount: discount as string, promotion_code: null }))
}

/** A phase is a trial as a whole, or up to a date inside it. */
function trialFields(
  phase: PhasesGiven[number],
  { start, end }: { start: number; end: number },
  param: string,
): { trial?: boolean; trial_end: number | null } {
  const { trial, trial_end: trialEnd } = phase
  if (trial !== undefined && trialEnd !== undefined) {
    throw invalid('You may only specify one of these parameters: trial, trial_end.', `${param}[trial_end]`)
  }
  if ((trial === true || trialEnd !== undefined) && phase.billing_cycle_anchor === 'phase_start') {
    throw invalid(
      'billing_cycle_anchor cannot be `phase_start` if the phase specifies a trial.',
      `${param}[billing_cycle_anchor]`,
    )
  }
  if (trialEnd !== undefined && (trialEnd <= start || trialEnd > end)) {
    throw invalid('The trial must end inside the phase.', `${param}[trial_end]`)
  }
  return trial === true ? { trial, trial_end: end } : { trial_end: trialEnd ?? null }
}

/** The running period of a subscription as the one phase of a new schedule. */
export function phaseOf(world: World, subscription: SubscriptionRow): Phase {
  const items = world.subscriptionItems.by('subscription', subscription.id)
  return {
    ...blankPhase,
    automatic_tax: subscription.automatic_tax,
    collection_method: subscription.collection_method,
    currency: subscription.currency,
    default_payment_method: subscription.default_payment_method,
    default_tax_rates: subscription.default_tax_rates,
    description: subscription.description,
    discounts: runningDiscounts(subscription.discounts),
    end_date: Math.max(...items.map((item) => item.current_period_end)),
    items: itemsAsPhase(world, subscription.id),
    metadata: subscription.metadata,
    trial_end: subscription.status === 'trialing' ? subscription.trial_end : null,
    start_date: Math.min(...items.map((item) => item.current_period_start)),
  }
}

function itemsAsPhase(world: World, subscription: string): Phase['items'] {
  return world.subscriptionItems.by('subscription', subscription).map((item) => ({
    billing_thresholds: item.billing_thresholds,
    discounts: runningDiscounts(item.discounts),
    metadata: item.metadata,
    plan: item.own.price,
    price: item.own.price,
    ...quantityOf(item.quantity),
    tax_rates: item.tax_rates,
  }))
}

/** Items of metered prices have no quantity. */
function quantityOf(quantity: number | undefined): { quantity?: number } {
  return quantity === undefined ? {} : { quantity }
}

/** A direct change of a scheduled subscription changes the schedule's current phase with it. */
export function followSubscription(world: World, schedule: string | null, subscription: string): void {
  const row = world.schedules.get(schedule)
  if (row?.status !== 'active') return
  const discounts = runningDiscounts(world.subscriptions.must(subscription).discounts)
  const phases = row.phases.map((phase) =>
    phase.start_date === row.current_phase?.start_date
      ? { ...phase, discounts, items: itemsAsPhase(world, subscription) }
      : phase,
  )
  world.emit('subscription_schedule.updated', world.schedules.patch(row.id, { phases }))
}

const blankPhase = {
  add_invoice_items: [],
  application_fee_percent: null,
  billing_cycle_anchor: null,
  billing_thresholds: null,
  collection_method: null,
  default_payment_method: null,
  default_tax_rates: [],
  description: null,
  discounts: [],
  invoice_settings: null,
  metadata: {},
  on_behalf_of: null,
  proration_behavior: 'create_prorations',
  transfer_data: null,
  trial_end: null,
} satisfies Partial<Phase>
