import type { Currency } from '@lockstep/core/money'
import type { DiscountGiven } from '@lockstep/core/standing-discount'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'

/**
 * In the metadata of an invoice of ours: of its discount of that place, counted from 1, the discount of the subscription
 * in whose stead it is there.
 */
export const standsFor = (place: number): string => `lockstep_discount_${place}`

export interface GivenAtProvider extends Omit<DiscountGiven, 'minor'> {
  readonly subscriptionId: string
  readonly currency: Currency
  /** What it took off, in the provider's units. */
  readonly units: bigint
}

/**
 * What the invoices of subscriptions have of their discounts, and those of their customers' other subscriptions; none that
 * is void, or comes to nothing. Another subscription's draft may still come to something, unless nobody will finalize it. What
 * is held for one of theirs that is being made counts as had.
 */
export async function discountsGiven(
  db: Db | Trx,
  subscriptionIds: readonly string[],
): Promise<readonly GivenAtProvider[]> {
  if (subscriptionIds.length === 0) return []
  const { rows } = await sql<GivenAtProvider>`
    select subscription.id as subscription_id, invoice.id as invoice_id, invoice.currency,
      coalesce(raw #>> array['metadata', ${standsForPlace}], found.id) as discount,
      (select coalesce(sum((part ->> 'amount')::int8), 0)::int8 from jsonb_array_elements(
        case jsonb_typeof(raw -> 'total_discount_amounts') when 'array' then raw -> 'total_discount_amounts' else '[]' end) part
        where coalesce(part #>> '{discount,id}', part ->> 'discount') = found.id) as units,
      coalesce(to_timestamp((raw ->> 'created')::int8) >= subscription.ended_at
        and not ${billsAhead}, false) as after_end,
      invoice.subscription_id is distinct from subscription.id as elsewhere
    from subscription
    join invoice on invoice.customer_id = subscription.customer_id
    join provider_object seen on seen.provider = 'stripe' and seen.type = 'invoice' and seen.id = invoice.provider_invoice_id
    cross join lateral jsonb_array_elements(coalesce(raw -> 'discounts', '[]')) with ordinality as named (discount, n)
    cross join lateral (select coalesce(discount ->> 'id', discount #>> '{}') as id) found
    where subscription.id = any(${[...subscriptionIds]}::text[]) and invoice.status <> 'void'
      and case when invoice.subscription_id is distinct from subscription.id and raw ->> 'status' = 'draft'
        then raw ->> 'auto_advance' = 'true' else (raw ->> 'subtotal')::int8 > 0 end
    union all
    select subscription.id, invoice.id, invoice.currency, held.id, 0, false, true
    from subscription
    join invoice on invoice.customer_id = subscription.customer_id
      and invoice.subscription_id is distinct from subscription.id
      and invoice.provider_invoice_id is null and invoice.status in ('closing', 'draft')
    join held_discount held on held.provider = 'stripe' and held.invoice_id = invoice.id
    where subscription.id = any(${[...subscriptionIds]}::text[])`.execute(db)
  return rows
}

/**
 * What stands on these invoices in the stead of a discount of the subscription goes by that one's name. Written once:
 * it takes off the same.
 */
export async function nameDiscounts(db: Db | Trx, invoiceIds: readonly string[]): Promise<void> {
  await sql`
    insert into provider_discount (provider, id, terms, products, seen_at)
    select 'stripe', found.id, original.terms, original.products, original.seen_at
    from invoice
    join provider_object seen on seen.provider = 'stripe' and seen.type = 'invoice' and seen.id = invoice.provider_invoice_id
    cross join lateral jsonb_array_elements(coalesce(raw -> 'discounts', '[]')) with ordinality as named (discount, n)
    cross join lateral (select coalesce(discount ->> 'id', discount #>> '{}') as id) found
    join provider_discount original
      on original.provider = 'stripe' and original.id = raw #>> array['metadata', ${standsForPlace}]
    where invoice.id = any(${[...invoiceIds]}::text[])
    on conflict do nothing`.execute(db)
}

const standsForPlace = sql`'lockstep_discount_' || n`

/** A renewal, or a change, of the very second of the end: an end bills no fee of the time after it. */
const billsAhead = sql`exists (select from jsonb_array_elements(coalesce(raw #> '{lines,data}', '[]')) line
  where line #>> '{parent,type}' = 'subscription_item_details' and (line ->> 'amount')::int8 > 0
    and to_timestamp((line #>> '{period,end}')::int8) > subscription.ended_at)`
