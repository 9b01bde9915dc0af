import type { InvoiceRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { moved } from '../rules/subscription-status.ts'
import type { World } from '../world.ts'
import { endTakenOff } from './discounts.ts'
import { voidInvoice } from './end.ts'
import { itemsOf, scheduleDue } from './periods.ts'

/** What a change turns on a subscription, held until its invoice is paid. */
export interface HeldUpdate {
  /** An update, or a paused subscription that resumes when its invoice is paid or at least attempted. */
  readonly why: 'update' | 'resume_on_payment_attempt' | 'resume_on_payment_success'
  readonly invoice: string
  readonly fields: Partial<SubscriptionRow>
  readonly items: readonly SubscriptionItemRow[]
}

export interface SubscriptionState {
  readonly row: SubscriptionRow
  readonly items: readonly SubscriptionItemRow[]
}

export function stateOf(world: World, id: string): SubscriptionState {
  return { row: world.subscriptions.must(id), items: itemsOf(world, id) }
}

/** The fields in which one state differs from another; the latest invoice is true of both. */
export function changedFields(before: SubscriptionRow, after: SubscriptionRow): Partial<SubscriptionRow> {
  const keys = Object.keys(after) as (keyof SubscriptionRow)[]
  const changed = keys.filter(
    (key) => key !== 'own' && key !== 'latest_invoice' && before[key] !== after[key],
  )
  return Object.fromEntries(changed.map((key) => [key, after[key]]))
}

/** Items are put as they were, in their order, whatever was added and removed since. */
export function replaceItems(world: World, id: string, items: readonly SubscriptionItemRow[]): void {
  for (const item of itemsOf(world, id)) world.subscriptionItems.delete(item.id)
  for (const item of items) world.subscriptionItems.insert(item)
}

/**
 * The invoice of a held update was paid: the subscription becomes what was asked for. Answers false when the
 * invoice is another one.
 */
export function applyHeld(world: World, subscription: SubscriptionRow, invoice: InvoiceRow): boolean {
  const held = subscription.own.held
  if (held?.invoice !== invoice.id) return false
  release(world, subscription, held, {})
  return true
}

/**
 * An attempt failed. An update stays pending, a resumption may need no more than an attempt: then the
 * subscription is past due. Answers false when the invoice is another one.
 */
export function attemptHeld(world: World, subscription: SubscriptionRow, invoice: InvoiceRow): boolean {
  const held = subscription.own.held
  if (held?.invoice !== invoice.id) return false
  if (held.why === 'resume_on_payment_attempt')
    release(world, subscription, held, moved(subscription, 'resumed_unpaid'))
  return true
}

function release(
  world: World,
  subscription: SubscriptionRow,
  held: HeldUpdate,
  but: Partial<SubscriptionRow>,
): void {
  const shown = subscription.pending_update !== null
  const { own } = world.invoices.must(held.invoice)
  world.invoices.patch(held.invoice, { own: { ...own, isHeld: false } })
  replaceItems(world, subscription.id, held.items)
  const applied = world.subscriptions.patch(subscription.id, {
    ...held.fields,
    ...but,
    ...released(subscription),
  })
  settled(world, applied)
  endTakenOff(world, applied.id)
  if (held.why !== 'update') {
    world.emit('customer.subscription.updated', applied)
    world.emit('customer.subscription.resumed', applied)
  } else if (shown) {
    // Paid within the request it was never pending, and the request tells of it.
    world.emit('customer.subscription.updated', applied)
    world.emit('customer.subscription.pending_update_applied', applied)
  }
}

/** Its invoice was given up by hand: the changes are forgotten, a paused subscription stays so. */
export function forgetHeld(world: World, subscription: SubscriptionRow, invoice: InvoiceRow): boolean {
  if (subscription.own.held?.invoice !== invoice.id) return false
  const next = world.subscriptions.patch(subscription.id, released(subscription))
  settled(world, next)
  endTakenOff(world, next.id)
  world.emit('customer.subscription.updated', next)
  return true
}

/**
 * Nobody paid in time, or something came in between (a phase of a schedule, a threshold, a pause): the invoice
 * is voided and the update is gone. https://docs.stripe.com/billing/subscriptions/pending-updates-reference
 */
export function expireHeld(world: World, id: string): void {
  const subscription = world.subscriptions.must(id)
  if (subscription.own.held == null) return
  voidHeld(world, subscription)
  const next = world.subscriptions.patch(id, released(subscription))
  settled(world, next)
  endTakenOff(world, id)
  world.emit('customer.subscription.updated', next)
  world.emit('customer.subscription.pending_update_expired', next)
}

/** A further update takes the place of the one that is held, whose invoice is voided. */
export function replaceHeld(world: World, id: string): void {
  const subscription = world.subscriptions.must(id)
  if (subscription.own.held == null) return
  voidHeld(world, subscription)
  settled(world, world.subscriptions.patch(id, released(subscription)))
}

function voidHeld(world: World, { own }: SubscriptionRow): void {
  const invoice = world.invoices.get(own.held?.invoice)
  if (invoice?.status === 'open') voidInvoice(world, invoice.id, 'void_invoice')
}

/** Without what was held. */
function released({ own }: SubscriptionRow): Partial<SubscriptionRow> {
  return { pending_update: null, own: { ...own, held: null } }
}

function settled(world: World, subscription: SubscriptionRow): void {
  world.alarm('subscription.pending_update', subscription.id, subscription.own.clock, null)
  scheduleDue(world, subscription)
}
