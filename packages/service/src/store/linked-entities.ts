import { type PriceJson, priceFromJson } from '@lockstep/core/price'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'

type Linkable = 'customer' | 'product' | 'plan' | 'price'

/** An object of ours that may be linked; of a price also what it costs, and how often. */
export async function readLinked(db: Db, entityType: Linkable, entityId: string) {
  if (entityType !== 'price') {
    const found = await (entityType === 'customer'
      ? db.selectFrom('customer').select('id').where('id', '=', entityId)
      : db.selectFrom(entityType).select('key as id').where('key', '=', entityId)
    ).executeTakeFirst()
    return found && { price: undefined }
  }
  const row = await db
    .selectFrom('price')
    .innerJoin('planVersion', 'planVersion.id', 'price.planVersionId')
    .select(['price.definition', 'planVersion.currency', 'planVersion.interval', 'planVersion.intervalCount'])
    .where('price.id', '=', entityId)
    .executeTakeFirst()
  if (!row) return undefined
  const { definition, ...rhythm } = row
  return { price: { ...rhythm, price: priceFromJson(definition as PriceJson) } }
}

/**
 * Whether a subscription that is not over is a customer's, or on a version of a plan, or sells a product or a price,
 * as its plan or by one of its add-ons.
 */
export async function isLinkedInUse(trx: Trx, entityType: Linkable, entityId: string): Promise<boolean> {
  const { rows } = await sql<{ isInUse: boolean | null }>`
    with live as (
      select s.customer_id, s.addons, v.id as version_id, v.plan_key, v.product_key
      from subscription s join plan_version v on v.id = s.plan_version_id
      where s.status not in ('canceled', 'incomplete_expired')
    ), attached as (
      select v.id as version_id, v.product_key
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
      when 'product' then ${entityId} in (
        select product_key from live union all select product_key from attached union all select product_key from sold)
      else exists (select from sold where id = ${entityId}) end as is_in_use`.execute(trx)
  return rows[0]?.isInUse === true
}
