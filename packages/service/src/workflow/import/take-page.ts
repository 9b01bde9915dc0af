import { importPolicy } from '@lockstep/core/import'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { passes } from '../../passing.ts'
import type { Belonging } from '../../provider/stripe/belongings.ts'
import { isOwn } from '../../provider/stripe/metadata.ts'
import { isMetered, modelOf } from '../../provider/stripe/to-price.ts'
import { someAtOnce } from '../../some-at-once.ts'
import { problemIn } from '../../store/events-expired.ts'
import type { PageCounts } from '../../store/imports.ts'
import { entityIdOf } from '../../store/mappings.ts'
import { isSeenSo, readObject, readObjects } from '../../store/provider-objects.ts'
import { knowDiscounts } from '../admit/discounts.ts'
import { admitProduct } from '../admit/product.ts'
import type { ShownDiscounts } from '../admit/shown-discounts.ts'
import { itemsInItsCurrency } from '../admit/subscription.ts'
import { type AdmitDeps, isUnclaimed } from '../admit/taking-up.ts'
import { admit } from '../admit.ts'
import { knowSchedule, type LookDeps, lookAt } from '../look.ts'
import { isOurs, type Observed, observe } from '../observe.ts'
import { foresee } from './foresee.ts'
import { pricesLeft, type ReasonLeft } from './prices-left.ts'

export interface PageToTake {
  readonly type: Observed['type']
  readonly objects: readonly { readonly id: string }[]
  readonly shown: ShownDiscounts
  /** By the object's id, in a dry run: what it belongs to. */
  readonly belongings: ReadonlyMap<string, Belonging>
  /** Drawn before the page was asked for. */
  readonly observation: bigint
  readonly dryRun: boolean
  /** One behind the other: what is made of them has an order. */
  readonly inOrder: boolean
  readonly refuse: (id: string, problem: Problem) => Promise<void>
  /** Those that get no link, and are no refusal. */
  readonly leave: (left: ReadonlyMap<string, ReasonLeft>) => Promise<void>
}

type Taken = 'made' | 'known' | 'foreignObjects' | 'refused' | 'leftAlone'

/** Objects of one page that are taken up at the same time: fewer than a process has database connections. */
const AT_ONCE = 4

/**
 * Takes up what a page of Stripe's lists shows, each object by the same rules as an event would, and writes down
 * how it stands. What was seen exactly so before costs one read for the page.
 */
export async function takePage(deps: LookDeps, page: PageToTake): Promise<PageCounts> {
  const { type, objects } = page
  const seen = await readObjects(
    deps.db,
    objects.map(({ id }) => ({ type, id })),
  )
  // Stripe listed them as what they are.
  const left = await pricesLeft(deps, type === 'price' ? (objects as readonly Stripe.Price[]) : [])
  await page.leave(left)
  const counts = { looked: objects.length, made: 0, known: 0, foreignObjects: 0, refused: 0, leftAlone: 0 }
  let metered = 0
  await someAtOnce(objects, page.inOrder ? 1 : AT_ONCE, async (object) => {
    const isLeft = left.has(object.id)
    const isSeen = isSeenSo(seen.get(`${type} ${object.id}`), object)
    const wasSeen = seen.has(`${type} ${object.id}`)
    const taken = isSeen || (isLeft && page.dryRun) ? 'known' : await take(deps, page, object, wasSeen)
    counts[isLeft && taken !== 'refused' ? 'leftAlone' : taken] += 1
    const isTaken = taken === 'made' || taken === 'known'
    if (isTaken && type === 'subscription' && isCounted(object as Stripe.Subscription)) metered += 1
  })
  return { ...counts, metered }
}

/** Whether what the provider's own meters count of it is asked for. */
function isCounted({ status, items }: Stripe.Subscription): boolean {
  return (
    status !== 'canceled' &&
    status !== 'incomplete_expired' &&
    items.data.some(({ price }) => isMetered(price))
  )
}

async function take(
  deps: LookDeps,
  page: PageToTake,
  object: { readonly id: string },
  wasSeen: boolean,
  isLastTry = false,
): Promise<Taken> {
  const { type, observation, dryRun, refuse, shown } = page
  // Stripe listed it as one of this type.
  const observed = { type, object, observation, source: 'fetch' } as Observed
  try {
    const wasOurs = await isKnown(deps, observed)
    // What a customer of ours is to pay is theirs before anything of it is here.
    const wasHere = wasOurs && (wasSeen || (type !== 'invoice' && type !== 'invoiceitem'))
    if (!wasOurs && isAnothers(deps, object)) return 'foreignObjects'
    if (dryRun) {
      if (wasOurs) return wasHere ? 'known' : 'made'
      const foreseen = await foresee(deps, observed, page.belongings.get(object.id) ?? {})
      if (foreseen === 'leftAlone') await page.leave(new Map([[object.id, 'metered']]))
      if (foreseen === 'made') refuseUnreadable(observed)
      return foreseen
    }
    if (wasOurs) await knowDiscounts({ ...deps, shown }, observed)
    else await admitListed({ ...deps, shown }, observed)
    const outcome = await observe(deps, observed)
    // Of our own lines nothing is kept here: where they are is read with every synchronisation.
    if (outcome.kind === 'foreign') return isOwn(deps.provider, labeled(object)) ? 'known' : 'foreignObjects'
    // A list shows ten of its lines: then it is looked at by itself.
    if (outcome.kind === 'incomplete' || outcome.kind === 'subscriptionBehind')
      await lookAt(deps, { type, id: object.id })
    else if (outcome.kind === 'applied') await knowSchedule(deps, observed, outcome)
    return wasHere ? 'known' : 'made'
  } catch (error) {
    if (passes(error)) throw error
    // What is no refusal may have been of the moment, like a connection that was not free: a second try tells.
    if (!(error instanceof Problem) && !isLastTry) return take(deps, page, object, wasSeen, true)
    const problem =
      problemIn(error) ??
      new Problem('internal_error', `Something broke; the log has it under ${object.id}.`, { cause: error })
    deps.log.warn({ err: error, type, object: object.id }, 'An object was not imported.')
    await refuse(object.id, problem)
    return 'refused'
  }
}

/** What a dry run can see of a refusal to come: a price is listed with its tiers, and a subscription with its prices. */
function refuseUnreadable({ type, object }: Observed): void {
  if (type === 'price' && !object.deleted && !isMetered(object)) modelOf(object)
  if (type === 'subscription' && isUnclaimed(object.metadata)) itemsInItsCurrency(object)
}

/** A price is observed as soon as its product is known, and may be new here for all that. */
async function isKnown({ db, provider }: LookDeps, observed: Observed): Promise<boolean> {
  // It is known by the coupon that it claims.
  if (observed.type === 'promotion_code')
    return (await readObject(db, { type: observed.type, id: observed.object.id })) !== undefined
  if (observed.type !== 'price') return isOurs(db, observed)
  return (await entityIdOf(db, provider, 'price', observed.object.id)) !== undefined
}

/** By the rules of an event, except that prices are not asked for product by product: they are listed next. */
async function admitListed(deps: AdmitDeps, observed: Observed): Promise<void> {
  const importing = {
    ...deps,
    origin: 'import' as const,
    provider: { ...deps.provider, sync: importPolicy },
  }
  if (observed.type === 'product') await admitProduct(importing, observed.object, { pricesFollow: true })
  else await admit(importing, observed)
}

/** It carries the name of another installation: that one's to touch, and not ours. */
function isAnothers({ provider }: LookDeps, object: object): boolean {
  const { metadata } = labeled(object)
  return !isOwn(provider, { metadata }) && !isUnclaimed(metadata)
}

function labeled(object: object): { readonly metadata: Stripe.Metadata | null } {
  const { metadata = null } = object as { metadata?: Stripe.Metadata | null }
  return { metadata }
}
