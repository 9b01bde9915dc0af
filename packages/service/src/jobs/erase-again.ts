import type { PgBoss } from 'pg-boss'
import type { Clock } from '../clock.ts'
import type { Db } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import { erasedCustomersHeardOf, eraseProviderRows } from '../store/erasure.ts'
import { leaveMethodsOfForgotten } from '../workflow/left-methods.ts'

const QUEUE = 'erase-again'

/** Long enough to find an event that waited for a day before it was worked on. */
const LOOK_BACK_SECONDS = 7 * 86_400

/**
 * Every night: what Stripe said of customers after they were erased. The very event that a name was
 * removed there carries the name that it was. And what can still be charged of whom an earlier version erased.
 */
export async function eraseAgain({ boss, db, clock }: { boss: PgBoss; db: Db; clock: Clock }): Promise<void> {
  await boss.createQueue(QUEUE)
  await boss.schedule(QUEUE, '47 3 * * *')
  await boss.work(QUEUE, async () => {
    await eraseWhatCameLater({ db, clock })
    await transaction(db, (trx) => leaveMethodsOfForgotten(trx, clock))
  })
}

export async function eraseWhatCameLater({ db, clock }: { db: Db; clock: Clock }): Promise<void> {
  for (const customerId of await erasedCustomersHeardOf(db, clock.now() - LOOK_BACK_SECONDS)) {
    await transaction(db, (trx) => eraseProviderRows(trx, customerId))
  }
}
