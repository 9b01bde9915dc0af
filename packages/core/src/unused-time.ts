import { downToStep, toStep } from './charge-step.ts'
import { allocate, type Money, money } from './money.ts'

// What is left of a period when it ends before its time was paid on the invoice that billed it, and where that one only
// billed a difference, on those whose time it credits: of 10.00 on 1 January and 9.68 for an upgrade on the 12th, at an end on
// that day 9.68 go back of the upgrade's and 6.45 of the first.

/** Why something of it is not given back. */
export const reasonsToKeep = [
  /** Nobody paid for it: its invoice is a draft, open, voided or given up, or cost less. */
  'notPaid',
  /** It was given back already, by whatever way, or the bank has taken it. */
  'givenBack',
  /** It was paid from the balance or outside of the provider, by several payments, or its invoice is not settled yet. */
  'notRefundable',
  /** It is less than the smallest amount that can be given back. */
  'rounded',
  /** The provider refused. */
  'refused',
] as const
export type ReasonToKeep = (typeof reasonsToKeep)[number]

export interface Withheld {
  readonly reason: ReasonToKeep
  /** Above zero. */
  readonly amount: Money
}

/** So much of what an invoice billed. */
export interface Claim {
  /** Null where nobody knows of an invoice. */
  readonly on: string | null
  /** Above zero; with its tax and less its discounts. */
  readonly amount: Money
}

/** A document that billed time, as it stands when the time ends. */
export interface TimeInvoice {
  readonly id: string
  /**
   * What came in for time ahead and was not given back since, by whatever way: without what it billed for usage and for time
   * that is over. Below zero is what it lacks of that, or what it put on the balance.
   */
  readonly kept: Money
  /** What came in and was given back since. */
  readonly givenBack: Money
  /** The most that credit notes can still take off, to the minor unit. */
  readonly creditable: Money
  /** The most that can be given back in the way that is asked for. */
  readonly payable: Money
  /** What it credits of the time of others, which paid as much of it. */
  readonly credits: readonly Claim[]
}

interface Unused {
  /** What is left of all time together; with what waits to be billed, which is dropped at the end. */
  readonly unused: Money
  /** The same by the invoices that billed it. */
  readonly claims: readonly Claim[]
  /** Those, and all that they credit, in any order. */
  readonly invoices: readonly TimeInvoice[]
  /** The smallest amount that can be given back, in the minor unit. */
  readonly step: bigint
  /** However much is claimed: what was paid for the time and is here. */
  readonly most: Money
}

export interface UnusedPart {
  readonly invoice: string
  /** Above zero, in whole steps. */
  readonly amount: Money
}

interface Spread {
  /** One for each invoice, no invoice before one that credits it. */
  readonly parts: readonly UnusedPart[]
  /** The rest of what is unused. */
  readonly withheld: readonly Withheld[]
}

/**
 * Spreads what is unused over the invoices that it was paid with. Each gives what it brought in itself; what it lacks was paid
 * by what it credits, and is asked of the invoices of that time, no more than was credited of each. Together they give back
 * what is unused, to the nearest whole step, and no more than `most`.
 */
export function spreadUnused({ unused, claims, invoices, step, most }: Unused): Spread {
  const { currency } = unused
  const known = new Map(invoices.map((invoice) => [invoice.id, invoice]))
  const claimed = new Map<string | null, bigint>()
  const claim = ({ on, amount }: Claim) => claimed.set(on, (claimed.get(on) ?? 0n) + amount.minor)
  const kept = new Map<ReasonToKeep, bigint>()
  const keep = (reason: ReasonToKeep, minor: bigint) => kept.set(reason, (kept.get(reason) ?? 0n) + minor)
  const parts: { invoice: string; exact: bigint; given: bigint; room: bigint }[] = []
  const whole = (minor: bigint) => downToStep(money(minor, currency), step).minor
  const hereOf = ({ kept: its, creditable }: TimeInvoice) =>
    least(atLeastNothing(its.minor), creditable.minor)
  /** What may be asked of an invoice beyond what is. */
  const roomOf = (on: string | null): bigint => {
    const invoice = on === null ? undefined : known.get(on)
    if (!invoice) return 0n
    return hereOf(invoice) + paidByCredits(invoice.kept, othersOf(invoice)) - (claimed.get(on) ?? 0n)
  }

  let left = unused.minor
  claims.forEach(claim)
  for (const id of [...creditingFirst(claims, known), null]) {
    const asked = least(claimed.get(id) ?? 0n, atLeastNothing(left))
    left -= asked
    const invoice = id === null ? undefined : known.get(id)
    if (!invoice) {
      keep('notPaid', asked)
      continue
    }
    const credits = othersOf(invoice)
    const here = hereOf(invoice)
    const own = least(asked, here)
    const passed = least(asked - own, paidByCredits(invoice.kept, credits))
    const share = money(passed, currency)
    for (const one of sharesOf(share, roomyFirst(share, credits, roomOf))) claim(one)
    left += passed
    const missing = asked - own - passed
    const back = least(missing, atLeastNothing(invoice.givenBack.minor))
    keep('givenBack', back)
    keep('notPaid', missing - back)
    const exact = least(own, invoice.payable.minor)
    keep('notRefundable', own - exact)
    parts.push({
      ...{ invoice: invoice.id, exact, given: whole(exact) },
      room: whole(least(here, invoice.payable.minor)),
    })
  }

  keep('notPaid', atLeastNothing(left))

  const given = () => parts.reduce((sum, part) => sum + part.given, 0n)
  const wanted = least(toStep(unused, step).minor, whole(atLeastNothing(most.minor)))
  // What each lost by rounding down is made up for where there is room.
  const lost = parts.reduce((sum, part) => sum + part.exact - part.given, 0n)
  let more = least(atLeastNothing(wanted - given()), whole(lost + step - 1n))
  for (const part of parts) {
    const added = least(more, part.room - part.given)
    part.given += added
    more -= added
  }
  let tooMuch = atLeastNothing(given() - wanted)
  for (const part of parts.toReversed()) {
    const taken = least(tooMuch, part.given)
    part.given -= taken
    tooMuch -= taken
    keep('notPaid', taken)
  }
  const named = [...kept.values()].reduce((sum, minor) => sum + minor, 0n)
  keep('rounded', atLeastNothing(unused.minor - given() - named))
  return {
    parts: parts.flatMap((part) =>
      part.given > 0n ? [{ invoice: part.invoice, amount: money(part.given, currency) }] : [],
    ),
    withheld: reasonsToKeep.flatMap((reason) => {
      const minor = kept.get(reason) ?? 0n
      return minor > 0n ? [{ reason, amount: money(minor, currency) }] : []
    }),
  }
}

/** What an invoice billed for time that is over. */
export interface TimeOver {
  readonly id: string
  /** With usage and what is counted with it; below zero where it credits more of that than it bills. */
  readonly over: Money
  /** Without usage. */
  readonly time: Money
  /** What it credits of the time of others. */
  readonly credits: readonly Claim[]
}

/**
 * What later invoices credited of each for time that is over, and billed time ahead with: a renewal that credits 16.13 of the month
 * before and charges 12.90 for it paid 3.23 of its own month with that. So it is neither used up nor given back.
 * `invoices`: newest first. Nothing of those that are not in it.
 */
export function carriedAhead(invoices: readonly TimeOver[]): ReadonlyMap<string, Money> {
  const carried = new Map<string, Money>()
  for (const { id, over, time, credits } of invoices) {
    const own = carried.get(id)?.minor ?? 0n
    const beyond = money(
      least(atLeastNothing(own - over.minor), atLeastNothing(own - time.minor)),
      over.currency,
    )
    for (const { on, amount } of sharesOf(beyond, credits))
      if (on !== null) carried.set(on, money((carried.get(on)?.minor ?? 0n) + amount.minor, amount.currency))
  }
  return carried
}

/** What an invoice bills for usage. */
export interface UsageBilled {
  readonly id: string
  /** Without what was taken back of it since; below zero where it gives back more than it bills. */
  readonly usage: Money
  /** What it gives back of usage that others billed. */
  readonly corrections: readonly Claim[]
}

/**
 * What others gave back of the usage of each, and billed time with: a renewal that gives back 10.00 of the usage of the month
 * before and bills 20.00 for its own is paid with 10.00, and with those 10.00.
 */
export function correctedAhead(invoices: readonly UsageBilled[]): ReadonlyMap<string, Money> {
  const corrected = new Map<string, Money>()
  for (const { usage, corrections } of invoices) {
    const all = corrections.reduce((sum, { amount }) => sum + amount.minor, 0n)
    const beyond = money(least(atLeastNothing(-usage.minor), all), usage.currency)
    for (const { on, amount } of sharesOf(beyond, corrections))
      if (on !== null)
        corrected.set(on, money((corrected.get(on)?.minor ?? 0n) + amount.minor, amount.currency))
  }
  return corrected
}

/** How much of what an invoice billed for time ahead was paid by what it credits; what it lacks of the rest, the credits have paid too. */
function paidByCredits(kept: Money, credits: readonly Claim[]): bigint {
  const all = credits.reduce((sum, { amount }) => sum + amount.minor, 0n)
  return atLeastNothing(kept.minor < 0n ? all + kept.minor : all)
}

const othersOf = ({ id, credits }: TimeInvoice): Claim[] => credits.filter(({ on }) => on !== id)

/** A cent that does not divide is asked of the first: that is to be one that has it. */
function roomyFirst(
  { minor }: Money,
  credits: readonly Claim[],
  roomOf: (on: string | null) => bigint,
): Claim[] {
  const all = credits.reduce((sum, { amount }) => sum + amount.minor, 0n)
  const hasMore = ({ on, amount }: Claim) => all > 0n && roomOf(on) > (minor * amount.minor) / all
  return [...credits.filter(hasMore), ...credits.filter((credit) => !hasMore(credit))]
}

/** As much of each as was credited of it. */
function sharesOf(amount: Money, credits: readonly Claim[]): Claim[] {
  if (amount.minor === 0n) return []
  const shares = allocate(
    amount,
    credits.map((credit) => credit.amount.minor),
  )
  return credits.map(({ on }, at) => ({ on, amount: shares[at] as Money }))
}

/** All that are asked, each before those that it credits. */
function creditingFirst(claims: readonly Claim[], known: ReadonlyMap<string, TimeInvoice>): string[] {
  const seen = new Set<string | null>([null])
  const credited: string[] = []
  function visit({ on }: Claim): void {
    if (on === null || seen.has(on)) return
    seen.add(on)
    known.get(on)?.credits.forEach(visit)
    credited.push(on)
  }
  claims.forEach(visit)
  return credited.reverse()
}

function least(one: bigint, other: bigint): bigint {
  if (other < one) return other
  return one
}

const atLeastNothing = (minor: bigint): bigint => (minor < 0n ? 0n : minor)
