import type { Instant } from '@lockstep/core/instant'
import { formatMonth, keptSince } from '@lockstep/core/usage-retention'
import type { Db } from '../postgres/connect.ts'
import { keptMonths } from '../store/usage-retention.ts'
import { type Check, fine, hint } from './check.ts'

export interface RetentionSet {
  /** Whole months before the one that runs; null: everything is kept. */
  readonly keepMonths: number | null
  /** Somebody decided it: the variable is set. */
  readonly isDecided: boolean
}

const NAME = 'usage retention'

/** Whether events are there that the next night drops, though nobody ever said how long they are to be kept. */
export async function examineRetention(
  db: Db,
  { keepMonths, isDecided }: RetentionSet,
  now: Instant,
): Promise<Check> {
  if (keepMonths === null) return fine(NAME, 'Every usage event is kept.')
  const [oldest] = isDecided ? [] : await keptMonths(db, keptSince(now, keepMonths))
  if (oldest === undefined)
    return fine(NAME, `Usage events are kept for ${keepMonths} months before the one that runs.`)
  return hint(
    NAME,
    `There are usage events from ${formatMonth(oldest)} on, and ${keepMonths} months are kept: what is older, and nothing holds, is dropped tonight.`,
    'Set LOCKSTEP_USAGE_RETENTION_MONTHS to a number of months, or to all to keep everything.',
  )
}
