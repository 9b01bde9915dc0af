// What becomes of a wish for other terms, in the model: refused, scheduled, held by the bank, or done and billed.
import * as money from './accounts.ts'
import { feeOf, type Model, months } from './model.ts'
import { prices, type Terms } from './plans.ts'

export type When = 'now' | 'periodEnd'

export type Outcome =
  | { readonly kind: 'refused'; readonly code: string; readonly model: Model }
  | { readonly kind: 'scheduled' | 'held' | 'done'; readonly model: Model }

/** Cents on each line of the invoice that a change makes at once; none where it makes none. */
export interface Bill {
  readonly lines: readonly number[]
  readonly startsPeriod: boolean
}

export function changeTo(model: Model, to: Terms, when?: When): Outcome {
  const refused = (code: string): Outcome => ({ kind: 'refused', code, model })
  const isSame = to.plan === model.terms.plan && to.quantity === model.terms.quantity
  if (isSame && model.scheduled === null) return refused('empty_change')
  if (isSame) return { kind: 'done', model: { ...model, scheduled: null } }
  if (model.status !== 'active' && model.status !== 'trialing') return refused('subscription_not_changeable')
  if (model.cancelAt !== null) return refused('subscription_not_changeable')
  if (model.status === 'trialing') return { kind: 'done', model: { ...model, terms: to } }
  if ((when ?? usualWhen(model.terms, to)) === 'periodEnd')
    return { kind: 'scheduled', model: { ...model, scheduled: to, isManaged: true } }
  if (model.collection !== 'charging') return refused('subscription_not_changeable')
  const { charge } = money.settled(model.accounts, totalOf(billOf(model, to)))
  if (charge === 0 || model.card === 'pays') return { kind: 'done', model: changed(model, to) }
  if (model.card === 'declines') return refused('card_declined')
  return { kind: 'held', model: { ...model, held: { to, since: model.now } } }
}

/** More is had at once, less when the period is over; a longer rhythm is more where both cost something. */
function usualWhen(from: Terms, to: Terms): When {
  const [before, after] = [gross(from), gross(to)]
  const longer = prices[to.plan].months - prices[from.plan].months
  const isLess = before > 0 && after > 0 && longer !== 0 ? longer < 0 : after < before
  return isLess ? 'periodEnd' : 'now'
}

const gross = ({ plan, quantity }: Terms) => prices[plan].cents * quantity

const totalOf = ({ lines }: Bill) => lines.reduce((sum, line) => sum + line, 0)

/** Unused time back at what was billed for it; the rest of the period, or a whole new one, at the new fee. */
export function billOf(model: Model, to: Terms): Bill {
  const { debit, now, period, terms } = model
  const startsPeriod =
    prices[to.plan].months !== prices[terms.plan].months || (gross(terms) === 0 && gross(to) > 0)
  const unused =
    now <= debit.start
      ? debit.amount
      : Math.round((debit.amount * (debit.end - now)) / (debit.end - debit.start))
  const fee = feeOf(model, to)
  const part = startsPeriod ? fee : Math.round((fee * (period.end - now)) / (period.end - period.start))
  return { lines: [-unused, part], startsPeriod }
}

/** As of this second, and paid. */
export function changed(model: Model, to: Terms): Model {
  const bill = billOf(model, to)
  const [unused = 0, amount = 0] = bill.lines
  const { now } = model
  const period = bill.startsPeriod ? { start: now, end: months(now, prices[to.plan].months) } : model.period
  const { charge, accounts } = money.settled(money.billed(model.accounts, bill.lines), totalOf(bill))
  return {
    ...model,
    ...{ terms: to, scheduled: null, held: null, period, accounts },
    anchor: bill.startsPeriod ? now : model.anchor,
    debit: { start: now, end: period.end, amount },
    bought:
      bill.startsPeriod && unused === 0 && charge === amount && charge > 0 ? { paid: charge, back: 0 } : null,
  }
}
