import type { InvoiceRow, SubscriptionRow } from '../rows.ts'
import { moved } from '../rules/subscription-status.ts'
import type { World } from '../world.ts'
import { finalInvoice, renew } from './due.ts'
import { itemsOf } from './periods.ts'
import { creditUnused } from './prorate.ts'
import { turnSchedule } from './schedules.ts'

const RENEWING: readonly string[] = ['active', 'trialing', 'past_due', 'unpaid']

/**
 * The next invoice of a subscription: its renewal as it would be now, with the phases that begin up to then, or
 * the last one of a subscription that is going to end. Null when there is none. For rehearsals: it is the deed.
 * https://docs.stripe.com/api/invoices/create_preview
 */
export function upcomingInvoice(world: World, id: string, pending = true): InvoiceRow | null {
  const phased = playSchedule(world, id)
  if (phased !== null) return phased
  const subscription = world.subscriptions.must(id)
  const boundary = nextBoundary(world, id)
  if (!RENEWING.includes(subscription.status)) return null
  if (subscription.cancel_at !== null && subscription.cancel_at <= boundary) {
    return endingInvoice(world, subscription, subscription.cancel_at)
  }
  if (subscription.status === 'trialing' && (subscription.trial_end ?? boundary) <= boundary) {
    world.subscriptions.patch(id, moved(subscription, 'trial_ended'))
  }
  return renew(world, id, boundary, pending)
}

/** When the first of the items' periods is over. */
export function nextBoundary(world: World, id: string): number {
  return Math.min(...itemsOf(world, id).map((item) => item.current_period_end))
}

function endingInvoice(world: World, subscription: SubscriptionRow, at: number): InvoiceRow | null {
  if (subscription.own.proratesEnd && subscription.status !== 'trialing') {
    for (const item of itemsOf(world, subscription.id)) {
      if (item.current_period_end > at) creditUnused(world, subscription, item, at)
    }
  }
  return finalInvoice(world, subscription.id, at)
}

/** Enters the phases that begin up to the next renewal; the invoice of one that is billed at once is the next. */
function playSchedule(world: World, id: string): InvoiceRow | null {
  const { schedule, latest_invoice: before, own } = world.subscriptions.must(id)
  for (;;) {
    const row = world.schedules.get(schedule)
    const end = row?.status === 'active' ? row.current_phase?.end_date : undefined
    if (end === undefined || end > nextBoundary(world, id)) return null
    playAt(world, own.clock, end, () => turnSchedule(world, schedule))
    const { latest_invoice: latest } = world.subscriptions.must(id)
    if (latest !== before) return world.invoices.must(latest)
  }
}

/** Lets it be another time for a while: that of a test clock, or of the wall. */
export function playAt<T>(world: World, clock: string | null, at: number, play: () => T): T {
  const before = { wall: world.wall, clock: world.testClocks.get(clock) }
  if (before.clock === undefined) world.wall = at
  else world.testClocks.patch(before.clock.id, { own: { ...before.clock.own, now: at } })
  try {
    return play()
  } finally {
    world.wall = before.wall
    if (before.clock !== undefined) world.testClocks.patch(before.clock.id, { own: before.clock.own })
  }
}
