import { add, allocate, type Currency, type Money, negate, subtract, sum, zero } from './money.ts'
import type { Period } from './period.ts'

// What a change, an end or the dashboard credits of time that was billed before stands on a later invoice, as lines below
// zero that name the invoice of the time, beside what is billed for the same time instead.
// https://docs.stripe.com/billing/subscriptions/prorations

/** A fee, or a part of one, on a document of the provider's; or usage that is taken back. */
export interface TimeLine {
  readonly subscription: string | null
  readonly period: Period
  /** With its tax and less its discounts; below zero it gives time back. */
  readonly amount: Money
  /** Of a credit: the document that billed the time. Null where none of those that are looked at did. */
  readonly credits: string | null
  /** Takes back usage that was billed, and no time of a fee. */
  readonly isUsage: boolean
}

/** An invoice, or whatever waits to be on one. */
export interface BilledTime {
  readonly id: string
  readonly lines: readonly TimeLine[]
}

/**
 * How much of an invoice was given back on later documents: what they credit of its time beyond what they bill instead of
 * it, wherever that went: to the balance, or off what else they bill. What is billed instead is paid by it and still here.
 * What a document gives back of time that was paid in part by crediting earlier time comes off its own payment first,
 * `kept`, and off the earlier invoice for the rest: together all of them give back what came in, and no more. Usage that was paid
 * by what is credited beyond that time is counted as given back already: taken back later, it is no more of the earlier one.
 */
export function creditedSince(invoice: string, { currency, documents, kept }: Later): Money {
  const known = new Map<string, Taken>()
  function taken(id: string): Taken {
    const before = known.get(id)
    if (before !== undefined) return before
    const none = { time: zero(currency), usage: zero(currency) }
    // Of nothing: no document credits itself by way of others, and if one said so, this ends all the same.
    known.set(id, none)
    const all = documents.filter((one) => one.id !== id).map((one) => passedOn(one, id))
    const sumOf = (kind: keyof Taken) =>
      sum(
        currency,
        all.map((one) => one[kind]),
      )
    const found = { time: sumOf('time'), usage: sumOf('usage') }
    known.set(id, found)
    return found
  }
  function passedOn(document: BilledTime, to: string): Taken {
    const credits = creditsOf(document)
    if (!credits.some((line) => line.credits === to)) return { time: zero(currency), usage: zero(currency) }
    const groups = together(document.lines).map((lines) => ({
      given: beyond(lines, currency),
      credits: creditsOf({ ...document, lines }),
    }))
    const given = (isUsage: boolean) =>
      groups.map((group) => shareOf(to, group.given, group.credits, (line) => line.isUsage === isUsage))
    const passing = groups.filter((group) => group.credits.length > 0).map((group) => group.given)
    const missing = missingOf(taken(document.id), kept(document.id), sum(currency, passing))
    return {
      time: sum(currency, [...given(false), shareOf(to, missing, credits)]),
      usage: sum(currency, given(true)),
    }
  }
  const { time, usage } = taken(invoice)
  return add(time, usage)
}

/** What was given back of a document on later ones. */
interface Taken {
  readonly time: Money
  readonly usage: Money
}

/**
 * Of what was taken of a document, what it had not kept of its own payment. What it credited `beyond` went to the balance, if its
 * total was below zero, and has paid its usage for the rest.
 */
function missingOf({ time, usage }: Taken, kept: Money, beyond: Money): Money {
  const paidByCredit = kept.minor < 0n ? atLeastNothing(add(beyond, kept)) : beyond
  const all = add(time, atLeastNothing(subtract(usage, paidByCredit)))
  return atLeastNothing(subtract(all, atLeastNothing(kept)))
}

interface Later {
  readonly currency: Currency
  /** Since the invoice, itself among them, or not; what credited time is on none of them was billed before. */
  readonly documents: readonly BilledTime[]
  /** What came in for a document and was not given back since, but by crediting its time; below zero what it put on the balance. */
  readonly kept: (id: string) => Money
}

/** The documents that gave something back and took it from earlier ones: of these alone {@link creditedSince} asks what was kept. */
export function passingOn(documents: readonly BilledTime[]): string[] {
  const credited = new Set(documents.flatMap(creditsOf).map(({ credits }) => credits))
  return documents.filter((one) => credited.has(one.id) && creditsOf(one).length > 0).map(({ id }) => id)
}

/** What is credited of time that other documents billed. What takes back a line beside it passes nothing on. */
function creditsOf({ id, lines }: BilledTime): TimeLine[] {
  return lines.filter(({ amount, credits }) => amount.minor < 0n && credits !== id)
}

/** What is credited beyond what is billed for the same time. */
function beyond(lines: readonly TimeLine[], currency: Currency): Money {
  const total = sum(
    currency,
    lines.map(({ amount }) => amount),
  )
  return atLeastNothing(negate(total))
}

/** Of an amount that is credited on several invoices at once, as much as is credited of each. */
function shareOf(
  invoice: string,
  amount: Money,
  credits: readonly TimeLine[],
  counts: (line: TimeLine) => boolean = () => true,
): Money {
  if (amount.minor === 0n || credits.length === 0) return zero(amount.currency)
  const shares = allocate(
    amount,
    credits.map((line) => -line.amount.minor),
  )
  return credits.reduce(
    (all, line, at) => (line.credits === invoice && counts(line) ? add(all, shares[at] as Money) : all),
    zero(amount.currency),
  )
}

/** Lines for the same time of a subscription: each overlaps with one of the others, or with nothing. */
function together(lines: readonly TimeLine[]): TimeLine[][] {
  const groups: TimeLine[][] = []
  const ends: number[] = []
  for (const line of lines.toSorted((a, b) => a.period.start - b.period.start)) {
    const at = groups.findLastIndex((group) => group[0]?.subscription === line.subscription)
    const group = groups[at]
    if (group && line.period.start < (ends[at] ?? 0)) {
      group.push(line)
      ends[at] = Math.max(ends[at] ?? 0, line.period.end)
    } else {
      groups.push([line])
      ends.push(line.period.end)
    }
  }
  return groups
}

const atLeastNothing = (amount: Money): Money => (amount.minor < 0n ? zero(amount.currency) : amount)
