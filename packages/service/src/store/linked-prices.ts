import { type Price, type PriceJson, priceFromJson } from '@lockstep/core/price'
import type { PriceRhythm } from '@lockstep/core/price-rhythm'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import type { LinkedId } from './mapped-ids.ts'
import type { ProviderAccount } from './mappings.ts'
import { STRIPE } from './mappings.ts'

/** A price of ours that is linked to one of the provider's. */
export interface LinkedPrice extends LinkedId, PriceRhythm {
  readonly price: Price
  readonly priceKey: string
  /** The plan or the add-on, with its version, for a person. */
  readonly soldBy: string
  /** It is of the newest version of what the catalogue sells. */
  readonly isSold: boolean
}

/** Of these prices of the provider's, those that a version of a plan or of an add-on is billed by. */
export async function linkedPrices(
  db: Db,
  { account, livemode }: ProviderAccount,
  ids: readonly string[],
): Promise<LinkedPrice[]> {
  const { rows } = await sql<Omit<LinkedPrice, 'price'> & { definition: PriceJson }>`
    select m.entity_id, m.provider_id, p.definition, p.key as price_key,
      coalesce(v.currency, a.currency) as currency, coalesce(v.interval, a.interval) as interval,
      coalesce(v.interval_count, a.interval_count) as interval_count,
      coalesce(v.plan_key || ' ' || v.version, a.addon_key || ' ' || a.version) as sold_by,
      coalesce(plan.origin = 'catalog' and plan.archived_at is null and not exists (
          select from plan_version n where n.plan_key = v.plan_key and n.version > v.version),
        addon.origin = 'catalog' and addon.archived_at is null and not exists (
          select from addon_version n where n.addon_key = a.addon_key and n.version > a.version)) as is_sold
    from mapping m join price p on p.id = m.entity_id
      left join plan_version v on v.id = p.plan_version_id left join plan on plan.key = v.plan_key
      left join addon_version a on a.id = p.addon_version_id left join addon on addon.key = a.addon_key
    where m.provider = ${STRIPE} and m.provider_account = ${account} and m.livemode = ${livemode}
      and m.entity_type = 'price' and m.provider_id = any(${ids})`.execute(db)
  return rows.map(({ definition, ...row }) => ({ ...row, price: priceFromJson(definition) }))
}

/** Of these prices of ours, those whose price, or its product, was archived at the provider, as far as that told us. */
export async function archivedThere(db: Db | Trx, priceIds: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ id: string }>`
    select m.entity_id as id from mapping m join price p on p.id = m.entity_id
      left join mapping its on its.entity_type = 'product' and its.entity_id = p.product_key and its.provider = m.provider
    where m.entity_type = 'price' and m.provider = ${STRIPE} and m.entity_id = any(${priceIds})
      and exists (select from provider_object o where o.provider = ${STRIPE} and o.raw -> 'active' = 'false'
        and ((o.type = 'price' and o.id = m.provider_id) or (o.type = 'product' and o.id = its.provider_id)))`.execute(
    db,
  )
  return new Set(rows.map(({ id }) => id))
}
