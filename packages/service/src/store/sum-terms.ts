import { sql } from 'kysely'
import { compiledSql } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'

/** Of the pictures of a subscription and of its customer, what the provider reads to sum an invoice; as it shows it. */
export interface SumPicture {
  readonly subscriptionId: string
  /** Something is taken off it, one of its items, or the customer. */
  readonly isDiscounted: boolean
  readonly subscription: {
    readonly default_tax_rates: unknown
    readonly automatic_tax: unknown
    readonly collection_method: unknown
    readonly items: unknown
  }
  /** Null of a customer that was not seen so far. */
  readonly customer: {
    readonly balance: unknown
    readonly tax_exempt: unknown
    readonly metadata: unknown
  } | null
}

const picturesOf = compiledSql(
  ({ subscriptionIds }: { readonly subscriptionIds: readonly string[] }) => sql<SumPicture>`
    select subscription.id as subscription_id,
      coalesce(jsonb_path_exists(s.raw, '$.discounts[*]'), false) or coalesce(jsonb_path_exists(s.raw, '$.items.data[*].discounts[*]'), false)
        or coalesce(jsonb_typeof(c.raw -> 'discount') = 'object', false) as is_discounted,
      jsonb_build_object('default_tax_rates', s.raw -> 'default_tax_rates', 'automatic_tax', s.raw -> 'automatic_tax',
        'collection_method', s.raw -> 'collection_method', 'items', s.raw #> '{items,data}') as subscription,
      case when c.raw is not null then jsonb_build_object('balance', c.raw -> 'balance', 'tax_exempt', c.raw -> 'tax_exempt',
        'metadata', c.raw -> 'metadata') end as customer
    from subscription
    join mapping of on of.entity_type = 'subscription' and of.entity_id = subscription.id and of.provider = 'stripe'
    join provider_object s on s.provider = of.provider and s.type = 'subscription' and s.id = of.provider_id
    left join mapping by on by.entity_type = 'customer' and by.entity_id = subscription.customer_id and by.provider = 'stripe'
    left join provider_object c on c.provider = by.provider and c.type = 'customer' and c.id = by.provider_id
    where ${isOneOf('subscription.id', subscriptionIds)}`,
)

/** Of those subscriptions that the provider knows. */
export async function sumPictures(
  db: Db | Trx,
  subscriptionIds: readonly string[],
): Promise<readonly SumPicture[]> {
  return subscriptionIds.length === 0 ? [] : picturesOf(db, { subscriptionIds })
}

/** What the newest final invoice of a subscription was taxed with; in the provider's units. */
export interface TaxSeen {
  readonly subscriptionId: string
  readonly invoiceId: string
  /** Its total without any tax. */
  readonly withoutTax: bigint
  /** What came on top. */
  readonly exclusive: bigint
  /** What the amounts contained. */
  readonly inclusive: bigint
}

/** Of the newest invoice of each subscription that was taxed: of one on which nothing was, nothing is learned. */
export async function newestTaxes(
  db: Db | Trx,
  subscriptionIds: readonly string[],
): Promise<readonly TaxSeen[]> {
  if (subscriptionIds.length === 0) return []
  const { rows } = await sql<TaxSeen>`
    select wanted.id as subscription_id, newest.id as invoice_id, newest.without_tax,
      (select coalesce(sum((tax ->> 'amount')::int8) filter (where not (tax ->> 'inclusive')::boolean), 0)::int8
        from jsonb_array_elements(newest.taxes) tax) as exclusive,
      (select coalesce(sum((tax ->> 'amount')::int8) filter (where (tax ->> 'inclusive')::boolean), 0)::int8
        from jsonb_array_elements(newest.taxes) tax) as inclusive
    from unnest(${[...subscriptionIds]}::text[]) as wanted (id)
    cross join lateral (
      select id, (provider_sums ->> 'withoutTax')::int8 as without_tax, provider_sums -> 'taxes' as taxes
      from invoice
      where subscription_id = wanted.id and finalized_at is not null and status <> 'void'
        and (provider_sums ->> 'withoutTax')::int8 > 0 and jsonb_array_length(provider_sums -> 'taxes') > 0
      order by finalized_at desc, id desc limit 1) newest`.execute(db)
  return rows
}
