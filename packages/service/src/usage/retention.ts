import type { Instant } from '@lockstep/core/instant'
import { keptSince } from '@lockstep/core/usage-retention'
import { sql } from 'kysely'
import { transaction } from '../postgres/transaction.ts'
import { CORRECTING, MAKING, MONTHS } from '../store/month-locks.ts'
import { decideMonth, keptMonths, unfinishedMonths } from '../store/usage-retention.ts'
import { type Hold, holdsOf, weighMonth } from '../store/usage-retention-holds.ts'
import { aloneWithMonths, type ExpireDeps, expireMonth } from './expire-month.ts'
import { monthOf } from './months.ts'

interface RetentionDeps extends ExpireDeps {
  /** Whole months before the one that runs; null: everything is kept. */
  readonly keepMonths: number | null
}

/** What becomes of a month that is old enough. */
export interface MonthPlan {
  readonly month: Instant
  /** `expiring`: it was decided before, and is not done yet. */
  readonly verdict: 'expire' | 'hold' | 'expiring'
  /** Counted of those that expire. */
  readonly events: bigint | null
  readonly holds: readonly Hold[]
}

/** What would be done, oldest month first. Changes nothing. */
export async function planExpiry(deps: RetentionDeps): Promise<MonthPlan[]> {
  const { db, clock, keepMonths } = deps
  const begun = (await unfinishedMonths(db)).map(
    (month): MonthPlan => ({ month, verdict: 'expiring', events: null, holds: [] }),
  )
  if (keepMonths === null) return begun
  const months = await keptMonths(db, keptSince(clock.now(), keepMonths))
  const plans = []
  for (const month of months) plans.push(await planMonth(deps, month, keepMonths))
  return [...begun, ...plans].sort((a, b) => a.month - b.month)
}

async function planMonth(
  { db, clock }: RetentionDeps,
  month: Instant,
  keepMonths: number,
): Promise<MonthPlan> {
  const period = monthOf(month)
  const holds = await holdsOf(db, { month: period, keepMonths, now: clock.now() })
  if (holds.length > 0) return { month, verdict: 'hold', events: null, holds }
  // Only then, because it reads every event.
  const { events, drift } = await weighMonth(db, period)
  return { month, verdict: drift ? 'hold' : 'expire', events, holds: drift ? [drift] : [] }
}

/**
 * Expires what is old enough and held by nothing, and goes on with what was begun. What another process is just
 * doing is left to it. `by` is written down as who decided.
 */
export async function expireUsage(deps: RetentionDeps, by: string): Promise<MonthPlan[]> {
  const plans = await planExpiry(deps)
  for (const { month, verdict } of plans) if (verdict === 'expire') await decide(deps, month, by)
  if ((await unfinishedMonths(deps.db)).length === 0) return plans
  await aloneWithMonths(deps.pool, async (client) => {
    for (const month of await unfinishedMonths(deps.db)) await expireMonth(deps, client, month)
  })
  return plans
}

/**
 * While it is decided nobody makes a month's table or corrects usage, so whoever does afterwards knows. The facts
 * are looked at once more, as of this moment.
 */
async function decide(
  { db, clock, keepMonths }: RetentionDeps,
  month: Instant,
  decidedBy: string,
): Promise<boolean> {
  if (keepMonths === null) return false
  return transaction(db, async (trx) => {
    await sql`select pg_advisory_xact_lock(${MONTHS}::int4, half) from unnest(array[${MAKING}::int4, ${CORRECTING}::int4]) as half`.execute(
      trx,
    )
    const now = clock.now()
    const holds = await holdsOf(trx, { month: monthOf(month), keepMonths, now })
    if (holds.length > 0) return false
    return decideMonth(trx, { month, keptMonths: keepMonths, decidedBy, decidedAt: now })
  })
}
