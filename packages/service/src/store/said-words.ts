import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { STRIPE } from './mappings.ts'

/** A customer's name and e-mail address as an event told them. */
export interface SaidWord {
  readonly providerId: string
  readonly name: string | null
  readonly email: string | null
  /** What we told. Otherwise: what stood there before somebody changed it. */
  readonly isOurs: boolean
}

/**
 * What the events of these customers, who are linked, tell, oldest first: how they are called after each call of ours that said so,
 * known by its idempotency key (https://docs.stripe.com/api/events/object#event_object-request-idempotency_key); of every change,
 * what it changed, of which an event names nothing else. `telling`: the kind of the calls that say so.
 */
export async function saidWords(
  db: Db,
  ids: readonly string[],
  telling: string,
): Promise<readonly SaidWord[]> {
  if (ids.length === 0) return []
  const { rows } = await sql<SaidWord>`
    select object_id as provider_id, word ->> 'name' as name, word ->> 'email' as email, is_ours
      from provider_event cross join lateral (
        select payload #> '{data,previous_attributes}' as word, false as is_ours
        union all
        select payload #> '{data,object}', true where exists (select from mapping m
          join operation o on o.subject_id = m.entity_id
          where m.entity_type = 'customer' and m.provider = ${STRIPE} and m.provider_id = object_id
            and o.kind = ${telling} and o.idempotency_key = payload #>> '{request,idempotency_key}')
      ) as said
     where provider = ${STRIPE} and object_type = 'customer' and type in ('customer.created', 'customer.updated')
       and ${isOneOf('object_id', ids)} and jsonb_typeof(word) = 'object'
     order by provider_event.created, provider_event.type, provider_event.received_at`.execute(db)
  return rows
}
