// A subscription as it should be, in a few pages: written a second time, without a look at core or at the
// simulator, so that it cannot agree with a mistake there. The rules are Stripe's, as documented:
// https://docs.stripe.com/billing/subscriptions/prorations and …/billing-mode (flexible),
// https://docs.stripe.com/billing/collection-method, https://docs.stripe.com/billing/customer/balance
import * as money from './accounts.ts'
import { DAY, HOUR, months } from './calendar.ts'
import { type Carrying, type Given, lessDiscounts, running, usedBy } from './discounts.ts'
import {
  centsOf,
  claimsOf,
  creditedBy,
  creditedSince,
  givenBack,
  type Paid,
  type Proration,
  refunded,
  type Unused,
} from './paid-time.ts'
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
  /** What it makes another, as that stood when it was scheduled; the rest as it stands. */
  readonly scheduledFrom: Terms
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
  /** Nobody drops them where a payment failed for the last time: somebody may bill them by hand, so they count as credited. */
  readonly hasLeftPending: boolean
  readonly open: Open | null
  /** What invoices brought in, oldest first: a change credits no more of it, and nobody gives back more. */
  readonly paid: readonly Paid[]
  /** Invoices so far: the number of the last one. */
  readonly invoices: number
  /** Not once usage of the second of an end came to nobody: where an invoice had billed it already, the balance has it back. */
  readonly isCreditKnown: boolean
  readonly accounts: money.Accounts
}

interface Period {
  readonly start: number
  readonly end: number
}

/** The invoice of a period while nobody has paid it. */
interface Open extends Carrying {
  readonly number: number
  /** When it was made. */
  readonly at: number
  readonly total: number
  /** The end of the period. */
  readonly until: number
  readonly lines: readonly Proration[]
  readonly creditedSince: number
  readonly dueAt: number
  readonly failures: number
  /** The bank asked about the last try, and the customer may answer. */
  readonly isAsked: boolean
}

/** What was last billed for the time that runs, and for which part of it. */
export type Debit = Period & {
  readonly amount: number /** The invoice; null while none did. */
  readonly on: number | null
}

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
    ...{
      terms,
      scheduled: null,
      scheduledFrom: terms,
      isManaged: false,
      held: null,
      discounts,
      card,
      anchor,
      period,
    },
    ...{ had: discounts.map(({ coupon }) => coupon), untold: [] },
    ...{ cancelAt: null, cancelAtPeriodEnd: false, collection: 'charging', endedAt: null },
    ...{ debits: nothingBilled(period), pending: [], hasLeftPending: false },
    ...{ open: null, paid: [], invoices: 0 },
    isCreditKnown: before?.isCreditKnown ?? true,
    accounts: before?.now === now ? (before?.accounts ?? money.nothing) : money.closed(before?.accounts),
  }
  return isTrial ? started : collect(billPeriod(started))
}

const nothingBilled = (period: Period): Debits => ({
  plan: { ...period, amount: 0, on: null },
  extras: null,
})

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
  const { period, terms, pending, now } = model
  const on = model.invoices + 1
  const debits = {
    plan: { ...period, amount: planFee(model, terms), on },
    extras: terms.extras > 0 ? { ...period, amount: extrasFee(model, terms), on } : null,
  }
  const fee = feeOf(model, terms)
  const waited = centsOf(pending)
  const fees = billedItems(debits).map(({ amount }) => amount)
  return {
    ...{ ...model, debits, pending: [], invoices: on, paid: creditedBy(model.paid, pending) },
    accounts: money.billed(model.accounts, [...fees, ...pending.map(({ cents }) => cents)]),
    open: {
      ...{ number: on, at: now, total: fee + waited },
      ...{ subtotal: listPrice(terms) + waited, carried: model.discounts },
      lines: [{ at: period.start, until: period.end, cents: fee, on: null }, ...pending],
      creditedSince: creditedSince(pending, period.end),
      ...{ until: period.end, dueAt: model.now, failures: 0, isAsked: false },
    },
  }
}

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

/** The balance pays first, then the card; what neither pays is tried again on some days, and then it is over. */
export function collect(final: Billed): Model {
  const model = { ...final, discounts: usedBy(final.discounts, final.open) }
  const { open, accounts, card } = model
  const { charge, accounts: paid } = money.settled(accounts, open.total)
  const isFirst = open.failures === 0
  if (charge > 0 && card !== 'pays') {
    const days = RETRY_DAYS[open.failures]
    const failed: Model = {
      ...model,
      status: 'past_due',
      // What the balance pays of it, it has paid when the invoice was made final.
      accounts: isFirst ? money.drawn(accounts, open.total) : accounts,
      paid: isFirst
        ? brought(model, open, { came: Math.max(0, open.total - charge), charge: 0 })
        : model.paid,
    }
    if (days === undefined) return ended({ ...failed, hasLeftPending: failed.pending.length > 0 })
    const left = isFirst ? charge : open.total
    const next = { dueAt: model.now + days * DAY, failures: open.failures + 1, isAsked: card === 'asks' }
    return { ...failed, open: { ...open, total: left, ...next } }
  }
  const came = open.total < 0 ? open.total : Math.max(charge, open.total)
  return {
    ...model,
    status: 'active',
    accounts: paid,
    open: null,
    paid: brought(model, open, { came, charge }),
  }
}

export type Document = Pick<Paid, 'number' | 'at' | 'total' | 'until' | 'creditedSince' | 'lines'>

/** The first time it is all that is known of an invoice, later it is more of it. */
export function brought(
  { paid }: Pick<Model, 'paid'>,
  { number, at, total, until, creditedSince: since, lines }: Document,
  { came, charge }: Pick<Paid, 'came' | 'charge'>,
): readonly Paid[] {
  if (paid.some((one) => one.number === number))
    return paid.map((one) =>
      one.number === number ? { ...one, came: one.came + came, charge: one.charge + charge } : one,
    )
  const untouched = { refunded: 0, back: 0, credited: 0, passed: 0 }
  const one = { number, at, total, came, charge, ...untouched, until, creditedSince: since, lines }
  // While a renewal's is a draft, a change may be billed.
  return [...paid, one].sort((a, b) => a.number - b.number)
}

/** What is open when it ends is not collected any more, and no proration billed; the second of the end belongs to nobody. */
function ended(model: Model): Model {
  const { period, now, debits, pending } = model
  const isPaidFor = model.status !== 'trialing'
  const rest = isPaidFor ? rateOf(debits) * (period.end - now) : 0
  return {
    ...model,
    ...{ status: 'canceled', endedAt: now, scheduled: null, held: null, open: null },
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

/** What is left of the time of the items, and of what waits for an invoice; by the invoices that billed it. */
export function unusedOfAll({ debits, pending, now }: Pick<Model, 'debits' | 'pending' | 'now'>): Unused {
  const ends = billedItems(debits).map((debit) => ({
    ...{ at: now, until: debit.end, on: debit.on, cents: -unusedOf(debit, now) },
  }))
  const lines = [...pending, ...ends]
  return { lines, claims: claimsOf(lines), cents: Math.max(0, -centsOf(lines)), now }
}

/** What an end now gives back. */
export function unusedAmount(model: Model, how: 'credit' | 'refund'): number {
  return givenBack(model.paid, unusedOfAll(model), how).cents
}

export function cancelNow(model: Model, how: UnusedTime): Model {
  if (how === 'keep') return ended(model)
  const { cents, paid } = givenBack(model.paid, unusedOfAll(model), how)
  return ended({ ...model, paid, accounts: money.givenBack(model.accounts, cents, how) })
}

/** What was scheduled for the end of the period does not come: the end comes before it. */
export function planEnd(model: Model, at: number | 'periodEnd'): Model {
  const isPeriodEnd = at === 'periodEnd'
  const cancelAt = isPeriodEnd ? model.period.end : at
  return { ...model, cancelAt, cancelAtPeriodEnd: isPeriodEnd, scheduled: null, isManaged: false }
}

export function resume(model: Model): Model {
  return { ...model, cancelAt: null, cancelAtPeriodEnd: false, collection: 'charging' }
}

export function pause(model: Model, collection: Collection): Model {
  return { ...model, collection }
}

/** A part of what an invoice brought in, to the card. */
export function refund(model: Model, number: number, amount: number): Model {
  const { paid, accounts } = model
  return { ...model, paid: refunded(paid, number, amount), accounts: money.refunded(accounts, amount) }
}
