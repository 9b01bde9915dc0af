// A subscription as it should be, in a hundred lines: written a second time, without a look at core, so
// that it cannot agree with a mistake there. Its card always pays.

export type Collection = 'charging' | 'keepAsDraft' | 'markUncollectible' | 'void'

export interface Model {
  readonly now: number
  readonly status: 'trialing' | 'active' | 'canceled'
  /** What periods are counted from: the start, or the end of the trial. */
  readonly anchor: number
  readonly period: { readonly start: number; readonly end: number }
  readonly cancelAt: number | null
  readonly cancelAtPeriodEnd: boolean
  readonly collection: Collection
  readonly endedAt: number | null
  /** Cents of fees on invoices, collected or not, and of usage that is to be billed once. */
  readonly fees: number
  readonly usage: number
  /** Used in the very second that it is: whose it is shows when that has passed. */
  readonly justUsed: number
  /** Cents given back for unused time. */
  readonly givenBack: number
  /** Some of it is on the balance, which pays fees before the card does: those are not refunded to the card. */
  readonly hasBalance: boolean
  /** The running period's fee was collected, and nothing about it is open. */
  readonly isPaid: boolean
}

const FEE = 2000
const DAY = 86_400
const TRIAL_DAYS = 14

export function begin(now: number, plan: 'plain' | 'trying', before?: Model): Model {
  const isTrial = plan === 'trying'
  const anchor = isTrial ? now + TRIAL_DAYS * DAY : now
  return {
    now,
    status: isTrial ? 'trialing' : 'active',
    anchor,
    period: { start: now, end: isTrial ? anchor : months(anchor, 1) },
    ...{ cancelAt: null, cancelAtPeriodEnd: false, collection: 'charging', endedAt: null },
    fees: (before?.fees ?? 0) + (isTrial ? 0 : FEE),
    usage: before?.usage ?? 0,
    // What was used in the second of an end is the next one's, if that begins in it.
    justUsed: before?.now === now ? before.justUsed : 0,
    givenBack: before?.givenBack ?? 0,
    hasBalance: before?.hasBalance ?? false,
    isPaid: !isTrial,
  }
}

/** The same day of another month, or its last. */
function months(anchor: number, count: number): number {
  const at = new Date(anchor * 1000)
  const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + count + 1, 0)).getUTCDate()
  const day = Math.min(at.getUTCDate(), last)
  const midnight = Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + count, day) / 1000
  return midnight + (anchor % DAY)
}

/** Lets time pass: a planned end comes before the renewal of the same second. */
export function advance(model: Model, to: number): Model {
  if (to > model.now && model.justUsed > 0) {
    const billed = model.status === 'active' ? model.justUsed : 0
    return advance({ ...model, justUsed: 0, usage: model.usage + billed }, to)
  }
  if (model.status === 'canceled') return { ...model, now: to }
  const { cancelAt, period } = model
  if (cancelAt !== null && cancelAt <= Math.min(to, period.end)) return advance(ended(model, cancelAt), to)
  if (period.end > to) return { ...model, now: to }
  const start = period.end
  let count = 0
  while (months(model.anchor, count) <= start) count += 1
  const renewed: Model = {
    ...model,
    status: 'active',
    period: { start, end: months(model.anchor, count) },
    fees: model.fees + FEE,
    isPaid: false,
  }
  return advance(renewed, to)
}

/** The second of the end belongs to nobody, and what was used in it neither. */
function ended(model: Model, at: number): Model {
  return { ...model, status: 'canceled', endedAt: at }
}

/** The renewal's draft is collected an hour after it, unless collection is paused by then. */
export function settle(model: Model): Model {
  const isCollected = model.collection === 'charging' && model.now >= model.period.start + 2 * 3600
  return { ...model, isPaid: model.status === 'active' && (model.isPaid || isCollected) }
}

export function cancelNow(model: Model, unusedTime: 'keep' | 'credit' | 'refund'): Model {
  const { start, end } = model.period
  const unused = unusedTime !== 'keep' ? Math.round((FEE * (end - model.now)) / (end - start)) : 0
  const hasBalance = model.hasBalance || unusedTime === 'credit'
  return ended({ ...model, hasBalance, givenBack: model.givenBack + unused }, model.now)
}

export function planEnd(model: Model, at: number | 'periodEnd'): Model {
  return at === 'periodEnd'
    ? { ...model, cancelAt: model.period.end, cancelAtPeriodEnd: true }
    : { ...model, cancelAt: at, cancelAtPeriodEnd: false }
}

export function resume(model: Model): Model {
  return { ...model, cancelAt: null, cancelAtPeriodEnd: false, collection: 'charging' }
}

export function pause(model: Model, collection: Collection): Model {
  return { ...model, collection, isPaid: false }
}

/** Usage of a trial is free: it is not counted when its second has passed. */
export function use(model: Model, quantity: number): Model {
  return { ...model, justUsed: model.justUsed + quantity }
}
