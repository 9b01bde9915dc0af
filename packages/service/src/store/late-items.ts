import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'
import { sqlTime } from './time.ts'

/** The provider's ids of subscriptions that run and have an item at a price, or at any price of a product, as they were last seen. */
export async function subscriptionsPaying(
  db: Db,
  { account, livemode }: ProviderAccount,
  { price, product }: { readonly price?: string; readonly product?: string },
): Promise<string[]> {
  const item = { price: { ...(price && { id: price }), ...(product && { product }) } }
  const { rows } = await sql<{ id: string }>`
    select o.id from mapping m
    join subscription s on s.id = m.entity_id
    join provider_object o on o.provider = m.provider and o.type = 'subscription' and o.id = m.provider_id
    where m.entity_type = 'subscription' and m.provider = ${STRIPE} and m.provider_account = ${account}
      and m.livemode = ${livemode} and s.status not in ('canceled', 'incomplete_expired')
      and o.raw @> ${JSON.stringify({ items: { data: [item] } })}::jsonb`.execute(db)
  return rows.map(({ id }) => id)
}

/**
 * Of subscriptions of the provider's that have an item of this add-on there, those that are known here without it are
 * due to be looked at. Whoever has its twin as their plan has no add-on in it.
 */
export async function lookForAddon(
  db: Db,
  { account, livemode }: ProviderAccount,
  {
    addon,
    subscriptions,
    at,
  }: { readonly addon: string; readonly subscriptions: readonly string[]; readonly at: Instant },
): Promise<void> {
  const now = sqlTime(at)
  await sql`
    insert into due (id, customer_id, kind, subject_id, due_at, created_at)
    select 'due_' || replace(gen_random_uuid()::text, '-', ''), s.customer_id, 'subscription.items', s.id,
      least(${now}, coalesce(t.frozen_at, ${now})), least(${now}, coalesce(t.frozen_at, ${now}))
    from mapping m
    join subscription s on s.id = m.entity_id
    join plan_version v on v.id = s.plan_version_id
    join customer c on c.id = s.customer_id
    left join test_clock t on t.id = c.test_clock_id
    where m.entity_type = 'subscription' and m.provider = ${STRIPE} and m.provider_account = ${account}
      and m.livemode = ${livemode} and ${isOneOf('m.provider_id', subscriptions)} and v.plan_key <> ${addon}
      and s.status not in ('canceled', 'incomplete_expired')
      and not exists (select from jsonb_array_elements(s.addons) a where a ->> 'addon' = ${addon})
    on conflict (kind, subject_id) do update set due_at = excluded.due_at, attempts = 0, next_attempt_at = null,
      clock_stood_at = null, outcome = null, settled_at = null`.execute(db)
}
