import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { given } from '../postgres/given.ts'
import { grouped, patient } from '../postgres/grouped.ts'
import { isGone, processName } from '../postgres/presence.ts'
import type { Row } from './schema.ts'
import type { SqlTime } from './time.ts'

/** How long a request may be silent before another may take its place. By the database's clock. */
const LEASE = sql<Date>`now() + interval '30 seconds'`

export interface RequestIdentity {
  readonly caller: string
  readonly method: string
  readonly path: string
  readonly key: string
}

interface NewRequest extends RequestIdentity {
  readonly bodyHash: Buffer
  readonly operation: string
  readonly createdAt: Date
}

export type Claim =
  /** Ours to do, under this name: a new one, or that of an attempt which died on the way. */
  | { readonly state: 'claimed'; readonly operation: string }
  | { readonly state: 'otherBody' }
  | { readonly state: 'running'; readonly retryAfterSeconds: number }
  | {
      readonly state: 'completed'
      readonly operation: string
      readonly status: number
      readonly response: unknown
    }

/** Of any number of equal requests at one time, exactly one claims. */
export async function claimRequest(db: Db, request: NewRequest): Promise<Claim> {
  if (await insertRequest(db, request)) return { state: 'claimed', operation: request.operation }

  const found = await readRequest(db, request)
  // It was there a moment ago: retention took it. Then it is new.
  if (!found) return claimRequest(db, request)
  if (!found.bodyHash.equals(request.bodyHash)) return { state: 'otherBody' }
  if (found.status !== null) {
    return { state: 'completed', operation: found.operation, status: found.status, response: found.response }
  }
  const takenOver = await db
    .updateTable('idempotencyKey')
    .set({ holder: processName, lockedUntil: LEASE })
    .where('operation', '=', found.operation)
    .where('completedAt', 'is', null)
    .where((eb) => eb.or([eb('lockedUntil', '<', sql<Instant>`now()`), isGone(sql.ref('holder'))]))
    .returning('operation')
    .executeTakeFirst()
  if (takenOver) return { state: 'claimed', operation: takenOver.operation }
  return { state: 'running', retryAfterSeconds: Math.max(1, Number(found.secondsLeft)) }
}

/** False: one with this key is there. */
const insertRequest = grouped(async (db, requests: readonly NewRequest[]) => {
  const all = requests.map((request) => ({ ...request, bodyHash: request.bodyHash.toString('hex') }))
  const { rows } = await sql<{ operation: string }>`
    insert into idempotency_key
      (caller, method, path, key, body_hash, operation, created_at, holder, locked_until)
    select caller, method, path, key, decode("bodyHash", 'hex'), operation, "createdAt", ${processName}, ${LEASE}
    from jsonb_to_recordset(${JSON.stringify(all)}::jsonb) as request (caller text, method text, path text,
      key text, "bodyHash" text, operation text, "createdAt" timestamptz)
    on conflict (caller, method, path, key) do nothing
    returning operation`.execute(db)
  const inserted = new Set(rows.map(({ operation }) => operation))
  return requests.map(({ operation }) => inserted.has(operation))
}, patient)

function readRequest(
  db: Db,
  { caller, method, path, key }: RequestIdentity,
): Promise<(Row<'idempotencyKey'> & { secondsLeft: string }) | undefined> {
  return db
    .selectFrom('idempotencyKey')
    .selectAll()
    .select(sql<string>`ceil(extract(epoch from locked_until - now()))`.as('secondsLeft'))
    .where('caller', '=', caller)
    .where('method', '=', method)
    .where('path', '=', path)
    .where('key', '=', key)
    .executeTakeFirst()
}

/** Says that the request is still being worked on. */
export async function renewRequest(db: Db, operation: string): Promise<void> {
  await unfinished(db, operation).set({ lockedUntil: LEASE }).execute()
}

/** Gives it back without an answer: the next attempt goes on at once, under the same name. */
export async function releaseRequest(db: Db, operation: string): Promise<void> {
  await unfinished(db, operation).set({ lockedUntil: sql<Date>`now() - interval '1 second'` }).execute()
}

interface Completion {
  readonly operation: string
  readonly status: number
  readonly response: unknown
  readonly completedAt: Date
}

export const completeRequest = grouped(async (db, completions: readonly Completion[]) => {
  await sql`
    update idempotency_key k
    set status = answer.status, response = answer.response, completed_at = answer."completedAt"
    from ${given(
      sql`jsonb_to_recordset(${JSON.stringify(completions)}::jsonb)`,
      sql`answer (operation text, status int, response jsonb, "completedAt" timestamptz)`,
    )} as answer
    where k.operation = answer.operation and k.completed_at is null`.execute(db)
  return completions.map(() => undefined)
}, patient)

const unfinished = (db: Db, operation: string) =>
  db.updateTable('idempotencyKey').where('operation', '=', operation).where('completedAt', 'is', null)

/** Forgets answers older than their retention. */
export async function forgetRequestsBefore(db: Db, before: SqlTime): Promise<void> {
  await db.deleteFrom('idempotencyKey').where('createdAt', '<', before).execute()
}
