import type { Period } from '@lockstep/core/period'
import { Problem } from '@lockstep/core/problem'
import { formatMonth } from '@lockstep/core/usage-retention'
import { sql } from 'kysely'
import type { Trx } from '../postgres/connect.ts'
import { expiredMonthsIn } from '../store/usage-expired.ts'
import { CORRECTING, MONTHS } from './months.ts'

/**
 * Makes sure that the events of a stretch of time are kept, and stay until the transaction ends: whoever
 * decides that they are not waits for it. First thing after the gate.
 */
export async function keepMonths(trx: Trx, period: Period): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${MONTHS}::int4, ${CORRECTING}::int4)`.execute(trx)
  const [month] = await expiredMonthsIn(trx, period)
  if (month === undefined) return
  const detail = `The usage events of ${formatMonth(month)} are no longer kept.`
  throw new Problem('usage_events_expired', detail)
}
