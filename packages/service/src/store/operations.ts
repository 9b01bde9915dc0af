import type { Instant } from '@lockstep/core/instant'
import type { Problem } from '@lockstep/core/problem'
import { type RawBuilder, sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { given, isOneOf } from '../postgres/given.ts'
import { grouped, inOrder } from '../postgres/grouped.ts'
import { nextObservation } from './provider-objects.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type Operation = Row<'operation'>

/** What one try sends. */
export interface Attempt {
  readonly idempotencyKey: string
  readonly bodyHash: Buffer
  readonly at: Instant
}

/** A call as it is intended first. */
export type FirstAttempt = Pick<Operation, 'id' | 'kind' | 'subjectId'> & Attempt

export interface Intended {
  readonly operation: Operation
  /** Nobody intended it before. */
  readonly isNew: boolean
  /** Drawn with the intention, and so before the call: see {@link nextObservation}. */
  readonly observation: bigint
  /** Why nothing shall be done any more; null while it shall, undefined where that was not asked. */
  readonly withdrawal?: Problem | null
}

/** Commits the intention before the call is made. Finds the operation if it was begun before. */
export async function intend(
  db: Db,
  named: Pick<Operation, 'id' | 'kind' | 'subjectId'>,
  attempt: Attempt,
): Promise<Intended> {
  const made = await prepare(db, { ...named, ...attempt })
  if (made) {
    const { observation, ...operation } = made
    return { operation, isNew: true, observation }
  }
  const [operation, observation] = await Promise.all([readOperation(db, named.id), nextObservation(db)])
  return { operation, isNew: false, observation }
}

/** As the statements read it that write it down. */
export function intentionJson({ bodyHash, ...rest }: FirstAttempt): object {
  return { ...rest, bodyHash: bodyHash.toString('hex') }
}

export const intentionColumns = sql`id text, kind text, "subjectId" text, "idempotencyKey" text, "bodyHash" text, at float8`

/** Writes down the intentions of a relation of these columns; returns those that nobody intended before. */
export function insertIntentions(relation: RawBuilder<unknown>): RawBuilder<Operation> {
  return sql<Operation>`insert into operation (id, kind, subject_id, idempotency_key, body_hash, state, prepared_at)
      select id, kind, "subjectId", "idempotencyKey", decode("bodyHash", 'hex'), 'prepared', to_timestamp(at)
      from ${relation}
      order by id
      on conflict (id) do nothing
      returning *`
}

/** Undefined of one that is there already. */
const prepare = grouped(async (db, intentions: readonly FirstAttempt[]) => {
  const intended = sql`jsonb_to_recordset(${JSON.stringify(intentions.map(intentionJson))}::jsonb) as given (${intentionColumns})`
  const { rows } = await sql<Operation & { observation: bigint }>`
    with made as (${insertIntentions(intended)})
    select made.*, nextval('observation_counter') as observation from made`.execute(db)
  const made = new Map(rows.map((row) => [row.id, row]))
  return intentions.map(({ id }) => {
    const row = made.get(id)
    // Of two who intend the same at once, one made it.
    made.delete(id)
    return row
  })
})

export function readOperation(db: Db, id: string): Promise<Operation> {
  return db.selectFrom('operation').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

/**
 * A new key, after it is known that the old one made nothing. Undefined: somebody else has begun it, or has sent the
 * old one once more since it was read, and so it is not known any more; unless the old one is spent, and nothing comes
 * of it whoever sends it.
 */
export function beginAttempt(
  db: Db,
  { id, attempt, repeats }: Operation,
  { idempotencyKey, bodyHash, at }: Attempt,
  { isSpent }: { readonly isSpent: boolean },
): Promise<Operation | undefined> {
  return db
    .updateTable('operation')
    .set({
      attempt: attempt + 1,
      idempotencyKey,
      bodyHash,
      state: 'prepared',
      preparedAt: sqlTime(at),
      settledAt: null,
      problem: null,
      repeats: 0,
      repeatedAt: null,
    })
    .where('id', '=', id)
    .where('attempt', '=', attempt)
    .$if(!isSpent, (query) => query.where('repeats', '=', repeats))
    .returningAll()
    .executeTakeFirst()
}

/**
 * An attempt that was begun before is about to be sent, by whoever began it or by somebody else. Undefined: it was
 * refused meanwhile, or the next one was begun, and it must not be sent. What was counted before and never sent is
 * not waited for.
 */
export function repeatAttempt(
  db: Db,
  { id, attempt }: Operation,
  at: Instant,
  { wasSent = true }: { readonly wasSent?: boolean } = {},
): Promise<Operation | undefined> {
  return db
    .updateTable('operation')
    .set({
      repeats: sql<number>`repeats + 1`,
      repeatedAt: sqlTime(at),
      ...(wasSent ? {} : { answered: sql<number>`answered + 1` }),
    })
    .where('id', '=', id)
    .where('attempt', '=', attempt)
    .where('state', '!=', 'refused')
    .returningAll()
    .executeTakeFirst()
}

/**
 * It shall not be done, and what was read of it says that it was not. False: somebody has sent it since, or has
 * settled it, and what becomes of it is theirs.
 */
export async function giveUp(
  db: Db,
  { id, attempt, repeats, state }: Operation,
  problem: Problem,
  at: Instant,
): Promise<boolean> {
  const given = await db
    .updateTable('operation')
    .set({ state: 'refused', settledAt: sqlTime(at), problem: problemJson(problem) })
    .where('id', '=', id)
    .where('attempt', '=', attempt)
    .where('repeats', '=', repeats)
    .$if(state !== 'succeeded', (query) => query.where('state', '!=', 'succeeded'))
    .executeTakeFirst()
  return given.numUpdatedRows === 1n
}

/**
 * The provider may or may not have done what was sent; `isOver`: if it has not by now, nothing comes of that send any more.
 * Undefined: what is settled stays settled, and a later attempt is not known from this one.
 */
export function markUnknown(
  db: Db,
  { id, attempt }: Pick<Operation, 'id' | 'attempt'>,
  problem: Problem,
  { requestId, isOver }: { readonly requestId: string | null; readonly isOver: boolean },
): Promise<Operation | undefined> {
  return db
    .updateTable('operation')
    .set({
      state: 'unknown',
      problem: problemJson(problem),
      providerRequestId: requestId,
      ...(isOver && { answered: sql<number>`answered + 1` }),
    })
    .where('id', '=', id)
    .where('attempt', '=', attempt)
    .where('state', 'in', ['prepared', 'unknown'])
    .returningAll()
    .executeTakeFirst()
}

export type Outcome =
  | { readonly state: 'succeeded'; readonly objectId: string | null }
  | { readonly state: 'parked'; readonly problem: Problem }
  /** `isInDoubt`: a send before may have done it, which is not forgotten. */
  | { readonly state: 'refused'; readonly problem: Problem; readonly isInDoubt: boolean }

/** Of an attempt that came to nothing, unless somebody has begun the next one: what becomes of that one is another matter. */
export async function settle(
  db: Db,
  { id, attempt }: Pick<Operation, 'id' | 'attempt'>,
  outcome: Outcome & { readonly requestId: string | null; readonly at: Instant },
): Promise<void> {
  await db
    .updateTable('operation')
    .set({
      state: outcome.state,
      settledAt: sqlTime(outcome.at),
      providerRequestId: outcome.requestId,
      ...(outcome.state === 'succeeded'
        ? { providerObjectId: outcome.objectId, problem: null }
        : { problem: problemJson(outcome.problem) }),
      ...(outcome.state === 'refused' && outcome.isInDoubt && { inDoubt: true }),
    })
    .where('id', '=', id)
    .$if(outcome.state !== 'succeeded', (query) => query.where('attempt', '=', attempt))
    .execute()
}

/** How a call stands; undefined if it was never begun. */
export const operationState = grouped(async (db, ids: readonly string[]) => {
  const rows = await db.selectFrom('operation').select(['id', 'state']).where(isOneOf('id', ids)).execute()
  return inOrder(ids, rows, ({ id }) => id).map((row) => row?.state)
})

/** Whether a call was begun, whatever became of it. */
export async function wasBegun(db: Db, id: string): Promise<boolean> {
  return (await operationState(db, id)) !== undefined
}

/**
 * Whether a call may have done what it says: it was begun, and not refused; or it was, after a send of it that may have
 * done it.
 */
export async function callMayBeDone(db: Db, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('operation')
    .select('id')
    .where('id', '=', id)
    .where(mayBeDone)
    .executeTakeFirst()
  return row !== undefined
}

const mayBeDone = sql<boolean>`(state <> 'refused' or in_doubt)`

/** Why a call was refused, as it was recorded; undefined of one that was not. */
export async function refusalOf(db: Db, id: string): Promise<unknown> {
  const row = await db
    .selectFrom('operation')
    .select('problem')
    .where('id', '=', id)
    .where('state', '=', 'refused')
    .executeTakeFirst()
  return row?.problem
}

/** The same of any call of a step with this key. */
export async function stepMayBeDone(db: Db, ids: readonly string[], key: string): Promise<boolean> {
  const row = await db
    .selectFrom('operation')
    .select('id')
    .where(mayBeDone)
    .where((eb) =>
      eb.or([eb('id', 'in', [...ids, key]), eb('id', 'like', `${key.replaceAll('_', '\\_')}/%`)]),
    )
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** What the other calls of a kind on one subject made, by the provider's ids. */
export async function objectsMadeBy(
  db: Db,
  { kind, subjectId, except }: Pick<Operation, 'kind' | 'subjectId'> & { readonly except: string },
): Promise<ReadonlySet<string | null>> {
  const rows = await db
    .selectFrom('operation')
    .select('providerObjectId')
    .where('kind', '=', kind)
    .where('subjectId', '=', subjectId)
    .where('id', '!=', except)
    .where('state', '=', 'succeeded')
    .execute()
  return new Set(rows.map(({ providerObjectId }) => providerObjectId))
}

/** Calls about one thing of ours whose outcome is not known: their process died, or their answer was lost. */
export async function unsettledOf(db: Db, kind: string, subjectId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('operation')
    .select('id')
    .where('state', 'in', ['prepared', 'unknown'])
    .where('kind', '=', kind)
    .where('subjectId', '=', subjectId)
    .execute()
  return rows.map(({ id }) => id)
}

/**
 * What an operation was to make was seen at the provider: it was done, whoever waited for the answer.
 */
export function settleSeen(trx: Db | Trx, id: string, objectId: string, at: Instant): Promise<void> {
  return settleSeenAs(trx, { id, objectId, at })
}

const settleSeenAs = grouped(
  async (
    trx,
    all: readonly { readonly id: string; readonly objectId: string; readonly at: Instant }[],
  ): Promise<undefined[]> => {
    await sql`
      update operation set state = 'succeeded', provider_object_id = seen.object_id, problem = null, settled_at = seen.at
      from ${given(
        sql`unnest(${all.map(({ id }) => id)}::text[], ${all.map(({ objectId }) => objectId)}::text[],
          ${all.map(({ at }) => sqlTime(at))}::timestamptz[])`,
        sql`seen (id, object_id, at)`,
      )} as seen
      where operation.id = seen.id and operation.state in ('prepared', 'unknown')`.execute(trx)
    return all.map(() => undefined)
  },
)

/**
 * What an operation made is gone at the provider, for good: it counts as refused, so that asked again it is
 * made anew, under a new key. The provider would answer the old one from memory.
 */
export async function settleGone(trx: Trx, id: string, objectId: string, problem: Problem): Promise<void> {
  await trx
    .updateTable('operation')
    .set({ state: 'refused', problem: problemJson(problem) })
    .where('id', '=', id)
    .where('providerObjectId', '=', objectId)
    .where('state', '=', 'succeeded')
    .execute()
}

/** The same of every unsettled operation of a kind on one subject, after what it was for was seen. */
export async function settleSeenOf(
  db: Db,
  { kind, subjectId }: Pick<Operation, 'kind' | 'subjectId'>,
  objectId: string,
  at: Instant,
): Promise<void> {
  await db
    .updateTable('operation')
    .set({ state: 'succeeded', providerObjectId: objectId, problem: null, settledAt: sqlTime(at) })
    .where('subjectId', '=', subjectId)
    .where('kind', '=', kind)
    .where('state', 'in', ['prepared', 'unknown'])
    .execute()
}

/** A problem as it is kept beside what it happened to. */
export function problemJson({ code, title, detail, faults }: Problem): string {
  return JSON.stringify({ code, title, detail, faults })
}
