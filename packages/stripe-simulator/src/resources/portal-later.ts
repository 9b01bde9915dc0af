import { itemPicos, rhythmOf } from '../billing/periods.ts'
import { armSchedule } from '../billing/schedule-state.ts'
import type { PortalConfigurationRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import type { Rhythm } from '../rules/billing-cycle.ts'
import type { World } from '../world.ts'
import { fromSubscription, setPhases } from './subscription-schedules.ts'

type Conditions = PortalConfigurationRow['features']['subscription_update']['schedule_at_period_end']

interface Wanted {
  readonly price: string
  readonly quantity: number | undefined
}

/** Days of an interval, to tell which of two is the shorter. */
const DAYS: Record<string, number> = { day: 1, week: 7, month: 30, year: 365 }

/**
 * Whether a change waits for the end of the period: what costs less, or comes more often, as the configuration
 * says. https://docs.stripe.com/customer-management/configure-portal#downgrades
 */
export function waits(
  world: World,
  { currency }: SubscriptionRow,
  item: SubscriptionItemRow,
  { price, quantity = item.quantity }: Wanted,
  { conditions }: Conditions,
): boolean {
  const next = { own: { price }, ...(quantity === undefined ? {} : { quantity }) }
  const shorter = daysOf(rhythm(world, price)) < daysOf(rhythm(world, item.own.price))
  return conditions.some(({ type }) =>
    type === 'shortening_interval'
      ? shorter
      : itemPicos(world, next, currency) < itemPicos(world, item, currency),
  )
}

function rhythm(world: World, price: string): Rhythm {
  return rhythmOf(world.prices.must(price))
}

function daysOf({ interval, interval_count: count }: Rhythm): number {
  return (DAYS[interval] ?? 0) * count
}

/** Puts the change into a schedule: the plan as it is until its period ends, then the other. */
export function changeLater(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  { price, quantity = item.quantity }: Wanted,
): void {
  const schedule =
    subscription.schedule === null
      ? fromSubscription(world, subscription.id, {})
      : world.schedules.must(subscription.schedule)
  const present = { price: item.own.price, quantity: item.quantity }
  const phases = [
    { items: [present], start_date: schedule.current_phase?.start_date, end_date: item.current_period_end },
    { items: [{ price, quantity }], proration_behavior: 'none' as const },
  ]
  setPhases(world, schedule, phases, 'none')
  const next = world.schedules.must(schedule.id)
  armSchedule(world, next)
  world.emit('subscription_schedule.updated', next)
}
