import type { Instant } from '@lockstep/core/instant'
import type { OutgoingEventType } from '@lockstep/core/outgoing-event'
import { sql } from 'kysely'
import { newId } from '../ids.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type OutgoingChange = Row<'outgoingChange'>

/** False: somebody else is at it. One at a time, so that events have the order of what they tell. */
export async function takeTurn(trx: Trx): Promise<boolean> {
  const { rows } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(hashtext('outgoing events')) as taken`.execute(trx)
  return rows[0]?.taken === true
}

/**
 * The oldest change that nothing was made of yet. One that broke waits a while, and with it only what
 * came after it of the same object.
 */
export async function nextChange(trx: Trx, now: Instant): Promise<OutgoingChange | undefined> {
  const { rows } = await sql<OutgoingChange>`
    select * from outgoing_change c
     where (next_attempt_at is null or next_attempt_at <= ${sqlTime(now)})
       and not exists (select from outgoing_change e
         where e.source = c.source and e.subject = c.subject and e.sequence < c.sequence
           and e.next_attempt_at > ${sqlTime(now)})
     order by sequence limit 1`.execute(trx)
  return rows[0]
}

export async function forgetChange(trx: Trx, sequence: bigint): Promise<void> {
  await trx.deleteFrom('outgoingChange').where('sequence', '=', sequence).execute()
}

export async function postponeChange(db: Db, sequence: bigint, until: Instant): Promise<void> {
  await db
    .updateTable('outgoingChange')
    .set(({ eb }) => ({ attempts: eb('attempts', '+', 1), nextAttemptAt: sqlTime(until) }))
    .where('sequence', '=', sequence)
    .execute()
}

export interface NewOutgoingEvent {
  readonly type: OutgoingEventType
  readonly subjectId: string
  readonly customerId: string | null
  readonly happenedAt: Instant
  readonly data: unknown
}

/** Writes an event down, with a delivery for each endpoint that wants it and is enabled now. */
export async function addEvent(trx: Trx, event: NewOutgoingEvent, at: Instant): Promise<void> {
  const endpoints = await trx
    .selectFrom('webhookEndpoint')
    .select('id')
    .where('state', '=', 'enabled')
    .where(sql<boolean>`(types is null or ${event.type} = any (types))`)
    .execute()
  const { id, sequence } = await trx
    .insertInto('outgoingEvent')
    .values({
      ...event,
      id: newId('event'),
      happenedAt: sqlTime(event.happenedAt),
      data: JSON.stringify(event.data),
      createdAt: sqlTime(at),
    })
    .returning(['id', 'sequence'])
    .executeTakeFirstOrThrow()
  if (endpoints.length === 0) return
  const delivery = { eventId: id, sequence, subjectId: event.subjectId, lastStatus: null }
  await trx
    .insertInto('delivery')
    .values(
      endpoints.map((endpoint) => ({
        ...delivery,
        id: newId('delivery'),
        endpointId: endpoint.id,
        nextAttemptAt: sqlTime(at),
        createdAt: sqlTime(at),
      })),
    )
    .execute()
}
