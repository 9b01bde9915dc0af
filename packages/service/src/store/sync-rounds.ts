import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import { newId } from '../ids.ts'
import type { Db } from '../postgres/connect.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

/**
 * One round of the schedule. Those that are due and neither told nor failed have their turn still to come, are told by
 * whoever began before, or were left by a process that died: the next round finds these.
 */
export type SyncRound = Row<'syncRound'>

const KEPT_SECONDS = 86_400

/** Written before anything of it is done. */
export async function beginRound(db: Db, { due, at }: { due: number; at: Instant }): Promise<string> {
  const id = newId('round')
  await db
    .with('forgotten', (cte) => cte.deleteFrom('syncRound').where('beganAt', '<', sqlTime(at - KEPT_SECONDS)))
    .insertInto('syncRound')
    .values({ id, beganAt: sqlTime(at), due })
    .execute()
  return id
}

/** What became of some of a round's subscriptions. */
export interface RoundPart {
  readonly round: string
  readonly told: number
  readonly failed: number
}

/** Adds to a round what was done of it; one that is not kept any more is nobody's business. */
export async function countInRound(db: Db, { round, told, failed }: RoundPart): Promise<void> {
  await db
    .updateTable('syncRound')
    .set({ told: sql`told + ${told}`, failed: sql`failed + ${failed}` })
    .where('id', '=', round)
    .execute()
}

export async function lastRound(db: Db): Promise<SyncRound | undefined> {
  return db.selectFrom('syncRound').selectAll().orderBy('id', 'desc').limit(1).executeTakeFirst()
}
