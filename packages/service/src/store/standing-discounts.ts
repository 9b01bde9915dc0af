import type { Discount } from '@lockstep/core/discount'
import type { StandingDiscount } from '@lockstep/core/standing-discount'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { grouped } from '../postgres/grouped.ts'

export interface StandingDiscounts {
  /** Whatever their time: `discountsTakenOff` says which of them are taken off when. */
  readonly discounts: readonly StandingDiscount[]
  /** The provider's ids of those that nobody asked about so far: what they take off is not known until they are looked at. */
  readonly unread: readonly string[]
}

interface Found {
  readonly subscription: string
  readonly scope: StandingDiscount['scope']
  readonly item: string | null
  readonly price: string | null
  readonly id: string
  readonly terms: Discount | null
  readonly products: string[] | null
}

/**
 * What the provider takes off a subscription by itself, as the subscription and its customer were last seen: whoever gave
 * it, here or there. A subscription that is not linked has none.
 */
export async function standingDiscounts(db: Db | Trx, subscriptionId: string): Promise<StandingDiscounts> {
  return sorted(await discountsOf(db, subscriptionId))
}

/** The same, of which nobody needs to know yet what each is good for. Null while the terms of one are not known. */
export async function discountTerms(
  db: Db | Trx,
  subscriptionId: string,
): Promise<readonly Pick<StandingDiscount, 'scope' | 'terms'>[] | null> {
  const found = await discountsOf(db, subscriptionId)
  const known = found.flatMap(({ scope, terms }) => (terms === null ? [] : [{ scope, terms }]))
  return known.length === found.length ? known : null
}

/** All that are asked for at once are one statement. */
const discountsOf = grouped(
  async (db: Db | Trx, subscriptionIds: readonly string[]): Promise<readonly Found[][]> => {
    const { rows } = await sql<Found>`
      with picture as (
        select subscription.id, s.raw as subscription, c.raw as customer
        from subscription
        join mapping of on of.entity_type = 'subscription' and of.entity_id = subscription.id and of.provider = 'stripe'
        join provider_object s on s.provider = of.provider and s.type = 'subscription' and s.id = of.provider_id
        left join mapping by on by.entity_type = 'customer' and by.entity_id = subscription.customer_id and by.provider = 'stripe'
        left join provider_object c on c.provider = by.provider and c.type = 'customer' and c.id = by.provider_id
        where subscription.id = any(${[...subscriptionIds]}::text[])
      ), named as (
        select picture.id, 'item' as scope, item ->> 'id' as item, item -> 'price' ->> 'id' as price, discount, place.n * 100 + at.n as n
        from picture, jsonb_array_elements(subscription #> '{items,data}') with ordinality as place (item, n),
          jsonb_array_elements(coalesce(item -> 'discounts', '[]')) with ordinality as at (discount, n)
        union all
        select picture.id, 'subscription', null, null, discount, n
        from picture, jsonb_array_elements(coalesce(subscription -> 'discounts', '[]')) with ordinality as at (discount, n)
        union all
        select picture.id, 'customer', null, null, customer -> 'discount', 1
        from picture where jsonb_typeof(customer -> 'discount') = 'object'
      )
      select named.id as subscription, scope, item, price, seen.terms, seen.products,
        coalesce(discount ->> 'id', discount #>> '{}') as id
      from named
      left join provider_discount seen
        on seen.provider = 'stripe' and seen.id = coalesce(discount ->> 'id', discount #>> '{}')
      order by named.id, scope, n`.execute(db)
    return subscriptionIds.map((id) => rows.filter(({ subscription }) => subscription === id))
  },
)

function sorted(rows: readonly Found[]): StandingDiscounts {
  const discounts: StandingDiscount[] = []
  const unread: string[] = []
  for (const { id, scope, item, price, terms, products } of rows) {
    if (terms === null || products === null) unread.push(id)
    else
      discounts.push({
        ...{ id, scope, terms, products },
        item: item === null || price === null ? null : { id: item, price },
      })
  }
  return { discounts, unread }
}
