import { type DriftValue, fieldDifferences, judgeDifference, saysTheSame } from '@lockstep/core/drift'
import { formatInstant, type Instant } from '@lockstep/core/instant'
import { isTerminal } from '@lockstep/core/subscription'
import type Stripe from 'stripe'
import { withAllItems } from '../../provider/stripe/fetch.ts'
import { idOf } from '../../provider/stripe/field.ts'
import { isOwn } from '../../provider/stripe/metadata.ts'
import { type ObservedSubscription, toSubscription } from '../../provider/stripe/to-subscription.ts'
import { type LinkedSubscription, linkedCustomers, linkedSubscriptions } from '../../store/drift.ts'
import { quantityOf, type SoldFor, versionsOfPrices } from '../../store/price-versions.ts'
import { readObjects } from '../../store/provider-objects.ts'
import type { LookDeps } from '../look.ts'
import type { Compared, Drift } from './drift.ts'
import { compareUnlinked } from './unlinked.ts'

/** How subscriptions stand: status, plan, quantity, periods, and every date that is planned. */
export async function compareSubscriptions(
  deps: LookDeps,
  listed: readonly Stripe.Subscription[],
): Promise<Compared> {
  const { db, provider } = deps
  const objects = await Promise.all(listed.map((object) => withAllItems(provider.stripe, object)))
  const ids = objects.map(({ id }) => id)
  const prices = objects.flatMap(({ items }) => items.data.map(({ price }) => price.id))
  const [linked, pictures, versions] = await Promise.all([
    linkedSubscriptions(db, provider, ids),
    readObjects(
      db,
      ids.map((id) => ({ type: 'subscription', id })),
    ),
    versionsOfPrices(db, provider, prices),
  ])
  const rows = new Map(linked.map((row) => [row.providerId, row]))
  const drifts = objects.flatMap((object): Drift[] => {
    const row = rows.get(object.id)
    if (!row) return []
    const seen = read(object)
    const there = (shown: ObservedSubscription) => thereOf(shown, versions, row.planVersionId)
    const differences = fieldDifferences(hereOf(row), there(seen))
    if (differences.length === 0) return []
    const before = pictures.get(`subscription ${object.id}`)?.raw
    const verdict = judgeDifference({
      entity: 'subscription',
      differences,
      seenAsItIs: wasSeen(before) && saysTheSame(there(read(before)), differences),
      isOverHere: isTerminal(row.status) && seen.status !== undefined && !isTerminal(seen.status),
    })
    const known = {
      entity: 'subscription',
      kind: 'differs',
      entityId: row.id,
      providerId: object.id,
    } as const
    return [{ ...known, differences, ...verdict }]
  })
  const others = objects.filter(({ id }) => !rows.has(id))
  const unlinked = await compareUnlinked(deps, 'subscription', others)
  const theirs = await madeThere(deps, others)
  return { drifts: [...drifts, ...unlinked.drifts, ...theirs], underWay: unlinked.underWay }
}

/** Of one that was deleted before it was ever seen nothing is kept. */
const wasSeen = (raw: unknown): raw is Stripe.Subscription =>
  typeof raw === 'object' && raw !== null && 'status' in raw

/** A picture may lack items beyond the tenth: what is compared stands on those it has. */
const read = (object: Stripe.Subscription) =>
  toSubscription({ ...object, items: { ...object.items, has_more: false } })

const time = (at: Instant | null) => (at === null ? null : formatInstant(at))

function hereOf(row: LinkedSubscription): Record<string, DriftValue> {
  return {
    status: row.status,
    planVersion: row.planVersionId,
    currency: row.currency,
    quantity: row.quantity,
    billingCycleAnchor: time(row.billingCycleAnchor),
    currentPeriodStart: time(row.currentPeriodStart),
    currentPeriodEnd: time(row.currentPeriodEnd),
    trialStart: time(row.trialStart),
    trialEnd: time(row.trialEnd),
    cancelAt: time(row.cancelAt),
    cancelAtPeriodEnd: row.cancelAtPeriodEnd,
    canceledAt: time(row.canceledAt),
    endedAt: time(row.endedAt),
    startedAt: time(row.startedAt),
    collection: row.collection,
    collectionResumesAt: time(row.collectionResumesAt),
  }
}

function thereOf(
  seen: ObservedSubscription,
  versions: ReadonlyMap<string, SoldFor>,
  known: string,
): Record<string, DriftValue> {
  const items = seen.items.filter(({ rhythm }) => rhythm.currency === seen.currency)
  const sold = new Set(items.flatMap(({ price }) => versions.get(price)?.versionId ?? []))
  const [first] = sold
  // Prices of no plan of ours, or of several, say nothing of the plan.
  const version = sold.size === 1 ? first : undefined
  const quantity = quantityOf(items, versions, version ?? known)
  return {
    // A status that we have no word for is told by the inbox, and compared with nothing.
    ...(seen.status !== undefined && { status: seen.status }),
    ...(version !== undefined && { planVersion: version }),
    currency: seen.currency,
    // The number of what is no plan's, like an add-on, is not the subscription's.
    ...(quantity !== undefined && { quantity }),
    billingCycleAnchor: time(seen.billingCycleAnchor),
    currentPeriodStart: time(seen.currentPeriod.start),
    currentPeriodEnd: time(seen.currentPeriod.end),
    trialStart: time(seen.trial?.start ?? null),
    trialEnd: time(seen.trial?.end ?? null),
    cancelAt: time(seen.cancelAt),
    cancelAtPeriodEnd: seen.cancelAtPeriodEnd,
    canceledAt: time(seen.canceledAt),
    endedAt: time(seen.endedAt),
    startedAt: time(seen.startedAt),
    collection: seen.collection,
    collectionResumesAt: time(seen.collectionResumesAt),
  }
}

/** A customer of ours has a subscription that somebody made at the provider, and nothing here knows of it. */
async function madeThere(deps: LookDeps, objects: readonly Stripe.Subscription[]): Promise<Drift[]> {
  const foreign = objects.filter((object) => !isOwn(deps.provider, object) && isRunning(object))
  const customers = await linkedCustomers(
    deps.db,
    deps.provider,
    foreign.map(({ customer }) => idOf(customer)),
  )
  const ours = new Set(customers.map(({ providerId }) => providerId))
  return foreign
    .filter(({ customer }) => ours.has(idOf(customer)))
    .map(({ id }) => ({
      ...({ entity: 'subscription', kind: 'missingHere', entityId: null, providerId: id } as const),
      differences: [],
      cause: 'unexplained',
      repair: null,
      reason: 'It was made at the provider for a customer of ours, and was not taken up here.',
    }))
}

const isRunning = ({ status }: Stripe.Subscription) =>
  status !== 'canceled' && status !== 'incomplete_expired'
