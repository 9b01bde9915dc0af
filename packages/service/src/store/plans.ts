import type { Instant } from '@lockstep/core/instant'
import type { Audience, Plan } from '@lockstep/core/plan'
import { planFromJson } from '@lockstep/core/plan'
import type { PriceJson } from '@lockstep/core/price'
import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { grouped, inOrder } from '../postgres/grouped.ts'
import type { Row } from './schema.ts'

/** A plan as it was at one time, for ever. */
export interface PlanVersion {
  readonly id: string
  readonly version: number
  readonly plan: Plan
  /** The id of each price, by its key. */
  readonly priceIds: ReadonlyMap<string, string>
  readonly createdAt: Instant
}

/** The newest version of each plan that is not archived, by key. */
export async function readNewestPlans(
  db: Db | Trx,
  filter: {
    audience?: Audience | undefined
    product?: string | undefined
    currency?: string | undefined
    interval?: Plan['interval'] | undefined
    after?: string | undefined
    limit?: number
    archivedToo?: boolean
    /** Only what the catalogue names. */
    origin?: 'catalog'
  } = {},
): Promise<PlanVersion[]> {
  let query = db
    .selectFrom('planVersion')
    .innerJoin('plan', 'plan.key', 'planVersion.planKey')
    .distinctOn('planVersion.planKey')
    .selectAll('planVersion')
    .select('plan.archivedAt')
    .orderBy('planVersion.planKey')
    .orderBy('planVersion.version', 'desc')
  if (!filter.archivedToo) query = query.where('plan.archivedAt', 'is', null)
  if (filter.origin !== undefined) query = query.where('plan.origin', '=', filter.origin)
  if (filter.after !== undefined) query = query.where('planVersion.planKey', '>', filter.after)
  // All this is said by the newest version, so it is asked after choosing that.
  let newest = db.selectFrom(query.as('newest')).selectAll().orderBy('planKey')
  if (filter.audience !== undefined) newest = newest.where('audience', '=', filter.audience)
  if (filter.product !== undefined) newest = newest.where('productKey', '=', filter.product)
  if (filter.currency !== undefined) newest = newest.where('currency', '=', filter.currency)
  if (filter.interval !== undefined) newest = newest.where('interval', '=', filter.interval)
  if (filter.limit !== undefined) newest = newest.limit(filter.limit)
  return withPrices(db, await newest.execute())
}

const newestOf = compiled((db, { keys }: { readonly keys: readonly string[] }) =>
  db
    .selectFrom('planVersion')
    .innerJoin('plan', 'plan.key', 'planVersion.planKey')
    .distinctOn('planVersion.planKey')
    .selectAll('planVersion')
    .select('plan.archivedAt')
    .where(isOneOf('plan_version.plan_key', keys))
    .orderBy('planVersion.planKey')
    .orderBy('planVersion.version', 'desc'),
)

/** The newest version of a plan, archived or not. */
export const readNewestPlan = grouped(
  async (db, keys: readonly string[]): Promise<((PlanVersion & { isArchived: boolean }) | undefined)[]> => {
    const rows = await newestOf(db, { keys })
    const versions = await withPrices(db, rows)
    const newest = rows.flatMap((row, i) => {
      const version = versions[i]
      return version ? [{ ...version, isArchived: row.archivedAt !== null }] : []
    })
    return inOrder(keys, newest, ({ plan }) => plan.key)
  },
)

export async function loadPlanVersion(db: Db | Trx, id: string): Promise<PlanVersion> {
  const [version] = await loadPlanVersions(db, [id])
  if (!version) throw new Error(`There is no plan version ${id}.`)
  return version
}

/** These versions, in their order. */
export async function loadPlanVersions(db: Db | Trx, ids: readonly string[]): Promise<PlanVersion[]> {
  // By the time that others are read, one of these may be kept no more.
  const known = ids.flatMap((id) => versions.get(id) ?? [])
  const unknown = ids.filter((id) => !versions.has(id))
  const rows =
    unknown.length === 0
      ? []
      : await db.selectFrom('planVersion').selectAll().where('id', 'in', unknown).execute()
  const all = [...known, ...(await withPrices(db, rows))]
  return ids.map((id) => {
    const version = all.find((one) => one.id === id)
    if (!version) throw new Error(`There is no plan version ${id}.`)
    return version
  })
}

/** A version never changes, so it is read once. Of more than these, the ones that were read first are read again. */
const MOST_KEPT = 1000
const versions = new Map<string, PlanVersion>()

function keep(version: PlanVersion): PlanVersion {
  const [oldest] = versions.size < MOST_KEPT ? [] : versions.keys()
  if (oldest !== undefined) versions.delete(oldest)
  versions.set(version.id, version)
  return version
}

async function withPrices(db: Db | Trx, rows: readonly Row<'planVersion'>[]): Promise<PlanVersion[]> {
  const known = rows.flatMap(({ id }) => versions.get(id) ?? [])
  if (known.length === rows.length) return known
  const prices = await db
    .selectFrom('price')
    .select(['id', 'planVersionId', 'key', 'definition'])
    .where(
      'planVersionId',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('position')
    .execute()
  return rows.map((row) => {
    const own = prices.filter(({ planVersionId }) => planVersionId === row.id)
    return keep({
      id: row.id,
      version: row.version,
      createdAt: row.createdAt,
      plan: planFromJson({
        ...row,
        key: row.planKey,
        product: row.productKey,
        prices: own.map(({ definition }) => definition as PriceJson),
      }),
      priceIds: new Map(own.map(({ key, id }) => [key, id])),
    })
  })
}
