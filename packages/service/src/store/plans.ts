import type { Instant } from '@lockstep/core/instant'
import type { Audience, Plan } from '@lockstep/core/plan'
import { planFromJson } from '@lockstep/core/plan'
import type { PriceJson } from '@lockstep/core/price'
import type { Db, Trx } from '../postgres/connect.ts'
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
    after?: string | undefined
    limit?: number
    archivedToo?: boolean
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
  if (filter.after !== undefined) query = query.where('planVersion.planKey', '>', filter.after)
  // The audience is that of the newest version, so it is asked after choosing that.
  let newest = db.selectFrom(query.as('newest')).selectAll().orderBy('planKey')
  if (filter.audience !== undefined) newest = newest.where('audience', '=', filter.audience)
  if (filter.limit !== undefined) newest = newest.limit(filter.limit)
  return withPrices(db, await newest.execute())
}

/** The newest version of a plan, archived or not. */
export async function readNewestPlan(
  db: Db | Trx,
  key: string,
): Promise<(PlanVersion & { readonly isArchived: boolean }) | undefined> {
  const row = await db
    .selectFrom('planVersion')
    .innerJoin('plan', 'plan.key', 'planVersion.planKey')
    .selectAll('planVersion')
    .select('plan.archivedAt')
    .where('planVersion.planKey', '=', key)
    .orderBy('planVersion.version', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!row) return undefined
  const [version] = await withPrices(db, [row])
  return version && { ...version, isArchived: row.archivedAt !== null }
}

export async function loadPlanVersion(db: Db | Trx, id: string): Promise<PlanVersion> {
  const row = await db.selectFrom('planVersion').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  const [version] = await withPrices(db, [row])
  if (!version) throw new Error(`There is no plan version ${id}.`)
  return version
}

async function withPrices(db: Db | Trx, rows: readonly Row<'planVersion'>[]): Promise<PlanVersion[]> {
  if (rows.length === 0) return []
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
    return {
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
    }
  })
}
