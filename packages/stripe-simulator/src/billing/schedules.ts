import type { ScheduleRow } from '../rows.ts'
import type { World } from '../world.ts'
import { scheduleDue } from './periods.ts'
import { enterPhase } from './schedule-phase.ts'

const WEEK = 7 * 86_400

export type Phase = ScheduleRow['phases'][number]

/** The phase that a moment is in; a moment after the last one is in none. */
export function phaseAt(phases: readonly Phase[], at: number): Phase | undefined {
  return phases.find((phase) => phase.start_date <= at && at < phase.end_date)
}

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

/**
 * A phase of a running schedule may be over: the next one is entered, or the schedule ends as it says. A
 * subscription asks before it renews, so that the renewal bills the new phase.
 * https://docs.stripe.com/billing/subscriptions/subscription-schedules
 */
export function turnSchedule(world: World, id: string | null): void {
  const row = world.schedules.get(id)
  if (row?.status !== 'active') return
  const now = world.now(row.own.clock)
  if ((row.current_phase?.end_date ?? now + 1) > now) return
  const phase = phaseAt(row.phases, now)
  if (phase === undefined) {
    end(world, row, now)
    return
  }
  const next = world.schedules.patch(row.id, {
    current_phase: { start_date: phase.start_date, end_date: phase.end_date },
  })
  armSchedule(world, next)
  world.emit('subscription_schedule.updated', next)
  enterPhase(world, world.subscriptions.must(row.subscription), phase, phase.proration_behavior)
}

function end(world: World, row: ScheduleRow, now: number): void {
  if (row.end_behavior === 'release') {
    releaseSchedule(world, row.id)
    return
  }
  const done = world.schedules.patch(row.id, {
    status: 'completed',
    completed_at: now,
    current_phase: null,
  })
  armSchedule(world, done)
  world.emit('subscription_schedule.completed', done)
  const subscription = world.subscriptions.patch(row.subscription as string, {
    cancel_at: now,
    canceled_at: now,
  })
  scheduleDue(world, subscription)
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
