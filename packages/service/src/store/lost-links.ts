import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'

/** A row of ours that is linked to none of the provider's, and the one that it was linked to. */
export interface LostLink {
  readonly entityId: string
  readonly providerId: string
}

export interface LostCustomer extends LostLink {
  /** Called by the provider's id: it was made of that one. */
  readonly isTheirs: boolean
  /** When both came together, at the earliest that anything here says. */
  readonly linkedAt: Instant
}

const linkedTo = ({ account, livemode }: ProviderAccount, type: 'customer' | 'subscription') => sql`
  m.entity_type = ${type} and m.provider = ${STRIPE} and m.provider_account = ${account} and m.livemode = ${livemode}`

/**
 * Customers who are linked to none and are not said to be deleted at the provider, though a subscription of theirs is
 * linked: with whom that one names there as its customer.
 */
export async function customersOfLinked(
  db: Db,
  account: ProviderAccount,
  only?: LostLink,
): Promise<LostCustomer[]> {
  const { rows } = await sql<LostCustomer>`
    with lost as materialized (
      select c.id, c.external_id, s.id as subscription_id from customer c join subscription s on s.customer_id = c.id
      where c.deleted_at_provider is null and c.id = coalesce(${only?.entityId ?? null}, c.id)
        and not exists (select from mapping m where m.entity_type = 'customer' and m.entity_id = c.id and m.provider = ${STRIPE})
    )
    select lost.id as entity_id, its.customer as provider_id, bool_and(lost.external_id = its.customer) as is_theirs,
      min(m.created_at) as linked_at
    from lost
      join mapping m on m.entity_id = lost.subscription_id and ${linkedTo(account, 'subscription')}
      join provider_object o on o.provider = ${STRIPE} and o.type = 'subscription' and o.id = m.provider_id
      cross join lateral (select coalesce(o.raw -> 'customer' ->> 'id', o.raw ->> 'customer') as customer) its
    where its.customer = coalesce(${only?.providerId ?? null}, its.customer)
    group by lost.id, its.customer order by lost.id, its.customer`.execute(db)
  return rows
}

/** Of these customers of the provider's, those that one of ours was made of and is linked to none, and has nothing that is linked. */
export async function customersNamed(
  db: Db,
  account: ProviderAccount,
  providerIds: readonly string[],
): Promise<LostCustomer[]> {
  const { rows } = await sql<LostCustomer>`
    select c.id as entity_id, c.external_id as provider_id, true as is_theirs, c.created_at as linked_at
    from customer c
    where c.external_id = any(${providerIds}) and c.deleted_at_provider is null
      and exists (select from provider_object o where o.provider = ${STRIPE} and o.type = 'customer' and o.id = c.external_id)
      and not exists (select from mapping m where m.entity_type = 'customer' and m.entity_id = c.id and m.provider = ${STRIPE})
      and not exists (select from subscription s join mapping m on m.entity_id = s.id
        and ${linkedTo(account, 'subscription')} where s.customer_id = c.id)
    order by c.id`.execute(db)
  return rows
}

export interface LostSubscription extends LostLink {
  readonly linkedAt: Instant
}

interface SeenSubscription {
  readonly id: string
  /** The provider's, and what it says of it. */
  readonly customer: string
  readonly startedAt: Instant
  readonly currency: string
}

/**
 * Of subscriptions of the provider's that are linked to none, those that were seen here, each with the rows that it may have
 * been linked to: of its customer, in its currency, that began in the same second and are linked to none.
 */
export async function subscriptionsUnlinked(
  db: Db,
  account: ProviderAccount,
  seen: readonly SeenSubscription[],
): Promise<LostSubscription[]> {
  if (seen.length === 0) return []
  const { rows } = await sql<LostSubscription>`
    select s.id as entity_id, seen.id as provider_id, s.created_at as linked_at
    from jsonb_to_recordset(${JSON.stringify(seen)}::jsonb)
        as seen (id text, customer text, "startedAt" float8, currency text)
      join mapping m on m.provider_id = seen.customer and ${linkedTo(account, 'customer')}
      join subscription s on s.customer_id = m.entity_id and s.currency = seen.currency
        and s.started_at = to_timestamp(seen."startedAt")
    where exists (select from provider_object o where o.provider = ${STRIPE} and o.type = 'subscription' and o.id = seen.id)
      and not exists (select from mapping its where its.entity_type = 'subscription' and its.entity_id = s.id
        and its.provider = ${STRIPE})
    order by s.id`.execute(db)
  return rows
}

/** Why a subscription of the provider's was not taken up, where that was said: by its newest parked event, or by an import. */
export async function refusalOf(db: Db, providerId: string): Promise<string | undefined> {
  const { rows } = await sql<{ detail: string }>`
    select detail from (
      select problem ->> 'detail' as detail, 1 as place, created as at from provider_event
      where provider = ${STRIPE} and object_type = 'subscription' and object_id = ${providerId} and state = 'parked'
      union all
      select r.detail, 2, run.created_at from import_refusal r join import_run run on run.id = r.import_id
      where r.provider_id = ${providerId}
    ) said where detail is not null order by place, at desc limit 1`.execute(db)
  return rows[0]?.detail
}
