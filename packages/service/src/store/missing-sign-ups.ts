import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { sqlTime } from './time.ts'

export interface MissingSignUp {
  readonly customerId: string
  readonly externalId: string
}

/**
 * Whom nobody ever registered, nor mirrored a subscription for. A registration that was undone, canceled
 * or ended counts as much as one under way: somebody made a choice, or a person is to look. Nor is it
 * anybody who was erased.
 */
const neverRegistered = sql`
  exists (select from customer_profile p where p.customer_id = c.id)
  and not exists (select from registration r where r.customer_id = c.id)
  and not exists (select from subscription s where s.customer_id = c.id)
  and not exists (select from subscription_slot s where s.customer_id = c.id)`

/** Those known since before a moment, by id, which is by age. */
export async function missingSignUps(
  db: Db,
  { before, after, limit }: { readonly before: Instant; readonly after: string; readonly limit: number },
): Promise<MissingSignUp[]> {
  const { rows } = await sql<MissingSignUp>`
    select c.id as "customerId", c.external_id as "externalId" from customer c
    where c.created_at < ${sqlTime(before)} and c.id > ${after} and ${neverRegistered}
    order by c.id limit ${limit}`.execute(db)
  return rows
}
