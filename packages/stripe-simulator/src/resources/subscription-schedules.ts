import type Stripe from 'stripe'
import { cancelNow } from '../billing/cancel.ts'
import { enterPhase } from '../billing/schedule-phase.ts'
import { armSchedule, cancelSchedule, releaseSchedule } from '../billing/schedule-state.ts'
import { phaseAt } from '../billing/schedules.ts'
import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import {
  bool,
  gaps,
  metadata,
  type Params,
  playedOf,
  range,
  shape,
  text,
  timestampOrNow,
} from '../http/schema.ts'
import type { ScheduleRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { billingModeOf, billingModeParam } from './billing-mode.ts'
import { ownMethod } from './customers.ts'
import { expanded, expandedCustomer, expandedPrice } from './expanded.ts'
import { find, liveCustomer } from './lookup.ts'
import { expandedTaxIds } from './printed-fields.ts'
import { defaultSettings, withDefaults } from './schedule-defaults.ts'
import { phaseOf, phasesOf, phasesParam } from './schedule-phases.ts'
import { newSchedule, startSchedule } from './start-schedule.ts'
import { sharedFields } from './subscription-fields.ts'

const URL = '/v1/subscription_schedules'

const endBehavior = playedOf(['release', 'cancel'] as const, ['none', 'renew'])

/** https://docs.stripe.com/api/subscription_schedules */
export const subscriptionScheduleRoutes = [
  post(
    URL,
    shape({
      customer: text(),
      from_subscription: text(),
      start_date: timestampOrNow,
      phases: phasesParam,
      end_behavior: endBehavior,
      metadata,
      billing_mode: billingModeParam,
      default_settings: defaultSettings,
      ...gaps('customer_account', 'pause_schedules'),
    }),
    ({ world, params }) => {
      const labels = mergeMetadata({}, params.metadata)
      if (params.from_subscription !== undefined) {
        const { customer, start_date, phases, end_behavior, billing_mode, default_settings } = params
        const others = { customer, start_date, phases, end_behavior, billing_mode, default_settings }
        const other = Object.entries(others).find(([, value]) => value !== undefined)
        if (other !== undefined) {
          throw invalid(
            `You cannot set \`${other[0]}\` if \`from_subscription\` is set.`,
            'from_subscription',
          )
        }
        return world.render(fromSubscription(world, params.from_subscription, labels))
      }
      if (params.customer === undefined) {
        throw invalid('Missing required param: customer.', 'customer', 'parameter_missing')
      }
      const customer = liveCustomer(world, params.customer, 'customer')
      if (params.phases === undefined || params.phases.length === 0) {
        throw invalid('Missing required param: phases.', 'phases', 'parameter_missing')
      }
      if (params.start_date === undefined) {
        throw invalid('Missing required param: start_date.', 'start_date', 'parameter_missing')
      }
      const now = world.now(customer.own.clock)
      const start = params.start_date === 'now' ? now : params.start_date
      checkDefaults(world, customer.id, params.default_settings)
      const mode = billingModeOf(params.billing_mode)
      const phases = phasesOf(world, params.phases, start, {
        customer: customer.id,
        currency: customer.currency ?? null,
        billing_mode: mode,
      })
      if ((phases[0]?.end_date ?? now) <= now) {
        throw invalid('The first phase must not be over yet.', 'start_date')
      }
      const row = newSchedule(world, {
        customer: customer.id,
        clock: customer.own.clock,
        phases,
        endBehavior: params.end_behavior ?? 'release',
        billingMode: mode,
        defaultSettings: params.default_settings,
        metadata: labels,
      })
      if (start <= now) startSchedule(world, row.id)
      const made = world.schedules.must(row.id)
      armSchedule(world, made)
      world.emit('subscription_schedule.created', made)
      return world.render(made)
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(scheduleOf(world, path()))),
  post(
    `${URL}/:id`,
    shape({
      phases: phasesParam,
      end_behavior: endBehavior,
      metadata,
      proration_behavior: sharedFields.proration_behavior,
      default_settings: defaultSettings,
      ...gaps('pause_schedules'),
    }),
    ({ world, params, path }) => {
      const row = running(scheduleOf(world, path()), 'update')
      checkDefaults(world, row.customer as string, params.default_settings)
      world.schedules.patch(row.id, {
        ...(params.end_behavior === undefined ? {} : { end_behavior: params.end_behavior }),
        metadata: mergeMetadata(row.metadata ?? {}, params.metadata),
        default_settings: withDefaults(world, row.default_settings, params.default_settings),
      })
      if (params.phases !== undefined) {
        refuseUnanchored(params.phases)
        setPhases(world, row, params.phases, params.proration_behavior ?? 'create_prorations')
      }
      const next = world.schedules.must(row.id)
      armSchedule(world, next)
      world.emit('subscription_schedule.updated', next)
      return world.render(next)
    },
  ),
  post(`${URL}/:id/release`, shape({ preserve_cancel_date: bool }), ({ world, path }) =>
    world.render(releaseSchedule(world, running(scheduleOf(world, path()), 'release').id)),
  ),
  post(`${URL}/:id/cancel`, shape({ invoice_now: bool, prorate: bool }), ({ world, params, path }) => {
    const row = running(scheduleOf(world, path()), 'cancel')
    cancelSchedule(world, row.id, false)
    if (row.subscription !== null) {
      // Both default to true, the opposite of what canceling the subscription itself does.
      cancelNow(world, row.subscription, {
        prorate: params.prorate ?? true,
        invoiceNow: params.invoice_now ?? true,
        details: {},
      })
    }
    return world.render(world.schedules.must(row.id))
  }),
  get(
    URL,
    shape({
      ...paging,
      customer: text(),
      scheduled: bool,
      created: range,
      canceled_at: range,
      completed_at: range,
      released_at: range,
      ...gaps('customer_account'),
    }),
    ({ world, params }) =>
      page(world.schedules, params, {
        noun: 'subscription schedule',
        url: URL,
        where: params.customer === undefined ? null : { index: 'customer', key: params.customer },
        matches: (row) =>
          (params.scheduled !== true || row.status === 'not_started') &&
          inRange(row.created, params.created) &&
          (['canceled_at', 'completed_at', 'released_at'] as const).every(
            (name) => params[name] === undefined || inRange(row[name] ?? -1, params[name]),
          ),
        render: (row) => world.render(row),
      }),
  ),
]

function scheduleOf(world: World, id: string): ScheduleRow {
  return find(world.schedules, 'subscription schedule', id)
}

/** What a schedule pays with must be its customer's. */
function checkDefaults(
  world: World,
  customer: string,
  { default_payment_method: method }: Params<(typeof defaultSettings)['fields']> = {},
): void {
  if (method !== undefined) ownMethod(world, customer, method, 'default_settings[default_payment_method]')
}

function running(row: ScheduleRow, verb: string): ScheduleRow {
  if (row.status === 'active' || row.status === 'not_started') return row
  throw invalid(
    `You cannot ${verb} a subscription schedule that is currently in the \`${row.status}\` status. It must be in one of the following statuses: \`not_started\`, \`active\`.`,
  )
}

export function fromSubscription(world: World, id: string, labels: Record<string, string>): ScheduleRow {
  const subscription = find(world.subscriptions, 'subscription', id, 'from_subscription')
  if (subscription.schedule !== null) {
    throw invalid(
      `You cannot migrate a subscription that is already attached to a schedule: \`${subscription.schedule as string}\`.`,
      'from_subscription',
    )
  }
  if (!['active', 'trialing', 'past_due'].includes(subscription.status)) {
    throw invalid(`A subscription that is ${subscription.status} cannot be scheduled.`, 'from_subscription')
  }
  const phase = phaseOf(world, subscription)
  const row = newSchedule(world, {
    customer: subscription.customer,
    clock: subscription.own.clock,
    phases: [phase],
    endBehavior: 'release',
    metadata: labels,
    subscription,
  })
  armSchedule(world, row)
  world.emit('subscription_schedule.created', row)
  const attached = world.subscriptions.patch(subscription.id, { schedule: row.id })
  world.emit('customer.subscription.updated', attached)
  return row
}

/** As others met it: github.com/YumaInaura (2020) and three more who quote it since. */
function refuseUnanchored(phases: NonNullable<ReturnType<typeof phasesParam.parse>>): void {
  if (phases.length === 0 || phases.some((phase) => phase.start_date !== undefined)) return
  throw invalid(
    'The subscription schedule update is missing at least one phase with a `start_date` to anchor end dates to.',
  )
}

/** Of the running phase, whatever else of it was changed or left out: as recorded there, too. */
const ONLY_ITS_END = 'You can only adjust the end date to a future date for the current phase.'

/** New phases, from the current one on; past ones may be left out and stay. */
export function setPhases(
  world: World,
  row: ScheduleRow,
  given: Parameters<typeof phasesOf>[1],
  prorationBehavior: string,
): void {
  const now = world.now(row.own.clock)
  const first = given[0]?.start_date
  const start = first === 'now' ? now : (first ?? row.current_phase?.start_date ?? row.phases[0]?.start_date)
  const customer = world.customers.must(row.customer)
  const subscription = world.subscriptions.get(row.subscription)
  const phases = phasesOf(world, given, start ?? now, {
    customer: customer.id,
    currency: subscription?.currency ?? customer.currency ?? null,
    billing_mode: subscription?.billing_mode ?? row.billing_mode,
  })
  const past = row.phases.filter((phase) => phase.end_date <= (start ?? now))
  if (row.status === 'not_started') {
    if ((start ?? now) < now) throw invalid('A schedule cannot start in the past.', 'phases[0][start_date]')
    world.schedules.patch(row.id, { phases })
    return
  }
  const current = phaseAt(phases, now)
  if (current === undefined) {
    throw invalid(ONLY_ITS_END, 'phases')
  }
  if (first !== 'now' && !row.phases.some((phase) => phase.start_date === start)) {
    throw invalid(ONLY_ITS_END, 'phases[0][start_date]')
  }
  world.schedules.patch(row.id, {
    phases: [...past, ...phases],
    current_phase: { start_date: current.start_date, end_date: current.end_date },
  })
  const entering = current.start_date !== row.current_phase?.start_date
  enterPhase(world, world.schedules.must(row.id), current, prorationBehavior, entering)
}

/** What a phase and the settings of all phases name alike. */
function ofSettings(within: string): Expansions[string] {
  return {
    [`${within}.default_payment_method`]: (world, settings) =>
      expanded(world, world.paymentMethods.get(settings.default_payment_method as string)),
    [`${within}.invoice_settings.account_tax_ids`]: (world, settings) =>
      expandedTaxIds(world, settings.account_tax_ids),
  }
}

function ofDiscounts(within: string): Expansions[string] {
  return {
    [`${within}.discounts.coupon`]: (world, discount) =>
      expanded(world, world.coupons.get(discount.coupon as string)),
    [`${within}.discounts.discount`]: (world, { discount }) =>
      expanded(world, world.discounts.get(discount as string)),
    [`${within}.discounts.promotion_code`]: (world, discount) =>
      expanded(world, world.promotionCodes.get(discount.promotion_code as string)),
  }
}

export const scheduleExpansions: Expansions = {
  subscription_schedule: {
    customer: (world, row) => expandedCustomer(world, row.customer),
    subscription: (world, row) => expanded(world, world.subscriptions.get(row.subscription as string)),
    test_clock: (world, row) => expanded(world, world.testClocks.get(row.test_clock as string)),
    ...ofSettings('default_settings'),
    ...ofSettings('phases'),
    'phases.add_invoice_items.price': (world, item) => expandedPrice(world, item.price),
    'phases.items.price': (world, item) => expandedPrice(world, item.price),
    ...ofDiscounts('phases'),
    ...ofDiscounts('phases.add_invoice_items'),
    ...ofDiscounts('phases.items'),
  },
}

export function renderSchedule(
  _world: World,
  { own: _own, ...schedule }: ScheduleRow,
): Shown<Stripe.SubscriptionSchedule> {
  return schedule
}
