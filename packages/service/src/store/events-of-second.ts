import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { given } from '../postgres/given.ts'
import type { WaitingEvent } from './provider-events.ts'
import type { ObjectKey } from './provider-objects.ts'
import { sqlTime } from './time.ts'

/** An event that was known before, and whether it shows its object as it is held. */
export interface OfSecond extends WaitingEvent {
  readonly isHeld: boolean
}

/** Events of one object and second. */
interface Second extends ObjectKey {
  readonly events: readonly Pick<WaitingEvent, 'id' | 'objectType' | 'created'>[]
}

/** Whatever else is known of these seconds, in whatever state it is; of each at most one more than `most`. */
export async function readSeconds(
  db: Db,
  seconds: readonly Second[],
  most: number,
): Promise<(object: ObjectKey) => readonly OfSecond[]> {
  const each = seconds.flatMap(({ type, id, events: [one] }) =>
    one ? [{ ...one, observedAs: type, id }] : [],
  )
  const mine = seconds.flatMap(({ events }) => events.map(({ id }) => id))
  const { rows } = await sql<OfSecond & { readonly observedAs: string }>`
    select told.observed_as, other.id, other.type, other.object_type, other.object_id, other.created,
      other.api_version, other.observation, other.attempts, other.livemode, other.payload,
      coalesce(other.payload #> '{data,object}' = known.raw, false) as is_held
    from ${given(
      sql`unnest(${each.map(({ observedAs }) => observedAs)}::text[], ${each.map(({ objectType }) => objectType)}::text[],
        ${each.map(({ id }) => id)}::text[], ${each.map(({ created }) => sqlTime(created))}::timestamptz[])`,
      sql`told (observed_as, object_type, id, created)`,
    )} as told
    cross join lateral (
      select event.* from provider_event event
      where event.provider = 'stripe' and event.object_type = told.object_type and event.object_id = told.id
        and event.created = told.created and event.id <> all(${mine}::text[])
      order by event.observation limit ${most + 1}) as other
    left join provider_object known on known.provider = 'stripe' and known.type = told.observed_as and known.id = told.id
    order by other.observation`.execute(db)
  const byObject = Map.groupBy(rows, ({ observedAs, objectId }) => `${observedAs} ${objectId}`)
  return ({ type, id }) => byObject.get(`${type} ${id}`) ?? []
}
