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

/** Whether a subscription that is not over is a customer's, or on a version of a plan, a product or a price. */
export async function isLinkedInUse(trx: Trx, entityType: Linkable, entityId: string): Promise<boolean> {
  const { rows } = await sql<{ isInUse: boolean }>`
    select exists (
      select from subscription s join plan_version v on v.id = s.plan_version_id
      where s.status not in ('canceled', 'incomplete_expired') and case ${entityType}
        when 'customer' then s.customer_id = ${entityId}
        when 'plan' then v.plan_key = ${entityId}
        when 'product' then v.product_key = ${entityId}
        else exists (select from price p where p.plan_version_id = v.id and p.id = ${entityId}) end
    ) as is_in_use`.execute(trx)
  return rows[0]?.isInUse === true
}
