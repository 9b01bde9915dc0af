// What becomes of a wish for other terms, in the model: refused, scheduled, held by the bank, or done and billed.
import { isDeepStrictEqual } from 'node:util'
import * as money from './accounts.ts'
import { months } from './calendar.ts'
import { type Given, usedBy } from './discounts.ts'
import {
  type Billed,
  billedItems,
  brought,
  collect,
  type Debit,
  type Debits,
  extrasFee,
  listPrice,
  type Model,
  planFee,
  unusedOf,
  unusedOfAll,
} from './model.ts'
import { centsOf, creditedBy, creditedSince, keptAhead, type Proration } from './paid-time.ts'
import { comesOutEven, coupons, type Kind, prices, type Terms } from './plans.ts'

type When = 'now' | 'periodEnd'

export type Outcome =
  | {
      readonly kind: 'refused'
      readonly code: string
      readonly model: Model
      /** It is the provider who refuses, when it is to be paid: a preview shows it. */
      readonly byProvider?: true
    }
  | { readonly kind: 'scheduled' | 'held' | 'done'; readonly model: Model }

/** Cents on each line of the invoice that a change makes at once; none where it makes none. */
export interface Bill {
  readonly lines: readonly number[]
  /** The same, with the time that each is for. */
  readonly spans: readonly Proration[]
  readonly startsPeriod: boolean
  /** Before discounts. */
  readonly subtotal: number
  readonly debits: Debits
}

export interface Wish {
  readonly to: Terms
  readonly when: When | undefined
  /** The plan is not named: what is scheduled stays, and nothing may come beside it. */
  readonly isOfAddonsAlone: boolean
}

export function changeTo(model: Model, { to, when, isOfAddonsAlone }: Wish): Outcome {
  const refused = (code: string, byProvider?: true): Outcome => ({
    ...{ kind: 'refused', code, model },
    ...(byProvider && { byProvider }),
  })
  if (to.extras > 0 && prices[to.plan].months !== 1) return refused('addon_mismatch')
  const isSame = isDeepStrictEqual(to, model.terms)
  const withdrawn = isOfAddonsAlone ? null : model.scheduled
  if (isSame && withdrawn === null) return refused('empty_change')
  if (isSame) return { kind: 'done', model: { ...model, scheduled: null, isManaged: false } }
  if (model.status !== 'active' && model.status !== 'trialing') return refused('subscription_not_changeable')
  if (model.cancelAt !== null || model.scheduled !== withdrawn) return refused('subscription_not_changeable')
  if (isGivenUpUnnamed(model.terms, to, withdrawn)) return refused('subscription_not_changeable')
  const direction = directionOf(model.terms, to)
  const moment = when ?? (direction < 0 ? 'periodEnd' : 'now')
  const isAtOnce = moment === 'now' && model.status === 'active'
  if (isAtOnce && model.collection !== 'charging') return refused('subscription_not_changeable')
  // Who pays as much as before, or more, has something to pay it with.
  if (model.card === 'none' && listPrice(to) > 0 && direction >= 0) return refused('payment_method_required')
  if (model.status === 'trialing') return { kind: 'done', model: { ...model, terms: to } }
  if (!isAtOnce) {
    const planned = { scheduled: to, scheduledFrom: model.terms, isManaged: true }
    return { kind: 'scheduled', model: { ...model, ...planned } }
  }
  const bill = billOf(model, to)
  if (
    totalOf(bill) < 0 &&
    creditOf(bill, model.now) > keptAhead(model.paid, model.now, unusedOfAll(model).claims)
  )
    return refused('subscription_not_changeable')
  const { charge } = money.settled(model.accounts, totalOf(bill))
  if (charge === 0 || model.card === 'pays')
    return { kind: 'done', model: { ...changed(model, to), isManaged: false } }
  if (model.card === 'none') return refused('payment_method_required', true)
  if (model.card === 'declines') return refused('card_declined', true)
  return { kind: 'held', model: { ...model, held: holding(model, to, bill) } }
}

/** What is scheduled for the extras is not given up by a wish that does not name them, as none does that leaves them as they are. */
function isGivenUpUnnamed(now: Terms, to: Terms, withdrawn: Terms | null): boolean {
  return withdrawn !== null && withdrawn.extras !== now.extras && to.extras === now.extras
}

/** Above zero to more, below to less; a longer rhythm is more where both cost something. */
function directionOf(from: Terms, to: Terms): number {
  const [before, after] = [listPrice(from), listPrice(to)]
  const longer = prices[to.plan].months - prices[from.plan].months
  return before > 0 && after > 0 && longer !== 0 ? longer : after - before
}

export const totalOf = ({ lines }: Bill) => lines.reduce((sum, line) => sum + line, 0)

/** What was pending is on no invoice yet: it is a part of what is given back. */
function creditOf({ spans }: Bill, now: number): number {
  const credits = spans.filter(({ cents, at }) => cents < 0 || at < now)
  return credits.reduce((sum, { cents }) => sum - cents, 0)
}

/**
 * What is pending; then of each item that changes, unused time back at what was billed for it, and the rest of the period at the new fee;
 * of every item where a whole new period begins.
 */
export function billOf(model: Model, to: Terms, startsPeriod = needsNewPeriod(model.terms, to)): Bill {
  const { now, period, terms, debits, pending } = model
  const on = model.invoices + 1
  const end = startsPeriod ? months(now, prices[to.plan].months) : period.end
  const rest = (fee: number) => ({
    ...{ start: now, end, on },
    amount: startsPeriod ? fee : Math.round((fee * (end - now)) / (period.end - period.start)),
  })
  const isOtherPlan = startsPeriod || to.plan !== terms.plan || to.quantity !== terms.quantity
  const isOtherNumber = startsPeriod || to.extras !== terms.extras
  const extras = to.extras > 0 ? rest(extrasFee(model, to)) : null
  const after: Debits = {
    plan: isOtherPlan ? rest(planFee(model, to)) : debits.plan,
    extras: isOtherNumber ? extras : debits.extras,
  }
  const [old, others] = [billedItems(debits), billedItems(after)]
  const left = old.filter((debit) => !others.includes(debit))
  const come = others.filter((debit) => !old.includes(debit))
  const back = left.map((debit) => -unusedOf(debit, now))
  const charged = come.map(({ amount }) => amount)
  const news = [
    ...left.map((debit, index) => ({ at: now, until: debit.end, cents: back[index] ?? 0, on: debit.on })),
    ...come.map((debit) => ({ at: now, until: debit.end, cents: debit.amount, on: null })),
  ]
  const spans = [...pending, ...news]
  const lines = spans.map(({ cents }) => cents)
  const fees = startsPeriod ? listPrice(to) : charged.reduce((sum, line) => sum + line, 0)
  const subtotal = back.reduce((sum, line) => sum + line, fees + centsOf(pending))
  return { lines, spans, startsPeriod, subtotal, debits: after }
}

/**
 * Whether the model knows to the cent what other terms come to: coupons leave whole cents, and what is good for one invoice is
 * used up by the fees of the next one. Whether usage alone would use it up, the model does not know.
 */
export function isKnown(model: Model, to: Terms, kind: Kind): boolean {
  const isOnce = ({ coupon }: Given) => coupons[coupon].duration === 'once'
  if (model.discounts.length === 0) return true
  if (!comesOutEven(to, kind)) return false
  if (kind === 'paying' || !model.discounts.some(isOnce)) return true
  return (
    listPrice(to) > 0 && [true, false].every((startsPeriod) => billOf(model, to, startsPeriod).subtotal > 0)
  )
}

/** Of another length, or of the first payment. */
function needsNewPeriod(from: Terms, to: Terms): boolean {
  const isNewRhythm = prices[to.plan].months !== prices[from.plan].months
  return isNewRhythm || (listPrice(from) === 0 && listPrice(to) > 0)
}

/** As of this second, and paid. */
export function changed(model: Model, to: Terms, bill = billOf(model, to)): Model {
  const { lines, startsPeriod, debits } = bill
  const { now } = model
  const period = startsPeriod ? { start: now, end: debits.plan.end } : model.period
  const { charge, accounts } = money.settled(money.billed(model.accounts, lines), totalOf(bill))
  const until = Math.max(period.end, model.period.end)
  const came = totalOf(bill) < 0 ? totalOf(bill) : Math.max(charge, totalOf(bill))
  return {
    ...model,
    ...{ terms: to, scheduled: null, held: null, period, accounts, debits: onIt(model, debits), pending: [] },
    anchor: startsPeriod ? now : model.anchor,
    discounts: usedBy(model.discounts, { ...bill, carried: model.discounts }),
    invoices: model.invoices + 1,
    paid: brought(
      { paid: creditedBy(model.paid, bill.spans) },
      {
        ...{ number: model.invoices + 1, at: now, total: totalOf(bill), until, lines: bill.spans },
        creditedSince: creditedSince(bill.spans, until),
      },
      { came, charge },
    ),
  }
}

/** What waited for an invoice is on this one. */
function onIt({ invoices }: Model, { plan, extras }: Debits): Debits {
  const on = invoices + 1
  return { plan: { ...plan, on: plan.on ?? on }, extras: extras && { ...extras, on: extras.on ?? on } }
}

/** As of this second, though its invoice is not paid yet; no other one is open. */
export function changedAndDue(model: Model, to: Terms): Billed {
  const bill = billOf(model, to, false)
  const { now, period, accounts, discounts } = model
  const number = model.invoices + 1
  return {
    ...{ ...model, terms: to, debits: onIt(model, bill.debits), pending: [], invoices: number },
    paid: creditedBy(model.paid, bill.spans),
    accounts: money.billed(accounts, bill.lines),
    open: {
      ...{ number, at: now, total: totalOf(bill), subtotal: bill.subtotal, carried: discounts },
      ...{ lines: bill.spans, creditedSince: creditedSince(bill.spans, period.end) },
      ...{ until: period.end, dueAt: now, failures: 0, isAsked: false },
    },
  }
}

/** As of this second, and past due until somebody confirms the payment: nobody tries it before. */
export function awaiting(model: Model, to: Terms): Model {
  const due = collect({ ...changedAndDue(model, to), card: 'none' })
  const { card } = model
  const waits = { dueAt: Number.POSITIVE_INFINITY, isAsked: card === 'asks' }
  return { ...due, card, open: due.open && { ...due.open, ...waits } }
}

/** Comes when its invoice is paid, and is forgotten when that is not paid in time. */
export function heldElsewhere(model: Model, to: Terms, bill: Bill): Model {
  return { ...model, held: { ...holding(model, to, bill), isOurs: false } }
}

const holding = ({ now, discounts }: Model, to: Terms, { subtotal }: Bill) => ({
  ...{ to, since: now, subtotal, carried: discounts, isOurs: true },
})

/** As of this second, and billed with the next invoice. */
export function changedUnbilled(model: Model, to: Terms): Model {
  const { spans, debits } = billOf({ ...model, pending: [] }, to, false)
  const { plan, extras } = debits
  const isNew = (debit: Debit) => debit !== model.debits.plan && debit !== model.debits.extras
  const waiting = (debit: Debit): Debit => (isNew(debit) ? { ...debit, on: null } : debit)
  return {
    ...{ ...model, terms: to, pending: [...model.pending, ...spans] },
    debits: { plan: waiting(plan), extras: extras && waiting(extras) },
  }
}

/**
 * What is scheduled comes with whatever it leaves alone as that stands by now: plan, number and extras, each for itself. The number
 * goes along with a plan that comes by number, and with one that is there already. Where nothing of it is left, it has taken effect.
 */
export function besideScheduled(model: Model, terms: Terms): Pick<Model, 'scheduled' | 'scheduledFrom'> {
  const { scheduled: to, scheduledFrom: from } = model
  if (to === null) return { scheduled: to, scheduledFrom: from }
  const isOfPlan = to.plan !== from.plan
  const isByNumber = terms.plan === 'seats' && to.plan === 'seats'
  const isMade = terms.plan === to.plan
  const leavesNumber = to.quantity === from.quantity && (isByNumber || !isOfPlan || isMade)
  const beside = (planned: Terms): Terms => ({
    plan: isOfPlan ? planned.plan : terms.plan,
    quantity: leavesNumber ? terms.quantity : planned.quantity,
    extras: to.extras === from.extras ? terms.extras : planned.extras,
  })
  const comes = beside(to)
  return { scheduled: isDeepStrictEqual(comes, terms) ? null : comes, scheduledFrom: beside(from) }
}
