import { playAt, upcomingInvoice } from '../billing/upcoming.ts'
import { invalid } from '../errors.ts'
import { gaps, type Params, playedOf, shape } from '../http/schema.ts'
import type { InvoiceRow, ScheduleRow } from '../rows.ts'
import type { World } from '../world.ts'
import { billingModeOf, billingModeParam } from './billing-mode.ts'
import { find, liveCustomer } from './lookup.ts'
import { phasesOf, phasesParam } from './schedule-phases.ts'
import { newSchedule, startSchedule } from './start-schedule.ts'
import { sharedFields } from './subscription-fields.ts'
import { setPhases } from './subscription-schedules.ts'

const fields = {
  billing_mode: billingModeParam,
  end_behavior: playedOf(['release', 'cancel'] as const, ['none', 'renew']),
  phases: phasesParam,
  proration_behavior: sharedFields.proration_behavior,
  ...gaps('pause_schedules'),
}

export const scheduleDetails = shape(fields)

export interface SchedulePreview {
  readonly customer: string | undefined
  readonly schedule: string | undefined
  readonly details: Params<typeof fields>
}

/**
 * The next invoice of a schedule, of one that is changed, or of one that is not there yet. Null when there is
 * none. https://docs.stripe.com/api/invoices/create_preview#create_create_preview-schedule_details
 */
export function previewSchedule(
  world: World,
  { customer, schedule, details }: SchedulePreview,
): InvoiceRow | null {
  if (schedule === undefined) return started(world, planned(world, customer, details))
  const row = find(world.schedules, 'subscription schedule', schedule, 'schedule')
  if (details.billing_mode !== undefined) {
    throw invalid('The billing mode of a schedule cannot change.', 'schedule_details[billing_mode]')
  }
  const { end_behavior: end, phases } = details
  if (end !== undefined) world.schedules.patch(row.id, { end_behavior: end })
  const before = world.subscriptions.get(row.subscription)?.latest_invoice
  if (phases !== undefined) setPhases(world, row, phases, details.proration_behavior ?? 'create_prorations')
  if (row.status === 'not_started') return started(world, world.schedules.must(row.id))
  const subscription = world.subscriptions.get(row.subscription)
  if (row.status !== 'active' || subscription === undefined) return null
  return subscription.latest_invoice === before
    ? upcomingInvoice(world, subscription.id)
    : world.invoices.must(subscription.latest_invoice)
}

function planned(
  world: World,
  customer: string | undefined,
  details: SchedulePreview['details'],
): ScheduleRow {
  if (details.phases === undefined || details.phases.length === 0) {
    const param = 'schedule_details[phases]'
    throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing')
  }
  const { id, own, currency } = liveCustomer(world, customer ?? '', 'customer')
  const now = world.now(own.clock)
  const from = details.phases[0]?.start_date ?? 'now'
  const mode = billingModeOf(details.billing_mode)
  const of = { customer: id, currency: currency ?? null, billing_mode: mode }
  return newSchedule(world, {
    customer: id,
    clock: own.clock,
    phases: phasesOf(world, details.phases, from === 'now' ? now : from, of),
    endBehavior: details.end_behavior ?? 'release',
    billingMode: mode,
    metadata: {},
  })
}

/** What the first phase bills when it begins. */
function started(world: World, { id, phases, own }: ScheduleRow): InvoiceRow | null {
  const at = Math.max(world.now(own.clock), phases[0]?.start_date ?? 0)
  playAt(world, own.clock, at, () => startSchedule(world, id))
  const subscription = world.subscriptions.get(world.schedules.must(id).subscription)
  return world.invoices.get(subscription?.latest_invoice) ?? null
}
