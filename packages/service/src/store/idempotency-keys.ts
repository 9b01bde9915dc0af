import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
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
  const inserted = await db
    .insertInto('idempotencyKey')
    .values({ ...request, holder: processName, lockedUntil: LEASE })
    .onConflict((conflict) => conflict.columns(['caller', 'method', 'path', 'key']).doNothing())
    .returning('operation')
    .executeTakeFirst()
  if (inserted) return { state: 'claimed', operation: inserted.operation }

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

export async function completeRequest(
  db: Db,
  operation: string,
  answer: { status: number; response: unknown; completedAt: Date },
): Promise<void> {
  await unfinished(db, operation)
    .set({ ...answer, response: JSON.stringify(answer.response) })
    .execute()
}

const unfinished = (db: Db, operation: string) =>
  db.updateTable('idempotencyKey').where('operation', '=', operation).where('completedAt', 'is', null)

/** Forgets answers older than their retention. */
export async function forgetRequestsBefore(db: Db, before: SqlTime): Promise<void> {
  await db.deleteFrom('idempotencyKey').where('createdAt', '<', before).execute()
}
