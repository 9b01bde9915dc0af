import type { Instant } from '@lockstep/core/instant'
import type { Pool, PoolClient } from 'pg'
import type { Clock } from '../clock.ts'
import type { Db } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import { DROPPING, MONTHS } from '../store/month-locks.ts'
import { dropMonth, standingOf } from '../store/usage-retention.ts'
import { monthOf } from './months.ts'

export interface ExpireDeps {
  readonly db: Db
  readonly pool: Pool
  readonly clock: Clock
}

/** For a lock: nobody waits for us longer than we for them. */
const LOCK_TIMEOUT = '10s'
/** For transactions that still read the month. Beyond, the next round goes on. */
const STATEMENT_TIMEOUT = '2min'

/**
 * Does something with months as the only process that does; false if another one is at it. On a connection of its
 * own, which ends afterwards: with it the lock, whatever becomes of us.
 */
export async function aloneWithMonths(
  pool: Pool,
  work: (client: PoolClient) => Promise<void>,
): Promise<boolean> {
  const client = await pool.connect()
  try {
    const { rows } = await client.query<{ taken: boolean }>(
      'select pg_try_advisory_lock($1::int4, $2::int4) as taken',
      [MONTHS, DROPPING],
    )
    if (!rows[0]?.taken) return false
    await client.query(`set lock_timeout = '${LOCK_TIMEOUT}'`)
    await client.query(`set statement_timeout = '${STATEMENT_TIMEOUT}'`)
    await work(client)
    return true
  } finally {
    client.release(true)
  }
}

/**
 * Takes the events of an expired month away. Each step may be the last one that a process does: how the table
 * stands says what comes next, and the counts are written down in the transaction that drops it.
 *
 * Detached concurrently, because otherwise all ingest would wait: the table is first marked, from which moment nobody
 * finds it in `usage_event`, and taken out when those who had are done. Whoever was sure that the month is there is
 * refused by Postgres, and looks again (`writer.ts`).
 */
export async function expireMonth(
  { db, clock }: Omit<ExpireDeps, 'pool'>,
  client: PoolClient,
  month: Instant,
): Promise<void> {
  const table = `usage_event_${monthOf(month).name}`
  const standing = await standingOf(db, table)
  if (standing === 'attached')
    await client.query(`alter table usage_event detach partition ${table} concurrently`)
  if (standing === 'detaching')
    await client.query(`alter table usage_event detach partition ${table} finalize`)
  await transaction(db, (trx) => dropMonth(trx, month, table, clock.now()))
}
