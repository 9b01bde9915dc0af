import type { Instant } from '@lockstep/core/instant'
import { isNewPriceFor, type PlanRollState } from '@lockstep/core/plan-roll'
import { isTerminal, subscriptionStatuses } from '@lockstep/core/subscription'
import { sql } from 'kysely'
import { newId } from '../ids.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { loadPlanVersion, type PlanVersion } from './plans.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

const live = subscriptionStatuses.filter((status) => !isTerminal(status))

interface NewPrice {
  readonly planKey: string
  readonly versionId: string
  /** When the provider says that its price was made: who subscribed later chose another one though it was there. */
  readonly pricedAt: Instant
  readonly at: Instant
}

/**
 * A plan has a new version: everybody who subscribed before to another price of it, and pays as often, is to go on to
 * it. What was planned for them before is superseded. Time on a test clock says nothing of when a price was made.
 */
export async function planRolls(trx: Trx, { planKey, versionId, pricedAt, at }: NewPrice): Promise<void> {
  const { plan: next } = await loadPlanVersion(trx, versionId)
  const { rows } = await sql<{ id: string }>`
    select distinct v.id from plan_version v join subscription s on s.plan_version_id = v.id
      join customer c on c.id = s.customer_id
     where v.plan_key = ${planKey} and v.id <> ${versionId} and s.status = any(${live}::text[])
       and (c.test_clock_id is not null or s.started_at < ${sqlTime(pricedAt)})`.execute(trx)
  for (const { id: fromVersionId } of rows) {
    if (!isNewPriceFor((await loadPlanVersion(trx, fromVersionId)).plan, next)) continue
    await trx
      .updateTable('planRoll')
      .set({ state: 'superseded' })
      .where('fromVersionId', '=', fromVersionId)
      .where('state', '=', 'planned')
      .execute()
    await trx
      .insertInto('planRoll')
      .values({
        ...{ id: newId('plan_roll'), planKey, fromVersionId, toVersionId: versionId },
        ...{ state: 'planned', plannedAt: sqlTime(at) },
      })
      .onConflict((on) => on.columns(['fromVersionId', 'toVersionId']).doNothing())
      .execute()
  }
}

/**
 * A price is another version's from now on, and whoever pays it is on that one: what is planned goes with it. Where that
 * version has a plan of its own already, it is that one, and where the same was planned and superseded, it is planned
 * again; a roll onto itself is none.
 */
export async function moveRolls(trx: Trx, { from, to }: { from: string; to: string }): Promise<void> {
  const versions = await trx
    .selectFrom('price')
    .select(['id', 'planVersionId'])
    .where('id', 'in', [from, to])
    .execute()
  const versionOf = (price: string) => versions.find(({ id }) => id === price)?.planVersionId ?? null
  const [was, next] = [versionOf(from), versionOf(to)]
  if (was === null || next === null || was === next) return
  const planned = await trx
    .selectFrom('planRoll')
    .selectAll()
    .where('state', '=', 'planned')
    .where((eb) => eb.or([eb('fromVersionId', '=', was), eb('toVersionId', '=', was)]))
    .orderBy('id')
    .execute()
  const moved = (version: string) => (version === was ? next : version)
  for (const { id, fromVersionId, toVersionId } of planned)
    await moveRoll(trx, id, { fromVersionId: moved(fromVersionId), toVersionId: moved(toVersionId) })
}

async function moveRoll(
  trx: Trx,
  id: string,
  { fromVersionId, toVersionId }: Pick<Row<'planRoll'>, 'fromVersionId' | 'toVersionId'>,
): Promise<void> {
  const ofSame = await trx
    .selectFrom('planRoll')
    .select(['id', 'toVersionId', 'state'])
    .where('fromVersionId', '=', fromVersionId)
    .where('id', '!=', id)
    .execute()
  const twin = ofSame.find((roll) => roll.toVersionId === toVersionId)
  const isPlanned = ofSame.some(({ state }) => state === 'planned')
  const change = (
    roll: string,
    set: Partial<Pick<Row<'planRoll'>, 'fromVersionId' | 'toVersionId' | 'state'>>,
  ) => trx.updateTable('planRoll').set(set).where('id', '=', roll).execute()
  if (!twin && !isPlanned && fromVersionId !== toVersionId) {
    await change(id, { fromVersionId, toVersionId })
    return
  }
  await change(id, { state: 'superseded' })
  if (twin && !isPlanned) await change(twin.id, { state: 'planned' })
}

export interface PlanRoll extends Row<'planRoll'> {
  readonly from: PlanVersion
  readonly to: PlanVersion
  /** Live subscriptions that are on the old version now. */
  readonly subscriptions: number
}

interface RollFilter {
  readonly plan?: string | undefined
  readonly state?: PlanRollState | undefined
  readonly limit: number
  readonly after?: string | undefined
}

/** Newest first. */
export async function listPlanRolls(db: Db, { plan, state, limit, after }: RollFilter): Promise<PlanRoll[]> {
  let query = selectRolls(db)
  if (plan !== undefined) query = query.where('planKey', '=', plan)
  if (state !== undefined) query = query.where('state', '=', state)
  if (after !== undefined) query = query.where('planRoll.id', '<', after)
  const rows = await query.orderBy('planRoll.id', 'desc').limit(limit).execute()
  return Promise.all(rows.map((row) => withVersions(db, row)))
}

export async function readPlanRoll(db: Db, id: string): Promise<PlanRoll | undefined> {
  const row = await selectRolls(db).where('planRoll.id', '=', id).executeTakeFirst()
  return row && withVersions(db, row)
}

function selectRolls(db: Db) {
  return db
    .selectFrom('planRoll')
    .selectAll('planRoll')
    .select((eb) =>
      eb
        .selectFrom('subscription')
        .select((inner) => inner.fn.countAll<bigint>().as('count'))
        .whereRef('subscription.planVersionId', '=', 'planRoll.fromVersionId')
        .where('subscription.status', 'in', live)
        .as('subscriptions'),
    )
}

async function withVersions(
  db: Db,
  row: Row<'planRoll'> & { readonly subscriptions: bigint | null },
): Promise<PlanRoll> {
  const [from, to] = await Promise.all([
    loadPlanVersion(db, row.fromVersionId),
    loadPlanVersion(db, row.toVersionId),
  ])
  return { ...row, from, to, subscriptions: Number(row.subscriptions ?? 0n) }
}
