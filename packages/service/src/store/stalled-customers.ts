import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { STRIPE } from './mappings.ts'
import { sqlTime } from './time.ts'

/**
 * The provider's ids of the customers with a subscription that runs and whose period was over an hour ago, in
 * their own time: nobody told of the next one.
 */
export async function stalledCustomers(db: Db, now: Instant, limit: number): Promise<string[]> {
  const { rows } = await sql<{ providerId: string }>`
    select distinct m.provider_id as "providerId" from subscription s
      join customer c on c.id = s.customer_id
      left join test_clock t on t.id = c.test_clock_id
      join mapping m on m.entity_type = 'customer' and m.entity_id = c.id and m.provider = ${STRIPE}
    where s.status in ('trialing', 'active', 'past_due', 'unpaid')
      and s.current_period_end < coalesce(t.frozen_at, ${sqlTime(now)}) - interval '1 hour'
    order by m.provider_id limit ${limit}`.execute(db)
  return rows.map(({ providerId }) => providerId)
}
