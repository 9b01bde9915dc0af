import type { Period } from '@lockstep/core/period'
import { Problem } from '@lockstep/core/problem'
import { formatMonth } from '@lockstep/core/usage-retention'
import type { Trx } from '../postgres/connect.ts'
import { holdMonths } from '../store/expired-months.ts'

/**
 * Makes sure that the events of a stretch of time are kept, and stay until the transaction ends. First thing after
 * the gate.
 */
export async function keepMonths(trx: Trx, period: Period): Promise<void> {
  const month = await holdMonths(trx, period)
  if (month === undefined) return
  const detail = `The usage events of ${formatMonth(month)} are no longer kept.`
  throw new Problem('usage_events_expired', detail)
}
