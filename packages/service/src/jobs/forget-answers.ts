import type { PgBoss } from 'pg-boss'
import type { Clock } from '../clock.ts'
import type { Db } from '../postgres/connect.ts'
import { forgetRequestsBefore } from '../store/idempotency-keys.ts'
import { sqlTime } from '../store/time.ts'

const QUEUE = 'forget-answers'
const KEPT_SECONDS = 30 * 86_400

/** Every night: answers to requests with an Idempotency-Key are kept for 30 days. */
export async function forgetAnswers({
  boss,
  db,
  clock,
}: {
  boss: PgBoss
  db: Db
  clock: Clock
}): Promise<void> {
  await boss.createQueue(QUEUE)
  await boss.schedule(QUEUE, '17 3 * * *')
  await boss.work(QUEUE, () => forgetRequestsBefore(db, sqlTime(clock.now() - KEPT_SECONDS)))
}
