import { type BilledTime, creditedSince, passingOn, type TimeLine } from '@lockstep/core/credited-since'
import { type Money, money, negate, parseMoney, subtract, sum, zero } from '@lockstep/core/money'
import { keptOf, type Settlement } from '@lockstep/core/money-back'
import { type SentParts, takenBack } from '@lockstep/core/taken-back'
import type Stripe from 'stripe'
import { fromStripeAmount } from './amount.ts'
import { detailsOf, isCredit, isFee, isFeeAhead, netOf } from './fee-lines.ts'
import { all, withAllLines } from './fetch.ts'
import { idOf } from './field.ts'

type Line = Stripe.InvoiceLineItem

/**
 * How much of what an invoice billed was credited by what came after it: on the customer's later invoices, drafts too,
 * and by what waits to be on one. Asked of Stripe, so what was changed in the dashboard counts like a change of ours.
 * What waits of a subscription that is `ending` is dropped with it: https://docs.stripe.com/api/subscriptions/cancel
 */
export async function readCreditedSince(
  stripe: Stripe,
  invoice: Stripe.Invoice,
  settle: (invoice: Stripe.Invoice) => Promise<Settlement>,
  ending: string | null,
): Promise<Pick<Settlement, 'creditedSince' | 'timeCreditedSince' | 'takenBackSince'>> {
  const { currency } = invoice
  const nothing = zero(currency)
  if (invoice.customer === null)
    return { creditedSince: nothing, timeCreditedSince: nothing, takenBackSince: nothing }
  const customer = idOf(invoice.customer)
  const [listed, pending] = await Promise.all([
    all(stripe.invoices.list({ customer, created: { gte: invoice.created }, limit: 100 })),
    all(stripe.invoiceItems.list({ customer, pending: true, limit: 100 })),
  ])
  const later: Stripe.Invoice[] = []
  for (const one of listed) if (counts(one, currency)) later.push(await withAllLines(stripe, one))
  const documents = [
    waiting(
      pending.filter((item) => ending === null || subscriptionOf(item) !== ending),
      later,
      invoice,
    ),
    ...later.map((one, at) => toBilledTime(one, later.slice(at + 1))),
  ]
  const corrected = takenBack([...later.toReversed().map(toSentParts), waitingParts(pending, invoice)])
  const withCorrections = documents.map(({ id, lines }) => ({
    id,
    lines: [...lines, ...(corrected.get(id) ?? [])],
  }))
  const asked = new Set(passingOn(withCorrections))
  const kept = new Map<string, Money>()
  for (const one of later)
    if (asked.has(one.id) && one.id !== invoice.id) kept.set(one.id, keptOf(await settle(one)))
  const credited = (documents: readonly BilledTime[]) =>
    creditedSince(invoice.id, { documents, currency, kept: (id) => kept.get(id) ?? nothing })
  const takenBackSince = [...corrected.values()].flat().filter(({ credits }) => credits === invoice.id)
  return {
    creditedSince: credited(withCorrections),
    timeCreditedSince: credited(documents),
    takenBackSince: negate(
      sum(
        currency,
        takenBackSince.map(({ amount }) => amount),
      ),
    ),
  }
}

/** What a voided invoice credited came to nothing with it. One that is not collected any more credited all the same. */
function counts({ status, currency }: Stripe.Invoice, wanted: string): boolean {
  return status !== 'void' && currency === wanted
}

function toBilledTime(invoice: Stripe.Invoice, older: readonly Stripe.Invoice[]): BilledTime {
  return { id: invoice.id, lines: timeOf(invoice).map((line) => toTimeLine(line, [invoice, ...older])) }
}

/** Prorations, and of what began with a change its fee. What a renewal bills anew is not instead of what it credits. */
function timeOf({ lines, billing_reason: why, created }: Stripe.Invoice): Line[] {
  return lines.data.filter(
    (line) =>
      detailsOf(line)?.proration === true || (why !== 'subscription_cycle' && isFeeAhead(line, created)),
  )
}

function toTimeLine(line: Line, [own, ...older]: readonly Stripe.Invoice[]): TimeLine {
  const { period, currency } = line
  return {
    subscription: detailsOf(line)?.subscription ?? null,
    period: { start: period.start, end: period.end },
    amount: fromStripeAmount(netOf(line), currency),
    credits: isCredit(line) ? creditedBy(line, own, older) : null,
    isUsage: false,
  }
}

/** Stripe names the invoice, but where the time had not been billed yet when it was credited: then whichever billed it since. */
export function creditedBy(
  line: Line,
  own: Stripe.Invoice | undefined,
  older: readonly Stripe.Invoice[],
): string | null {
  const named = detailsOf(line)?.proration_details?.credited_items?.invoice
  if (named !== undefined) return named
  const { start } = line.period
  const isOf = (debit: Line) => isDebitOf(debit, itemOf(line), start)
  if (own?.lines.data.some((debit) => isOf(debit) && debit.period.start < start)) return own.id
  const before = older.find(({ lines }) => lines.data.some(isOf))?.id ?? null
  return own !== undefined && creditsWholeOf(line, own, before !== null) ? own.id : before
}

/**
 * Charged and credited in one second, as when somebody thinks again: the whole of a line beside it. Where something `before` billed
 * that time as well, it takes another line to credit that one.
 */
function creditsWholeOf(line: Line, { lines: { data } }: Stripe.Invoice, isBilledBefore: boolean): boolean {
  const { start } = line.period
  const ofItem = data.filter((one) => itemOf(one) === itemOf(line) && one.period.start === start)
  const isWhole = ofItem.some(
    (debit) => isDebitOf(debit, itemOf(line), start) && netOf(debit) === -netOf(line),
  )
  return isWhole && (!isBilledBefore || ofItem.filter(isCredit).length > 1)
}

/** What billed the time that a line credits, on the invoice that it credits: a line, or one for each step of a price. */
export function debitsOf(line: Line, { lines: { data } }: Stripe.Invoice): Line[] {
  const named = detailsOf(line)?.proration_details?.credited_items?.invoice_line_items ?? []
  const billed = (one: Line) => isDebitOf(one, itemOf(line), line.period.start)
  const first = data.find(({ id }) => named.includes(id)) ?? data.find(billed)
  if (first === undefined) return []
  const { start, end } = first.period
  return data.filter(
    (one) =>
      one === first ||
      (isFee(one) &&
        netOf(one) > 0 &&
        itemOf(one) === itemOf(first) &&
        one.period.start === start &&
        one.period.end === end),
  )
}

function isDebitOf(line: Line, item: string | null, at: number): boolean {
  const { period } = line
  return isFee(line) && netOf(line) > 0 && itemOf(line) === item && period.start <= at && at < period.end
}

/** Of a fee, the subscription's item that it is for. */
export const itemOf = ({ parent }: Line) => parent?.subscription_item_details?.subscription_item ?? null

const PENDING = 'pending'

function subscriptionOf({ parent }: Stripe.InvoiceItem): string | null {
  const named = parent?.subscription_details?.subscription ?? null
  return named === null ? null : idOf(named)
}

/** What is pending has no tax yet: it gets as much of it as the invoice had. */
function waiting(
  items: readonly Stripe.InvoiceItem[],
  later: readonly Stripe.Invoice[],
  invoice: Stripe.Invoice,
): BilledTime {
  const prorations = items.filter((item) => item.proration && item.currency === invoice.currency)
  const ids = new Set(prorations.map(({ id }) => id))
  return {
    id: PENDING,
    lines: prorations.map((item) => ({
      subscription: subscriptionOf(item),
      period: { start: item.period.start, end: item.period.end },
      amount: withTaxOf(invoice, fromStripeAmount(item.amount, item.currency)),
      credits: item.amount < 0 ? creditedByPending(item, ids, later) : null,
      isUsage: false,
    })),
  }
}

/** Parts of our own lines, which are no time of a fee: usage, and what is counted with it. */
export function toSentParts({ id, lines }: Stripe.Invoice): SentParts {
  return {
    id,
    parts: lines.data.flatMap((line) => {
      const of = line.metadata?.lockstep_line
      if (of === undefined) return []
      const { amount, currency, period } = line
      return {
        ...{ of, period: { start: period.start, end: period.end } },
        amount: standingFor(fromStripeAmount(amount, currency), line),
        net: fromStripeAmount(netOf(line), currency),
      }
    }),
  }
}

/** What gives back takes back what discounts had taken off as well: `lockstep_discounted`. */
function standingFor(amount: Money, { metadata }: Pick<Stripe.InvoiceItem, 'metadata'>): Money {
  const discounted = parseMoney(metadata?.lockstep_discounted ?? '', amount.currency)
  return discounted === undefined || amount.minor > 0n ? amount : subtract(amount, discounted)
}

/** Of what waits for an invoice, an end does not drop what is ours. */
function waitingParts(items: readonly Stripe.InvoiceItem[], invoice: Stripe.Invoice): SentParts {
  return {
    id: PENDING,
    parts: items.flatMap((item) => {
      const { metadata, amount: minor, currency, period } = item
      const of = metadata?.lockstep_line
      if (of === undefined || currency !== invoice.currency) return []
      const amount = fromStripeAmount(minor, currency)
      return {
        ...{ of, period: { start: period.start, end: period.end } },
        amount: standingFor(amount, item),
        net: withTaxOf(invoice, amount),
      }
    }),
  }
}

function creditedByPending(
  { proration_details: details, period, parent }: Stripe.InvoiceItem,
  pending: ReadonlySet<string>,
  later: readonly Stripe.Invoice[],
): string | null {
  const credited = details?.credited_items
  const named = credited?.invoice_line_item_details?.invoice
  if (named !== undefined) return named
  if (credited?.invoice_item !== undefined && pending.has(credited.invoice_item)) return PENDING
  const item = parent?.subscription_details?.subscription_item ?? null
  return (
    later.find(({ lines }) => lines.data.some((debit) => isDebitOf(debit, item, period.start)))?.id ?? null
  )
}

/** Rounded away from the customer: what is credited up, what is billed down. */
function withTaxOf({ total, total_taxes: taxes, currency }: Stripe.Invoice, amount: Money): Money {
  const exclusive = (taxes ?? []).reduce(
    (sum, tax) => (tax.tax_behavior === 'exclusive' ? sum + tax.amount : sum),
    0,
  )
  const [whole, net] = [BigInt(total), BigInt(total - exclusive)]
  if (net <= 0n) return amount
  const product = amount.minor * whole
  // BigInt division truncates towards zero.
  return money(product < 0n ? (product - net + 1n) / net : product / net, currency)
}
