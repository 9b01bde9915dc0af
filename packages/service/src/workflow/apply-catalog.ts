import { type Catalog, type CatalogChange, catalogDiff } from '@lockstep/core/catalog'
import type { Instant } from '@lockstep/core/instant'
import { child } from '@lockstep/core/pointer'
import { isBilledByProvider } from '@lockstep/core/price'
import { type Fault, Problem } from '@lockstep/core/problem'
import type { Clock } from '../clock.ts'
import { newId } from '../ids.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { newHolder } from '../postgres/presence.ts'
import { transaction } from '../postgres/transaction.ts'
import type { Provider } from '../provider/stripe/account.ts'
import { whyNotBillable, whyNotReducible } from '../provider/stripe/products.ts'
import { writeGrace } from '../store/access.ts'
import { writeAddons } from '../store/addons.ts'
import {
  claimForCatalog,
  keepOnly,
  lockCatalog,
  readCatalog,
  writeFeature,
  writeMeter,
  writePlanKeys,
  writePlanVersion,
  writeProduct,
} from '../store/catalog.ts'
import { writeChangePolicy } from '../store/change-policy.ts'
import { inboundCoupons, writeCoupon } from '../store/coupons.ts'
import { readNewestPlans } from '../store/plans.ts'
import { writeSeller } from '../store/seller.ts'
import { writeSignUp } from '../store/sign-up.ts'
import { holdersOf, type Subscribers, subscribersOf } from '../store/subscribers.ts'
import { retryUnmapped } from '../store/unmapped-events.ts'
import { addWorkflow, problemOf } from '../store/workflows.ts'
import { PUBLISH, type Unpublished, unpublished } from './publish-catalog.ts'
import type { Workflows } from './workflows.ts'

export interface CatalogDeps {
  readonly db: Db
  readonly clock: Clock
  readonly provider: Pick<Provider, 'sync'>
}

/**
 * What stands otherwise than it is written: here, and at the provider. Nothing is changed. What stands as it is written and
 * cannot be bought all the same is `unchanged`, and says why.
 */
export async function planCatalog(
  { db, clock, provider }: CatalogDeps,
  wanted: Catalog,
): Promise<ChangeForWhom[]> {
  const { changes, untold, archived } = await compare(db, provider, wanted, clock.now())
  return forWhom(db, [...changes, ...untold, ...archived])
}

/** A change, and who is on which version of the plan or add-on: there they stay, whatever the newest one says. */
export type ChangeForWhom = CatalogChange & { readonly subscribers: readonly Subscribers[] }

async function forWhom(db: Db | Trx, changes: readonly CatalogChange[]): Promise<ChangeForWhom[]> {
  const changing = (wanted: CatalogChange['kind']) =>
    changes
      .filter(({ kind, action }) => kind === wanted && (action === 'newVersion' || action === 'archive'))
      .map(({ key }) => key)
  const plans = await subscribersOf(db, changing('plan'))
  const addons = await holdersOf(db, changing('addon'))
  const found = ({ kind, key }: CatalogChange) => (kind === 'addon' ? addons : plans).get(key)
  const isSold = ({ kind }: CatalogChange) => kind === 'plan' || kind === 'addon'
  return changes.map((change) => ({ ...change, subscribers: (isSold(change) && found(change)) || [] }))
}

/** Whoever applies waits this long for the provider; the publishing goes on by itself afterwards. */
const PATIENCE_SECONDS = 50

/**
 * Makes this database say what is written, in one transaction, and then the provider. Answers what
 * was changed. Applying the same again changes nothing and asks the provider nothing.
 */
export async function applyCatalog(
  deps: CatalogDeps & { readonly workflows: Workflows },
  wanted: Catalog,
): Promise<ChangeForWhom[]> {
  const { db, clock, provider, workflows } = deps
  const workflow = { id: newId('workflow'), holder: newHolder() }
  const { changes, toPublish } = await transaction(db, async (trx) => {
    await lockCatalog(trx)
    const found = await compare(trx, provider, wanted, clock.now())
    if (found.changes.length > 0) await write(trx, wanted, clock.now())
    const left = await unpublished(trx, provider, clock.now())
    const isPending = left.products.length > 0 || left.prices.length > 0 || left.coupons.length > 0
    if (isPending) {
      await addWorkflow(trx, {
        ...workflow,
        kind: PUBLISH,
        subjectId: workflow.id,
        input: {},
        at: clock.now(),
      })
    }
    const all = await forWhom(trx, [...found.changes, ...found.untold])
    return { changes: all, toPublish: isPending }
  })
  if (!toPublish) return changes

  workflows.begin(workflow.id, workflow.holder)
  const { state, problem } = await workflows.settled(workflow.id, PATIENCE_SECONDS)
  if (state === 'completed') return changes
  throw (
    problemOf(problem) ??
    new Problem(
      'provider_unavailable',
      'The catalogue is applied here and still being told to the provider.',
      {
        retryAfterSeconds: 10,
      },
    )
  )
}

interface Difference {
  /** What the database has to learn. */
  readonly changes: readonly CatalogChange[]
  /** What the database knows and the provider does not yet. */
  readonly untold: readonly CatalogChange[]
  /** What the provider knows and sells no more. */
  readonly archived: readonly CatalogChange[]
}

async function compare(
  db: Db | Trx,
  provider: Pick<Provider, 'sync'>,
  wanted: Catalog,
  at: Instant,
): Promise<Difference> {
  refuseUnbillable(wanted)
  const current = await readCatalog(db)
  // One that came in never changes either: the catalogue names it as it is, or names another.
  const cameIn = await inboundCoupons(
    db,
    wanted.coupons.map(({ key }) => key),
  )
  catalogDiff({ ...current, coupons: [...current.coupons, ...cameIn] }, wanted)
  const changes = catalogDiff(current, wanted).filter(({ action }) => action !== 'unchanged')
  const { products, prices, coupons, archived } = await unpublished(db, provider, at)
  const untold = [
    ...products.map(({ product: { key } }) => ({ kind: 'product' as const, key })),
    ...coupons.map(({ key }) => ({ kind: 'coupon' as const, key })),
    ...onceEach(prices.map(({ soldBy }) => soldBy)),
  ].filter(({ kind, key }) => !changes.some((change) => change.kind === kind && change.key === key))
  const details = ['The provider does not know it yet.']
  return {
    changes,
    untold: untold.map((of) => ({ ...of, action: 'update', details })),
    archived: onceEach(archived)
      .filter(({ kind, key }) => isWanted(wanted, kind, key) && !makesPrices(changes, kind, key))
      .map((of) => ({ ...of, action: 'unchanged', details: [ARCHIVED] })),
  }
}

const ARCHIVED =
  'Its price, or the product of that, was archived at the provider, so that nobody can register: see `lockstep drift repair`.'

const isWanted = ({ plans, addons }: Catalog, kind: 'plan' | 'addon', key: string) =>
  (kind === 'plan' ? plans : addons).some((one) => one.key === key)

/** A new version has prices of its own. */
const makesPrices = (changes: readonly CatalogChange[], kind: 'plan' | 'addon', key: string) =>
  changes.some((change) => change.kind === kind && change.key === key && change.action === 'newVersion')

/** Plans and add-ons, each once. */
function onceEach(all: readonly Unpublished['archived'][number][]) {
  return [...new Map(all.map(({ kind, key }) => [`${kind} ${key}`, { kind, key }])).values()]
}

async function write(trx: Trx, catalog: Catalog, at: number): Promise<void> {
  const { products, meters, features, coupons, plans, addons } = catalog
  await writeSeller(trx, catalog.seller)
  for (const product of products) await writeProduct(trx, product, at)
  for (const meter of meters) await writeMeter(trx, meter, at)
  for (const feature of features) await writeFeature(trx, feature, at)
  for (const coupon of coupons) await writeCoupon(trx, coupon, at)
  await writePlanKeys(trx, plans, at)
  const newest = new Map(
    (await readNewestPlans(trx, { archivedToo: true })).map((version) => [version.plan.key, version]),
  )
  for (const plan of plans) await writePlanVersion(trx, plan, newest.get(plan.key), at)
  await writeAddons(trx, addons, at)
  await writeSignUp(trx, catalog.signUp)
  await writeChangePolicy(trx, catalog.planChanges)
  await writeGrace(trx, catalog.grace)
  const keysOf = (list: readonly { key: string }[]) => list.map(({ key }) => key)
  await claimForCatalog(trx, 'product', keysOf(products))
  await claimForCatalog(trx, 'plan', keysOf(plans))
  await claimForCatalog(trx, 'addon', keysOf(addons))
  await claimForCatalog(trx, 'coupon', keysOf(coupons))
  await keepOnly(trx, 'product', keysOf(products), at)
  await keepOnly(trx, 'meter', keysOf(meters), at)
  await keepOnly(trx, 'feature', keysOf(features), at)
  await keepOnly(trx, 'coupon', keysOf(coupons), at)
  await keepOnly(trx, 'plan', keysOf(plans), at)
  await keepOnly(trx, 'addon', keysOf(addons), at)
  await retryUnmapped(trx, [{ entityType: 'plan_version' }], at)
}

/** What core can price but Stripe cannot bill is said before anything is written. */
function refuseUnbillable({ plans, addons, coupons }: Catalog): void {
  const sold = [
    ...plans.map((plan) => ({ ...plan, section: 'plans' })),
    ...addons.map((addon) => ({ ...addon, section: 'addons' })),
  ]
  const cannot = (pointer: string, detail: string): Fault => ({
    pointer,
    code: 'provider_cannot_bill',
    detail,
  })
  const reductions = coupons.flatMap((coupon): Fault[] => {
    const why = whyNotReducible(coupon)
    return why === undefined ? [] : [cannot(child('#', 'coupons', coupon.key, 'amountOff'), why)]
  })
  const faults = sold.flatMap(({ section, key, prices }) =>
    prices.filter(isBilledByProvider).flatMap((price): Fault[] => {
      const why = whyNotBillable(price)
      if (!why) return []
      const pointer = child('#', section, key, 'prices', price.key, ...why.path.split('/'))
      return [cannot(pointer, why.detail)]
    }),
  )
  const all = [...faults, ...reductions]
  const [first] = all
  if (first) throw new Problem('catalog_invalid', `${first.pointer}: ${first.detail}`, { faults: all })
}
