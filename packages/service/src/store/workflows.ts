import type { Instant } from '@lockstep/core/instant'
import { type Fault, Problem, type ProblemCode } from '@lockstep/core/problem'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { isGone } from '../postgres/presence.ts'
import { problemJson } from './operations.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type Workflow = Row<'workflow'>
export type WorkflowStep = Row<'workflowStep'>

/** A run keeps its lease by renewing it; that of a process that died is over this soon. */
export const LEASE_SECONDS = 6

/** Nobody runs it: the lease is given back, is over, or is of a process that died. */
const isFree = sql<boolean>`(lease_until is null or lease_until < clock_timestamp() or ${isGone(sql.ref('lease_holder'))})`

const leased = sql<Date>`clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})`

export interface NewWorkflow {
  readonly id: string
  readonly kind: string
  readonly subjectId: string
  readonly input: unknown
  readonly holder: string
  readonly at: Instant
}

/** Adds a workflow in the transaction of what it is about. `holder` may run it at once; others may not. */
export async function addWorkflow(trx: Trx, workflow: NewWorkflow): Promise<void> {
  const { input, holder, at, ...rest } = workflow
  await trx
    .insertInto('workflow')
    .values({
      ...rest,
      input: JSON.stringify(input),
      state: 'running',
      attempts: 1,
      leaseUntil: leased,
      leaseHolder: holder,
      createdAt: sqlTime(at),
    })
    .execute()
}

export function readWorkflow(db: Db, id: string): Promise<Workflow | undefined> {
  return db.selectFrom('workflow').selectAll().where('id', '=', id).executeTakeFirst()
}

/** A workflow that a person has to look at, of those about something that begins like this. */
export function findParked(db: Db, kind: string, subject: string): Promise<Workflow | undefined> {
  return db
    .selectFrom('workflow')
    .selectAll()
    .where('kind', '=', kind)
    .where('state', '=', 'parked')
    .where(sql<boolean>`starts_with(subject_id, ${subject})`)
    .orderBy('createdAt', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** The one workflow of its kind about one thing. */
export function findWorkflow(db: Db, kind: string, subjectId: string): Promise<Workflow | undefined> {
  return db
    .selectFrom('workflow')
    .selectAll()
    .where('kind', '=', kind)
    .where('subjectId', '=', subjectId)
    .executeTakeFirst()
}

export function readSteps(db: Db, workflowId: string): Promise<WorkflowStep[]> {
  return db
    .selectFrom('workflowStep')
    .selectAll()
    .where('workflowId', '=', workflowId)
    .orderBy('ordinal')
    .execute()
}

/** Takes the lease of an unfinished workflow that nobody runs. Also of a parked one, when a person says so. */
export function claimWorkflow(
  db: Db,
  id: string,
  holder: string,
  { parkedToo = false }: { parkedToo?: boolean } = {},
): Promise<Workflow | undefined> {
  return db
    .updateTable('workflow')
    .set({
      leaseUntil: leased,
      leaseHolder: holder,
      // A person's word counts the tries from the beginning.
      attempts: parkedToo ? 1 : sql<number>`attempts + 1`,
      state: sql<Workflow['state']>`case when refusal is null then 'running' else 'compensating' end`,
      endedAt: null,
    })
    .where('id', '=', id)
    .where('state', 'in', parkedToo ? ['running', 'compensating', 'parked'] : ['running', 'compensating'])
    .where(isFree)
    .returningAll()
    .executeTakeFirst()
}

/** The unfinished workflows of these kinds that nobody runs and whose time has come, oldest first. */
export async function dueWorkflows(db: Db, kinds: readonly string[], limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('workflow')
    .select('id')
    .where('state', 'in', ['running', 'compensating'])
    .where('kind', 'in', kinds)
    .where(isFree)
    .where((eb) =>
      eb.or([eb('nextAttemptAt', 'is', null), eb('nextAttemptAt', '<=', sql<Instant>`clock_timestamp()`)]),
    )
    .orderBy('createdAt')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** Whether the run still has its lease. */
export async function renewLease(db: Db, id: string, holder: string): Promise<boolean> {
  const renewed = await db
    .updateTable('workflow')
    .set({ leaseUntil: leased })
    .where('id', '=', id)
    .where('leaseHolder', '=', holder)
    .where('state', 'in', ['running', 'compensating'])
    .executeTakeFirst()
  return renewed.numUpdatedRows === 1n
}

export interface StepRecord {
  readonly workflowId: string
  readonly holder: string
  readonly name: string
  readonly ordinal: number
  readonly result: unknown
  readonly at: Instant
  /** The provider call that this step made: known to have succeeded from the same moment on. */
  readonly operation: string | undefined
}

/** One statement: the step's result, the stage, the lease, the call's success. False: the lease is lost. */
export async function recordStep(db: Db, step: StepRecord): Promise<boolean> {
  const result = JSON.stringify(step.result ?? null)
  const recorded = await sql`
    with held as (
      update workflow set stage = ${step.name}, lease_until = ${leased}
      where id = ${step.workflowId} and lease_holder = ${step.holder}
      returning id
    ), settled as (
      update operation set state = 'succeeded', settled_at = ${sqlTime(step.at)}, problem = null,
        provider_object_id = ${result}::jsonb ->> 'id'
      where id = ${step.operation ?? null} and state <> 'succeeded' and exists (select from held)
    )
    insert into workflow_step (workflow_id, name, ordinal, state, result, ended_at)
    select id, ${step.name}, ${step.ordinal}, 'done', ${result}::jsonb, ${sqlTime(step.at)} from held
  `.execute(db)
  return recorded.numAffectedRows === 1n
}

export async function recordUndone(
  db: Db,
  step: Pick<StepRecord, 'workflowId' | 'holder' | 'name' | 'at'>,
): Promise<boolean> {
  const recorded = await sql`
    with held as (
      update workflow set lease_until = ${leased}
      where id = ${step.workflowId} and lease_holder = ${step.holder}
      returning id
    )
    update workflow_step s set state = 'undone', ended_at = ${sqlTime(step.at)}
    from held where s.workflow_id = held.id and s.name = ${step.name}
  `.execute(db)
  return recorded.numAffectedRows === 1n
}

/** What is written of a workflow when a run lets go of it, or turns back. */
export type Turn =
  | { readonly state: 'completed' }
  | { readonly state: 'rolledBack' | 'parked'; readonly stage: string | null; readonly problem: Problem }
  | { readonly state: 'compensating'; readonly stage: string | null; readonly problem: Problem }
  | {
      readonly state: 'waiting'
      readonly stage: string | null
      readonly problem: Problem
      readonly seconds: number
    }

/** False: the lease is lost, and nothing was written. */
export async function turnWorkflow(db: Db | Trx, id: string, holder: string, turn: Turn): Promise<boolean> {
  const ended = turn.state === 'completed' || turn.state === 'rolledBack' || turn.state === 'parked'
  const turned = await db
    .updateTable('workflow')
    .set({
      ...(turn.state === 'waiting' ? {} : { state: turn.state }),
      ...(turn.state === 'completed'
        ? { problem: null }
        : { stage: turn.stage, problem: problemJson(turn.problem) }),
      ...(turn.state === 'compensating'
        ? { refusal: problemJson(turn.problem), leaseUntil: leased }
        : { leaseUntil: null, leaseHolder: null }),
      nextAttemptAt:
        turn.state === 'waiting'
          ? sql<Date>`clock_timestamp() + make_interval(secs => ${turn.seconds})`
          : null,
      // The database's time: whether a request came before this is decided by the same clock.
      ...(ended ? { endedAt: sql<Date>`clock_timestamp()` } : {}),
    })
    .where('id', '=', id)
    .where('leaseHolder', '=', holder)
    .executeTakeFirst()
  return turned.numUpdatedRows === 1n
}

interface StoredProblem {
  readonly code: ProblemCode
  readonly detail: string
  readonly faults?: readonly Fault[]
}

/** The problem that was recorded, to be thrown once more. */
export function problemOf(stored: unknown): Problem | undefined {
  if (stored === null || stored === undefined) return undefined
  const { code, detail, faults } = stored as StoredProblem
  return new Problem(code, detail, { faults: faults ?? [] })
}
