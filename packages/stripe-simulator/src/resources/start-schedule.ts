import { worthOf } from '../billing/periods.ts'
import { phaseTrialEnd } from '../billing/schedule-phase.ts'
import { armSchedule } from '../billing/schedule-state.ts'
import type { ScheduleRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { billingModeOf, sameMode } from './billing-mode.ts'
import { extrasOf, pricedItem, redeemable, stretchOf } from './phase-extras.ts'
import { withDefaults } from './schedule-defaults.ts'
import { create } from './start-subscription.ts'
import { taxSetting } from './tax-rates.ts'

type Phase = ScheduleRow['phases'][number]

export interface NewSchedule {
  readonly customer: string
  readonly clock: string | null
  readonly phases: ScheduleRow['phases']
  readonly endBehavior: string
  readonly metadata: Record<string, string>
  readonly billingMode?: ScheduleRow['billing_mode']
  readonly defaultSettings?: Parameters<typeof withDefaults>[2]
  /** The running subscription that it takes over. */
  readonly subscription?: SubscriptionRow
}

export function newSchedule(world: World, of: NewSchedule): ScheduleRow {
  const [first] = of.phases
  const taken = of.subscription
  return world.schedules.insert({
    id: world.ids.next('sub_sched'),
    object: 'subscription_schedule',
    application: null,
    billing_mode: taken?.billing_mode ?? of.billingMode ?? billingModeOf(undefined),
    canceled_at: null,
    completed_at: null,
    created: world.now(of.clock),
    current_phase:
      taken === undefined || first === undefined
        ? null
        : { start_date: first.start_date, end_date: first.end_date },
    customer: of.customer,
    customer_account: null,
    default_settings: withDefaults(
      world,
      {
        application_fee_percent: null,
        automatic_tax: taken?.automatic_tax ?? taxSetting(false),
        billing_cycle_anchor: 'automatic',
        billing_thresholds: null,
        collection_method: taken?.collection_method ?? 'charge_automatically',
        default_payment_method: taken?.default_payment_method ?? null,
        description: taken?.description ?? null,
        invoice_settings: {
          account_tax_ids: null,
          custom_fields: null,
          days_until_due: taken?.days_until_due ?? null,
          description: null,
          footer: null,
          issuer: { type: 'self' },
        },
        on_behalf_of: null,
        transfer_data: null,
      },
      of.defaultSettings,
    ),
    end_behavior: of.endBehavior,
    livemode: false,
    metadata: of.metadata,
    pause_schedules: [],
    phases: of.phases,
    released_at: null,
    released_subscription: null,
    status: taken === undefined ? 'not_started' : 'active',
    subscription: taken?.id ?? null,
    test_clock: of.clock,
    own: { clock: of.clock },
  })
}

/**
 * The first phase begins: a subscription that is active at once, with a draft that waits its hour.
 * https://docs.stripe.com/billing/subscriptions/subscription-schedules
 */
export function startSchedule(world: World, id: string): void {
  const row = world.schedules.must(id)
  const [phase] = row.phases
  if (row.status !== 'not_started' || phase === undefined) return
  const subscription = create(
    world,
    {
      customer: row.customer,
      currency: phase.currency,
      billing_mode: sameMode(row.billing_mode),
      items: phase.items.map((item) => ({
        price: item.price,
        quantity: item.quantity,
        metadata: item.metadata ?? {},
        tax_rates: (item.tax_rates ?? []).map((rate) => rate.id),
        discounts: redeemable(world, item.discounts, {
          customer: row.customer as string,
          currency: phase.currency,
          worth: () => worthOf(world, [pricedItem(item)], phase.currency),
        }),
        ...(item.billing_thresholds?.usage_gte == null
          ? {}
          : { billing_thresholds: { usage_gte: item.billing_thresholds.usage_gte } }),
      })),
      default_tax_rates: (phase.default_tax_rates ?? []).map((rate) => rate.id),
      metadata: phase.metadata ?? {},
      ...startOf(world, row, phase),
    },
    row.id,
    stretchOf(phase),
  )
  const started = world.schedules.patch(id, {
    status: 'active',
    subscription: subscription.id,
    current_phase: { start_date: phase.start_date, end_date: phase.end_date },
  })
  armSchedule(world, started)
}

/** What the first phase, or else the schedule, says besides the items. */
function startOf(world: World, { default_settings: defaults, customer }: ScheduleRow, phase: Phase) {
  const now = world.now(world.customers.must(customer).own.clock)
  const trialEnd = phaseTrialEnd(phase)
  const description = phase.description ?? defaults.description
  const named = phase.default_payment_method ?? defaults.default_payment_method
  // Detached meanwhile, it is nobody's; the customer's own default pays.
  const method = world.paymentMethods.get(named as string | null)?.customer === customer ? named : null
  const collection = phase.collection_method ?? defaults.collection_method
  const thresholds = phase.billing_thresholds ?? defaults.billing_thresholds
  const settings = phase.invoice_settings ?? defaults.invoice_settings
  const { enabled } = phase.automatic_tax ?? defaults.automatic_tax ?? taxSetting(false)
  return {
    automatic_tax: { enabled },
    ...(description === null ? {} : { description }),
    ...(method === null ? {} : { default_payment_method: method as string }),
    ...(collection === 'send_invoice'
      ? { collection_method: 'send_invoice' as const, days_until_due: settings.days_until_due ?? undefined }
      : {}),
    ...(trialEnd !== null && trialEnd > now ? { trial_end: trialEnd } : {}),
    ...(thresholds === null
      ? {}
      : {
          billing_thresholds: {
            amount_gte: thresholds.amount_gte ?? undefined,
            reset_billing_cycle_anchor: thresholds.reset_billing_cycle_anchor ?? undefined,
          },
        }),
    ...(phase.start_date < now ? { backdate_start_date: phase.start_date } : {}),
    invoice_settings: {
      ...{ description: settings.description, footer: settings.footer },
      account_tax_ids: settings.account_tax_ids as string[] | null,
      custom_fields: settings.custom_fields,
    },
    discounts: redeemable(world, phase.discounts, {
      customer,
      currency: phase.currency,
      worth: () => worthOf(world, phase.items.map(pricedItem), phase.currency),
    }),
    add_invoice_items: extrasOf(world, phase, customer as string),
  }
}
