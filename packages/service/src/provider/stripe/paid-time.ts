import type { Instant } from '@lockstep/core/instant'
import { add, type Money, negate, subtract, sum, zero } from '@lockstep/core/money'
import { type FeeDocument, standingCharges } from '@lockstep/core/standing-charges'
import type Stripe from 'stripe'
import { fromStripeAmount } from './amount.ts'
import { type CallDeps, readStripe } from './call.ts'
import { correctionsOn } from './corrections-on.ts'
import { creditedBy, itemOf } from './credited-since.ts'
import { detailsOf, isCredit, isFee, isFeeAhead, netOf } from './fee-lines.ts'
import { withAllLines } from './fetch.ts'
import { readKept } from './settlement.ts'
import { previewChange, type SubscriptionTerms } from './subscription-changes.ts'

export interface CreditedTime {
  readonly amount: Money
  /** Of the last of it. */
  readonly end: Instant
}

/**
 * What Stripe would credit for time ahead that was billed before, by its own preview; null where the change charges at
 * least as much for time ahead, so that nothing of it becomes the customer's.
 * https://docs.stripe.com/billing/subscriptions/prorations
 */
export async function previewCreditedTime(
  deps: Pick<CallDeps, 'provider'>,
  terms: SubscriptionTerms,
): Promise<CreditedTime | null> {
  const preview = await previewChange(deps, terms, [])
  const ahead = preview.lines.data.filter((line) => isFeeAhead(line, terms.prorationDate))
  if (total(ahead) >= 0) return null
  // A proration that is pending from before charged some of the time that is credited: that is on no invoice yet.
  const credits = ahead.filter((line) => netOf(line) < 0 || line.period.start < terms.prorationDate)
  return {
    amount: fromStripeAmount(Math.max(0, -total(credits)), preview.currency),
    end: Math.max(...credits.map(({ period }) => period.end)),
  }
}

const total = (lines: readonly Stripe.InvoiceLineItem[]) => lines.reduce((sum, line) => sum + netOf(line), 0)

/**
 * The invoices for time ahead. What is credited on one of them paid a part of it: the time that was left of what was
 * bought before belongs to it too.
 */
function billedFor(invoices: readonly Stripe.Invoice[], at: Instant): readonly Stripe.Invoice[] {
  const ahead = invoices.filter(({ lines }) => lines.data.some((line) => isFeeAhead(line, at)))
  const credits = ahead.flatMap(({ lines }) => lines.data.filter(isCredit))
  const since = Math.min(at, ...credits.map(({ period }) => period.start))
  return since < at ? billedFor(invoices, since) : ahead
}

/**
 * Of the invoices for time ahead, those for time that nothing has credited since, and all that they hang together with by what
 * they credit or is credited of them. A year that was left for a month is over with its last day, as is the month.
 */
function stillFor(invoices: readonly Stripe.Invoice[], at: Instant): readonly Stripe.Invoice[] {
  const documents = invoices.map((invoice, i) => toFeeDocument(invoice, invoices.slice(i + 1)))
  const standing = standingCharges(documents).filter(({ period }) => period.end > at)
  const found = new Set(standing.map(({ document }) => document))
  const ahead = billedFor(invoices, at)
  const known = new Set(invoices.map(({ id }) => id))
  const links = new Map<string, string[]>(ahead.map(({ id }) => [id, []]))
  for (const { id, lines } of documents.filter((document) => links.has(document.id)))
    for (const { credits, period } of lines.filter(({ amount }) => amount.minor < 0n))
      if (credits !== null && known.has(credits.document)) {
        links.get(id)?.push(credits.document)
        links.get(credits.document)?.push(id)
      } else if (period.end > at) {
        // Of time that nobody paid for: it takes from what was paid for other time.
        found.add(id)
      }
  // What is added while it goes on is gone through as well.
  for (const id of found) for (const other of links.get(id) ?? []) found.add(other)
  return ahead.filter(({ id }) => found.has(id))
}

function toFeeDocument(invoice: Stripe.Invoice, older: readonly Stripe.Invoice[]): FeeDocument {
  const lines = invoice.lines.data.filter(isFee).map((line) => {
    const details = detailsOf(line)
    const document = isCredit(line) ? creditedBy(line, invoice, older) : null
    const named = details?.proration_details?.credited_items?.invoice_line_items ?? []
    return {
      id: line.id,
      item: itemOf(line),
      period: { start: line.period.start, end: line.period.end },
      amount: fromStripeAmount(netOf(line), line.currency),
      isProration: details?.proration === true,
      credits: document === null ? null : { document, lines: named },
    }
  })
  return { id: invoice.id, lines }
}

/** A draft was not paid yet. What a voided one took from the balance went back there, and a payment of one is refunded first. */
const mayBePaid: ReadonlySet<Stripe.Invoice.Status | null> = new Set(['open', 'paid', 'uncollectible'])

/**
 * What was paid on invoices for time of a subscription that is not over at `at`, and was not given back since. Asked of
 * the provider and not of what we saw, because an event of a renewal may still be on its way.
 */
export async function keptForTime(
  deps: Pick<CallDeps, 'provider'>,
  subscription: string,
  when: AtMoment,
): Promise<Money> {
  return keptOn(deps, await invoicesOf(deps, subscription), when)
}

interface AtMoment {
  readonly at: Instant
  readonly currency: string
}

/** All invoices of a subscription with all their lines, newest first. */
export function invoicesOf(
  deps: Pick<CallDeps, 'provider'>,
  subscription: string,
): Promise<Stripe.Invoice[]> {
  return readStripe(deps, async (stripe) => {
    const found: Stripe.Invoice[] = []
    for await (const invoice of stripe.invoices.list({ subscription, limit: 100 }))
      found.push(await withAllLines(stripe, invoice))
    return found
  })
}

/** The same as {@link keptForTime} of a subscription's invoices that are at hand. */
export async function keptOn(
  deps: Pick<CallDeps, 'provider'>,
  invoices: readonly Stripe.Invoice[],
  { at, currency }: AtMoment,
): Promise<Money> {
  const billed = stillFor(
    invoices.filter(({ status }) => mayBePaid.has(status)),
    at,
  )
  const over = sum(
    currency,
    billed.map((invoice) => overOn(invoice, at)),
  )
  const kept = sum(currency, await Promise.all(billed.map((invoice) => readKept(deps, invoice))))
  if (over.minor >= 0n) return subtract(kept, over)
  const corrected = await keptOfCorrections(deps, invoices, billed)
  return add(kept, smaller(corrected, negate(over)))
}

/** What was paid for usage that these invoices give back, on others, and was not given back there. */
async function keptOfCorrections(
  deps: Pick<CallDeps, 'provider'>,
  all: readonly Stripe.Invoice[],
  by: readonly Stripe.Invoice[],
): Promise<Money> {
  const { currency } = by[0] as Stripe.Invoice
  const corrections = correctionsOn(all)
  const backOf = (id: string, documents: readonly Stripe.Invoice[]) =>
    sum(
      currency,
      documents.flatMap((one) =>
        (corrections.get(one.id) ?? []).filter(({ on }) => on === id).map(({ amount }) => amount),
      ),
    )
  const others = all.filter((one) => !by.includes(one) && backOf(one.id, by).minor > 0n)
  const found = await Promise.all(
    others.map(async (one) => {
      const kept = await readKept(deps, one)
      const left = add(subtract(kept, overOn(one, Number.POSITIVE_INFINITY)), backOf(one.id, all))
      return larger(zero(currency), smaller(backOf(one.id, by), smaller(kept, left)))
    }),
  )
  return sum(currency, found)
}

const smaller = (one: Money, other: Money): Money => (other.minor < one.minor ? other : one)

const larger = (one: Money, other: Money): Money => (other.minor > one.minor ? other : one)

/**
 * What an invoice billed for time that is over by then, and for usage: as much of what was paid is used up. What was credited
 * of that time was not. What is not collected any more used nothing up. Of the lines that `counts` says.
 */
export function overOn(
  { lines, currency, status }: Stripe.Invoice,
  at: Instant,
  counts: (line: Stripe.InvoiceLineItem) => boolean = () => true,
): Money {
  const isOver = (line: Stripe.InvoiceLineItem) => !isFeeAhead(line, at) && counts(line)
  const over = status === 'uncollectible' ? [] : lines.data.filter(isOver)
  return fromStripeAmount(total(over), currency)
}
