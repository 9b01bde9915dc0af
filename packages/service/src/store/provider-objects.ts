import { isDeepStrictEqual } from 'node:util'
import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { given, isOneOf } from '../postgres/given.ts'
import { grouped } from '../postgres/grouped.ts'
import { STRIPE } from './mappings.ts'
import { sqlTime } from './time.ts'

export interface ObjectKey {
  readonly type: string
  readonly id: string
}

/** What we last saw of an object. */
export interface SeenObject {
  readonly raw: unknown
  readonly lastEventCreated: Instant | null
  readonly observation: bigint
  readonly ownSince: boolean
  readonly gone: boolean
}

/**
 * The next number of the one order in which we learn things. Drawn before a fetch or write begins:
 * of two answers the one that was asked for later is the newer, whichever comes back first.
 */
export function nextObservation(db: Db | Trx): Promise<bigint> {
  return nextNumber(db, undefined)
}

const nextNumber = grouped(async (db, all: readonly undefined[]) => {
  const { rows } = await sql<{ number: bigint }>`
    select nextval('observation_counter') as number from generate_series(1, ${all.length})`.execute(db)
  if (rows.length < all.length) throw new Error('The observation counter gave no number.')
  return rows.map(({ number }) => number)
})

const keyOf = ({ type, id }: ObjectKey) => `${type} ${id}`

/** What we know of these objects; those we never saw are left out. */
export async function readObjects(
  db: Db | Trx,
  keys: readonly ObjectKey[],
): Promise<ReadonlyMap<string, SeenObject>> {
  if (keys.length === 0) return new Map()
  const rows = await db
    .selectFrom('providerObject')
    .select(['type', 'id', 'raw', 'lastEventCreated', 'observation', 'ownSince', 'gone'])
    .where('provider', '=', 'stripe')
    .where(isOneOf('id', [...new Set(keys.map(({ id }) => id))]))
    .execute()
  return new Map(rows.map((row) => [keyOf(row), row]))
}

/** An object that events wait of. */
interface Told extends ObjectKey {
  readonly eventIds: readonly string[]
}

/** What an object is known by, and which of its events show it as it is held. */
export interface KnownObject extends Omit<SeenObject, 'raw'> {
  readonly shownBy: ReadonlySet<string>
}

/**
 * What we know of the objects of these events; those we never saw are left out. Whether an event shows what is held is
 * compared where both are.
 */
export async function readKnown(
  db: Db | Trx,
  told: readonly Told[],
): Promise<ReadonlyMap<string, KnownObject>> {
  if (told.length === 0) return new Map()
  const each = told.flatMap(({ type, id, eventIds }) => eventIds.map((eventId) => ({ type, id, eventId })))
  const { rows } = await sql<
    Omit<KnownObject, 'shownBy'> & ObjectKey & { readonly eventId: string; readonly isShown: boolean | null }
  >`
    select told.type, told.id, told.event_id, known.last_event_created, known.observation, known.own_since, known.gone,
      known.raw = event.payload #> '{data,object}' as is_shown
    from ${given(
      sql`unnest(${each.map(({ type }) => type)}::text[], ${each.map(({ id }) => id)}::text[],
        ${each.map(({ eventId }) => eventId)}::text[])`,
      sql`told (type, id, event_id)`,
    )} as told
    join provider_object known on known.provider = 'stripe' and known.type = told.type and known.id = told.id
    join provider_event event on event.provider = 'stripe' and event.id = told.event_id`.execute(db)
  const known = new Map<string, KnownObject & { readonly shownBy: Set<string> }>()
  for (const { eventId, isShown, ...row } of rows) {
    const object = known.get(keyOf(row)) ?? { ...row, shownBy: new Set<string>() }
    known.set(keyOf(row), object)
    if (isShown) object.shownBy.add(eventId)
  }
  return known
}

export async function readObject(db: Db | Trx, key: ObjectKey): Promise<SeenObject | undefined> {
  return (await readObjects(db, [key])).get(keyOf(key))
}

/** What we last saw of the provider's object that something of ours is linked to. */
export function readLinked(
  db: Db | Trx,
  type: 'customer' | 'subscription',
  entityId: string,
): Promise<Pick<SeenObject, 'raw'> | undefined> {
  return db
    .selectFrom('mapping')
    .innerJoin('providerObject as object', (join) =>
      join
        .onRef('object.id', '=', 'mapping.providerId')
        .onRef('object.provider', '=', 'mapping.provider')
        .on('object.type', '=', type),
    )
    .select('object.raw')
    .where('mapping.entityType', '=', type)
    .where('mapping.entityId', '=', entityId)
    .where('mapping.provider', '=', STRIPE)
    .executeTakeFirst()
}

/** Whether this is what we last saw of it. The client reads decimals as objects; what is kept of them is JSON. */
export function isSeenSo(before: SeenObject | undefined, object: object): boolean {
  if (!before || before.gone) return false
  return isDeepStrictEqual(before.raw, JSON.parse(JSON.stringify(object)))
}

interface Sighting extends ObjectKey {
  readonly raw: unknown
  readonly observation: bigint
  /** The newest event that this answer has seen, if any. */
  readonly eventCreated: Instant | null
  readonly at: Instant
}

/** An event's payload, which stands in the inbox. */
interface PayloadSighting extends Omit<Sighting, 'raw'> {
  readonly eventId: string
  readonly eventCreated: Instant
  /** It came last of so many of its second, of which one may have been recorded before. */
  readonly ofSecond?: number | undefined
}

/**
 * Records an event's payload as the object's state, unless an event as new was seen or an answer of
 * our own came since: false then, and the object has to be fetched. The guard is in the statement, so
 * that two workers cannot both pass it. The payload need not be sent: it is in the inbox.
 *
 * Of events of one second the last is recorded after another one if no more of them are known than those that told the
 * order. They are counted while the object is locked, by a statement behind the one that locked it: whoever recorded one more has
 * committed it by then, and whoever is about to counts this one too.
 */
export const recordPayload = grouped(async (trx, all: readonly PayloadSighting[]) => {
  const { rows } = await sql<{ type: string; id: string }>`
    insert into provider_object as known
      (provider, type, id, raw, last_event_created, observation, own_since, gone, updated_at)
    select 'stripe', seen.type, seen.id, event.payload #> '{data,object}', seen.created, seen.observation, false, false,
      seen.at
    from ${given(
      sql`unnest(${all.map(({ type }) => type)}::text[], ${all.map(({ id }) => id)}::text[],
        ${all.map(({ eventId }) => eventId)}::text[], ${all.map(({ eventCreated }) => sqlTime(eventCreated))}::timestamptz[],
        ${all.map(({ observation }) => observation)}::bigint[], ${all.map(({ at }) => sqlTime(at))}::timestamptz[])`,
      sql`seen (type, id, event_id, created, observation, at)`,
    )} as seen
    join provider_event event on event.provider = 'stripe' and event.id = seen.event_id
    order by seen.type, seen.id
    on conflict (provider, type, id) do update set
      raw = excluded.raw,
      last_event_created = excluded.last_event_created,
      observation = greatest(known.observation, excluded.observation),
      updated_at = excluded.updated_at
    where not known.own_since and not known.gone
      and (known.last_event_created is null or known.last_event_created < excluded.last_event_created)
    returning type, id`.execute(trx)
  const written = areIn(rows, all)
  const others = all.filter(({ ofSecond }, i) => !written[i] && ofSecond !== undefined)
  if (others.length === 0) return written
  const rest = new Set((await recordLastOfSecond(trx, others)).map(keyOf))
  return all.map((one, i) => written[i] || rest.has(keyOf(one)))
})

/** Behind the insert, which locks also what it leaves as it was. */
async function recordLastOfSecond(trx: Db | Trx, all: readonly PayloadSighting[]): Promise<ObjectKey[]> {
  const { rows } = await sql<ObjectKey>`
    update provider_object known set
      raw = event.payload #> '{data,object}', observation = greatest(known.observation, seen.observation),
      updated_at = seen.at
    from ${given(
      sql`unnest(${all.map(({ type }) => type)}::text[], ${all.map(({ id }) => id)}::text[],
        ${all.map(({ eventId }) => eventId)}::text[], ${all.map(({ observation }) => observation)}::bigint[],
        ${all.map(({ at }) => sqlTime(at))}::timestamptz[], ${all.map(({ ofSecond }) => ofSecond)}::int[])`,
      sql`seen (type, id, event_id, observation, at, of_second)`,
    )} as seen
    join provider_event event on event.provider = 'stripe' and event.id = seen.event_id
    where known.provider = 'stripe' and known.type = seen.type and known.id = seen.id
      and not known.own_since and not known.gone and known.last_event_created = event.created
      and seen.of_second = (
        select count(*) from provider_event other
        where other.provider = 'stripe' and other.object_type = event.object_type
          and other.object_id = event.object_id and other.created = event.created)
    returning known.type, known.id`.execute(trx)
  return rows
}

function areIn(rows: readonly ObjectKey[], all: readonly ObjectKey[]): boolean[] {
  const found = new Set(rows.map(keyOf))
  return all.map((key) => found.has(keyOf(key)))
}

/** Records an answer of our own, unless we know a newer one. Later payloads cannot be trusted any more. */
export async function recordAnswer(trx: Trx, seen: Sighting): Promise<boolean> {
  if (!isDeleted(seen.raw)) return recordObject(trx, seen)
  // Stripe answers for what was deleted, in three words: what we saw of it before is kept.
  await markGone(trx, seen, seen.observation, seen.at)
  return true
}

const recordObject = grouped(async (trx, all: readonly Sighting[]) => {
  const answers = all.map((seen) => ({ ...seen, observation: seen.observation.toString() }))
  const { rows } = await sql<{ type: string; id: string }>`
    insert into provider_object as known
      (provider, type, id, raw, last_event_created, observation, own_since, gone, updated_at)
    select 'stripe', type, id, raw, to_timestamp("eventCreated"), observation, true, false, to_timestamp(at)
    from jsonb_to_recordset(${JSON.stringify(answers)}::jsonb) as seen
      (type text, id text, raw jsonb, "eventCreated" float8, observation bigint, at float8)
    order by type, id
    on conflict (provider, type, id) do update set
      raw = excluded.raw,
      last_event_created = greatest(known.last_event_created, excluded.last_event_created),
      observation = excluded.observation,
      own_since = true,
      gone = false,
      updated_at = excluded.updated_at
    where known.observation < excluded.observation
    returning type, id`.execute(trx)
  return areIn(rows, all)
})

/**
 * Records what nothing is known of yet; false where something is. What its events say may be older, and is not looked up
 * for that: whoever writes down what it stands for takes nothing back by an event.
 */
export async function recordFirstSight(
  trx: Trx,
  { type, id, raw, observation, at }: Omit<Sighting, 'eventCreated'>,
): Promise<boolean> {
  const { rows } = await sql`
    insert into provider_object (provider, type, id, raw, observation, updated_at)
    values ('stripe', ${type}, ${id}, ${JSON.stringify(raw)}::jsonb, ${observation}, ${sqlTime(at)})
    on conflict (provider, type, id) do nothing returning id`.execute(trx)
  return rows.length > 0
}

/**
 * An event says exactly what we hold: nothing changed, and payloads newer than it can be trusted
 * again. False if what we hold is no longer the same.
 */
export const confirmObject = grouped(async (trx, all: readonly PayloadSighting[]) => {
  const { rows } = await sql<{ type: string; id: string }>`
    update provider_object known set
      own_since = false, last_event_created = greatest(known.last_event_created, seen.created)
    from ${given(
      sql`unnest(${all.map(({ type }) => type)}::text[], ${all.map(({ id }) => id)}::text[],
        ${all.map(({ eventId }) => eventId)}::text[], ${all.map(({ eventCreated }) => sqlTime(eventCreated))}::timestamptz[])`,
      sql`seen (type, id, event_id, created)`,
    )} as seen
    join provider_event event on event.provider = 'stripe' and event.id = seen.event_id
    where known.provider = 'stripe' and known.type = seen.type and known.id = seen.id
      and known.raw = event.payload #> '{data,object}' and not known.gone
    returning known.type, known.id`.execute(trx)
  return areIn(rows, all)
})

/** The newest event of an object, although its payload was not used. */
export const noteEvent = grouped(
  async (trx, all: readonly (ObjectKey & { readonly created: Instant })[]): Promise<undefined[]> => {
    await sql`
      update provider_object known set last_event_created = greatest(known.last_event_created, seen.created)
      from ${given(
        sql`unnest(${all.map(({ type }) => type)}::text[], ${all.map(({ id }) => id)}::text[],
          ${all.map(({ created }) => sqlTime(created))}::timestamptz[])`,
        sql`seen (type, id, created)`,
      )} as seen
      where known.provider = 'stripe' and known.type = seen.type and known.id = seen.id`.execute(trx)
    return all.map(() => undefined)
  },
)

/** What we hold may be older than something on its way: the next event is looked up. */
export async function distrust(trx: Trx, key: ObjectKey): Promise<void> {
  await sql`
    update provider_object set own_since = true
    where provider = 'stripe' and type = ${key.type} and id = ${key.id}`.execute(trx)
}

/** The provider has no such object any more. What we saw of it stays. */
export async function markGone(trx: Trx, key: ObjectKey, observation: bigint, at: Instant): Promise<void> {
  await sql`
    insert into provider_object as known (provider, type, id, raw, observation, own_since, gone, updated_at)
    values ('stripe', ${key.type}, ${key.id}, '{}', ${observation}, true, true, ${sqlTime(at)})
    on conflict (provider, type, id) do update set
      gone = true, own_since = true, observation = excluded.observation, updated_at = excluded.updated_at
    where known.observation < excluded.observation`.execute(trx)
}

const isDeleted = (raw: unknown) =>
  typeof raw === 'object' && raw !== null && 'deleted' in raw && raw.deleted === true
