import type Stripe from 'stripe'
import type { History } from './history.ts'
import { invoices, type Story, subscriptions } from './story.ts'

interface Span {
  readonly start: number
  readonly end: number
}

interface Billed extends Span {
  readonly invoice: string
}

/**
 * The periods that an item is billed for in advance follow one another: no second twice, none left
 * out. Read from the events alone, and with what may part them:
 * - a gap where the subscription was paused or on trial, or the item's price a metered one (not billed in advance),
 * - a cut where its cycle began anew: another anchor (a trial's end is one, too), or a price of another interval.
 * A proration is no period of its own: it is part of one.
 */
export async function checkPeriods(story: Story, history: History): Promise<void> {
  const all = (await invoices(story)).reverse()
  for (const { id } of await subscriptions(story)) {
    const told = history.of<Stripe.Subscription>(id)
    const cuts = restarts(told)
    const metered = new Set(story.metered)
    for (const [item, periods] of billedPeriods(all.filter(counts(cuts, metered)), id, metered)) {
      const free = unbilled(told, item)
      // Of two that begin in one second, the one that was billed later began the cycle anew.
      const sorted = periods.sort((a, b) => a.start - b.start)
      for (const [index, period] of sorted.entries()) {
        const before = sorted[index - 1]
        if (before === undefined || before.end === period.start) continue
        const explained =
          period.start > before.end
            ? covers(free, { start: before.end, end: period.start })
            : cuts.has(period.start)
        if (!explained) throw new Error(`${id} ${item}: ${text(before)}, then ${text(period)}`)
      }
    }
  }
}

/** An update or a resumption that waits for its payment, or was taken back, has an invoice but began nothing. */
function counts(
  cuts: ReadonlySet<number>,
  metered: ReadonlySet<string>,
): (invoice: Stripe.Invoice) => boolean {
  return ({ status, billing_reason, lines }) =>
    billing_reason !== 'subscription_update' ||
    (status !== 'void' && status !== 'open') ||
    lines.data.some((line) => inAdvance(line, metered) && cuts.has(line.period.start))
}

/** Whether a line bills a period of an item in advance; usage and prorations do not. */
function inAdvance({ parent, pricing }: Stripe.InvoiceLineItem, metered: ReadonlySet<string>): boolean {
  const item = parent?.subscription_item_details
  return item != null && !item.proration && !metered.has(pricing?.price_details?.price as string)
}

/** Periods by item. Tiers make several lines of one period on one invoice; on two invoices it would be billed twice. */
function billedPeriods(
  all: readonly Stripe.Invoice[],
  subscription: string,
  metered: ReadonlySet<string>,
): Map<string, Billed[]> {
  const periods = new Map<string, Billed[]>()
  for (const invoice of all) {
    for (const line of invoice.lines.data) {
      const parent = line.parent?.subscription_item_details
      if (parent?.subscription !== subscription || !inAdvance(line, metered)) continue
      const { start, end } = line.period
      const known = periods.get(parent.subscription_item) ?? []
      if (!known.some((one) => one.start === start && one.end === end && one.invoice === invoice.id))
        known.push({ start, end, invoice: invoice.id })
      periods.set(parent.subscription_item, known)
    }
  }
  return periods
}

/** Times that are not billed in advance: pauses, trials and metered prices, from the snapshots that were told. */
function unbilled(told: readonly { at: number; object: Stripe.Subscription }[], item: string): Span[] {
  const spans: Span[] = []
  for (const [index, { at, object }] of told.entries()) {
    const { price, current_period_end: end } = object.items.data.find(({ id }) => id === item) ?? {}
    const { recurring = null } = price ?? {}
    const before = told[index - 1]?.object.items.data.find(({ id }) => id === item)?.price.recurring ?? null
    // What is left of the period after such a change, or after a pause when the anchor stays, is billed as a
    // proration, or with `none` not at all.
    const resumes = told[index - 1]?.object.status === 'paused' && object.status !== 'paused'
    if (end !== undefined && before !== null && (resumes || billsAnew(before, recurring)))
      spans.push({ start: at, end })
    if (!['paused', 'trialing'].includes(object.status) && recurring?.usage_type !== 'metered') continue
    spans.push({ start: at, end: told[index + 1]?.at ?? Number.POSITIVE_INFINITY })
  }
  return spans
}

/**
 * When the cycle began, and began anew (it may do so again within the same second). A price of another
 * interval may instead join the cycle of that interval, and its own periods begin where that one ends; so may
 * one that was billed by usage.
 */
function restarts(told: readonly { at: number; object: Stripe.Subscription }[]): Set<number> {
  const cuts = new Set<number>()
  for (const [index, { at, object }] of told.entries()) {
    const before = told[index - 1]?.object
    if (before === undefined) cuts.add(at)
    else if (before.billing_cycle_anchor !== object.billing_cycle_anchor)
      cuts.add(at).add(object.billing_cycle_anchor)
    for (const { id, price, current_period_end: end } of object.items.data) {
      const was = before?.items.data.find((item) => item.id === id)?.price.recurring
      if (was != null && billsAnew(was, price.recurring)) cuts.add(at).add(end)
    }
  }
  return cuts
}

/** Whether a change of price has other periods, or bills in advance where usage was billed before. */
function billsAnew(before: Stripe.Price.Recurring, after: Stripe.Price.Recurring | null): boolean {
  return before.interval !== after?.interval || before.usage_type !== after?.usage_type
}

/** Whether spans that follow one another cover all of one. */
function covers(spans: readonly Span[], { start, end }: Span): boolean {
  let reached = start
  for (const span of spans) if (span.start <= reached && span.end > reached) reached = span.end
  return reached >= end
}

const text = ({ start, end, invoice }: Billed) =>
  `${[start, end].map((second) => new Date(second * 1000).toISOString()).join(' … ')} on ${invoice}`
