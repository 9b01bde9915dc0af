import type { AttachedAddon } from '@lockstep/core/addon'
import type { Instant } from '@lockstep/core/instant'
import { isTerminal, mayBecome } from '@lockstep/core/subscription'
import type Stripe from 'stripe'
import { followPeriods, mustFollow, type SubscriptionRow } from '../../invoice/follow-periods.ts'
import type { Rhythm } from '../../invoice/periods.ts'
import type { Db, Trx } from '../../postgres/connect.ts'
import { grouped, inOrder, isOneOf } from '../../postgres/grouped.ts'
import { ownReference } from '../../provider/stripe/field.ts'
import { type ObservedSubscription, toSubscription } from '../../provider/stripe/to-subscription.ts'
import { entityIdOf, link } from '../../store/mappings.ts'
import { wakePlanChange, withdrawUnscheduled } from '../../store/plan-changes.ts'
import { loadPlanVersion } from '../../store/plans.ts'
import { planVersionOfItems } from '../../store/plans-of-items.ts'
import { findRegistered, wakeRegistration } from '../../store/registrations.ts'
import { recordHistory } from '../../store/subscription-history.ts'
import { releaseSlot } from '../../store/subscriptions.ts'
import { sqlTime } from '../../store/time.ts'
import { takeEffect } from '../plan-change/take-effect.ts'
import { type Installation, readInstallation } from './installation.ts'
import {
  type Effect,
  GateNeeded,
  Implausible,
  Incomplete,
  type Noun,
  type Owner,
  type Writing,
} from './noun.ts'
import { type TermsSeen, termsSeen } from './terms-seen.ts'

interface SubscriptionOwner extends Owner {
  readonly customerId: string
  readonly subscriptionId: string
  readonly slot: string | null
  readonly planVersionId: string
  readonly addons: readonly AttachedAddon[]
  readonly installation: Installation
  /** It was made at Stripe and taken up here: no registration of ours made it. */
  readonly isTakenUp: boolean
}

/** Stripe's subscription: its status, its slot, and the invoices that follow its periods. */
export const subscriptionNoun: Noun<Stripe.Subscription, SubscriptionOwner> = {
  async owner(db, object) {
    const installation = await readInstallation(db)
    const own = ownReference(object.metadata)
    if (own.instance === installation.instance && own.subscription !== null) {
      const registered = await findRegistered(db, own.subscription)
      if (registered) return { ...registered, installation, isTakenUp: false }
    }
    const mapped = await entityIdOf(db, installation, 'subscription', object.id)
    if (mapped === undefined) return null
    const known = await db
      .selectFrom('subscription')
      .select(['customerId', 'id as subscriptionId', 'slot', 'planVersionId', 'addons'])
      .where('id', '=', mapped)
      .executeTakeFirst()
    if (known) return { ...known, installation, isTakenUp: false }
    return takenUp(db, installation, mapped, object)
  },

  async needsGate(db, object, owner) {
    if (object.items.has_more) return false
    const known = await readRow(db, owner.subscriptionId)
    // The first sight of a subscription opens its invoices.
    if (!known) return true
    const seen = toSubscription(object)
    const row = rowOf(seen, owner, known, await termsOf(db, owner, seen, known))
    return row !== undefined && (await mustFollow(db, row, await rhythmOf(db, row))) !== undefined
  },

  async write(
    trx,
    { object, owner, source, now, gateClosed }: Writing<Stripe.Subscription, SubscriptionOwner>,
  ) {
    if (object.items.has_more) throw new Incomplete()
    const seen = toSubscription(object)
    const [known, at] = await Promise.all([lockRow(trx, owner.subscriptionId), now()])
    if (known && seen.status && known.status !== seen.status && !mayBecome(known.status, seen.status)) {
      // Nothing leaves a terminal state. A payload that says so is old; an answer of Stripe's own that
      // says so is kept as it is, but changes nothing of ours.
      if (source === 'event') throw new Implausible()
      if (isTerminal(known.status)) return {}
    }
    const row = rowOf(seen, owner, known, await termsOf(trx, owner, seen, known))
    if (!row) throw new Error(`Subscription ${seen.providerId} has a status that we do not know.`)
    const follows = await mustFollow(trx, row, await rhythmOf(trx, row))
    if (follows && !gateClosed) throw new GateNeeded()

    const { cancellationReason } = seen
    const isPlanChange = known !== undefined && (await takeEffect(trx, known, row, at))
    await Promise.all([
      saveSubscription(trx, { ...row, pastDueSince: overdueSince(known, row, at), modifiedAt: at }, at),
      recordHistory(trx, {
        ...{ before: known, after: row, cancellationReason, isPlanChange, now: at },
        isTakenUp: owner.isTakenUp,
      }),
      linkSubscription(trx, seen, owner, source, at),
      follows && followPeriods(trx, row, follows, at),
    ])
    if (isTerminal(row.status)) await releaseSlot(trx, row.id)
    // A registration may wait for just this: the first payment was confirmed, or never will be.
    if (known?.status === 'incomplete' && row.status !== known.status) await wakeRegistration(trx, row.id)
    if (known) {
      await withdrawUnscheduled(trx, row.id, isTerminal(row.status) ? null : seen.schedule)
      // A change may wait for this too: its payment was confirmed, or it was given up.
      if (source !== 'write') await wakePlanChange(trx, row.id)
    }
    const ended = isTerminal(row.status) && known?.status !== row.status
    return (ended ? { syncSubscription: row.id } : {}) satisfies Effect
  },
}

/** One that was taken up and is seen for the first time: its links say whose it is, and on which plan. */
async function takenUp(
  db: Db,
  installation: Installation,
  subscriptionId: string,
  object: Stripe.Subscription,
): Promise<SubscriptionOwner | null> {
  const { items, customer } = toSubscription({ ...object, items: { ...object.items, has_more: false } })
  const [customerId, planVersionId, held] = await Promise.all([
    entityIdOf(db, installation, 'customer', customer),
    planVersionOfItems(db, installation, items),
    db
      .selectFrom('subscriptionSlot')
      .select('slot')
      .where('subscriptionId', '=', subscriptionId)
      .executeTakeFirst(),
  ])
  if (customerId === undefined || planVersionId === undefined) return null
  return {
    customerId,
    subscriptionId,
    slot: held?.slot ?? null,
    planVersionId,
    addons: [],
    installation,
    isTakenUp: true,
  }
}

/** At the first sight of one that was registered with its plan alone there is nothing else to find. */
async function termsOf(
  db: Db | Trx,
  { installation, planVersionId, addons, isTakenUp }: SubscriptionOwner,
  { items }: ObservedSubscription,
  known: SubscriptionRow | undefined,
): Promise<TermsSeen | undefined> {
  if (!known && addons.length === 0 && !isTakenUp) return undefined
  return termsSeen(db, installation, items, known?.planVersionId ?? planVersionId)
}

const readRow = grouped(async (db, ids: readonly string[]) => {
  const rows = await db.selectFrom('subscription').selectAll().where(isOneOf('id', ids)).execute()
  return inOrder(ids, rows, ({ id }) => id)
})

function lockRow(trx: Trx, id: string) {
  return trx.selectFrom('subscription').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
}

/** Undefined where the status is one that we have no word for, and none is known from before. */
function rowOf(
  seen: ObservedSubscription,
  owner: SubscriptionOwner,
  known: SubscriptionRow | undefined,
  terms: TermsSeen | undefined,
): SubscriptionRow | undefined {
  const status = seen.status ?? known?.status
  if (status === undefined) return undefined
  return {
    id: owner.subscriptionId,
    customerId: owner.customerId,
    slot: owner.slot,
    planVersionId: terms?.planVersionId ?? known?.planVersionId ?? owner.planVersionId,
    currency: seen.currency,
    status,
    quantity: terms?.quantity ?? seen.quantity,
    addons: [...(terms?.addons ?? known?.addons ?? owner.addons)],
    billingCycleAnchor: seen.billingCycleAnchor,
    currentPeriodStart: seen.currentPeriod.start,
    currentPeriodEnd: seen.currentPeriod.end,
    trialStart: seen.trial?.start ?? null,
    trialEnd: seen.trial?.end ?? null,
    cancelAt: seen.cancelAt,
    cancelAtPeriodEnd: seen.cancelAtPeriodEnd,
    canceledAt: seen.canceledAt,
    endedAt: seen.endedAt,
    startedAt: seen.startedAt,
    collection: seen.collection,
    collectionResumesAt: seen.collectionResumesAt,
    pastDueSince: known?.pastDueSince ?? null,
    modifiedAt: known?.modifiedAt ?? null,
  }
}

/** A payment is overdue since it was first seen to be, until none is. */
function overdueSince(known: SubscriptionRow | undefined, { status }: SubscriptionRow, at: Instant) {
  return status === 'past_due' ? (known?.pastDueSince ?? at) : null
}

async function rhythmOf(db: Db | Trx, row: SubscriptionRow): Promise<Rhythm> {
  const { interval, intervalCount } = (await loadPlanVersion(db, row.planVersionId)).plan
  return { cycle: { anchor: row.billingCycleAnchor, interval, intervalCount }, trialEnd: row.trialEnd }
}

async function saveSubscription(trx: Trx, row: SubscriptionRow, now: number): Promise<void> {
  const time = (at: number | null) => (at === null ? null : sqlTime(at))
  const values = {
    ...row,
    addons: JSON.stringify(row.addons),
    billingCycleAnchor: sqlTime(row.billingCycleAnchor),
    currentPeriodStart: sqlTime(row.currentPeriodStart),
    currentPeriodEnd: sqlTime(row.currentPeriodEnd),
    trialStart: time(row.trialStart),
    trialEnd: time(row.trialEnd),
    cancelAt: time(row.cancelAt),
    canceledAt: time(row.canceledAt),
    endedAt: time(row.endedAt),
    startedAt: sqlTime(row.startedAt),
    collectionResumesAt: time(row.collectionResumesAt),
    pastDueSince: time(row.pastDueSince),
    modifiedAt: time(row.modifiedAt),
  }
  const { id: _id, customerId: _customer, ...changes } = values
  await trx
    .insertInto('subscription')
    .values({ ...values, createdAt: sqlTime(now) })
    .onConflict((on) => on.column('id').doUpdateSet(changes))
    .execute()
}

async function linkSubscription(
  trx: Trx,
  seen: ObservedSubscription,
  { subscriptionId, installation }: SubscriptionOwner,
  source: 'event' | 'fetch' | 'write',
  at: number,
): Promise<void> {
  const origin = source === 'write' ? 'outbound' : 'webhook'
  await link(trx, installation, {
    entityType: 'subscription',
    entityId: subscriptionId,
    providerType: 'subscription',
    providerId: seen.providerId,
    origin,
    at,
  })
}
