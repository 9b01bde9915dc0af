import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import { newId } from '../ids.ts'
import type { Trx } from '../postgres/connect.ts'
import { insertRows } from '../postgres/insert-rows.ts'
import { sqlTime } from './time.ts'

/** Which events: by all that is said. Times are those at which it happened, `[since, until)`. */
export interface ReplayWish {
  readonly endpointId: string
  /** What the endpoint wants to know of; null for everything. It is never told of anything else. */
  readonly wanted: readonly string[] | null
  readonly events?: readonly string[] | undefined
  readonly types?: readonly string[] | undefined
  readonly since?: Instant | undefined
  readonly until?: Instant | undefined
}

function isMeant({ wanted, events, types, since, until }: ReplayWish) {
  const all = [
    wanted && sql`v.type = any (${[...wanted]}::text[])`,
    events && sql`v.id = any (${[...events]}::text[])`,
    types && sql`v.type = any (${[...types]}::text[])`,
    since !== undefined && sql`v.happened_at >= ${sqlTime(since)}`,
    until !== undefined && sql`v.happened_at < ${sqlTime(until)}`,
  ].filter((part) => part !== undefined && part !== null && part !== false)
  return all.length === 0 ? sql`true` : sql.join(all, sql` and `)
}

export interface ReplayCount {
  readonly events: number
  /** Of them, those that the endpoint took already. */
  readonly deliveredBefore: number
}

export async function countReplay(trx: Trx, wish: ReplayWish): Promise<ReplayCount> {
  const { rows } = await sql<ReplayCount>`
    select count(*)::int as events, count(*) filter (where d.state = 'delivered')::int as delivered_before
      from outgoing_event v
      left join delivery d on d.event_id = v.id and d.endpoint_id = ${wish.endpointId}
     where ${isMeant(wish)}`.execute(trx)
  const [count] = rows
  if (!count) throw new Error('A count answers one row.')
  return count
}

const again = insertRows(
  'delivery',
  ['id', 'endpointId', 'eventId', 'sequence', 'subjectId', 'state', 'nextAttemptAt', 'attempts', 'createdAt'],
  sql`on conflict (endpoint_id, event_id) do update set
    state = excluded.state, next_attempt_at = excluded.next_attempt_at, attempts = 0, delivered_at = null`,
)

/** Queues them once more, in the order of what happened, each under its own id. */
export async function replay(trx: Trx, wish: ReplayWish, at: Instant): Promise<void> {
  const { rows } = await sql<{ eventId: string; sequence: bigint; subjectId: string }>`
    select v.id as event_id, v.sequence, v.subject_id from outgoing_event v where ${isMeant(wish)}
     order by v.sequence`.execute(trx)
  const queued = { endpointId: wish.endpointId, state: 'waiting', attempts: 0 } as const
  const times = { nextAttemptAt: sqlTime(at), createdAt: sqlTime(at) }
  await again(
    trx,
    rows.map((row) => ({ ...row, ...queued, ...times, id: newId('delivery') })),
  )
}
