// A subscription as it should be, in a few pages: written a second time, without a look at core or at the
// simulator, so that it cannot agree with a mistake there. The rules are Stripe's, as documented:
// https://docs.stripe.com/billing/subscriptions/prorations and …/billing-mode (flexible),
// https://docs.stripe.com/billing/collection-method, https://docs.stripe.com/billing/customer/balance
import * as money from './accounts.ts'
import { DAY, HOUR, months } from './calendar.ts'
import { type Carrying, type Given, lessDiscounts, running, usedBy } from './discounts.ts'
import { type CouponKey, EXTRA_CENTS, prices, type Terms, TRIAL_DAYS } from './plans.ts'

export type Collection = 'charging' | 'keepAsDraft' | 'markUncollectible' | 'void'
/** What the customer's card does when it is charged; `none`: it was removed. */
export type Card = 'pays' | 'declines' | 'asks' | 'none'

export interface Model {
  readonly now: number
  readonly status: 'trialing' | 'active' | 'past_due' | 'canceled'
  readonly terms: Terms
  /** Takes the place of the terms when the period is over. */
  readonly scheduled: Terms | null
  /** The provider's schedule stands, also for a while after it was carried out: nobody else plans an end then. */
  readonly isManaged: boolean
  /** A change that waits to be paid, mostly for the bank's question to be answered, since when; ours, or the dashboard's. */
  readonly held: (Carrying & { readonly to: Terms; readonly since: number; readonly isOurs: boolean }) | null
  /** What is taken off, in the order in which it was given. */
  readonly discounts: readonly Given[]
  /** Coupons that it ever had, as far as anybody told us. */
  readonly had: readonly CouponKey[]
  /** Given elsewhere since we last heard; one that is gone again by then may never have been told. */
  readonly untold: readonly CouponKey[]
  readonly card: Card
  /** What periods are counted from. */
  readonly anchor: number
  readonly period: Period
  readonly cancelAt: number | null
  readonly cancelAtPeriodEnd: boolean
  readonly collection: Collection
  readonly endedAt: number | null
  readonly debits: Debits
  /** Prorations that wait for the next invoice. */
  readonly pending: readonly Proration[]
  readonly open: Open | null
  /** What invoices brought in, or gave back, for time until then: a change credits no more of it. */
  readonly kept: readonly Kept[]
  /** What the running period was bought with, where that is one invoice of its fees that the card paid whole. */
  readonly bought: { readonly paid: number; readonly back: number } | null
  /** Not once usage of the second of an end came to nobody: where an invoice had billed it already, the balance has it back. */
  readonly isCreditKnown: boolean
  readonly accounts: money.Accounts
}

interface Period {
  readonly start: number
  readonly end: number
}

interface Kept {
  readonly until: number
  /** Since when time is credited on it: what was bought before has paid a part of it. */
  readonly creditedSince?: number
  readonly cents: number
  /** What was billed, line by line: what is over has used up its part of the money. */
  readonly lines: readonly Span[]
}

/** Cents of a line, and the end of the time that it is for. */
export interface Span {
  readonly until: number
  readonly cents: number
}

/** A part of a fee that was charged, or given back, in the middle of a period. */
export interface Proration extends Span {
  readonly at: number
}

/** The invoice of a period while nobody has paid it. */
interface Open extends Carrying {
  readonly total: number
  /** The end of the period. */
  readonly until: number
  readonly lines: readonly Span[]
  readonly creditedSince: number
  readonly dueAt: number
  readonly failures: number
}

/** What was last billed for the time that runs, and for which part of it. */
export type Debit = Period & { readonly amount: number }

/** Of each item that there is: the plan's, and the add-on's. */
export interface Debits {
  readonly plan: Debit
  readonly extras: Debit | null
}

/** Days after each failed payment until the next, as the simulator is set; after the last one it is over. */
const RETRY_DAYS = [3, 5, 7]

export interface Beginning {
  readonly terms: Terms
  readonly card: Card
  readonly discounts: readonly Given[]
  /** A plan that has a trial begins with it, unless it was had before. */
  readonly withTrial: boolean
}

export function begin(now: number, { terms, card, discounts, withTrial }: Beginning, before?: Model): Model {
  const isTrial = terms.plan === 'trying' && withTrial
  const anchor = isTrial ? now + TRIAL_DAYS * DAY : now
  const period = { start: now, end: isTrial ? anchor : months(anchor, prices[terms.plan].months) }
  const started: Model = {
    now,
    status: isTrial ? 'trialing' : 'active',
    ...{ terms, scheduled: null, isManaged: false, held: null, discounts, card, anchor, period },
    ...{ had: discounts.map(({ coupon }) => coupon), untold: [] },
    ...{ cancelAt: null, cancelAtPeriodEnd: false, collection: 'charging', endedAt: null },
    ...{ debits: nothingBilled(period), pending: [], open: null, kept: [], bought: null },
    isCreditKnown: before?.isCreditKnown ?? true,
    accounts: before?.now === now ? (before?.accounts ?? money.nothing) : money.closed(before?.accounts),
  }
  return isTrial ? started : collect(billPeriod(started))
}

const nothingBilled = (period: Period): Debits => ({ plan: { ...period, amount: 0 }, extras: null })

/** What fees depend on besides the terms: discounts, and which of them still run. */
export type Discounted = Pick<Model, 'discounts' | 'now'>

/** The whole fee of a period, less the discounts. */
export function feeOf(model: Discounted, terms: Terms): number {
  return planFee(model, terms) + extrasFee(model, terms)
}

export function planFee({ discounts, now }: Discounted, { plan, quantity }: Terms): number {
  return lessDiscounts(prices[plan].cents * quantity, discounts, now)
}

export function extrasFee({ discounts, now }: Discounted, { extras }: Terms): number {
  return lessDiscounts(EXTRA_CENTS * extras, discounts, now)
}

/** Before anything is taken off. */
export function listPrice({ plan, quantity, extras }: Terms): number {
  return prices[plan].cents * quantity + EXTRA_CENTS * extras
}

/** Lets time pass, from one thing that happens by itself to the next. A planned end comes before a renewal. */
export function advance(model: Model, to: number): Model {
  const next = nextHappening(model, to)
  if (next !== undefined) return advance(next.happens(passing(model, next.at)), to)
  return passing(model, to)
}

interface Happening {
  readonly at: number
  happens(model: Model): Model
}

function nextHappening(model: Model, to: number): Happening | undefined {
  if (model.status === 'canceled') return undefined
  const { cancelAt, period, open, held } = model
  const all: Happening[] = []
  if (open !== null) all.push({ at: open.dueAt, happens: (then) => collectLater(then) })
  if (held !== null) all.push({ at: held.since + 23 * HOUR, happens: letGo })
  if (cancelAt !== null) all.push({ at: cancelAt, happens: (then) => ended(then) })
  all.push({ at: period.end, happens: renew })
  return all.filter(({ at }) => at <= to).reduce<Happening | undefined>(earliest, undefined)
}

const earliest = (best: Happening | undefined, one: Happening) => (best && best.at <= one.at ? best : one)

function passing(model: Model, to: number): Model {
  if (to === model.now) return model
  const { status, debits, now } = model
  const isPaidFor = status === 'active' || status === 'past_due'
  // At what was billed for it: a coupon given in between counts from the next bill on.
  const served = isPaidFor ? rateOf(debits) * (to - now) : 0
  const accounts = money.passed(model.accounts, { isBilled: isPaidFor, served })
  return { ...model, now: to, accounts }
}

/** Nobody answered the bank in time, or said no: what its invoice used of the coupons is used. */
export function letGo(model: Model): Model {
  const { held, discounts } = model
  return held === null ? model : { ...model, held: null, discounts: usedBy(discounts, held) }
}

function renew(model: Model): Model {
  const terms = model.scheduled ?? model.terms
  const start = model.period.end
  const isNewRhythm = prices[terms.plan].months !== prices[model.terms.plan].months
  const anchor = isNewRhythm && model.scheduled !== null ? start : model.anchor
  const step = prices[terms.plan].months
  let count = 0
  while (months(anchor, count) <= start) count += step
  const period = { start, end: months(anchor, count) }
  const billed = billPeriod({ ...model, status: 'active', terms, scheduled: null, anchor, period })
  // What is made while drafts are kept stays one, also when collection goes on.
  if (model.collection === 'keepAsDraft') return { ...billed, open: null }
  return { ...billed, open: { ...billed.open, dueAt: start + HOUR } }
}

export type Billed = Model & { readonly open: NonNullable<Model['open']> }

/** Bills a whole period in advance: a line for the plan's fee, one for the add-on's, and what is pending. */
function billPeriod(model: Model): Billed {
  const { period, terms, pending } = model
  const debits = {
    plan: { ...period, amount: planFee(model, terms) },
    extras: terms.extras > 0 ? { ...period, amount: extrasFee(model, terms) } : null,
  }
  const fee = feeOf(model, terms)
  const waited = centsOf(pending)
  const fees = billedItems(debits).map(({ amount }) => amount)
  return {
    ...{ ...model, debits, pending: [], bought: null },
    accounts: money.billed(model.accounts, [...fees, ...pending.map(({ cents }) => cents)]),
    open: {
      ...{ total: fee + waited, subtotal: listPrice(terms) + waited, carried: model.discounts },
      lines: [{ until: period.end, cents: fee }, ...pending],
      creditedSince: creditedSince(pending, period.end),
      ...{ until: period.end, dueAt: model.now, failures: 0 },
    },
  }
}

export const centsOf = (spans: readonly Span[]) => spans.reduce((sum, { cents }) => sum + cents, 0)

/** Since when time is credited by any of them, which was bought before then; `otherwise` where none does. */
export function creditedSince(prorations: readonly Proration[], otherwise: number): number {
  const credits = prorations.filter(({ cents }) => cents < 0)
  return Math.min(otherwise, ...credits.map(({ at }) => at))
}

const sumOf = (debits: readonly Debit[]) => debits.reduce((sum, { amount }) => sum + amount, 0)

/** Cents a second. */
const rateOf = (debits: Debits) =>
  billedItems(debits).reduce((sum, { amount, start, end }) => sum + amount / (end - start), 0)

export const billedItems = ({ plan, extras }: Debits): Debit[] => (extras ? [plan, extras] : [plan])

/** The part of what was billed that belongs to the time from now on, rounded by itself. */
export function unusedOf({ amount, start, end }: Debit, now: number): number {
  return now <= start ? amount : Math.round((amount * (end - now)) / (end - start))
}

/** An invoice is due: paid by the balance, then by the card. Where collection is paused, nobody pays it. */
function collectLater(model: Model): Model {
  const { open } = model
  if (open === null) return model
  if (model.collection === 'charging') return collect({ ...model, open })
  return { ...model, open: null, discounts: usedBy(model.discounts, open) }
}

/** What was paid for time that has not passed, and not given back. */
export function keptAhead({ kept, now }: Pick<Model, 'kept' | 'now'>, since = now): number {
  const ahead = kept.filter(({ until }) => until > since)
  const before = Math.min(since, ...ahead.map(({ creditedSince }) => creditedSince ?? since))
  if (before < since) return keptAhead({ kept, now }, before)
  const over = ahead.flatMap(({ lines }) => lines.filter(({ until }) => until <= now))
  const used = over.reduce((sum, { cents }) => sum + cents, 0)
  return ahead.reduce((sum, { cents }) => sum + cents, 0) - Math.max(0, used)
}

/** The balance pays first, then the card; what neither pays is tried again on some days, and then it is over. */
export function collect(final: Billed): Model {
  const model = { ...final, discounts: usedBy(final.discounts, final.open) }
  const { open, accounts, card, debits, period } = model
  const { charge, accounts: paid } = money.settled(accounts, open.total)
  const isFirst = open.failures === 0
  const { until, creditedSince: since } = open
  if (charge > 0 && card !== 'pays') {
    const days = RETRY_DAYS[open.failures]
    const failed: Model = {
      ...model,
      status: 'past_due',
      // What the balance pays of it, it has paid when the invoice was made final.
      accounts: isFirst ? money.drawn(accounts, open.total) : accounts,
      kept: isFirst
        ? [
            ...model.kept,
            { until, creditedSince: since, cents: Math.max(0, open.total - charge), lines: open.lines },
          ]
        : model.kept,
    }
    if (days === undefined) return ended(failed)
    const left = isFirst ? charge : open.total
    const later = { ...open, total: left, dueAt: model.now + days * DAY, failures: open.failures + 1 }
    return { ...failed, open: later }
  }
  const fees = billedItems(debits)
  const isOfPeriod = fees.every(({ start }) => start === period.start)
  const isAlone = isFirst && isOfPeriod && open.lines.length === 1
  const isWhole = isAlone && charge === open.total && charge === sumOf(fees)
  const bought = isWhole && charge > 0 && model.isCreditKnown ? { paid: charge, back: 0 } : null
  const lines = isFirst ? open.lines : []
  const cents = open.total < 0 ? open.total : Math.max(charge, open.total)
  const kept = [...model.kept, { until, creditedSince: since, cents, lines }]
  return { ...model, status: 'active', accounts: paid, open: null, bought, kept }
}

/** What is open when it ends is not collected any more, and no proration billed; the second of the end belongs to nobody. */
function ended(model: Model): Model {
  const { period, now, debits, pending } = model
  const isPaidFor = model.status !== 'trialing'
  const rest = isPaidFor ? rateOf(debits) * (period.end - now) : 0
  return {
    ...model,
    ...{ status: 'canceled', endedAt: now, scheduled: null, held: null, open: null, bought: null },
    pending: [],
    isCreditKnown: model.isCreditKnown && model.accounts.justUsed === 0,
    accounts: money.forfeited(model.accounts, rest - centsOf(pending)),
  }
}

/** We heard of everything that stands: what was carried out is let go of. */
export function heard(model: Model): Model {
  const runs = running(model.discounts, model.now).map(({ coupon }) => coupon)
  const standing = model.untold.filter((key) => runs.includes(key))
  const untold = model.untold.filter((key) => !standing.includes(key))
  return { ...model, isManaged: model.scheduled !== null, had: [...model.had, ...standing], untold }
}

/** The card that failed is another now: the next retry meets it. */
export const payWith = (model: Model, card: Card): Model => ({ ...model, card })

/** The customer answers the bank's question about an invoice of a renewal. */
export function confirmOpen(model: Model): Model {
  const { open } = model
  return open === null ? model : collect({ ...model, card: 'pays', open })
}

export function use(model: Model, quantity: number): Model {
  return { ...model, accounts: money.used(model.accounts, quantity) }
}

export type UnusedTime = 'keep' | 'credit' | 'refund'

/** What an end now gives back: what is left of the time, but never more than is left of what was paid. */
export function unusedAmount({ bought, debits, now }: Model): number {
  if (bought === null) return 0
  const unused = billedItems(debits).reduce((sum, debit) => sum + unusedOf(debit, now), 0)
  return Math.min(unused, bought.paid - bought.back)
}

export function cancelNow(model: Model, how: UnusedTime): Model {
  const accounts = how === 'keep' ? model.accounts : money.givenBack(model.accounts, unusedAmount(model), how)
  return ended({ ...model, accounts })
}

/** What was scheduled for the end of the period does not come: the end comes before it. */
export function planEnd(model: Model, at: number | 'periodEnd'): Model {
  const isPeriodEnd = at === 'periodEnd'
  const cancelAt = isPeriodEnd ? model.period.end : at
  return { ...model, cancelAt, cancelAtPeriodEnd: isPeriodEnd, scheduled: null }
}

export function resume(model: Model): Model {
  return { ...model, cancelAt: null, cancelAtPeriodEnd: false, collection: 'charging' }
}

export function pause(model: Model, collection: Collection): Model {
  return { ...model, collection, bought: null }
}

/** A part of what the period was bought with, to the card. */
export function refund(model: Model, amount: number): Model {
  const { bought, accounts } = model
  if (bought === null) throw new Error('Nothing was bought.')
  const back = { ...bought, back: bought.back + amount }
  const kept = [...model.kept, { until: model.period.end, cents: -amount, lines: [] }]
  return { ...model, bought: back, kept, accounts: money.refunded(accounts, amount) }
}
