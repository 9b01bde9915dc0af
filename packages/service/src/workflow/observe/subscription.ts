import { isDeepStrictEqual } from 'node:util'
import type { AttachedAddon } from '@lockstep/core/addon'
import type { Discount } from '@lockstep/core/discount'
import type { Instant } from '@lockstep/core/instant'
import { areSameNumbers } from '@lockstep/core/item-numbers'
import { isTerminal, mayBecome } from '@lockstep/core/subscription'
import type Stripe from 'stripe'
import { followPeriods, mustFollow, type SubscriptionRow } from '../../invoice/follow-periods.ts'
import { noticeLateUsage } from '../../invoice/late-usage.ts'
import { rhythmOf } from '../../invoice/rhythm.ts'
import type { Db, Trx } from '../../postgres/connect.ts'
import { isOneOf } from '../../postgres/given.ts'
import { grouped, inOrder } from '../../postgres/grouped.ts'
import { lockRows } from '../../postgres/lock-rows.ts'
import { ownReference } from '../../provider/stripe/field.ts'
import { wasChangedIn } from '../../provider/stripe/subscription-changes.ts'
import { type ObservedSubscription, toSubscription } from '../../provider/stripe/to-subscription.ts'
import { hasContract } from '../../store/contracts.ts'
import { makeDue } from '../../store/due.ts'
import { endPromise, lastPeriodInvoice, noticeFees } from '../../store/invoices.ts'
import { entityIdOf, link } from '../../store/mappings.ts'
import { unendedChanges, wakePlanChange, withdrawUnscheduled } from '../../store/plan-changes.ts'
import { planOfItems } from '../../store/plans-of-items.ts'
import { discountsSeen, discountsUnread } from '../../store/provider-discounts.ts'
import { followMeters } from '../../store/provider-usage.ts'
import { findRegistered, wakeRegistration } from '../../store/registrations.ts'
import type { Row } from '../../store/schema.ts'
import { asLateAs, recordHistory } from '../../store/subscription-history.ts'
import { releaseSlot, subscriptionRows } from '../../store/subscriptions.ts'
import { metersBilledAsWell, refuseDoubleMeter } from '../one-meter.ts'
import { PLANNED_TERMS } from '../plan-change/input.ts'
import { changeTowards, isSame, takeEffect } from '../plan-change/take-effect.ts'
import { type Installation, readInstallation } from './installation.ts'
import { agreeOnDiscounts, concludeElsewhere } from './keep-agreed.ts'
import {
  type Effect,
  GateNeeded,
  Implausible,
  Incomplete,
  type Noun,
  type Owner,
  type Writing,
} from './noun.ts'
import { saveSubscription } from './save-subscription.ts'
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
  /** It was not registered here, so nobody agreed on it here either. */
  readonly isElsewhere: boolean
  /** As it stood a moment ago; undefined of one that was not seen so far. */
  readonly known: SubscriptionRow | undefined
}

/** Stripe's subscription: its status, its slot, and the invoices that follow its periods. */
export const subscriptionNoun: Noun<Stripe.Subscription, SubscriptionOwner> = {
  async owner(db, object) {
    const installation = await readInstallation(db)
    const own = ownReference(object.metadata)
    if (own.instance === installation.instance && own.subscription !== null) {
      const registered = await findRegistered(db, own.subscription)
      if (registered) return { ...registered, installation, isTakenUp: false, isElsewhere: false }
    }
    const mapped = await entityIdOf(db, installation, 'subscription', object.id)
    if (mapped === undefined) return null
    const known = await readRow(db, mapped)
    if (!known) return takenUp(db, installation, mapped, object)
    const { id: subscriptionId, customerId, slot, planVersionId, addons } = known
    const owned = { customerId, subscriptionId, slot, planVersionId, addons }
    return { ...owned, installation, known, isTakenUp: false, isElsewhere: own.instance === null }
  },

  async needsGate(_, object, { known }) {
    if (object.items.has_more) return false
    // The first sight of a subscription opens its invoices; then they follow it from period to period.
    return !known || !isInSamePeriod(known, toSubscription(object))
  },

  async write(
    trx,
    { object, owner, source, eventCreated, now, gateClosed }: Writing<Stripe.Subscription, SubscriptionOwner>,
  ) {
    if (object.items.has_more) throw new Incomplete()
    const seen = toSubscription(object)
    const { subscriptionId } = owner
    // The row is locked before what belongs to it is read.
    const [known, at, early] = await Promise.all([
      lockRow(trx, subscriptionId),
      now(),
      owner.known && readBeside(trx, owner, seen, owner.known),
    ])
    const isAsRead = known?.planVersionId === owner.known?.planVersionId
    const beside = known && ((isAsRead && early) || (await readBeside(trx, owner, seen, known)))
    const [terms, last, open = [], isAgreed = !owner.isElsewhere] = beside ?? [
      await termsOf(trx, owner, seen, undefined),
    ]
    if (known && seen.status && known.status !== seen.status && !mayBecome(known.status, seen.status)) {
      // Nothing leaves a terminal state. A payload that says so is old; an answer of Stripe's own that
      // says so is kept as it is, but changes nothing of ours.
      if (source === 'event') throw new Implausible()
      if (isTerminal(known.status)) return {}
    }
    const seenAs = rowOf(seen, owner, known, terms)
    if (!seenAs) throw new Error(`Subscription ${seen.providerId} has a status that we do not know.`)
    if (owner.isTakenUp && !known && !isTerminal(seenAs.status))
      await refuseDoubleMeter(trx, { ...seenAs, subscriptionId })
    const change = known && changeTowards(open, known, seenAs, (id) => wasChangedIn(object, id))
    // What is planned is not taken away by a word that may be older than it: the schedule itself is asked.
    const unscheduled = open.find((one) => one.id !== change?.id && isUnscheduled(one, seen))
    if (source === 'event' && unscheduled) throw new Implausible()
    const standing = known && !change ? await onePlanPerMeter(trx, known, seenAs) : seenAs
    // What an event names may never have been asked for; what is looked at was.
    if (source === 'event' && (await discountsUnread(trx, namedDiscounts(seen))).size > 0)
      throw new Implausible()
    const others = await otherDiscounts(trx, { known, isAgreed, row: standing })
    const row = others === 'unknown' ? { ...standing, discounts: known?.discounts ?? [] } : standing
    const rhythm = await rhythmOf(trx, row)
    const follows = await mustFollow(trx, { subscription: row, known, rhythm, last, now: at })
    if (follows && !gateClosed) throw new GateNeeded()
    // A payload says how it stood when it was made, and time alone turns these: they follow what is looked at now.
    if (follows && (rhythm.isSplit || follows.back) && source === 'event') throw new Implausible()

    const { cancellationReason } = seen
    const isPlanChange = change !== undefined
    const planned = open.find(({ id, state, origin }) => {
      return state === 'scheduled' && origin === 'here' && id !== change?.id
    })
    // As late as its history says: how late a test clock says it is may be told after what it brought.
    const reached = asLateAs(row, at)
    const isOtherwise = known && !(isSame(known, row) && isDeepStrictEqual(known.discounts, row.discounts))
    await Promise.all([
      known && takeEffect(trx, { before: known, after: row, change }, reached),
      saveSubscription(
        trx,
        known,
        { ...row, pastDueSince: overdueSince(known, row, at), modifiedAt: at },
        at,
      ),
      recordHistory(trx, {
        ...{ before: known, after: row, cancellationReason, isPlanChange, now: at },
        isTakenUp: owner.isTakenUp,
      }),
      linkSubscription(trx, seen, owner, source, at),
      row.status === 'paused' && known?.status !== 'paused' && endPromise(trx, row.id, at),
      known && !isPaidAlike(known, row) && noticeFees(trx, row.id),
      followMeters(trx, { known, row }, at),
      // What is planned says everything that is to be there then.
      isOtherwise &&
        planned &&
        makeDue(trx, {
          ...{ customerId: row.customerId, kind: PLANNED_TERMS, subjectId: planned.id },
          ...{ dueAt: at, at },
        }),
      follows && followPeriods(trx, row, follows, { known, isTakenUp: owner.isTakenUp }, at),
      known &&
        (source === 'write' || isTerminal(row.status)) &&
        withdrawUnscheduled(trx, {
          ...{ subscriptionId: row.id, schedule: isTerminal(row.status) ? null : seen.schedule },
          except: change?.id,
        }),
    ])
    // Rated by how the subscription and its history stand now.
    if (follows?.back) await noticeLateUsage(trx, follows.back.final)
    // Behind what takes effect: the first contract is of how it stands now, and what a change of ours redeemed is agreed on with it.
    if (others !== 'unknown') {
      if (!isAgreed) await concludeElsewhere(trx, { row, discounts: others, createdAt: seen.createdAt }, at)
      else if (others) await agreeOnDiscounts(trx, row, others, { at, toldAt: eventCreated ?? at })
    }
    if (isTerminal(row.status)) await releaseSlot(trx, row.id)
    // A registration may wait for just this: the first payment was confirmed, or never will be.
    if (known?.status === 'incomplete' && row.status !== known.status) await wakeRegistration(trx, row.id)
    // A change may wait for this too: its payment was confirmed, or it was given up.
    if (known && source !== 'write') await wakePlanChange(trx, row.id)
    const ended = isTerminal(row.status) && known?.status !== row.status
    return {
      syncSubscription: ended ? row.id : undefined,
      tookEffect: change?.id,
      unscheduled: isTerminal(row.status) ? undefined : (unscheduled?.providerScheduleId ?? undefined),
    } satisfies Effect
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
  const [customerId, plan, held] = await Promise.all([
    entityIdOf(db, installation, 'customer', customer),
    planOfItems(db, installation, items),
    db
      .selectFrom('subscriptionSlot')
      .select('slot')
      .where('subscriptionId', '=', subscriptionId)
      .executeTakeFirst(),
  ])
  if (customerId === undefined || plan === undefined) return null
  return {
    customerId,
    subscriptionId,
    slot: held?.slot ?? null,
    planVersionId: plan.versionId,
    addons: [],
    installation,
    isTakenUp: true,
    isElsewhere: true,
    known: undefined,
  }
}

/**
 * A plan that somebody gave it at Stripe, or that a new catalogue made of its price, is not followed where it would
 * bill a meter that another live subscription of the customer bills: it keeps the plan that it was on.
 */
async function onePlanPerMeter(
  trx: Trx,
  { planVersionId }: SubscriptionRow,
  row: SubscriptionRow,
): Promise<SubscriptionRow> {
  if (row.planVersionId === planVersionId || isTerminal(row.status)) return row
  const meters = await metersBilledAsWell(trx, { ...row, subscriptionId: row.id })
  return meters.length === 0 ? row : { ...row, planVersionId }
}

function namedDiscounts({ discounts, items }: ObservedSubscription): string[] {
  return [...discounts, ...items.flatMap((item) => item.discounts)]
}

function isUnscheduled(
  { state, providerScheduleId }: Row<'planChange'>,
  { schedule }: ObservedSubscription,
): boolean {
  return state === 'scheduled' && providerScheduleId !== schedule
}

/**
 * The discounts of a subscription, where they are to be agreed on: with its first contract, or because somebody gave or
 * took one at the provider. With what a change of ours redeems they are followed behind it.
 */
async function otherDiscounts(
  trx: Trx,
  {
    known,
    isAgreed,
    row: { discounts: ids },
  }: {
    readonly known: SubscriptionRow | undefined
    readonly isAgreed: boolean
    readonly row: SubscriptionRow
  },
): Promise<readonly Discount[] | 'unknown' | undefined> {
  const isSeenSo = !known || isDeepStrictEqual(known.discounts, ids)
  if (isAgreed && isSeenSo) return undefined
  const seen = await discountsSeen(trx, ids)
  return seen.length < ids.length ? 'unknown' : seen.map(({ terms }) => terms)
}

/** What a subscription that was seen before has beside its row; a new one has none of it. */
function readBeside(
  trx: Trx,
  owner: SubscriptionOwner,
  seen: ObservedSubscription,
  standing: SubscriptionRow,
) {
  return Promise.all([
    termsOf(trx, owner, seen, standing),
    lastPeriodInvoice(trx, owner.subscriptionId),
    unendedChanges(trx, owner.subscriptionId),
    owner.isElsewhere ? hasContract(trx, owner.subscriptionId) : true,
  ])
}

/** A guess, made before anything is locked: nothing says that a period begins or ends. */
function isInSamePeriod(known: SubscriptionRow, seen: ObservedSubscription): boolean {
  return (
    known.status === seen.status &&
    known.currentPeriodStart === seen.currentPeriod.start &&
    known.currentPeriodEnd === seen.currentPeriod.end
  )
}

/** At the first sight of one that was registered with its plan alone there is nothing else to find. */
async function termsOf(
  db: Db | Trx,
  { installation, planVersionId, addons, isTakenUp }: SubscriptionOwner,
  { items, currency }: ObservedSubscription,
  known: SubscriptionRow | undefined,
): Promise<TermsSeen | undefined> {
  if (!known && addons.length === 0 && !isTakenUp) return undefined
  // What a price costs in another currency than its own is not read here.
  const own = items.filter(({ rhythm }) => rhythm.currency === currency)
  return termsSeen(db, installation, own, known?.planVersionId ?? planVersionId)
}

const readRow = grouped(async (db, ids: readonly string[]) =>
  inOrder(ids, await subscriptionRows(db, { ids }), ({ id }) => id),
)

const lockRow = lockRows(
  (trx, ids) => trx.selectFrom('subscription').selectAll().where(isOneOf('id', ids)).orderBy('id'),
  ({ id }) => id,
)

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
    itemNumbers: terms?.itemNumbers ?? known?.itemNumbers ?? {},
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
    discounts: [...seen.discounts],
    unreadSchedule: seen.schedule === null ? null : (known?.unreadSchedule ?? null),
    meteredItems: [...seen.meteredItems],
  }
}

const isPaidAlike = (a: SubscriptionRow, b: SubscriptionRow) =>
  a.quantity === b.quantity && areSameNumbers(a.itemNumbers, b.itemNumbers)

/** A payment is overdue since it was first seen to be, until none is: also when nobody tries to collect it any more. */
function overdueSince(known: SubscriptionRow | undefined, { status }: SubscriptionRow, at: Instant) {
  if (status !== 'past_due' && status !== 'unpaid') return null
  if (known?.pastDueSince != null) return known.pastDueSince
  // Of what was unpaid already when a version came that keeps this, nobody knows since when.
  return status === 'unpaid' && known?.status === 'unpaid' ? null : at
}

async function linkSubscription(
  trx: Trx,
  seen: ObservedSubscription,
  { subscriptionId, installation }: SubscriptionOwner,
  source: Writing<Stripe.Subscription, SubscriptionOwner>['source'],
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
