import type { Instant } from '@lockstep/core/instant'
import type { Db, Trx } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import {
  checkAgain,
  endLimit,
  insertLimit,
  type NewLimit,
  type SpendLimitRecord,
} from '../store/spend-limits.ts'
import { closeGate } from '../usage/gate.ts'

/** Sets a limit in the place of the one of the same side and meter; what runs is held against it soon. */
export async function setSpendLimit(db: Db, limit: NewLimit): Promise<void> {
  await changing(db, limit.customerId, (trx) => insertLimit(trx, limit))
}

/** Takes one away. What was told of it stays told. */
export async function endSpendLimit(
  db: Db,
  { id, customerId }: SpendLimitRecord,
  deed: { readonly by: string; readonly at: Instant },
): Promise<void> {
  await changing(db, customerId, (trx) => endLimit(trx, id, deed))
}

/**
 * One at a time for a customer, and never beside a look at its usage: with the gate closed first, as that has it. No
 * lock that the look's foreign keys would wait for, since ingest waits with it.
 */
async function changing(db: Db, customerId: string, change: (trx: Trx) => Promise<void>): Promise<void> {
  await transaction(db, async (trx) => {
    await closeGate(trx, customerId)
    await trx.selectFrom('customer').select('id').where('id', '=', customerId).forNoKeyUpdate().execute()
    await change(trx)
    await checkAgain(trx, customerId)
  })
}
