import type { Instant } from '@lockstep/core/instant'
import { type Money, negate, subtract, sum, zero } from '@lockstep/core/money'
import {
  cameIn,
  keptOf,
  leftToCredit,
  leftToGiveBack,
  mostRefundable,
  type Settlement,
} from '@lockstep/core/money-back'
import type { Period } from '@lockstep/core/period'
import {
  type Claim,
  carriedAhead,
  correctedAhead,
  spreadUnused,
  type TimeInvoice,
  type UnusedPart,
  type Withheld,
} from '@lockstep/core/unused-time'
import type Stripe from 'stripe'
import { chargeStep, fromStripeAmount } from './amount.ts'
import { type CallDeps, readStripe } from './call.ts'
import { correctionsOn } from './corrections-on.ts'
import { creditedBy, debitsOf } from './credited-since.ts'
import { detailsOf, isCredit, isFee, netOf } from './fee-lines.ts'
import { withAllLines } from './fetch.ts'
import { invoicesOf, keptOn, overOn } from './paid-time.ts'
import { readSettlement } from './settlement.ts'

export interface UnusedLine {
  readonly description: string
  readonly period: Period
  /** With its tax and less its discounts; negative for what is given back. */
  readonly amount: Money
}

/** Of an invoice, what an end now would give back. */
export interface PartToGiveBack extends UnusedPart {
  /** What later documents have credited of its time by now: what they credit beyond that is not given back once more. */
  readonly creditedSince: Money
}

/** What an end now would give back for the rest of the period, in the way that is asked for. */
export interface UnusedTime {
  readonly lines: readonly UnusedLine[]
  readonly parts: readonly PartToGiveBack[]
  readonly withheld: readonly Withheld[]
  /** Equal as long as only time goes on: the invoices that the time was paid with, and what was paid and given back of them. */
  readonly basis: string
}

/**
 * Stripe's own preview of an end now, to the second, and the invoices that the time was paid with. Changes of the running
 * period that were not invoiced yet count in: what is given back is what is left of everything that was paid.
 * https://docs.stripe.com/api/invoices/create_preview
 */
export async function previewUnusedTime(
  deps: Pick<CallDeps, 'provider'>,
  subscription: string,
  { currency, how }: { readonly currency: string; readonly how: 'keep' | 'credit' | 'refund' },
): Promise<UnusedTime> {
  const preview = await readStripe(deps, async (stripe) => {
    const made = await stripe.invoices.createPreview({
      subscription,
      subscription_details: { cancel_now: true, proration_behavior: 'create_prorations' },
    })
    return withAllLines(stripe, made)
  })
  const prorations = preview.lines.data.filter((line) => detailsOf(line)?.proration === true)
  const lines = prorations.map((line) => ({
    description: line.description ?? '',
    period: { start: line.period.start, end: line.period.end },
    amount: fromStripeAmount(netOf(line), currency),
  }))
  const amounts = lines.map(({ amount }) => amount)
  const unused = negate(sum(currency, amounts))
  if (how === 'keep' || unused.minor <= 0n) return { lines, parts: [], withheld: [], basis: '' }
  // What is pending began earlier, what the end makes begins with it.
  const at = Math.max(...prorations.map(({ period }) => period.start))
  const known = await invoicesOf(deps, subscription)
  // What is left of all is asked of the newest first, whatever Stripe names first: it may be less than what they are claimed.
  const age = ({ on }: Claim) => known.findIndex(({ id }) => id === on)
  const claims = claimsOf(preview, known, mostOf).sort((a, b) => age(b) - age(a))
  const concerned = creditedBelow(claims, known)
  const settlements = new Map<string, Settlement>()
  for (const { invoice } of concerned)
    settlements.set(invoice.id, await readSettlement(deps, invoice.id, subscription))
  const settled = (id: string) => settlements.get(id) as Settlement
  const carried = carriedAhead(
    concerned.map(({ invoice, credits }) => ({
      id: invoice.id,
      over: usedOn(invoice, settled(invoice.id), at),
      time: overOn(invoice, at, isFee),
      credits,
    })),
  )
  const corrected = correctedAhead(
    concerned.map(({ invoice, corrections }) => ({
      id: invoice.id,
      usage: subtract(usedOn(invoice, settled(invoice.id), at), overOn(invoice, at, isFee)),
      corrections,
    })),
  )
  const invoices = concerned.map(({ invoice, credits, corrections }) =>
    toTimeInvoice(invoice, {
      ...{ credits: [...credits, ...corrections], settlement: settled(invoice.id), at, how },
      carried: carried.get(invoice.id) ?? zero(currency),
      corrected: corrected.get(invoice.id) ?? zero(currency),
    }),
  )
  const most = await keptOn(deps, known, { at, currency })
  const step = chargeStep(currency)
  const { parts, withheld } = spreadUnused({ unused, claims, invoices, step, most })
  return {
    lines,
    withheld,
    basis: basisOf(known, claims, settlements),
    parts: parts.map((part) => ({ ...part, creditedSince: settled(part.invoice).timeCreditedSince })),
  }
}

function basisOf(
  known: readonly Stripe.Invoice[],
  claims: readonly Claim[],
  settlements: ReadonlyMap<string, Settlement>,
): string {
  const basis = [known.map(({ id, status }) => [id, status]), claims.map(({ on }) => on), [...settlements]]
  return JSON.stringify(basis, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
}

/** What an invoice credits of the time of others, by Stripe's own word, or else by which of the `older` ones billed it. */
function claimsOf(
  invoice: Stripe.Invoice,
  older: readonly Stripe.Invoice[],
  amountOf: (line: Stripe.InvoiceLineItem, credited: Stripe.Invoice | undefined) => number = (line) =>
    -netOf(line),
): Claim[] {
  return invoice.lines.data.filter(isCredit).flatMap((line) => {
    const on = creditedBy(line, invoice, older)
    if (on === invoice.id) return []
    const credited = older.find(({ id }) => id === on)
    return [{ on, amount: fromStripeAmount(amountOf(line, credited), line.currency) }]
  })
}

/**
 * What an end credits of a line, but no more than is left of what that line billed: classic billing mode credits the price of this
 * moment, also where a coupon has taken something off that is gone by now. Each of the two and its taxes are rounded for themselves.
 * https://docs.stripe.com/billing/subscriptions/billing-mode/compare
 */
function mostOf(line: Stripe.InvoiceLineItem, credited: Stripe.Invoice | undefined): number {
  const amount = -netOf(line)
  const debits = credited === undefined ? [] : debitsOf(line, credited)
  const [first] = debits
  if (first === undefined) return amount
  const { start, end } = first.period
  const at = Math.max(start, line.period.start)
  if (at >= end) return amount
  const [whole, rest] = [BigInt(end - start), BigInt(end - at)]
  const billed = debits.reduce((sum, debit) => sum + netOf(debit), 0)
  const left = Number((BigInt(billed) * rest + whole - 1n) / whole)
  const rounding = 1 + (line.taxes ?? []).length
  return amount - left > rounding ? left : amount
}

interface Crediting {
  readonly invoice: Stripe.Invoice
  readonly credits: readonly Claim[]
  /** What it gives back of usage. */
  readonly corrections: readonly Claim[]
}

/** The invoices that are claimed, and those that they credit, as far as that goes; in the order of `known`. */
function creditedBelow(claims: readonly Claim[], known: readonly Stripe.Invoice[]): Crediting[] {
  const corrections = correctionsOn(known)
  const asked = new Set(claims.map(({ on }) => on))
  const found: Crediting[] = []
  // What is added while it goes on is gone through as well.
  for (const id of asked) {
    const at = known.findIndex((invoice) => invoice.id === id)
    const invoice = known[at]
    if (invoice === undefined) continue
    const credits = claimsOf(invoice, known.slice(at + 1))
    const ofUsage = corrections.get(invoice.id) ?? []
    for (const { on } of [...credits, ...ofUsage]) asked.add(on)
    found.push({ invoice, credits, corrections: ofUsage })
  }
  return found.sort((a, b) => known.indexOf(a.invoice) - known.indexOf(b.invoice))
}

interface AtEnd {
  readonly credits: readonly Claim[]
  readonly settlement: Settlement
  readonly at: Instant
  readonly how: 'credit' | 'refund'
  /** What later ones credited of its time that is over and paid time ahead with. */
  readonly carried: Money
  /** What later ones gave back of its usage and paid time with. */
  readonly corrected: Money
}

/** A draft brought in nothing, and what a voided one brought in went back. Only what is settled can be given back of. */
function toTimeInvoice(invoice: Stripe.Invoice, atEnd: AtEnd): TimeInvoice {
  const { credits, settlement, at, how, carried, corrected } = atEnd
  const { id, status } = invoice
  const nothing = zero(settlement.currency)
  const back = how === 'credit' ? leftToGiveBack(settlement) : mostRefundable(settlement)
  const brought = status === 'draft' || status === 'void' ? nothing : keptOf(settlement)
  // What was carried is here still, as far as it was credited in the end.
  const { creditedSince, timeCreditedSince: credited } = settlement
  const elsewhere = carried.minor > credited.minor ? nothing : subtract(credited, carried)
  // Usage that was taken back may have come off what an invoice before it was paid.
  const here = subtract(subtract(brought, subtract(creditedSince, credited)), elsewhere)
  const over = subtract(subtract(usedOn(invoice, settlement, at), carried), corrected)
  const isPaid = status === 'paid'
  return {
    id,
    kept: subtract(here, atLeastNothing(over)),
    givenBack: isPaid ? subtract(cameIn(settlement), here) : nothing,
    creditable: leftToCredit({ ...settlement, step: 1n }),
    payable: isPaid ? back : nothing,
    credits,
  }
}

/** Usage that was taken back since used nothing up: it is credited already. */
function usedOn(invoice: Stripe.Invoice, { currency, takenBackSince }: Settlement, at: Instant): Money {
  return invoice.status === 'void' ? zero(currency) : subtract(overOn(invoice, at), takenBackSince)
}

const atLeastNothing = (amount: Money): Money => (amount.minor < 0n ? zero(amount.currency) : amount)
