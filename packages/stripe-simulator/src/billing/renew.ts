import type { InvoiceRow, LineRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { priceParts } from '../rules/pricing.ts'
import type { World } from '../world.ts'
import { runningDiscounts } from './discounts.ts'
import { announce, createDraft, scheduleFinalization } from './invoices.ts'
import { itemLine } from './lines.ts'
import { isMetered, usageLines, usageOf, usageStart } from './metered.ts'
import { takePending } from './pending.ts'
import { cycleOf, itemPeriod, itemsOf, periodAmount, termsOf } from './periods.ts'

/** Moves the items whose period is over into the next one and makes their lines, newest item first. */
export function advanceItems(world: World, subscription: SubscriptionRow, at: number): LineRow[] {
  const lines: LineRow[] = []
  for (const item of itemsOf(world, subscription.id)) {
    if (item.current_period_end > at) continue
    const rhythm = cycleOf(subscription, world.prices.must(item.own.price))
    const cycle = itemPeriod(subscription.billing_cycle_anchor, rhythm, at)
    // A trial need not end with a cycle: then the first period is what is left of the running one.
    const period = { start: Math.max(cycle.start, item.current_period_end), end: cycle.end }
    lines.unshift(...billItem(world, subscription, item, period))
  }
  return lines
}

/**
 * Bills one item for a period: its line (one for each tier of a graduated price, as Stripe shows it), and
 * the memory of what was debited for that time.
 */
export function billItem(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  period: { start: number; end: number },
): LineRow[] {
  const price = world.prices.must(item.own.price)
  if (isMetered(price)) return billMetered(world, subscription, item, period)
  const trial = subscription.status === 'trialing'
  const quantity = String(item.quantity ?? 1)
  const parts = trial ? [] : priceParts(termsOf(price, subscription.currency), item.quantity ?? 1)
  const anchor = subscription.billing_cycle_anchor
  const lines =
    parts.length === 0
      ? [itemLine(world, { subscription, item, amount: 0, period, part: null, quantity })]
      : parts.map((part) =>
          itemLine(world, {
            subscription,
            item,
            amount: periodAmount(part.picos, anchor, cycleOf(subscription, price), period),
            period,
            part,
            quantity,
          }),
        )
  const amount = lines.reduce((sum, line) => sum + line.amount, 0)
  const line = lines[0]?.id ?? null
  world.subscriptionItems.patch(item.id, {
    current_period_start: period.start,
    current_period_end: period.end,
    own: {
      ...item.own,
      debit: { start: period.start, end: period.end, amount, invoiceItem: null, invoice: null, line },
    },
  })
  return lines
}

/**
 * A metered item enters a period and is billed for what it used before, in arrears. Usage of a trial is free.
 * The first invoice has nothing of it, in classic billing a line of nothing.
 * https://docs.stripe.com/billing/subscriptions/billing-mode/compare
 */
function billMetered(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  period: { start: number; end: number },
): LineRow[] {
  const { current_period_start: start, current_period_end: end } = item
  // No period reaches over the end of a trial: one that began in it is of it.
  const { trial_start: first, trial_end: to, own } = subscription
  const from = first === null ? null : Math.max(first, own.trialFrom ?? first)
  const wasTrial = from !== null && to !== null && start >= from && start < to
  const begins = start === end
  const lines =
    begins && subscription.billing_mode.type === 'classic'
      ? [nothingUsed(world, subscription, item, period)]
      : begins || usageStart(item) >= period.start
        ? []
        : wasTrial
          ? [freeUsage(world, subscription, item, period.start)]
          : usageLines(world, subscription, item, period.start)
  world.subscriptionItems.patch(item.id, {
    current_period_start: period.start,
    current_period_end: period.end,
    own: { ...item.own, debit: null, usageFrom: Math.max(period.start, item.own.usageFrom ?? 0) },
  })
  return lines
}

function nothingUsed(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  period: { start: number; end: number },
): LineRow {
  const terms = termsOf(world.prices.must(item.own.price), subscription.currency)
  const [part = null] = priceParts(terms, 0)
  return itemLine(world, { subscription, item, amount: 0, period, part, quantity: '0' })
}

/** Usage of a trial is named and free. https://docs.stripe.com/billing/subscriptions/billing-mode/compare#standardize-trial-period-line-item-description */
function freeUsage(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  end: number,
): LineRow {
  const quantity = usageOf(world, subscription, item, end)
  const period = { start: usageStart(item), end }
  return itemLine(world, { subscription, item, amount: 0, period, part: null, quantity })
}

export interface SubscriptionInvoice {
  readonly reason: InvoiceRow['billing_reason']
  readonly lines: readonly LineRow[]
  readonly period: { readonly start: number; readonly end: number }
  readonly at: number
  readonly prorationDate?: number
  /** Whether it is left as a draft for its hour, unless its subscription does not collect. */
  readonly waits?: boolean
  /** Whether pending invoice items go onto it; left out only for recurring previews. */
  readonly pending?: boolean
  /** Pending items that wait for a later invoice. */
  readonly leave?: ReadonlySet<string>
}

/** A draft of the subscription: the pending items first, newest first, then the given lines. */
export function subscriptionDraft(world: World, id: string, of: SubscriptionInvoice): InvoiceRow {
  const subscription = world.subscriptions.must(id)
  const collects =
    subscription.status !== 'unpaid' && subscription.pause_collection?.behavior !== 'keep_as_draft'
  const pending = (of.pending === false ? [] : pendingLines(world, subscription)).filter(
    ({ item }) => of.leave?.has(item) !== true,
  )
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
    taxRates: subscription.default_tax_rates ?? [],
    ...(of.prorationDate === undefined ? {} : { prorationDate: of.prorationDate }),
  })
  for (const { item } of pending) world.invoiceItems.patch(item, { invoice: draft.id })
  const { custom_fields, description, footer } = subscription.invoice_settings
  if (custom_fields !== null || description !== null || footer !== null) {
    world.invoices.patch(draft.id, {
      custom_fields,
      footer,
      description: description ?? subscription.description,
    })
  }
  rememberDebits(world, draft)
  world.subscriptions.patch(id, { latest_invoice: draft.id })
  if (of.waits === true) leaveAsDraft(world, draft)
  return announce(world, draft.id)
}

function pendingLines(world: World, subscription: SubscriptionRow) {
  return takePending(world, subscription.customer, subscription.id, subscription.currency)
}

/** Notes on the items which lines debited them, net of discounts: the flexible mode credits from there. */
function rememberDebits(world: World, draft: InvoiceRow): void {
  const nets = new Map<string, { net: number; line: string }>()
  for (const line of draft.own.lines) {
    const details = line.parent?.subscription_item_details
    if (details == null) continue
    // A proration is known by its invoice item, a whole period by its subscription item and its start.
    const key = details.invoice_item ?? `${details.subscription_item} ${line.period.start}`
    const before = nets.get(key)
    nets.set(key, { net: (before?.net ?? 0) + line.own.net, line: before?.line ?? line.id })
  }
  for (const item of itemsOf(world, draft.own.subscription as string)) {
    const { debit } = item.own
    if (debit === null || debit.invoice !== null) continue
    const billed = nets.get(debit.invoiceItem ?? `${item.id} ${debit.start}`)
    if (billed === undefined) continue
    const invoiced = { ...debit, amount: billed.net, invoice: draft.id, line: billed.line }
    world.subscriptionItems.patch(item.id, { own: { ...item.own, debit: invoiced } })
  }
}

/** The draft of a renewal waits an hour; a paused collection keeps it as it is. */
function leaveAsDraft(world: World, invoice: InvoiceRow): void {
  if (invoice.auto_advance !== true) return
  scheduleFinalization(world, invoice.id, invoice.created + world.settings.draftSeconds)
}
