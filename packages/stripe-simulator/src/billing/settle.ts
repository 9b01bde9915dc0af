import type { InvoiceRow, SubscriptionRow } from '../rows.ts'
import { moved, statusAfter } from '../rules/subscription-status.ts'
import type { World } from '../world.ts'
import { type Collection, type CollectionResult, collect, failed } from './collect.ts'
import { decidesStatus } from './deciding-invoice.ts'
import { endSubscription } from './end.ts'
import { markPaid } from './invoices.ts'
import { applyHeld, attemptHeld, forgetHeld } from './pending-update.ts'
import { scheduleDue } from './periods.ts'

/** Collects an open invoice and draws the consequences for its subscription. */
export function collectAndSettle(world: World, id: string, how: Collection): CollectionResult {
  const outcome = collect(world, id, how)
  if (outcome.result === 'paid') afterPaid(world, outcome.invoice)
  else if (outcome.result !== 'processing') afterFailed(world, outcome.invoice, how.automatic)
  return outcome
}

/** The bank answered the debit of an invoice. One that came back is chased like a declined card. */
export function afterDebit(world: World, id: string, paid: boolean): void {
  if (paid) {
    afterPaid(world, markPaid(world, id, { outOfBand: false }))
    return
  }
  afterFailed(world, failed(world, world.invoices.must(id), true), true)
}

/**
 * A paid, voided or written-off invoice frees its subscription: the first one activates it, the one that was
 * finalized last ends `past_due`. https://docs.stripe.com/billing/subscriptions/overview
 */
export function afterPaid(world: World, invoice: InvoiceRow): void {
  const customer = world.customers.must(invoice.customer)
  if (customer.delinquent) {
    world.emit('customer.updated', world.customers.patch(customer.id, { delinquent: false }))
  }
  const subscription = world.subscriptions.get(invoice.own.subscription)
  if (subscription === undefined) return
  rememberMethod(world, subscription, invoice)
  const held = world.subscriptions.must(subscription.id)
  // Written off, an invoice still resumes what is paused; an update is not made for nothing.
  const frees = invoice.status === 'paid' || held.own.held?.why !== 'update'
  if (frees && applyHeld(world, held, invoice)) return
  freeSubscription(world, subscription, invoice)
}

export function freeSubscription(world: World, subscription: SubscriptionRow, invoice: InvoiceRow): void {
  if (forgetHeld(world, subscription, invoice)) return
  const first =
    subscription.own.firstInvoice === invoice.id &&
    // Giving up the first invoice does not start anything; the 23 hours go on.
    invoice.status === 'paid'
  const firstPaid = subscription.trial_end === null ? 'first_payment_made' : 'first_payment_made_in_trial'
  const freed =
    (first ? statusAfter(subscription.status, firstPaid) : undefined) ??
    (decidesStatus(world, subscription, invoice)
      ? statusAfter(subscription.status, 'debt_settled')
      : undefined)
  if (freed === undefined) return
  const active = world.subscriptions.patch(subscription.id, { status: freed })
  world.alarm('subscription.expire', subscription.id, subscription.own.clock, null)
  scheduleDue(world, active)
  // During creation the one event is `customer.subscription.created`, sent when the payment is through.
  if (!subscription.own.creating) world.emit('customer.subscription.updated', active)
}

/** `save_default_payment_method=on_subscription` keeps the method that paid. */
function rememberMethod(world: World, subscription: SubscriptionRow, invoice: InvoiceRow): void {
  if (subscription.payment_settings?.save_default_payment_method !== 'on_subscription') return
  const method = world.paymentIntents.get(invoice.own.paymentIntent)?.payment_method
  if (method == null || subscription.default_payment_method !== null) return
  world.subscriptions.patch(subscription.id, { default_payment_method: method })
}

/** A failed renewal or update makes the subscription past due; without a further attempt it is given up. */
function afterFailed(world: World, invoice: InvoiceRow, automatic: boolean): void {
  const subscription = world.subscriptions.get(invoice.own.subscription)
  // What waits for its payment goes on waiting.
  if (subscription !== undefined && attemptHeld(world, subscription, invoice)) return
  const status = subscription && statusAfter(subscription.status, 'payment_failed')
  if (subscription !== undefined && status !== undefined && decidesStatus(world, subscription, invoice)) {
    const late = world.subscriptions.patch(subscription.id, { status })
    world.emit('customer.subscription.updated', late)
  }
  if (automatic && invoice.next_payment_attempt === null) giveUp(world, invoice)
}

/** The retries are used up: the account's setting decides. */
function giveUp(world: World, invoice: InvoiceRow): void {
  const subscription = world.subscriptions.get(invoice.own.subscription)
  if (subscription === undefined || subscription.status !== 'past_due') return
  switch (world.settings.afterRetries) {
    case 'cancel':
      endSubscription(world, subscription.id, { reason: 'payment_failed', asked: true })
      return
    case 'unpaid': {
      const unpaid = world.subscriptions.patch(subscription.id, moved(subscription, 'retries_exhausted'))
      world.emit('customer.subscription.updated', unpaid)
      return
    }
    case 'past_due':
      return
  }
}
