import { type Price, type PriceJson, priceFromJson } from '@lockstep/core/price'
import type { PriceRhythm } from '@lockstep/core/price-rhythm'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'

type Linkable = 'customer' | 'product' | 'plan' | 'addon' | 'price' | 'addon_price'

/** An object of ours that may be linked. */
export interface Linked {
  /** What it costs, and how often, of one that is a price. */
  readonly price: (PriceRhythm & { readonly price: Price }) | undefined
  /** The add-on that it is, or is a price of. */
  readonly addon: string | undefined
}

export async function readLinked(
  db: Db,
  entityType: Linkable,
  entityId: string,
): Promise<Linked | undefined> {
  if (entityType !== 'price' && entityType !== 'addon_price') {
    const found = await (entityType === 'customer'
      ? db.selectFrom('customer').select('id').where('id', '=', entityId)
      : db.selectFrom(entityType).select('key as id').where('key', '=', entityId)
    ).executeTakeFirst()
    return found && { price: undefined, addon: entityType === 'addon' ? entityId : undefined }
  }
  const { rows } = await sql<PriceRhythm & { definition: PriceJson; addon: string | null }>`
    select p.definition, coalesce(v.currency, a.currency) as currency, coalesce(v.interval, a.interval) as interval,
      coalesce(v.interval_count, a.interval_count) as interval_count, a.addon_key as addon
    from price p left join plan_version v on v.id = p.plan_version_id left join addon_version a on a.id = p.addon_version_id
    where p.id = ${entityId} and (a.id is not null or ${entityType} = 'price')`.execute(db)
  const [row] = rows
  if (!row) return undefined
  const { definition, addon, ...rhythm } = row
  return { price: { ...rhythm, price: priceFromJson(definition) }, addon: addon ?? undefined }
}

/**
 * Whether a subscription that is not over is a customer's, or on a version of a plan, or has an add-on, or sells a product or a price,
 * as its plan or by one of its add-ons.
 */
export async function isLinkedInUse(trx: Trx, entityType: Linkable, entityId: string): Promise<boolean> {
  const { rows } = await sql<{ isInUse: boolean | null }>`
    with live as (
      select s.customer_id, s.addons, v.id as version_id, v.plan_key, v.product_key
      from subscription s join plan_version v on v.id = s.plan_version_id
      where s.status not in ('canceled', 'incomplete_expired')
    ), attached as (
      select v.id as version_id, v.addon_key, v.product_key
      from live cross join jsonb_to_recordset(live.addons) as attached (addon text, version int)
      join addon_version v on v.addon_key = attached.addon and v.version = attached.version
    ), sold as (
      select id, product_key from price
      where plan_version_id in (select version_id from live)
         or addon_version_id in (select version_id from attached)
    )
    select case ${entityType}
      when 'customer' then exists (select from live where customer_id = ${entityId})
      when 'plan' then exists (select from live where plan_key = ${entityId})
      when 'addon' then exists (select from attached where addon_key = ${entityId})
      when 'product' then ${entityId} in (
        select product_key from live union all select product_key from attached union all select product_key from sold)
      else exists (select from sold where id = ${entityId}) end as is_in_use`.execute(trx)
  return rows[0]?.isInUse === true
}
