import type { Instant } from '@lockstep/core/instant'
import type { Clock } from '../../clock.ts'
import { compiled } from '../../postgres/compiled.ts'
import type { Db, Trx } from '../../postgres/connect.ts'

const testClockOf = compiled((db, { customerId }: { readonly customerId: string }) =>
  db
    .selectFrom('customer')
    .innerJoin('testClock', 'testClock.id', 'customer.testClockId')
    .select('testClock.frozenAt')
    .where('customer.id', '=', customerId),
)

/** A customer's own time: its test clock's, or the wall's. */
export async function customerTime(db: Db | Trx, clock: Clock, customerId: string | null): Promise<Instant> {
  if (customerId === null) return clock.now()
  const [testClock] = await testClockOf(db, { customerId })
  return testClock?.frozenAt ?? clock.now()
}
