import type { InvoiceRow, LineRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { runningDiscounts } from './discounts.ts'
import { announce, createDraft, scheduleFinalization } from './invoices.ts'
import { itemLine } from './lines.ts'
import { takePending } from './pending.ts'
import { itemPeriod, itemPicos, itemsOf, periodAmount, rhythmOf } from './periods.ts'

export interface Billed {
  readonly lines: LineRow[]
}

/** Moves the items whose period is over into the next one and makes their lines, newest item first. */
export function advanceItems(world: World, subscription: SubscriptionRow, at: number): LineRow[] {
  const lines: LineRow[] = []
  for (const item of itemsOf(world, subscription.id)) {
    if (item.current_period_end > at) continue
    const rhythm = rhythmOf(world.prices.must(item.own.price))
    const period = itemPeriod(subscription.billing_cycle_anchor, rhythm, at)
    lines.unshift(billItem(world, subscription, item, period))
  }
  return lines
}

/** Bills one item for a period: its line, and the memory of what was debited for that time. */
export function billItem(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  period: { start: number; end: number },
): LineRow {
  const trial = subscription.status === 'trialing'
  const rhythm = rhythmOf(world.prices.must(item.own.price))
  const amount = trial
    ? 0
    : periodAmount(itemPicos(world, item), subscription.billing_cycle_anchor, rhythm, period)
  const line = itemLine(world, { subscription, item, amount, period, trial })
  world.subscriptionItems.patch(item.id, {
    current_period_start: period.start,
    current_period_end: period.end,
    own: {
      ...item.own,
      debit: {
        start: period.start,
        end: period.end,
        amount,
        invoiceItem: null,
        invoice: null,
        line: line.id,
      },
    },
  })
  return line
}

export interface SubscriptionInvoice {
  readonly reason: InvoiceRow['billing_reason']
  readonly lines: readonly LineRow[]
  readonly period: { readonly start: number; readonly end: number }
  readonly at: number
  readonly prorationDate?: number
  /** Whether pending invoice items go onto it; left out only for recurring previews. */
  readonly pending?: boolean
}

/** A draft of the subscription: the pending items first, newest first, then the given lines. */
export function subscriptionDraft(world: World, id: string, of: SubscriptionInvoice): InvoiceRow {
  const subscription = world.subscriptions.must(id)
  const collects =
    subscription.status !== 'unpaid' && subscription.pause_collection?.behavior !== 'keep_as_draft'
  const pending = of.pending === false ? [] : pendingLines(world, subscription)
  const draft = createDraft(world, {
    customer: subscription.customer,
    subscription: id,
    currency: subscription.currency,
    reason: world.preview ? 'upcoming' : of.reason,
    lines: [...pending.map(({ line }) => line), ...of.lines],
    discounts: runningDiscounts(world, subscription.discounts, subscription.customer, of.at),
    period: of.period,
    at: of.at,
    collectionMethod:
      subscription.collection_method === 'send_invoice' ? 'send_invoice' : 'charge_automatically',
    daysUntilDue:
      subscription.collection_method === 'send_invoice' ? (subscription.days_until_due ?? 30) : null,
    autoAdvance: collects,
    description: subscription.description,
    ...(of.prorationDate === undefined ? {} : { prorationDate: of.prorationDate }),
  })
  for (const { item } of pending) world.invoiceItems.patch(item, { invoice: draft.id })
  rememberDebits(world, draft)
  world.subscriptions.patch(id, { latest_invoice: draft.id })
  return announce(world, draft.id)
}

function pendingLines(world: World, subscription: SubscriptionRow) {
  return takePending(world, subscription.customer, subscription.id, subscription.currency)
}

/** Notes on the items which line debited them, net of discounts: the flexible mode credits from there. */
function rememberDebits(world: World, draft: InvoiceRow): void {
  for (const line of draft.own.lines) {
    const details = line.parent?.subscription_item_details
    const item = world.subscriptionItems.get(details?.subscription_item)
    if (item?.own.debit == null) continue
    const { debit } = item.own
    const same =
      debit.line === line.id || (debit.invoiceItem !== null && debit.invoiceItem === details?.invoice_item)
    if (!same) continue
    const invoiced = { ...debit, amount: line.own.net, invoice: draft.id, line: line.id }
    world.subscriptionItems.patch(item.id, { own: { ...item.own, debit: invoiced } })
  }
}

/** The draft of a renewal waits an hour; a paused collection keeps it as it is. */
export function leaveAsDraft(world: World, invoice: InvoiceRow): InvoiceRow {
  if (invoice.auto_advance !== true) return invoice
  return scheduleFinalization(world, invoice.id, invoice.created + world.settings.draftSeconds)
}
