import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { given, isOneOf } from '../postgres/given.ts'
import { grouped } from '../postgres/grouped.ts'
import { type Claim, claimFor, isClaimed } from '../postgres/presence.ts'
import * as arrays from '../postgres/sql-arrays.ts'
import type { ObjectKey } from './provider-objects.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

/** What becomes of an event without anybody looking: it is none of ours, or it is kept as it is. */
export interface SetAside {
  readonly state: 'ignored' | 'processed'
  readonly outcome: 'other_mode' | 'other_account' | 'unhandled_type' | 'recorded'
}

/** An event as it is taken in. The payload is JSON text, so that nothing is lost by reading it here. */
export interface ReceivedEvent {
  readonly id: string
  readonly type: string
  readonly objectType: string
  readonly objectId: string
  readonly created: Instant
  readonly apiVersion: string | null
  readonly livemode: boolean
  readonly payload: string
  /** What becomes of it without being looked at; null if it waits for the worker. */
  readonly setAside: SetAside | null
  readonly at: Instant
}

/** An event that waits, and is ours to process. */
export interface ClaimedEvent {
  readonly id: string
  readonly type: string
  readonly objectType: string
  readonly objectId: string
  readonly created: Instant
  readonly apiVersion: string | null
  readonly observation: bigint
  readonly attempts: number
  readonly livemode: boolean
}

/** With what it says of its object. */
export interface WaitingEvent extends ClaimedEvent {
  /** A thin event has no data: it only names its object. */
  readonly payload: {
    readonly data?: { readonly object?: unknown; readonly previous_attributes?: unknown }
    readonly account?: unknown
    readonly context?: unknown
  }
}

/**
 * Stores an event once, however often it is delivered, and says its observation number; undefined if it was here before.
 * Who stores the same event waits for the other: all store in the order of their ids, so that nobody waits for one who waits
 * for him.
 */
export const insertEvent = grouped(
  async (db, received: readonly ReceivedEvent[]): Promise<(bigint | undefined)[]> => {
    const events = received.toSorted(byId)
    const texts = (of: (event: ReceivedEvent) => string | null) => sql`${events.map(of)}::text[]`
    const times = (of: (event: ReceivedEvent) => Instant | null) =>
      sql`${events.map(of).map((at) => (at === null ? null : sqlTime(at)))}::timestamptz[]`
    const { rows } = await sql<{ id: string; observation: bigint }>`
    insert into provider_event (provider, id, type, object_type, object_id, created, api_version, livemode,
      payload, state, outcome, next_attempt_at, received_at, processed_at)
    select 'stripe', id, type, object_type, object_id, created, api_version, livemode, payload::jsonb, state, outcome,
      at, at, processed_at
    from unnest(${texts(({ id }) => id)}, ${texts(({ type }) => type)}, ${texts(({ objectType }) => objectType)},
      ${texts(({ objectId }) => objectId)}, ${times(({ created }) => created)},
      ${texts(({ apiVersion }) => apiVersion)}, ${events.map(({ livemode }) => livemode)}::boolean[],
      ${arrays.texts(events.map(({ payload }) => payload))}::text[], ${texts(({ setAside }) => setAside?.state ?? 'received')},
      ${texts(({ setAside }) => setAside?.outcome ?? null)}, ${times(({ at }) => at)},
      ${times(({ setAside, at }) => (setAside === null ? null : at))})
      as event (id, type, object_type, object_id, created, api_version, livemode, payload, state, outcome, at,
        processed_at)
    on conflict (provider, id) do nothing
    returning id, observation`.execute(db)
    const stored = new Map(rows.map(({ id, observation }) => [id, observation]))
    return received.map(({ id }) => {
      const observation = stored.get(id)
      // Delivered twice in one moment, it is one of them that stored it.
      stored.delete(id)
      return observation
    })
  },
  { gatherMs: 2 },
)

export interface EventsToClaim {
  readonly now: Instant
  /** How many waiting events to look through for objects. */
  readonly limit: number
  readonly seconds: number
}

/**
 * Claims all waiting events of some objects, and no object that somebody else is at work on. The
 * locks only keep two claims apart while they are made; what holds afterwards is `claimed_until`, so
 * that no connection is kept while the provider is asked.
 */
export async function claimEvents(
  trx: Trx,
  { now, limit, seconds }: EventsToClaim,
  claim: Claim,
): Promise<ClaimedEvent[]> {
  const due = await sql<ObjectKey>`
    with due as materialized (
      select object_type, object_id from provider_event
      where state = 'received' and next_attempt_at <= ${sqlTime(now)}
        and not ${isClaimed('provider_event', claim)}
      order by next_attempt_at limit ${limit}
    ), object as materialized (select distinct object_type as type, object_id as id from due)
    select type, id from object where ${isLocked}`.execute(trx)
  return claimLocked(trx, due.rows, { now, seconds }, claim)
}

/** Claims the waiting events of these objects, but not of those that somebody is at work on. */
export async function claimEventsOf(
  trx: Trx,
  objects: readonly ObjectKey[],
  until: Omit<EventsToClaim, 'limit'>,
  claim: Claim,
): Promise<ClaimedEvent[]> {
  const waiting = await sql<ObjectKey>`
    with object as materialized (
      select type, id from ${givenKeys(objects)} as given
      where exists (select from provider_event waiting where waiting.state = 'received'
        and waiting.object_type = given.type and waiting.object_id = given.id))
    select type, id from object where ${isLocked}`.execute(trx)
  return claimLocked(trx, waiting.rows, until, claim)
}

/** The first key of our advisory locks for claims, so that they meet no others. */
const CLAIM_SPACE = 1_801

const isLocked = sql<boolean>`pg_try_advisory_xact_lock(${CLAIM_SPACE}, hashtext(type || ' ' || id))`

const givenKeys = (keys: readonly ObjectKey[]) =>
  given(
    sql`unnest(${keys.map(({ type }) => type)}::text[], ${keys.map(({ id }) => id)}::text[])`,
    sql`object (type, id)`,
  )

/** A statement of its own, behind the one that locked: it must see what the last holder of the lock committed. */
async function claimLocked(
  trx: Trx,
  objects: readonly ObjectKey[],
  { now, seconds }: Omit<EventsToClaim, 'limit'>,
  claim: Claim,
): Promise<ClaimedEvent[]> {
  if (objects.length === 0) return []
  const { rows } = await sql<ClaimedEvent>`
    update provider_event e
    set ${claimFor(claim, seconds)}
    from ${givenKeys(objects)} as object
    where e.provider = 'stripe' and e.state = 'received' and e.next_attempt_at <= ${sqlTime(now)}
      and e.object_type = object.type and e.object_id = object.id
      and not exists (
        select from provider_event other
        where other.state = 'received' and other.object_type = e.object_type and other.object_id = e.object_id
          and ${isClaimed('other', claim)})
    returning e.id, e.type, e.object_type, e.object_id, e.created, e.api_version, e.observation, e.attempts,
      e.livemode`.execute(trx)
  return rows
}

/** What was sent of these events. */
export async function readPayloads(
  db: Db,
  ids: readonly string[],
): Promise<ReadonlyMap<string, WaitingEvent['payload']>> {
  if (ids.length === 0) return new Map()
  const { rows } = await sql<Pick<WaitingEvent, 'id' | 'payload'>>`
    select id, payload from provider_event where provider = 'stripe' and ${isOneOf('id', ids)}`.execute(db)
  return new Map(rows.map(({ id, payload }) => [id, payload]))
}

export interface Settled {
  readonly state: 'processed' | 'ignored'
  /** What was done, in a word: `applied`, `fetched`, `foreign`. */
  readonly outcome: string
  readonly at: Instant
}

/** Part of the transaction that wrote the effect, so that there is never one without the other. */
export function settleEvents(db: Db | Trx, ids: readonly string[], settled: Settled): Promise<void> {
  return settleAll(db, { ids, settled })
}

/** Rows of several events are locked in this order, whoever locks them. */
const byId = (a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : 1)

/** Those that are still to be processed. Asked for by their state, Postgres would go through an index of all that wait. */
const settleAll = grouped(
  async (db, all: readonly { readonly ids: readonly string[]; readonly settled: Settled }[]) => {
    const each = all.flatMap(({ ids, settled }) => ids.map((id) => ({ id, ...settled }))).sort(byId)
    await sql`
      update provider_event event set
        state = settled.state, outcome = settled.outcome, problem = null, processed_at = settled.at, claimed_until = null
      from ${given(
        sql`unnest(${each.map(({ id }) => id)}::text[], ${each.map(({ state }) => state)}::text[],
          ${each.map(({ outcome }) => outcome)}::text[], ${each.map(({ at }) => sqlTime(at))}::timestamptz[])`,
        sql`settled (id, state, outcome, at)`,
      )} as settled
      where event.provider = 'stripe' and event.id = settled.id and event.processed_at is null`.execute(db)
    return all.map(() => undefined)
  },
)

export interface Failure {
  readonly problem: {
    readonly code: string
    readonly title: string
    readonly detail: string
    /** What it waits for, of an event that lacks a link. */
    readonly missing?: unknown
  }
  /** Null: given up, a person has to look. */
  readonly nextAttemptAt: Instant | null
  /** What it is given up as. */
  readonly outcome?: string
  readonly at: Instant
}

export async function failEvents(db: Db | Trx, ids: readonly string[], failure: Failure): Promise<void> {
  if (ids.length === 0) return
  const parked = failure.nextAttemptAt === null
  await db
    .updateTable('providerEvent')
    .set((eb) => ({
      attempts: eb('attempts', '+', 1),
      problem: JSON.stringify(failure.problem),
      claimedUntil: null,
      nextAttemptAt: sqlTime(failure.nextAttemptAt ?? failure.at),
      ...(parked
        ? {
            state: 'parked' as const,
            outcome: failure.outcome ?? 'gave_up',
            processedAt: sqlTime(failure.at),
          }
        : {}),
    }))
    .where('provider', '=', 'stripe')
    .where('id', 'in', ids)
    .where('state', '=', 'received')
    .execute()
}

export interface InboxFigures {
  readonly waiting: number
  readonly parked: number
  readonly oldestAt: Instant | null
  readonly lastAt: Instant | null
}

export async function inboxFigures(db: Db): Promise<InboxFigures> {
  const { rows } = await sql<InboxFigures>`
    select
      (select count(*)::int from provider_event where state = 'received') as waiting,
      (select count(*)::int from provider_event where state = 'parked') as parked,
      (select min(received_at) from provider_event where state = 'received') as oldest_at,
      (select max(received_at) from provider_event) as last_at`.execute(db)
  const [figures] = rows
  if (!figures) throw new Error('The inbox gave no figures.')
  return figures
}

/** Puts an event back to be processed, as if it came now: its object is looked at once more. */
export async function requeueEvent(
  db: Db,
  id: string,
  at: Instant,
): Promise<Row<'providerEvent'> | undefined> {
  return db
    .updateTable('providerEvent')
    .set({
      state: 'received',
      outcome: null,
      problem: null,
      attempts: 0,
      claimedUntil: null,
      observation: sql<bigint>`nextval('observation_counter')`,
      nextAttemptAt: sqlTime(at),
      processedAt: null,
    })
    .where('provider', '=', 'stripe')
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

export async function readEvent(db: Db, id: string): Promise<Row<'providerEvent'> | undefined> {
  return db
    .selectFrom('providerEvent')
    .selectAll()
    .where('provider', '=', 'stripe')
    .where('id', '=', id)
    .executeTakeFirst()
}

export interface EventFilter {
  readonly state?: Row<'providerEvent'>['state'] | undefined
  readonly type?: string | undefined
  readonly object?: string | undefined
  readonly outcome?: string | undefined
  readonly receivedFrom?: Instant | undefined
  readonly receivedBefore?: Instant | undefined
  readonly limit: number
  /** Goes on after this one. */
  readonly after?: { readonly receivedAt: Instant; readonly id: string } | undefined
}

/** Newest first. One more than `limit` tells that there is a next page. */
export async function listEvents(db: Db, filter: EventFilter): Promise<Row<'providerEvent'>[]> {
  let query = db.selectFrom('providerEvent').selectAll().where('provider', '=', 'stripe')
  if (filter.state !== undefined) query = query.where('state', '=', filter.state)
  if (filter.type !== undefined) query = query.where('type', '=', filter.type)
  if (filter.object !== undefined) query = query.where('objectId', '=', filter.object)
  if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome)
  if (filter.receivedFrom !== undefined) query = query.where('receivedAt', '>=', sqlTime(filter.receivedFrom))
  if (filter.receivedBefore !== undefined)
    query = query.where('receivedAt', '<', sqlTime(filter.receivedBefore))
  if (filter.after !== undefined) {
    const { receivedAt, id } = filter.after
    query = query.where(sql<boolean>`(received_at, id) < (${sqlTime(receivedAt)}, ${id})`)
  }
  return query
    .orderBy('receivedAt', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1)
    .execute()
}
