import type { Instant } from '@lockstep/core/instant'
import type { Clock } from '../../clock.ts'
import type { Db, Trx } from '../../postgres/connect.ts'

/** A customer's own time: its test clock's, or the wall's. */
export async function customerTime(db: Db | Trx, clock: Clock, customerId: string | null): Promise<Instant> {
  if (customerId === null) return clock.now()
  const row = await db
    .selectFrom('customer')
    .innerJoin('testClock', 'testClock.id', 'customer.testClockId')
    .select('testClock.frozenAt')
    .where('customer.id', '=', customerId)
    .executeTakeFirst()
  return row?.frozenAt ?? clock.now()
}
