import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import type { LinkedId } from './mapped-ids.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'

/** A product of ours that is linked to one of the provider's; `entityId` is its key. */
export interface LinkedProduct extends LinkedId {
  /** The catalogue names it; otherwise it came in from the provider. */
  readonly isOfCatalog: boolean
  /** The catalogue names it no more, or, of one that came in: the plan and the add-on that it is are off sale. */
  readonly isArchived: boolean
}

export async function linkedProducts(
  db: Db,
  { account, livemode }: ProviderAccount,
  ids: readonly string[],
): Promise<LinkedProduct[]> {
  const { rows } = await sql<LinkedProduct>`
    select m.entity_id, m.provider_id, p.origin = 'catalog' as is_of_catalog,
      p.archived_at is not null and not exists (
          select from plan where plan.key = p.key and plan.origin = 'provider' and plan.archived_at is null)
        and not exists (
          select from addon where addon.key = p.key and addon.origin = 'provider' and addon.archived_at is null)
        as is_archived
    from mapping m join product p on p.key = m.entity_id
    where m.entity_type = 'product' and m.provider = ${STRIPE} and m.provider_account = ${account}
      and m.livemode = ${livemode} and m.provider_id = any(${ids})`.execute(db)
  return rows
}
