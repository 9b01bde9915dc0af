import type { InvoiceRow, SubscriptionRow } from '../rows.ts'
import { moved } from '../rules/subscription-status.ts'
import type { World } from '../world.ts'
import { changeBalance } from './balance.ts'
import { callOffDue } from './due-date.ts'
import { settlePayments } from './invoice-payments.ts'
import { cancelIntent } from './payments.ts'
import { scheduleDue } from './periods.ts'
import { cancelSchedule } from './schedule-state.ts'

export interface Ending {
  readonly reason: 'cancellation_requested' | 'payment_failed'
  /** Whether `canceled_at` is this moment; at a planned end it is the moment it was asked for. */
  readonly asked: boolean
  /** The final invoice, which is still collected. */
  readonly except?: string | undefined
}

/**
 * The end of a subscription. Its open invoices stay payable, but nobody collects them any more; that of an
 * update that waits for it is voided, since paying it would buy nothing.
 */
export function endSubscription(
  world: World,
  id: string,
  { reason, asked, except }: Ending,
): SubscriptionRow {
  const subscription = world.subscriptions.must(id)
  const at = world.now(subscription.own.clock)
  const held = world.invoices.get(subscription.own.held?.invoice)
  if (held?.status === 'open') voidInvoice(world, held.id, 'void_invoice')
  const ended = world.subscriptions.patch(id, {
    ...moved(subscription, 'ended'),
    pending_update: null,
    status_details: undefined,
    own: { ...subscription.own, held: null },
    ended_at: at,
    canceled_at: asked ? at : (subscription.canceled_at ?? at),
    cancellation_details: {
      comment: null,
      feedback: null,
      feedback_option: null,
      ...subscription.cancellation_details,
      reason,
    },
  })
  scheduleDue(world, ended)
  cancelSchedule(world, subscription.schedule, reason === 'payment_failed')
  world.alarm('subscription.expire', id, subscription.own.clock, null)
  world.alarm('subscription.pending_update', id, subscription.own.clock, null)
  for (const invoice of world.invoices.by('subscription', id)) {
    if (invoice.status !== 'open' && invoice.status !== 'draft') continue
    if (invoice.auto_advance !== true || invoice.id === except) continue
    world.alarm('invoice.retry', invoice.id, invoice.own.clock, null)
    world.alarm('invoice.finalize', invoice.id, invoice.own.clock, null)
    const left = world.invoices.patch(invoice.id, {
      auto_advance: false,
      next_payment_attempt: null,
      automatically_finalizes_at: null,
    })
    world.emit('invoice.updated', left)
  }
  world.emit('customer.subscription.deleted', ended)
  return ended
}

/** Voids a finalized invoice: its intent is canceled and what the balance paid comes back. */
export function voidInvoice(
  world: World,
  id: string,
  intentReason: 'void_invoice' | 'failed_invoice',
): InvoiceRow {
  const invoice = world.invoices.must(id)
  const at = world.now(invoice.own.clock)
  world.alarm('invoice.retry', id, invoice.own.clock, null)
  callOffDue(world, invoice)
  const gone = world.invoices.patch(id, {
    status: 'void',
    next_payment_attempt: null,
    auto_advance: false,
    status_transitions: { ...invoice.status_transitions, voided_at: at },
  })
  settlePayments(world, id, 'canceled', at)
  if (invoice.own.paymentIntent !== null) cancelIntent(world, invoice.own.paymentIntent, intentReason)
  const applied = (invoice.ending_balance ?? 0) - invoice.starting_balance
  if (applied !== 0) {
    changeBalance(world, invoice.customer as string, -applied, {
      type: 'unapplied_from_invoice',
      invoice: id,
    })
  }
  world.emit('invoice.updated', gone)
  world.emit('invoice.voided', gone)
  return gone
}

/** Written off, and still payable. */
export function markUncollectible(
  world: World,
  id: string,
  reason: 'user_forgiven' | 'subscription_paused',
): InvoiceRow {
  const invoice = world.invoices.must(id)
  const at = world.now(invoice.own.clock)
  world.alarm('invoice.retry', id, invoice.own.clock, null)
  callOffDue(world, invoice)
  const lost = world.invoices.patch(id, {
    status: 'uncollectible',
    auto_advance: false,
    next_payment_attempt: null,
    status_details: { uncollectible: { reason } },
    status_transitions: { ...invoice.status_transitions, marked_uncollectible_at: at },
  })
  world.emit('invoice.marked_uncollectible', lost)
  return lost
}
