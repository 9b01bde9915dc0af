import type { PgBoss } from 'pg-boss'
import type { Clock } from '../clock.ts'
import type { Db } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import { behindHistory, catchUpHistory } from '../store/subscription-history.ts'
import { customerTime } from '../workflow/observe/customer-time.ts'

const QUEUE = 'begin-histories'

/**
 * At every start and every hour: subscriptions that were there before histories were kept, or were
 * written by an older version beside this one, have theirs begun, or caught up with how they stand.
 */
export async function beginHistories(deps: {
  readonly boss: PgBoss
  readonly db: Db
  readonly clock: Clock
}): Promise<void> {
  const { boss } = deps
  await boss.createQueue(QUEUE)
  await boss.schedule(QUEUE, '41 * * * *')
  await boss.work(QUEUE, () => beginMissing(deps))
  await boss.send(QUEUE)
}

/** How many were begun. */
export async function beginMissing({
  db,
  clock,
}: {
  readonly db: Db
  readonly clock: Clock
}): Promise<number> {
  let count = 0
  for (let after = ''; ; ) {
    const ids = await behindHistory(db, after, BATCH)
    for (const id of ids) if (await begin(db, clock, id)) count += 1
    const last = ids.at(-1)
    if (last === undefined) return count
    after = last
  }
}

const BATCH = 100

/** Locked as every change of it locks it, so that nobody begins it at the same time. */
async function begin(db: Db, clock: Clock, id: string): Promise<boolean> {
  return transaction(db, async (trx) => {
    const row = await trx
      .selectFrom('subscription')
      .selectAll()
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirstOrThrow()
    return catchUpHistory(trx, row, await customerTime(trx, clock, row.customerId))
  })
}
