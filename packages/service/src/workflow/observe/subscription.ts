import type { Instant } from '@lockstep/core/instant'
import { isTerminal, mayBecome } from '@lockstep/core/subscription'
import type Stripe from 'stripe'
import { followPeriods, mustFollow, type SubscriptionRow } from '../../invoice/follow-periods.ts'
import type { Rhythm } from '../../invoice/periods.ts'
import type { Db, Trx } from '../../postgres/connect.ts'
import { ownReference } from '../../provider/stripe/field.ts'
import { type ObservedSubscription, toSubscription } from '../../provider/stripe/to-subscription.ts'
import { entityIdOf, link } from '../../store/mappings.ts'
import { wakeRegistration } from '../../store/registrations.ts'
import { recordHistory } from '../../store/subscription-history.ts'
import { releaseSlot } from '../../store/subscriptions.ts'
import { sqlTime } from '../../store/time.ts'
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

interface SubscriptionOwner extends Owner {
  readonly customerId: string
  readonly subscriptionId: string
  readonly slot: string | null
  readonly planVersionId: string
  readonly installation: Installation
}

/** Stripe's subscription: its status, its slot, and the invoices that follow its periods. */
export const subscriptionNoun: Noun<Stripe.Subscription, SubscriptionOwner> = {
  async owner(db, object) {
    const installation = await readInstallation(db)
    const own = ownReference(object.metadata)
    if (own.instance === installation.instance && own.subscription !== null) {
      const registered = await db
        .selectFrom('registration')
        .select(['customerId', 'subscriptionId', 'slot', 'planVersionId'])
        .where('subscriptionId', '=', own.subscription)
        .executeTakeFirst()
      if (registered) return { ...registered, installation }
    }
    const mapped = await entityIdOf(db, installation, 'subscription', object.id)
    if (mapped === undefined) return null
    const known = await db
      .selectFrom('subscription')
      .select(['customerId', 'id as subscriptionId', 'slot', 'planVersionId'])
      .where('id', '=', mapped)
      .executeTakeFirst()
    return known ? { ...known, installation } : null
  },

  async needsGate(db, object, owner) {
    if (object.items.has_more) return false
    const known = await readSubscription(db, owner.subscriptionId)
    const row = rowOf(toSubscription(object), owner, known)
    return row !== undefined && mustFollow(db, row, await rhythmOf(db, row))
  },

  async write(
    trx,
    { object, owner, source, now, gateClosed }: Writing<Stripe.Subscription, SubscriptionOwner>,
  ) {
    if (object.items.has_more) throw new Incomplete()
    const seen = toSubscription(object)
    const known = await readSubscription(trx, owner.subscriptionId, 'lock')
    if (known && seen.status && known.status !== seen.status && !mayBecome(known.status, seen.status)) {
      // Nothing leaves a terminal state. A payload that says so is old; an answer of Stripe's own that
      // says so is kept as it is, but changes nothing of ours.
      if (source === 'event') throw new Implausible()
      if (isTerminal(known.status)) return {}
    }
    const row = rowOf(seen, owner, known)
    if (!row) throw new Error(`Subscription ${seen.providerId} has a status that we do not know.`)
    const rhythm = await rhythmOf(trx, row)
    const follows = await mustFollow(trx, row, rhythm)
    if (follows && !gateClosed) throw new GateNeeded()

    const at = await now()
    await saveSubscription(trx, { ...row, pastDueSince: overdueSince(known, row, at), modifiedAt: at }, at)
    const { cancellationReason } = seen
    await recordHistory(trx, { before: known, after: row, cancellationReason, now: at })
    await linkSubscription(trx, seen, owner, source, at)
    if (isTerminal(row.status)) await releaseSlot(trx, row.id)
    // A registration may wait for just this: the first payment was confirmed, or never will be.
    if (known?.status === 'incomplete' && row.status !== known.status) await wakeRegistration(trx, row.id)
    if (follows) await followPeriods(trx, row, rhythm, at)
    const ended = isTerminal(row.status) && known?.status !== row.status
    return (ended ? { syncSubscription: row.id } : {}) satisfies Effect
  },
}

async function readSubscription(db: Db | Trx, id: string, lock?: 'lock') {
  const query = db.selectFrom('subscription').selectAll().where('id', '=', id)
  return (lock ? query.forUpdate() : query).executeTakeFirst()
}

/** Undefined where the status is one that we have no word for, and none is known from before. */
function rowOf(
  seen: ObservedSubscription,
  owner: SubscriptionOwner,
  known: SubscriptionRow | undefined,
): SubscriptionRow | undefined {
  const status = seen.status ?? known?.status
  if (status === undefined) return undefined
  return {
    id: owner.subscriptionId,
    customerId: owner.customerId,
    slot: owner.slot,
    planVersionId: known?.planVersionId ?? owner.planVersionId,
    currency: seen.currency,
    status,
    quantity: seen.quantity,
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
  const { interval, intervalCount } = await db
    .selectFrom('planVersion')
    .select(['interval', 'intervalCount'])
    .where('id', '=', row.planVersionId)
    .executeTakeFirstOrThrow()
  return { cycle: { anchor: row.billingCycleAnchor, interval, intervalCount }, trialEnd: row.trialEnd }
}

async function saveSubscription(trx: Trx, row: SubscriptionRow, now: number): Promise<void> {
  const time = (at: number | null) => (at === null ? null : sqlTime(at))
  const values = {
    ...row,
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
