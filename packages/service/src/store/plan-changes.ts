import type { AttachedAddon } from '@lockstep/core/addon'
import type { Instant } from '@lockstep/core/instant'
import type { ItemNumbers } from '@lockstep/core/item-numbers'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { given, isOneOf } from '../postgres/given.ts'
import { grouped, inOrder } from '../postgres/grouped.ts'
import { type Arrival, arrivalOf, type Came, databaseClock, ranAt } from './coming.ts'
import type { FromTerms, ToldTerms } from './schema/plan-changes.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'
import { addEndedWorkflow, wakeWorkflow } from './workflows.ts'

/** A change with how far its workflow came. */
export type PlanChange = Row<'planChange'> & {
  readonly planKey: string
  readonly planVersion: number
  readonly fromPlanKey: string
  readonly fromPlanVersion: number
  readonly workflowState: Row<'workflow'>['state']
  readonly action: unknown
  readonly problem: unknown
  /** The contract, where one was made of it. */
  readonly concluded: string | null
}

function planChanges(db: Db | Trx) {
  return db
    .selectFrom('planChange')
    .innerJoin('planVersion as wanted', 'wanted.id', 'planChange.planVersionId')
    .innerJoin('planVersion as former', 'former.id', 'planChange.fromPlanVersionId')
    .innerJoin('workflow', 'workflow.id', 'planChange.workflowId')
    .leftJoin('contract', 'contract.id', 'planChange.contractId')
    .selectAll('planChange')
    .select([
      'wanted.planKey',
      'wanted.version as planVersion',
      'former.planKey as fromPlanKey',
      'former.version as fromPlanVersion',
      'workflow.state as workflowState',
      'workflow.action',
      'workflow.problem',
      'contract.id as concluded',
    ])
}

export function readPlanChange(db: Db | Trx, id: string): Promise<PlanChange | undefined> {
  return planChanges(db).where('planChange.id', '=', id).executeTakeFirst()
}

/** The one that the provider is going to carry out when the period is over. */
export function readScheduledChange(db: Db | Trx, subscriptionId: string): Promise<PlanChange | undefined> {
  return planChanges(db)
    .where('planChange.subscriptionId', '=', subscriptionId)
    .where('planChange.state', '=', 'scheduled')
    .executeTakeFirst()
}

/** The newest one that took effect and that a schedule of the provider's was made for, or told anew. */
export function readMadeBySchedule(
  db: Db | Trx,
  subscriptionId: string,
  schedule: string,
): Promise<Row<'planChange'> | undefined> {
  return db
    .selectFrom('planChange')
    .selectAll()
    .where('subscriptionId', '=', subscriptionId)
    .where('state', '=', 'effective')
    .where('providerScheduleId', '=', schedule)
    .orderBy('effectiveAt', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
}

export interface PlanChangeFilter {
  readonly subscription: string
  readonly limit: number
  readonly after?: string | undefined
}

/** Newest first. */
export function listPlanChanges(db: Db, filter: PlanChangeFilter): Promise<PlanChange[]> {
  let query = planChanges(db).where('planChange.subscriptionId', '=', filter.subscription)
  if (filter.after !== undefined) query = query.where('planChange.id', '<', filter.after)
  return query.orderBy('planChange.id', 'desc').limit(filter.limit).execute()
}

/** When a request came, by the clock that says when a workflow ended, and what was made before under its own name. */
export async function arriveAtChange(
  db: Db | Trx,
  operation: string,
  came?: Came,
): Promise<{ readonly arrivedAt: Arrival; readonly known: Named | undefined }> {
  const { rows } = await sql<{ clock: number; id: string | null; workflowId: string | null }>`
    select ${databaseClock} as clock, c.id, c.workflow_id
    from (select) now left join plan_change c on c.operation = ${operation}`.execute(db)
  const [row] = rows
  if (!row) throw new Error('The database does not know the time.')
  const { clock, id, workflowId } = row
  return {
    arrivedAt: arrivalOf(clock, came),
    known: id === null || workflowId === null ? undefined : { id, workflowId },
  }
}

type Named = Pick<Row<'planChange'>, 'id' | 'workflowId'>

/** The changes in the same words that had not ended when a request came, and were not undone, newest first: a double click. */
export async function findTwinChanges(
  db: Db | Trx,
  wish: { readonly subscriptionId: string; readonly requestHash: string; readonly arrivedAt: Arrival },
): Promise<Named[]> {
  const { rows } = await sql<Named>`
    select c.id, c.workflow_id from plan_change c join workflow w on w.id = c.workflow_id
    where c.subscription_id = ${wish.subscriptionId} and c.request_hash = ${wish.requestHash}
      and w.state <> 'rolledBack' and ${ranAt(wish.arrivedAt)}
    order by c.id desc`.execute(db)
  return rows
}

/** The changes of a subscription that have not ended, by their state. */
export async function openChanges(
  db: Db | Trx,
  subscriptionId: string,
): Promise<Readonly<Partial<Record<'applying' | 'scheduled', string>>>> {
  const rows = await db
    .selectFrom('planChange')
    .select(['id', 'state'])
    .where('subscriptionId', '=', subscriptionId)
    .where('state', 'in', ['applying', 'scheduled'])
    .execute()
  return Object.fromEntries(rows.map(({ id, state }) => [state, id]))
}

export function readApplying(db: Db | Trx, subscriptionId: string): Promise<PlanChange | undefined> {
  return planChanges(db)
    .where('planChange.subscriptionId', '=', subscriptionId)
    .where('planChange.state', '=', 'applying')
    .executeTakeFirst()
}

export type NewPlanChange = Omit<
  Row<'planChange'>,
  | 'state'
  | 'dueAt'
  | 'providerScheduleId'
  | 'effectiveAt'
  | 'createdAt'
  | 'coupons'
  | 'withoutCoupons'
  | 'fromAddons'
  | 'fromItemNumbers'
  | 'addons'
  | 'itemNumbers'
  | 'stillTold'
  | 'origin'
> & {
  readonly coupons: readonly string[]
  readonly withoutCoupons: readonly string[]
  readonly fromAddons: readonly AttachedAddon[]
  readonly fromItemNumbers: ItemNumbers
  readonly addons: readonly AttachedAddon[]
  /** How many of a price stand there then, where that is not what the quantity says. */
  readonly itemNumbers: ItemNumbers
  readonly at: Instant
}

export async function addPlanChange(trx: Trx, change: NewPlanChange): Promise<void> {
  const { at, coupons, withoutCoupons, fromAddons, fromItemNumbers, addons, itemNumbers, ...row } = change
  await trx
    .insertInto('planChange')
    .values({
      ...row,
      coupons: JSON.stringify(coupons),
      withoutCoupons: JSON.stringify(withoutCoupons),
      fromAddons: JSON.stringify(fromAddons),
      fromItemNumbers: JSON.stringify(fromItemNumbers),
      addons: JSON.stringify(addons),
      itemNumbers: JSON.stringify(itemNumbers),
      state: 'applying',
      createdAt: sqlTime(at),
    })
    .execute()
}

export type InboundChange = Omit<
  NewPlanChange,
  'operation' | 'requestHash' | 'coupons' | 'withoutCoupons' | 'takesEffect'
> & {
  readonly dueAt: Instant
  readonly providerScheduleId: string
}

/** One that somebody planned at the provider: nothing is to be done for it. What was scheduled before is not any more. */
export async function addInboundChange(trx: Trx, change: InboundChange): Promise<void> {
  const { at, dueAt, fromAddons, fromItemNumbers, addons, itemNumbers, ...row } = change
  await withdrawScheduled(trx, change.subscriptionId)
  await addEndedWorkflow(trx, { id: row.workflowId, kind: 'change-plan', subjectId: row.id, at })
  await trx
    .insertInto('planChange')
    .values({
      ...row,
      fromAddons: JSON.stringify(fromAddons),
      fromItemNumbers: JSON.stringify(fromItemNumbers),
      addons: JSON.stringify(addons),
      itemNumbers: JSON.stringify(itemNumbers),
      ...{ origin: 'provider', requestHash: '', takesEffect: 'periodEnd', state: 'scheduled' },
      dueAt: sqlTime(dueAt),
      createdAt: sqlTime(at),
    })
    .execute()
}

/**
 * What a schedule of the provider's was going to do after a moment and does no more; and what somebody planned there for a
 * time before another, where something else came in its place.
 */
export async function withdrawComing(
  trx: Trx,
  { subscriptionId, schedule, ...due }: Withdrawn,
): Promise<void> {
  const { after, before } = due
  await trx
    .updateTable('planChange')
    .set({ state: 'withdrawn' })
    .where('subscriptionId', '=', subscriptionId)
    .where('state', '=', 'scheduled')
    .where('providerScheduleId', '=', schedule)
    .where((eb) => {
      const isComing = eb('dueAt', '>', sqlTime(after))
      if (before === null) return isComing
      return eb.or([isComing, eb.and([eb('dueAt', '<', sqlTime(before)), eb('origin', '=', 'provider')])])
    })
    .execute()
}

/** The provider has no such schedule any more, and nothing comes of it. */
export async function withdrawGone(trx: Trx, schedule: string): Promise<void> {
  await trx
    .updateTable('planChange')
    .set({ state: 'withdrawn' })
    .where('state', '=', 'scheduled')
    .where('providerScheduleId', '=', schedule)
    .execute()
}

interface Withdrawn {
  readonly subscriptionId: string
  readonly schedule: string
  readonly after: Instant
  readonly before: Instant | null
}

export interface RewrittenChange {
  readonly id: string
  readonly from: FromTerms
  readonly to: ToldTerms
  readonly direction: Row<'planChange'>['direction']
  /** What its schedule says until it is told. */
  readonly stillTold: ToldTerms
}

/** What is planned is something else, because what stands until then is. */
export async function rewriteScheduled(
  trx: Trx,
  { id, from, to, direction, stillTold }: RewrittenChange,
): Promise<void> {
  await trx
    .updateTable('planChange')
    .set({
      ...{ fromPlanVersionId: from.planVersionId, fromQuantity: from.quantity },
      fromAddons: JSON.stringify(from.addons),
      fromItemNumbers: from.itemNumbers && JSON.stringify(from.itemNumbers),
      ...{ planVersionId: to.planVersionId, quantity: to.quantity },
      ...{ addons: JSON.stringify(to.addons), itemNumbers: JSON.stringify(to.itemNumbers) },
      ...{ direction, stillTold: JSON.stringify(only(stillTold)) },
    })
    .where('id', '=', id)
    .where('state', '=', 'scheduled')
    .execute()
}

const only = ({ planVersionId, quantity, addons, itemNumbers }: ToldTerms): ToldTerms => ({
  ...{ planVersionId, quantity, addons, itemNumbers },
})

/** Its schedule says what is planned, unless that became something else since it was told. */
export async function markTold(
  db: Db,
  id: string,
  { planVersionId, quantity, addons, itemNumbers }: ToldTerms,
): Promise<void> {
  await db
    .updateTable('planChange')
    .set({ stillTold: null })
    .where('id', '=', id)
    .where('stillTold', 'is not', null)
    .where('planVersionId', '=', planVersionId)
    .where('quantity', '=', quantity)
    .where(sql<boolean>`addons = ${JSON.stringify(addons)}::jsonb`)
    .where(sql<boolean>`item_numbers = ${JSON.stringify(itemNumbers)}::jsonb`)
    .execute()
}

/** The provider does it at the end of the period. What was scheduled before is not any more. Again, it changes nothing. */
export async function markScheduled(
  trx: Trx,
  { id, subscriptionId }: { readonly id: string; readonly subscriptionId: string },
  { dueAt, providerScheduleId }: { readonly dueAt: Instant; readonly providerScheduleId: string },
): Promise<void> {
  await withdrawScheduled(trx, subscriptionId, id)
  await trx
    .updateTable('planChange')
    .set({ state: 'scheduled', dueAt: sqlTime(dueAt), providerScheduleId })
    .where('id', '=', id)
    .where('state', '=', 'applying')
    .execute()
}

/** What the provider has no schedule for any more, whoever took it away, does not come; all but one, if that is named. */
export const withdrawUnscheduled = grouped(async (trx, all: readonly Unscheduled[]) => {
  await sql`
    update plan_change change set state = 'withdrawn'
    from ${given(
      sql`unnest(${all.map(({ subscriptionId }) => subscriptionId)}::text[],
        ${all.map(({ schedule }) => schedule)}::text[], ${all.map(({ except }) => except ?? null)}::text[])`,
      sql`seen (subscription_id, schedule, kept)`,
    )} as seen
    where change.subscription_id = seen.subscription_id and change.state = 'scheduled'
      and change.provider_schedule_id is distinct from seen.schedule and change.id is distinct from seen.kept`.execute(
    trx,
  )
  return all.map(() => undefined)
})

interface Unscheduled {
  readonly subscriptionId: string
  /** The provider's schedule that it follows, if any. */
  readonly schedule: string | null
  readonly except: string | undefined
}

/** All but one, if that is named. */
export async function withdrawScheduled(trx: Trx, subscriptionId: string, except = ''): Promise<void> {
  await trx
    .updateTable('planChange')
    .set({ state: 'withdrawn' })
    .where('subscriptionId', '=', subscriptionId)
    .where('state', '=', 'scheduled')
    .where('id', '!=', except)
    .execute()
}

/** With what came of it. False: it has ended otherwise, or did before. */
export async function markEffective(
  trx: Trx,
  id: string,
  { planVersionId, quantity, addons, itemNumbers }: ToldTerms,
  at: Instant,
): Promise<boolean> {
  const marked = await trx
    .updateTable('planChange')
    .set({
      ...{ state: 'effective', effectiveAt: sqlTime(at), planVersionId, quantity },
      ...{ addons: JSON.stringify(addons), itemNumbers: JSON.stringify(itemNumbers) },
    })
    .where('id', '=', id)
    .where('state', 'in', ['applying', 'scheduled'])
    .executeTakeFirst()
  return marked.numUpdatedRows === 1n
}

/** Of the coupons of a change that is on its way, the ones that it redeems: the others were given meanwhile. */
export async function redeemOnly(db: Db | Trx, id: string, coupons: readonly string[]): Promise<void> {
  await db
    .updateTable('planChange')
    .set({ coupons: JSON.stringify(coupons) })
    .where('id', '=', id)
    .where('state', '=', 'applying')
    .execute()
}

export async function markRefused(trx: Trx, id: string): Promise<void> {
  await trx
    .updateTable('planChange')
    .set({ state: 'refused' })
    .where('id', '=', id)
    .where('state', '=', 'applying')
    .execute()
}

/** The changes of a subscription that have not ended, one that is applied now before one that is planned. */
export const unendedChanges = grouped(async (trx, subscriptionIds: readonly string[]) => {
  const rows = await trx
    .selectFrom('planChange')
    .selectAll()
    .where(isOneOf('subscription_id', subscriptionIds))
    .where('state', 'in', ['applying', 'scheduled'])
    .orderBy('state')
    .execute()
  const of = Map.groupBy(rows, ({ subscriptionId }) => subscriptionId)
  return subscriptionIds.map((id): readonly Row<'planChange'>[] => of.get(id) ?? [])
})

/** Whoever waits for what becomes of a subscription looks once more. */
export async function wakePlanChange(trx: Trx, subscriptionId: string): Promise<void> {
  const waiting = await applyingChange(trx, subscriptionId)
  if (waiting) await wakeWorkflow(trx, waiting.workflowId)
}

const applyingChange = grouped(async (trx, subscriptionIds: readonly string[]) => {
  const rows = await trx
    .selectFrom('planChange')
    .select(['subscriptionId', 'workflowId'])
    .where(isOneOf('subscription_id', subscriptionIds))
    .where('state', '=', 'applying')
    .execute()
  return inOrder(subscriptionIds, rows, (row) => row.subscriptionId)
})
