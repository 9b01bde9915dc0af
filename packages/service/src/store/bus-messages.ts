import type { Instant } from '@lockstep/core/instant'
import type { Problem } from '@lockstep/core/problem'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { type Claim, claimFor, isClaimed } from '../postgres/presence.ts'
import { problemJson } from './operations.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export interface NewBusMessage {
  readonly id: string
  readonly subject: string
  readonly source: string
  readonly messageId: string
  /** What of it is used; null with the problem that says why nothing of it can be. */
  readonly content: unknown
  readonly problem: Problem | null
  readonly sentAt: Instant | null
  readonly at: Instant
}

/** Stores a message once, however often it is delivered. False if it was here before. */
export async function insertBusMessage(db: Db, message: NewBusMessage): Promise<boolean> {
  const { id, subject, source, messageId, content, problem, sentAt, at } = message
  const added = await db
    .insertInto('busMessage')
    .values({
      id,
      subject,
      source,
      messageId,
      content: problem ? null : JSON.stringify(content),
      state: problem ? 'parked' : 'received',
      outcome: problem ? 'unreadable' : null,
      problem: problem ? problemJson(problem) : null,
      nextAttemptAt: sqlTime(at),
      sentAt: sentAt === null ? null : sqlTime(sentAt),
      receivedAt: sqlTime(at),
      processedAt: problem ? sqlTime(at) : null,
    })
    .onConflict((conflict) => conflict.columns(['source', 'messageId']).doNothing())
    .returning('id')
    .executeTakeFirst()
  return added !== undefined
}

/** What is said of a message whose registration is begun and has not ended. */
const UNDER_WAY = 'registering'
/** The registration is before a person already, so the message need not be. */
const HELD_UP = 'registration parked'

/**
 * Claims messages that are due, oldest first, and none that somebody else is at work on or whose
 * registration is under way.
 */
export async function claimBusMessages(
  db: Db,
  { now, limit, seconds }: { readonly now: Instant; readonly limit: number; readonly seconds: number },
  claim: Claim,
): Promise<Row<'busMessage'>[]> {
  const { rows } = await sql<Row<'busMessage'>>`
    update bus_message
    set ${claimFor(claim, seconds)}
    where id in (
      select id from bus_message
      where state = 'received' and outcome is null and next_attempt_at <= ${sqlTime(now)}
        and not ${isClaimed('bus_message', claim)}
      order by next_attempt_at, id limit ${limit} for update skip locked)
    returning *`.execute(db)
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1))
}

export type BusMessageEnd =
  | { readonly state: 'registering'; readonly registrationId: string }
  | { readonly state: 'processed'; readonly outcome: string }
  | { readonly state: 'parked'; readonly problem: Problem }
  | { readonly state: 'received'; readonly problem: Problem; readonly nextAttemptAt: Instant }

/** How an attempt ended. Only whoever holds the claim may say so. */
export async function endAttempt(
  db: Db,
  { id, holder }: { readonly id: string; readonly holder: string },
  at: Instant,
  end: BusMessageEnd,
): Promise<void> {
  await db
    .updateTable('busMessage')
    .set((eb) => ({
      ...afterAttempt(end, at),
      attempts: eb('attempts', '+', 1),
      claimedBy: null,
      claimedUntil: null,
      problem: 'problem' in end ? problemJson(end.problem) : null,
    }))
    .where('id', '=', id)
    .where('state', '=', 'received')
    .where('claimedBy', '=', holder)
    .execute()
}

function afterAttempt(end: BusMessageEnd, at: Instant) {
  const { state } = end
  if (state === 'registering')
    return { state: 'received', outcome: UNDER_WAY, registrationId: end.registrationId } as const
  if (state === 'received') return { state, outcome: null, nextAttemptAt: sqlTime(end.nextAttemptAt) }
  const processedAt = sqlTime(at)
  if (state === 'parked') return { state, outcome: 'refused', processedAt }
  return { state, outcome: end.outcome, registrationId: null, content: null, processedAt }
}

/**
 * Tells messages how their registrations ended, in one statement; returns those of which something new
 * was told. One that was undone is kept with its content and the reason, for a person to look at.
 */
export async function followRegistrations(db: Db, at: Instant): Promise<Row<'busMessage'>[]> {
  const { rows } = await sql<Row<'busMessage'>>`
    with turned as (
      select m.id, w.state, w.problem from bus_message m
      join registration r on r.id = m.registration_id
      join workflow w on w.id = r.workflow_id
      where m.state = 'received' and m.outcome is not null
        and (w.state in ('completed', 'rolledBack') or (w.state = 'parked') <> (m.outcome = ${HELD_UP}))
      for update of m skip locked)
    update bus_message m set
      state = case turned.state when 'completed' then 'processed' when 'rolledBack' then 'parked' else 'received' end,
      outcome = case turned.state when 'completed' then 'registered' when 'rolledBack' then 'refused'
        when 'parked' then ${HELD_UP} else ${UNDER_WAY} end,
      problem = case when turned.state in ('rolledBack', 'parked') then turned.problem end,
      content = case when turned.state <> 'completed' then m.content end,
      processed_at = case when turned.state in ('completed', 'rolledBack') then ${sqlTime(at)}::timestamptz end
    from turned where m.id = turned.id
    returning m.*`.execute(db)
  return rows
}

/**
 * Puts a parked message that can be read back to be looked at. Undefined if it is not one. It still names
 * the registration that came to nothing, if there was one: the next is another.
 */
export async function requeueBusMessage(
  db: Db,
  id: string,
  at: Instant,
): Promise<Row<'busMessage'> | undefined> {
  return db
    .updateTable('busMessage')
    .set({
      state: 'received',
      outcome: null,
      problem: null,
      attempts: 0,
      nextAttemptAt: sqlTime(at),
      processedAt: null,
    })
    .where('id', '=', id)
    .where('state', '=', 'parked')
    .where('content', 'is not', null)
    .returningAll()
    .executeTakeFirst()
}

export async function readBusMessage(db: Db, id: string): Promise<Row<'busMessage'> | undefined> {
  return db.selectFrom('busMessage').selectAll().where('id', '=', id).executeTakeFirst()
}

export interface BusMessageFilter {
  readonly state?: Row<'busMessage'>['state'] | undefined
  readonly limit: number
  readonly after?: string | undefined
}

/** Newest first. */
export async function listBusMessages(db: Db, filter: BusMessageFilter): Promise<Row<'busMessage'>[]> {
  let query = db.selectFrom('busMessage').selectAll()
  if (filter.state !== undefined) query = query.where('state', '=', filter.state)
  if (filter.after !== undefined) query = query.where('id', '<', filter.after)
  return query.orderBy('id', 'desc').limit(filter.limit).execute()
}

export interface BusFigures {
  /** Without those whose registration is parked: they wait for the person who looks at that one. */
  readonly waiting: number
  readonly parked: number
  /** Null: nothing waits. */
  readonly oldestAt: Instant | null
}

export async function busFigures(db: Db): Promise<BusFigures> {
  const waits = sql`state = 'received' and outcome is distinct from ${HELD_UP}`
  const { rows } = await sql<BusFigures>`
    select
      (select count(*)::int from bus_message where ${waits}) as waiting,
      (select count(*)::int from bus_message where state = 'parked') as parked,
      (select min(received_at) from bus_message where ${waits}) as oldest_at`.execute(db)
  const [figures] = rows
  if (!figures) throw new Error('The bus gave no figures.')
  return figures
}

/** From a profile, by its sender's clock, to its running subscription: the slowest of those since, in seconds. */
export async function slowestSignUp(db: Db, since: Instant): Promise<number> {
  const { rows } = await sql<{ seconds: number }>`
    select coalesce(max(extract(epoch from workflow.ended_at - bus_message.sent_at)), 0)::float8 as seconds
    from bus_message
    join registration on registration.id = bus_message.registration_id
    join workflow on workflow.id = registration.workflow_id
    where bus_message.state = 'processed' and bus_message.processed_at >= ${sqlTime(since)}`.execute(db)
  return rows[0]?.seconds ?? 0
}
