import type { Instant } from '@lockstep/core/instant'
import { type Fault, Problem, type ProblemCode } from '@lockstep/core/problem'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { given, isOneOf } from '../postgres/given.ts'
import { grouped, inOrder, patient } from '../postgres/grouped.ts'
import { isGone } from '../postgres/presence.ts'
import {
  type FirstAttempt,
  insertIntentions,
  intentionColumns,
  intentionJson,
  type Operation,
  problemJson,
} from './operations.ts'
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
  /** Steps that are done in this very transaction, in order: each with what it hands on. */
  readonly done?: readonly { readonly name: string; readonly result: unknown }[]
}

/** What of a step that is recorded its workflow goes on from. */
export type KnownStep = Pick<WorkflowStep, 'name' | 'state' | 'result'>

/** A workflow as it was written down: whoever runs it first need not read it. */
export interface Written {
  readonly workflow: Workflow
  readonly steps: readonly KnownStep[]
}

/** Adds a workflow in the transaction of what it is about. `holder` may run it at once; others may not. */
export const addWorkflow = grouped(async (trx, workflows: readonly NewWorkflow[]): Promise<Written[]> => {
  const entries = workflows.map(({ done = [], ...workflow }) => {
    const steps = done.map(({ name, result }, index) => ({
      name,
      ordinal: index + 1,
      result: result ?? null,
    }))
    return { ...workflow, stage: done.at(-1)?.name ?? null, steps }
  })
  const { rows } = await sql<Workflow>`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(entries)}::jsonb) as given
        (id text, kind text, "subjectId" text, input jsonb, stage text, holder text, at float8, steps jsonb)
    ), done as (
      insert into workflow_step (workflow_id, name, ordinal, state, result, started_at, ended_at)
      select id, step.name, ordinal, 'done', result, to_timestamp(at), to_timestamp(at)
      from given cross join jsonb_to_recordset(steps) as step (name text, ordinal int, result jsonb)
    )
    insert into workflow (id, kind, subject_id, input, state, stage, attempts, lease_until, lease_holder, created_at)
    select id, kind, "subjectId", input, 'running', stage, 1, ${leased}, holder, to_timestamp(at) from given
    returning *`.execute(trx)
  const added = new Map(rows.map((row) => [row.id, row]))
  return entries.map(({ id, steps }) => {
    const workflow = added.get(id)
    if (!workflow) throw new Error(`${id} was not added.`)
    return { workflow, steps: steps.map(({ name, result }) => ({ name, result, state: 'done' })) }
  })
})

export const readWorkflow = grouped(async (db, ids: readonly string[]): Promise<(Workflow | undefined)[]> => {
  const rows = await db.selectFrom('workflow').selectAll().where(isOneOf('id', ids)).execute()
  return inOrder(ids, rows, ({ id }) => id)
})

/** Of what needs nothing to be done: it is over as soon as it is written down. */
export async function addEndedWorkflow(
  trx: Trx,
  { at, ...workflow }: Pick<NewWorkflow, 'id' | 'kind' | 'subjectId' | 'at'>,
): Promise<void> {
  await trx
    .insertInto('workflow')
    .values({ ...workflow, input: '{}', state: 'completed', createdAt: sqlTime(at), endedAt: sqlTime(at) })
    .execute()
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

export const readSteps = grouped(async (db, workflowIds: readonly string[]): Promise<WorkflowStep[][]> => {
  const rows = await db
    .selectFrom('workflowStep')
    .selectAll()
    .where(isOneOf('workflow_id', workflowIds))
    .orderBy('ordinal')
    .execute()
  return workflowIds.map((id) => rows.filter(({ workflowId }) => workflowId === id))
})

/** It has ended, or waits for somebody: nobody is at work on it. */
export function hasStopped(state: Workflow['state']): boolean {
  return state !== 'running' && state !== 'compensating'
}

/** It waits for the customer, also while it looks whether the customer has acted. */
export function awaitsCustomer({
  state,
  action,
}: {
  readonly state: string
  readonly action: unknown
}): boolean {
  return state === 'requiresAction' || (state === 'running' && action !== null)
}

/** On whose word one is gone on with that would not go on by itself now. */
export type Word = 'person' | 'customer'

const UNFINISHED = ['running', 'compensating'] as const
/** Ended for now: until somebody says so, nobody goes on. */
const STOPPED = ['requiresAction', 'parked'] as const
/** The customer's word is what it waits for where it waits for the customer, and nowhere else. */
const takenOnWord = {
  person: [...UNFINISHED, ...STOPPED],
  customer: ['requiresAction'],
} as const

/** Takes the lease of an unfinished workflow that nobody runs; of one that stopped, on somebody's word. */
export function claimWorkflow(
  db: Db,
  id: string,
  holder: string,
  { word }: { word?: Word } = {},
): Promise<Workflow | undefined> {
  return db
    .updateTable('workflow')
    .set({
      leaseUntil: leased,
      leaseHolder: holder,
      // Somebody's word counts the tries from the beginning.
      attempts: word ? 1 : sql<number>`attempts + 1`,
      state: sql<Workflow['state']>`case when refusal is null then 'running' else 'compensating' end`,
      action: sql<string | null>`case when refusal is null then action end`,
      woken: false,
      endedAt: null,
    })
    .where('id', '=', id)
    .where('state', 'in', word ? takenOnWord[word] : UNFINISHED)
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
  readonly name: string
  readonly ordinal: number
  readonly result: unknown
  readonly startedAt: Instant
  readonly endedAt: Instant
  /** The provider call that it made: known to have succeeded from the same moment on. */
  readonly operation: string | undefined
}

/** What a run has to say. */
export interface RunToRecord {
  readonly workflowId: string
  readonly holder: string
  /** In order. */
  readonly steps: readonly StepRecord[]
  /** The call that is made next. */
  readonly intention?: FirstAttempt
  /** Nothing comes after these steps: the workflow ends with them. */
  readonly completes?: boolean
}

/** What is told to a run: null if the lease is lost, and nothing was written. */
export type Recorded = {
  readonly withdrawal: unknown
  readonly observation: bigint
  /** The call that was intended, unless that was done before. */
  readonly intended: Operation | undefined
} | null

/**
 * One statement for whoever has something to say at once: the steps' results, the stage, the lease, the success
 * of calls that were made, the intention of the next one, the end. What is recorded already stands.
 */
export const recordRun = grouped(async (db, runs: readonly RunToRecord[]): Promise<Recorded[]> => {
  const entries = runs.map(({ workflowId, holder, steps, intention, completes = false }, number) => {
    const stage = steps.at(-1)?.name ?? null
    return { number, workflowId, holder, stage, completes, intends: intention?.id ?? null }
  })
  const steps = runs.flatMap((run, number) =>
    run.steps.map((step) => ({ ...step, number, result: jsonOf(step) })),
  )
  const intentions = runs.flatMap(({ intention }, number) =>
    intention ? [{ number, ...intentionJson(intention) }] : [],
  )
  const { rows } = await sql<
    Operation & { number: number; withdrawal: unknown; observation: bigint; isNew: boolean }
  >`
    with run as ${given(
      sql`jsonb_to_recordset(${JSON.stringify(entries)}::jsonb)`,
      sql`run (number int, "workflowId" text, holder text, stage text, completes boolean, intends text)`,
    )}, held as (
      update workflow w set
        stage = coalesce(run.stage, w.stage),
        stage_started_at = null,
        action = case when not completes and run.stage is null then w.action end,
        state = case when completes then 'completed' else w.state end,
        problem = case when not completes then w.problem end,
        next_attempt_at = case when not completes then w.next_attempt_at end,
        lease_until = case when not completes then ${leased} end,
        lease_holder = case when not completes then w.lease_holder end,
        ended_at = case when completes then clock_timestamp() else w.ended_at end
      from run where w.id = run."workflowId" and w.lease_holder = run.holder
      returning run.number, run.intends, w.id, w.withdrawal
    ), step as (
      select held.id as workflow_id, step.*
      from held join jsonb_to_recordset(${JSON.stringify(steps)}::jsonb) as step
        (number int, name text, ordinal int, result text, "startedAt" float8, "endedAt" float8, operation text)
        using (number)
    ), settled as (
      update operation o set state = 'succeeded', settled_at = to_timestamp(step."endedAt"), problem = null,
        provider_object_id = step.result::jsonb ->> 'id'
      from step where o.id = step.operation and o.state <> 'succeeded'
    ), recorded as (
      insert into workflow_step (workflow_id, name, ordinal, state, result, started_at, ended_at)
      select workflow_id, name, ordinal, 'done', result::jsonb, to_timestamp("startedAt"), to_timestamp("endedAt")
      from step
      on conflict (workflow_id, name) do nothing
    ), given as (
      select given.* from held join jsonb_to_recordset(${JSON.stringify(intentions)}::jsonb) as given
        (number int, ${intentionColumns}) using (number)
    ), intended as (${insertIntentions(sql`given`)})
    select held.number, held.withdrawal, nextval('observation_counter') as observation,
      intended.id is not null as "isNew", intended.*
    from held left join intended on intended.id = held.intends`.execute(db)
  const held = new Map(rows.map((row) => [row.number, row]))
  const claimed = new Set<string>()
  return runs.map((_, number) => {
    const row = held.get(number)
    if (!row) return null
    const { number: _number, withdrawal, observation, isNew, ...intended } = row
    // Of two who intend the same at once, one made it.
    const isMine = isNew && !claimed.has(intended.id)
    if (isMine) claimed.add(intended.id)
    return { withdrawal, observation, intended: isMine ? intended : undefined }
  })
}, patient)

const jsonOf = ({ result }: StepRecord) => JSON.stringify(result ?? null)

/** False: the lease is lost. */
export async function recordUndone(
  db: Db | Trx,
  step: { readonly workflowId: string; readonly holder: string; readonly name: string; readonly at: Instant },
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

/** A step that is taken back by the very transaction that ends its workflow. */
export async function markUndone(trx: Trx, workflowId: string, name: string, at: Instant): Promise<void> {
  await trx
    .updateTable('workflowStep')
    .set({ state: 'undone', endedAt: sqlTime(at) })
    .where('workflowId', '=', workflowId)
    .where('name', '=', name)
    .execute()
}

/** The step at which a run stopped, and when it was begun; null where none was under way. */
export interface Stopped {
  readonly stage: string | null
  readonly startedAt: Instant | null
  /** The run knew that it shall not go on, if so it was said. */
  readonly withdrawn: boolean
}

/** What is written of a workflow when a run lets go of it, or turns back. */
export type Turn =
  | ({ readonly state: 'rolledBack' | 'parked' | 'compensating'; readonly problem: Problem } & Stopped)
  | ({
      readonly state: 'waiting'
      readonly problem: Problem
      readonly seconds: number
      readonly attempts: number
    } & Stopped)
  | ({ readonly state: 'requiresAction'; readonly action: unknown } & Stopped)

/** False: the lease is lost, and nothing was written. */
export async function turnWorkflow(db: Db | Trx, id: string, holder: string, turn: Turn): Promise<boolean> {
  const stopped = { stage: turn.stage, ...startedAt(turn) }
  const turned = await db
    .updateTable('workflow')
    .set({
      action: null,
      ...stateAfter(turn),
      ...stopped,
      problem: 'problem' in turn ? problemJson(turn.problem) : null,
      ...(turn.state === 'compensating'
        ? { refusal: refusalJson(turn.problem, turn), leaseUntil: leased }
        : { leaseUntil: null, leaseHolder: null }),
      nextAttemptAt: null,
      ...whenAfter(turn),
    })
    .where('id', '=', id)
    .where('leaseHolder', '=', holder)
    .executeTakeFirst()
  return turned.numUpdatedRows === 1n
}

/** Whoever would wait, or leave it to a person, does not after what has happened by now. */
function stateAfter(turn: Turn) {
  switch (turn.state) {
    case 'waiting':
      return {}
    case 'parked':
      return { state: sql<Workflow['state']>`case when ${unheard(turn)} then 'running' else 'parked' end` }
    case 'requiresAction': {
      const isGivenUp = unheard(turn)
      return {
        state: sql<
          Workflow['state']
        >`case when woken or ${isGivenUp} then 'running' else 'requiresAction' end`,
        // One that goes on looking waits for nothing new yet: what there is to do is told when it stops for it.
        action: sql<
          string | null
        >`case when ${isGivenUp} then null when woken then action else ${JSON.stringify(turn.action)}::jsonb end`,
      }
    }
    case 'compensating':
    case 'rolledBack':
      return { state: turn.state }
  }
}

/** By the database's time: whether a request came before the end is decided by the same clock. */
function whenAfter(turn: Turn) {
  switch (turn.state) {
    case 'waiting':
      return {
        attempts: turn.attempts,
        nextAttemptAt: sql<Date | null>`case when not ${unheard(turn)}
          then clock_timestamp() + make_interval(secs => ${turn.seconds}) end`,
      }
    case 'parked':
      return { endedAt: sql<Date | null>`case when not ${unheard(turn)} then clock_timestamp() end` }
    case 'rolledBack':
      return { endedAt: sql<Date>`clock_timestamp()` }
    case 'compensating':
    case 'requiresAction':
      return {}
  }
}

/** It was said that it shall not go on, and the run that ends did not know. */
function unheard({ withdrawn }: Stopped) {
  return sql<boolean>`(withdrawal is not null and not ${withdrawn}::boolean)`
}

function startedAt({ startedAt: at }: Stopped): { stageStartedAt: Date | null } {
  return { stageStartedAt: at === null ? null : sqlTime(at) }
}

/**
 * Says that a workflow shall not go on: whoever runs it turns back before the next step. One that
 * stopped or waits is due at once, also if nobody who heard this is alive to take it up. False: it has ended, or has said so before.
 */
export async function withdrawWorkflow(db: Db | Trx, id: string, problem: Problem): Promise<boolean> {
  const withdrawn = await db
    .updateTable('workflow')
    .set({
      withdrawal: problemJson(problem),
      state: 'running',
      action: null,
      nextAttemptAt: null,
      endedAt: null,
    })
    .where('id', '=', id)
    .where('state', 'in', ['running', ...STOPPED])
    .where('withdrawal', 'is', null)
    .where('refusal', 'is', null)
    .executeTakeFirst()
  return withdrawn.numUpdatedRows === 1n
}

/**
 * Something happened that a workflow waits for, or may be about to wait for: it looks once more. One
 * that has ended is left alone. Until it has looked, what the customer has to do is still to be done.
 */
export async function wakeWorkflow(trx: Trx, id: string): Promise<void> {
  await trx
    .updateTable('workflow')
    .set({ state: 'running', nextAttemptAt: null, woken: true })
    .where('id', '=', id)
    .where('state', 'in', ['running', 'requiresAction'])
    .execute()
}

interface StoredProblem {
  readonly code: ProblemCode
  readonly detail: string
  readonly faults?: readonly Fault[]
}

/** Why a workflow turned back, with the step at which it did: what comes to be told of the way back names others. */
function refusalJson(problem: Problem, { stage, startedAt }: Stopped): string {
  return JSON.stringify({ ...JSON.parse(problemJson(problem)), stage, startedAt })
}

/** Where a workflow turned back. One that did so before this was kept stands there still, as far as is known. */
export function whereItTurned({ refusal, stage, stageStartedAt }: Workflow): Stopped {
  const kept = refusal as Partial<Stopped> | null
  const where = kept?.stage === undefined ? { stage, startedAt: stageStartedAt } : kept
  return { stage: where.stage ?? null, startedAt: where.startedAt ?? null, withdrawn: true }
}

/** The problem that was recorded, to be thrown once more. */
export function problemOf(stored: unknown): Problem | undefined {
  if (stored === null || stored === undefined) return undefined
  const { code, detail, faults } = stored as StoredProblem
  return new Problem(code, detail, { faults: faults ?? [] })
}
