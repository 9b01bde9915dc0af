import type { Money } from './money.ts'
import { contains, type Period } from './period.ts'

// What was charged for time of a subscription's item stands until a later line credits it: a change credits what is left of
// the charge before, and charges anew. https://docs.stripe.com/billing/subscriptions/prorations

/** A fee, or a part of one, on a document of the provider's. */
export interface FeeLine {
  readonly id: string
  /** Of the subscription. Null where the provider does not say. */
  readonly item: string | null
  readonly period: Period
  /** With its tax and less its discounts; below zero it gives time back. */
  readonly amount: Money
  /** A part that a change charges is one charge. So is a whole fee, by however many lines: a graduated price has one for each tier. */
  readonly isProration: boolean
  /** Of a credit alone. Null where nobody had billed the time. */
  readonly credits: CreditedLines | null
}

interface CreditedLines {
  readonly document: string
  /** Empty where the provider names none, as of what was on no document yet when it was credited. */
  readonly lines: readonly string[]
}

export interface FeeDocument {
  readonly id: string
  readonly lines: readonly FeeLine[]
}

interface Charge {
  readonly document: string
  readonly item: string | null
  readonly period: Period
}

/**
 * The charges above zero that nothing credits, of `documents` in any order. A credit that names a line of a charge is of what
 * is left of all of it, and so are several that name the same line, or each another one. Where none is named, each ends the oldest
 * charge of its item's time on the document that it credits. What credits a document that is not here ends nothing, and
 * neither does a credit of what a coupon had taken off whole.
 */
export function standingCharges(documents: readonly FeeDocument[]): readonly Charge[] {
  const charges = documents.flatMap(chargesOf)
  const byLine = new Map(
    charges.flatMap((charge) => charge.lines.map((id) => [keyOf(charge.document, id), charge])),
  )
  const ofItem = Map.groupBy(charges, ({ item }) => item)
  const ended = new Set<BilledCharge>()
  const stands = (charge: BilledCharge) => charge.amount > 0n && !ended.has(charge)
  const guessed: Credit[] = []
  for (const credit of documents.flatMap(creditsOf)) {
    const { document, lines } = credit.of
    const named = lines.flatMap((id) => byLine.get(keyOf(document, id)) ?? [])
    for (const charge of named) ended.add(charge)
    if (named.length === 0) guessed.push(credit)
  }
  for (const credit of guessed.sort((a, b) => a.line.period.start - b.line.period.start)) {
    const standing = (ofItem.get(credit.line.item) ?? []).filter(stands)
    const found =
      standing.find((charge) => isThere(credit, charge)) ??
      standing.find((charge) => isDatedBack(credit, charge))
    if (found) ended.add(found)
  }
  return charges.filter(stands)
}

/** With the lines that it consists of, and what they come to in the minor unit. */
interface BilledCharge extends Charge {
  readonly lines: readonly string[]
  readonly amount: bigint
}

interface Credit {
  readonly on: string
  readonly line: FeeLine
  readonly of: CreditedLines
}

/** The oldest first. */
function chargesOf({ id: document, lines }: FeeDocument): BilledCharge[] {
  const debits = lines.filter(({ amount }) => amount.minor >= 0n)
  const chargeOf = ({ id, item, period, isProration }: FeeLine) =>
    isProration ? id : `${item} ${period.start} ${period.end}`
  return [...Map.groupBy(debits, chargeOf).values()]
    .map((parts) => {
      const { item, period } = parts[0] as FeeLine
      const amount = parts.reduce((sum, part) => sum + part.amount.minor, 0n)
      return { document, item, period, lines: parts.map(({ id }) => id), amount }
    })
    .sort((a, b) => a.period.start - b.period.start)
}

function creditsOf({ id: on, lines }: FeeDocument): Credit[] {
  return lines.flatMap((line) =>
    line.amount.minor < 0n && line.credits !== null ? [{ on, line, of: line.credits }] : [],
  )
}

const keyOf = (document: string, line: string) => `${document} ${line}`

function isThere({ line, of }: Credit, { document, period }: BilledCharge): boolean {
  return document === of.document && contains(period, line.period.start)
}

/** What a change that was dated back credits of a later one beside it, before anybody was billed for that. */
function isDatedBack({ on, line, of }: Credit, { document, period }: BilledCharge): boolean {
  const isLater = period.start > line.period.start && period.end === line.period.end
  return of.lines.length === 0 && document === on && isLater
}
