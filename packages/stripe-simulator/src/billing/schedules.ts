import type { ScheduleRow } from '../rows.ts'
import type { World } from '../world.ts'
import { expireHeld } from './pending-update.ts'
import { scheduleDue } from './periods.ts'
import { enterPhase } from './schedule-phase.ts'
import { armSchedule, releaseSchedule } from './schedule-state.ts'

type Phase = ScheduleRow['phases'][number]

/** The phase that a moment is in; a moment after the last one is in none. */
export function phaseAt(phases: readonly Phase[], at: number): Phase | undefined {
  return phases.find((phase) => phase.start_date <= at && at < phase.end_date)
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
  // A change that waits to be paid does not outlive its phase.
  expireHeld(world, next.subscription as string)
  enterPhase(world, next, phase, phase.proration_behavior, true)
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
