import type { Db } from '../postgres/connect.ts'
import { type Attached, loadAttached } from '../store/addons.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import type { BilledSubscription } from '../store/open-invoices.ts'
import { type RatingTerms, readTerms } from '../store/rating-terms.ts'
import { type ScheduledChange, scheduledChanges } from '../store/scheduled-changes.ts'
import type { FeeTerms } from './upcoming-fee.ts'

/** What fees are of that come with an invoice, and whether a coupon comes with them. */
export interface NextTerms extends FeeTerms {
  readonly redeems: boolean
}

/** What subscriptions run on, and what waits to change that. */
export interface Ahead {
  readonly subscriptions: readonly BilledSubscription[]
  readonly changes: readonly ScheduledChange[]
  /** By subscription: the add-ons of now, and those that are planned. */
  readonly now: ReadonlyMap<string, readonly Attached[]>
  readonly then: ReadonlyMap<string, readonly Attached[]>
}

export async function lookAhead(db: Db, subscriptions: readonly BilledSubscription[]): Promise<Ahead> {
  const [changes, now] = await Promise.all([
    scheduledChanges(
      db,
      subscriptions.map(({ id }) => id),
    ),
    attachedOf(db, subscriptions, ({ id }) => id),
  ])
  const then = await attachedOf(db, changes, ({ subscriptionId }) => subscriptionId)
  return { subscriptions, changes, now, then }
}

/**
 * What subscriptions run on after their invoices' periods: what they run on now, or what a change makes of it that is to
 * take effect by then. Usage goes by the plan that its period began with; the fee is of the next one. Plans that are
 * read already are not read again.
 */
export async function nextTerms(
  db: Db,
  { subscriptions, changes, now, then }: Ahead,
  known: ReadonlyMap<string, RatingTerms>,
): Promise<(invoice: InvoiceRow) => NextTerms> {
  const wanted = [...subscriptions, ...changes].map(({ planVersionId }) => planVersionId)
  const others = await readTerms(
    db,
    wanted.filter((id) => !known.has(id)),
  )
  return ({ id, subscriptionId, status, periodEnd }) => {
    const subscription = subscriptions.find((one) => one.id === subscriptionId)
    if (!subscription) throw new Error(`${id} belongs to no subscription.`)
    const change = changes.find(
      (one) => one.subscriptionId === subscriptionId && status === 'current' && isDueBy(one, periodEnd),
    )
    const { planVersionId, quantity, itemNumbers } = change ?? subscription
    const plan = (known.get(planVersionId) ?? others.get(planVersionId))?.plan
    if (!plan) throw new Error(`There is no plan version ${planVersionId}.`)
    const addons = (change ? then : now).get(subscription.id) ?? []
    return { plan, quantity, addons, itemNumbers, redeems: (change?.coupons.length ?? 0) > 0 }
  }
}

const isDueBy = ({ dueAt }: ScheduledChange, at: number) => dueAt === null || dueAt <= at

/** Nothing is asked where there are none. */
async function attachedOf<T extends Pick<BilledSubscription, 'addons'>>(
  db: Db,
  all: readonly T[],
  idOf: (one: T) => string,
) {
  const found = await Promise.all(
    all.map(async (one) => [idOf(one), await loadAttached(db, one.addons)] as const),
  )
  return new Map(found)
}
