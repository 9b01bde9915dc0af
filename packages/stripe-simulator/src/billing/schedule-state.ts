import type { ScheduleRow } from '../rows.ts'
import type { World } from '../world.ts'

const WEEK = 7 * 86_400

/** Sets when a schedule must be looked at again, and the notice seven days before its end. */
export function armSchedule(world: World, row: ScheduleRow): void {
  const { id, own, status } = row
  const now = world.now(own.clock)
  const running = status === 'active' || status === 'not_started'
  const next = status === 'not_started' ? row.phases[0]?.start_date : row.current_phase?.end_date
  world.alarm('schedule.due', id, own.clock, running ? (next ?? null) : null)
  const notice = (row.phases.at(-1)?.end_date ?? 0) - WEEK
  world.alarm('schedule.expiring', id, own.clock, running && notice > now ? notice : null)
}

/** Lets go of the subscription, which goes on as it is. */
export function releaseSchedule(world: World, id: string): ScheduleRow {
  const row = world.schedules.must(id)
  const released = world.schedules.patch(id, {
    status: 'released',
    released_at: world.now(row.own.clock),
    released_subscription: row.subscription,
    subscription: null,
    current_phase: null,
  })
  armSchedule(world, released)
  world.emit('subscription_schedule.released', released)
  const subscription = world.subscriptions.get(row.subscription)
  if (subscription !== undefined) {
    world.emit(
      'customer.subscription.updated',
      world.subscriptions.patch(subscription.id, { schedule: null }),
    )
  }
  return released
}

/** A schedule ends with its subscription; `aborted` tells that nobody paid. */
export function cancelSchedule(world: World, id: string | null, delinquent: boolean): void {
  const row = world.schedules.get(id)
  if (row?.status !== 'active' && row?.status !== 'not_started') return
  const gone = world.schedules.patch(row.id, {
    status: 'canceled',
    canceled_at: world.now(row.own.clock),
    current_phase: null,
  })
  armSchedule(world, gone)
  world.emit(`subscription_schedule.${delinquent ? 'aborted' : 'canceled'}`, gone)
}
