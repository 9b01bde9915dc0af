import { expireCheckout } from '../resources/checkout-sessions.ts'
import { startSchedule } from '../resources/start-schedule.ts'
import type { AlarmKind, AlarmRow } from '../rows.ts'
import { moved } from '../rules/subscription-status.ts'
import type { World } from '../world.ts'
import { deleteClock } from './clocks.ts'
import { markDelinquent } from './collect.ts'
import { settleDebit } from './debits.ts'
import { decidesStatus } from './deciding-invoice.ts'
import { endDiscount } from './discounts.ts'
import { disputeDue } from './disputes.ts'
import { draftDue, retryDue, subscriptionDue } from './due.ts'
import { voidInvoice } from './end.ts'
import { cancelIntent } from './payments.ts'
import { pendingItemsDue } from './pending-items-due.ts'
import { expireHeld } from './pending-update.ts'
import { scheduleDue } from './periods.ts'
import { settleRefund } from './refunds.ts'
import { turnSchedule } from './schedules.ts'
import { upcomingInvoice } from './upcoming.ts'

/** What happens by itself, one entry per kind of alarm: the index of everything that time causes. */
const handlers: Record<AlarmKind, (world: World, target: string, alarm: AlarmRow) => void> = {
  'subscription.due': (world, id) => {
    if (world.subscriptions.get(id) !== undefined) subscriptionDue(world, id)
  },
  'subscription.trial_will_end': (world, id) => {
    const subscription = world.subscriptions.get(id)
    if (subscription?.status === 'trialing') world.emit('customer.subscription.trial_will_end', subscription)
  },
  'subscription.upcoming': announceRenewal,
  'subscription.expire': expireIncomplete,
  'subscription.pending_update': (world, id) => {
    if (world.subscriptions.get(id) !== undefined) expireHeld(world, id)
  },
  'subscription.pending_items': (world, id) => {
    if (world.subscriptions.get(id) !== undefined) pendingItemsDue(world, id)
  },
  'invoice.finalize': (world, id) => {
    if (world.invoices.get(id)?.status === 'draft') draftDue(world, id)
  },
  'invoice.retry': (world, id) => retryDue(world, id),
  'invoice.will_be_due': (world, id) => {
    const invoice = world.invoices.get(id)
    if (invoice?.status === 'open') world.emit('invoice.will_be_due', invoice)
  },
  'invoice.overdue': (world, id) => {
    const invoice = world.invoices.get(id)
    if (invoice?.status !== 'open') return
    world.emit('invoice.overdue', invoice)
    markDelinquent(world, invoice)
    const subscription = world.subscriptions.get(invoice.own.subscription)
    if (subscription?.status !== 'active' || !decidesStatus(world, subscription, invoice)) return
    world.emit(
      'customer.subscription.updated',
      world.subscriptions.patch(subscription.id, moved(subscription, 'payment_overdue')),
    )
  },
  'refund.settle': (world, id) => settleRefund(world, id),
  'intent.expire': (world, id) => {
    const intent = world.paymentIntents.must(id)
    if (intent.status !== 'requires_capture') return
    world.emit('charge.expired', world.charges.must(intent.latest_charge))
    cancelIntent(world, id, 'expired')
  },
  'intent.settle': (world, id) => settleDebit(world, id),
  'discount.end': (world, id) => endDiscount(world, world.discounts.must(id)),
  'dispute.due': (world, id) => disputeDue(world, id),
  'schedule.due': (world, id) => {
    const schedule = world.schedules.must(id)
    if (schedule.status === 'not_started') {
      startSchedule(world, id)
      world.emit('subscription_schedule.updated', world.schedules.must(id))
    } else turnSchedule(world, id)
  },
  'schedule.expiring': (world, id) => {
    world.emit('subscription_schedule.expiring', world.schedules.must(id))
  },
  'checkout.expire': (world, id) => {
    const session = world.checkouts.must(id)
    if (session.status === 'open') expireCheckout(world, session)
  },
  'clock.delete': (world, id) => deleteClock(world, id),
}

export function ring(world: World, alarm: AlarmRow): void {
  world.alarms.delete(alarm.id)
  handlers[alarm.kind](world, alarm.target, alarm)
}

/** `invoice.upcoming` carries the renewal as it would be now, and has no id. */
function announceRenewal(world: World, id: string): void {
  const subscription = world.subscriptions.get(id)
  if (subscription === undefined || subscription.cancel_at !== null) return
  const snapshot = world.rehearse(() => {
    const invoice = upcomingInvoice(world, id)
    if (invoice === null) return null
    const { id: _id, ...upcoming } = world.render(invoice)
    return upcoming
  })
  if (snapshot !== null) world.emitSnapshot('invoice.upcoming', snapshot, subscription.own.clock)
}

const HOUR = 3600

/** 23 hours without the first payment: terminal, and its open invoice is voided. */
function expireIncomplete(world: World, id: string): void {
  const subscription = world.subscriptions.get(id)
  if (subscription?.status !== 'incomplete') return
  const at = world.now(subscription.own.clock)
  const waiting = world.invoices.get(subscription.own.firstInvoice)?.own.paymentIntent
  if (world.paymentIntents.get(waiting)?.status === 'processing') {
    // A debit that is under way is not late.
    world.alarm('subscription.expire', id, subscription.own.clock, at + HOUR)
    return
  }
  const expired = world.subscriptions.patch(id, {
    ...moved(subscription, 'first_payment_expired'),
    canceled_at: at,
    ended_at: at,
  })
  scheduleDue(world, expired)
  world.emit('customer.subscription.updated', expired)
  const first = world.invoices.get(subscription.own.firstInvoice)
  if (first?.status === 'open') voidInvoice(world, first.id, 'void_invoice')
}
