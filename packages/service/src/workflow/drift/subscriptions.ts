import { addonsInWords } from '@lockstep/core/addon'
import { flowsOut } from '@lockstep/core/direction'
import { type DriftValue, fieldDifferences, judgeDifference, saysTheSame } from '@lockstep/core/drift'
import { formatInstant, type Instant } from '@lockstep/core/instant'
import { numbersInWords } from '@lockstep/core/item-numbers'
import { isBilledByProvider } from '@lockstep/core/price'
import { isTerminal } from '@lockstep/core/subscription'
import type Stripe from 'stripe'
import type { Db } from '../../postgres/connect.ts'
import { withAllItems } from '../../provider/stripe/fetch.ts'
import { type ObservedSubscription, toSubscription } from '../../provider/stripe/to-subscription.ts'
import {
  hasOtherInterval,
  type UsageInterval,
  usageIntervalOf,
} from '../../provider/stripe/usage-interval.ts'
import { type LinkedSubscription, linkedSubscriptions } from '../../store/drift.ts'
import { loadPlanVersions, type PlanVersion } from '../../store/plans.ts'
import { countItems } from '../../store/plans-of-items.ts'
import { itemsOfVersion, type SoldFor, versionsOfPrices } from '../../store/price-versions.ts'
import { readObjects } from '../../store/provider-objects.ts'
import type { MeteredItem } from '../../store/provider-usage.ts'
import type { LookDeps } from '../look.ts'
import { termsSeen } from '../observe/terms-seen.ts'
import type { Compared, Drift } from './drift.ts'
import { compareMadeThere } from './lost-links.ts'
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
  const plans = await plansBy(db, [
    ...linked.map(({ planVersionId }) => planVersionId),
    ...[...versions.values()].map(({ versionId }) => versionId),
  ])
  const beside = await readBeside(deps, objects, rows, plans)
  const drifts = objects.flatMap((object): Drift[] => {
    const row = rows.get(object.id)
    if (!row) return []
    const seen = read(object)
    const there = (shown: ObservedSubscription) => thereOf(shown, versions, plans, row.planVersionId)
    const { here = {}, there: others = {} } = beside.get(object.id) ?? {}
    const before = pictures.get(`subscription ${object.id}`)?.raw
    // What is taken off an item, and by what it is changed later on, stands in its picture alone.
    const pictured: Record<string, DriftValue> = wasSeen(before) ? picturedOf(read(before)) : {}
    const differences = fieldDifferences(
      { ...hereOf(row), ...pictured, ...here },
      { ...there(seen), ...others },
    )
    if (differences.length === 0) return []
    const verdict = judgeDifference({
      entity: 'subscription',
      differences,
      seenAsItIs:
        wasSeen(before) &&
        saysTheSame(
          there(read(before)),
          differences.filter(({ field }) => !(field in here)),
        ) &&
        (!('addons' in here) || itemsInWords(read(before)) === itemsInWords(seen)),
      isTold: flowsOut(provider.sync.directions.invoice),
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
  const theirs = await compareMadeThere(deps, others)
  return { drifts: [...drifts, ...unlinked.drifts, ...theirs], underWay: unlinked.underWay }
}

async function plansBy(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, PlanVersion>> {
  const versions = await loadPlanVersions(db, [...new Set(ids)])
  return new Map(versions.map((version) => [version.id, version]))
}

function planIn(plans: ReadonlyMap<string, PlanVersion>, id: string): PlanVersion {
  const version = plans.get(id)
  if (!version) throw new Error(`There is no plan version ${id}.`)
  return version
}

interface Beside {
  readonly here: Readonly<Record<string, DriftValue>>
  readonly there: Readonly<Record<string, DriftValue>>
}

/** What is not said by a subscription's own fields: its add-ons, the numbers of its items, and how often its usage is invoiced. */
async function readBeside(
  deps: LookDeps,
  objects: readonly Stripe.Subscription[],
  rows: ReadonlyMap<string, LinkedSubscription>,
  plans: ReadonlyMap<string, PlanVersion>,
): Promise<ReadonlyMap<string, Beside>> {
  const { db, provider } = deps
  const found = new Map<string, Beside>()
  for (const object of objects) {
    const row = rows.get(object.id)
    if (!row || isTerminal(row.status)) continue
    const { items, currency } = read(object)
    const own = items.filter(({ rhythm }) => rhythm.currency === currency)
    const { plan } = planIn(plans, row.planVersionId)
    const hasSeveral =
      row.addons.length > 0 || own.length > 1 || plan.prices.filter(isBilledByProvider).length > 1
    // What the provider's own meters count may stand there alone, and then no fee of the plan's is paid.
    const isMetered = own.every(({ quantity }) => quantity === null)
    const terms = hasSeveral || isMetered ? await termsSeen(db, provider, own, row.planVersionId) : undefined
    const wanted = usageIntervalOf(plan)
    // Where subscriptions are made there alone, whoever makes them sets it.
    const isOther = flowsOut(provider.sync.directions.subscription) && hasOtherInterval(object, wanted)
    found.set(object.id, {
      here: {
        ...(terms && { addons: addonsInWords(row.addons), itemNumbers: numbersInWords(row.itemNumbers) }),
        ...(isOther && { usageInterval: often(wanted) }),
      },
      there: {
        ...(terms && { addons: addonsInWords(terms.addons), itemNumbers: numbersInWords(terms.itemNumbers) }),
        ...(isOther && { usageInterval: often(object.pending_invoice_item_interval) }),
      },
    })
  }
  return found
}

/** What the provider's own meters count: an item of which nothing is known here is shown on no current invoice. */
const meteredInWords = (items: readonly MeteredItem[]): string =>
  items
    .map(({ item, price, end }) => `${price} on ${item} until ${formatInstant(end)}`)
    .sort()
    .join(', ')

const itemsInWords = ({ items }: ObservedSubscription): string =>
  items
    .map(({ price, quantity }) => `${quantity ?? 'metered'} × ${price}`)
    .sort()
    .join(', ')

const often = (of: UsageInterval | Stripe.Subscription.PendingInvoiceItemInterval | null): string =>
  of === null ? 'with the fees' : `${of.interval_count ?? 1} ${of.interval}`

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
    discounts: row.discounts.join(', '),
    meteredItems: meteredInWords(row.meteredItems),
  }
}

function thereOf(
  seen: ObservedSubscription,
  versions: ReadonlyMap<string, SoldFor>,
  plans: ReadonlyMap<string, PlanVersion>,
  knownVersionId: string,
): Record<string, DriftValue> {
  const items = seen.items.filter(({ rhythm }) => rhythm.currency === seen.currency)
  const sold = new Set(items.flatMap(({ price }) => versions.get(price)?.versionId ?? []))
  const [first] = sold
  // Prices of no plan of ours, or of several, say nothing of the plan.
  const version = sold.size === 1 ? first : undefined
  const { id, plan } = planIn(plans, version ?? knownVersionId)
  const standing = itemsOfVersion(items, versions, id)
  return {
    // A status that we have no word for is told by the inbox, and compared with nothing.
    ...(seen.status !== undefined && { status: seen.status }),
    ...(version !== undefined && { planVersion: version }),
    currency: seen.currency,
    // The number of what is no plan's, like an add-on, is not the subscription's.
    ...(standing.length > 0 && { quantity: countItems(plan.prices, standing).quantity }),
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
    discounts: seen.discounts.join(', '),
    meteredItems: meteredInWords(seen.meteredItems),
    ...picturedOf(seen),
  }
}

const picturedOf = (seen: ObservedSubscription): Record<string, DriftValue> => ({
  itemDiscounts: discountsOfItems(seen),
  schedule: seen.schedule,
})

const discountsOfItems = ({ items }: ObservedSubscription): string =>
  items
    .flatMap(({ providerId, discounts }) => discounts.map((discount) => `${discount} on ${providerId}`))
    .sort()
    .join(', ')
