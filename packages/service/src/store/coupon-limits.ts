import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { given } from '../postgres/given.ts'
import { STRIPE } from './mappings.ts'

/** What a discount on an invoice was limited to. */
export interface CouponLimit {
  /** Our keys of the products that it was good for. */
  readonly products: readonly string[]
}

/** Of the provider's invoices, the discounts that are good for some products only, whatever they take off, by invoice. */
export async function couponLimits(
  db: Db | Trx,
  providerInvoiceIds: readonly string[],
): Promise<ReadonlyMap<string, readonly CouponLimit[]>> {
  if (providerInvoiceIds.length === 0) return new Map()
  const { rows } = await sql<CouponLimit & { readonly id: string }>`
    select wanted.id,
           array(select entity_id from mapping
                 where provider = ${STRIPE} and entity_type = 'product'
                   and provider_id in (select jsonb_array_elements_text(discount.products))) as products
    from ${given(sql`unnest(${providerInvoiceIds}::text[])`, sql`wanted (id)`)} as wanted
    join provider_object seen on seen.provider = ${STRIPE} and seen.type = 'invoice' and seen.id = wanted.id
    cross join jsonb_array_elements(coalesce(raw -> 'discounts', '[]')) as named
    join provider_discount discount
      on discount.provider = ${STRIPE} and discount.id = coalesce(named ->> 'id', named #>> '{}')
    where discount.products <> '[]'`.execute(db)
  return Map.groupBy(rows, ({ id }) => id)
}
