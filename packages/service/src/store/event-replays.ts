import type { Instant } from '@lockstep/core/instant'
import { type SqlBool, sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { sqlTime } from './time.ts'

/** Which events: those that everything given holds for. */
export interface ReplayFilter {
  readonly ids?: readonly string[] | undefined
  readonly type?: string | undefined
  readonly object?: string | undefined
  readonly state?: 'processed' | 'ignored' | 'parked' | undefined
  readonly outcome?: string | undefined
  readonly receivedFrom?: Instant | undefined
  readonly receivedBefore?: Instant | undefined
}

export interface Replay {
  readonly events: number
  readonly objects: number
}

function matching(filter: ReplayFilter) {
  const { ids, type, object, state, outcome, receivedFrom, receivedBefore } = filter
  return sql.join(
    [
      sql<SqlBool>`provider = 'stripe' and state <> 'received'`,
      ...(ids === undefined ? [] : [sql<SqlBool>`id = any(${[...ids]}::text[])`]),
      ...(type === undefined ? [] : [sql<SqlBool>`type = ${type}`]),
      ...(object === undefined ? [] : [sql<SqlBool>`object_id = ${object}`]),
      ...(state === undefined ? [] : [sql<SqlBool>`state = ${state}`]),
      ...(outcome === undefined ? [] : [sql<SqlBool>`outcome = ${outcome}`]),
      ...(receivedFrom === undefined ? [] : [sql<SqlBool>`received_at >= ${sqlTime(receivedFrom)}`]),
      ...(receivedBefore === undefined ? [] : [sql<SqlBool>`received_at < ${sqlTime(receivedBefore)}`]),
    ],
    sql` and `,
  )
}

/** How many events would be processed again. */
export async function planReplay(db: Db, filter: ReplayFilter): Promise<Replay> {
  const { rows } = await sql<Replay>`
    select count(*)::int as events, count(distinct (object_type, object_id))::int as objects
    from provider_event where ${matching(filter)}`.execute(db)
  return rows[0] ?? { events: 0, objects: 0 }
}

/** Puts them back to be processed, as if they came now: each object is looked at once more. */
export async function replayEvents(db: Db, filter: ReplayFilter, at: Instant): Promise<Replay> {
  const { rows } = await sql<Replay>`
    with locked as materialized (
      select id as locked_id from provider_event where ${matching(filter)} order by id collate "C" for update
    ), replayed as (
      update provider_event set state = 'received', outcome = null, problem = null, attempts = 0, processed_at = null,
        claimed_until = null, observation = nextval('observation_counter'), next_attempt_at = ${sqlTime(at)}
      from locked where provider = 'stripe' and id = locked_id returning object_type, object_id)
    select count(*)::int as events, count(distinct (object_type, object_id))::int as objects from replayed`.execute(
    db,
  )
  return rows[0] ?? { events: 0, objects: 0 }
}
