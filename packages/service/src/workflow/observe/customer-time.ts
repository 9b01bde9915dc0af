import type { Instant } from '@lockstep/core/instant'
import type { Clock } from '../../clock.ts'
import { compiled } from '../../postgres/compiled.ts'
import type { Db, Trx } from '../../postgres/connect.ts'
import { isOneOf } from '../../postgres/given.ts'
import { grouped, inOrder } from '../../postgres/grouped.ts'

const testClocksOf = compiled((db, { customerIds }: { readonly customerIds: readonly string[] }) =>
  db
    .selectFrom('customer')
    .innerJoin('testClock', 'testClock.id', 'customer.testClockId')
    .select(['customer.id', 'testClock.frozenAt'])
    .where(isOneOf('customer.id', customerIds)),
)

const testClockOf = grouped(async (db, customerIds: readonly string[]) =>
  inOrder(customerIds, await testClocksOf(db, { customerIds }), ({ id }) => id),
)

/** A customer's own time: its test clock's, or the wall's. */
export async function customerTime(db: Db | Trx, clock: Clock, customerId: string | null): Promise<Instant> {
  if (customerId === null) return clock.now()
  const testClock = await testClockOf(db, customerId)
  return testClock?.frozenAt ?? clock.now()
}
