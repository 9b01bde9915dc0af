import { sql } from 'kysely'
import type { Db, Trx } from './connect.ts'
import { share } from './grouped.ts'
import { waitForNoRow } from './lock-rows.ts'
import { transaction } from './transaction.ts'
import { codeOf, isDatabaseUnavailable } from './unavailable.ts'

/** The second time without those that failed in the first. */
const TRIES = 2
/** All of them wait with the one that waits for a lock, and hold what they have locked. */
const LOCK_TIMEOUT_MS = 1000
const IN_FAILED_TRANSACTION = '25P02'
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Does the same for many in one transaction, each of them for itself and all at the same time: what they ask of a
 * {@link grouped} statement in the same moment is one statement for all of them. One commit, and no more round trips than
 * one of them needs alone.
 *
 * All of it stands or none. Where some fail it is tried once more without them; so it is where one finds something locked
 * for longer than a second. Where they asked for it together ({@link lockRows}), a try in between, in which nobody waits,
 * finds out whose it was. Answers those that are not done: each can then be done alone, where its error, or its wait, is
 * its own.
 */
export async function forMany<One>(
  db: Db,
  all: readonly One[],
  work: (trx: Trx, one: One) => Promise<void>,
  { lockTimeoutMs = LOCK_TIMEOUT_MS }: { readonly lockTimeoutMs?: number } = {},
): Promise<readonly One[]> {
  const left: One[] = []
  let wanted = all
  let waits = true
  // One alone has nobody to share with.
  for (let attempt = 1; attempt <= TRIES && wanted.length > 1; attempt += 1) {
    const failed = await together(db, wanted, work, waits ? lockTimeoutMs : null)
    if (failed === 'waited') {
      if (!waits) break
      waits = false
      attempt -= 1
      continue
    }
    if (failed.length === 0) return left
    left.push(...failed)
    wanted = wanted.filter((one) => !failed.includes(one))
  }
  return [...left, ...wanted]
}

/**
 * Those because of whom none was done. Nobody waits for a lock longer than so many milliseconds; null: nobody waits for
 * a row at all. `waited`: one of those who asked for locks together, and nobody knows which.
 */
async function together<One>(
  db: Db,
  all: readonly One[],
  work: (trx: Trx, one: One) => Promise<void>,
  lockTimeoutMs: number | null,
): Promise<One[] | 'waited'> {
  const failed: One[] = []
  let causes = new Set<unknown>()
  try {
    await transaction(db, async (trx) => {
      failed.length = 0
      share(trx)
      if (lockTimeoutMs === null) waitForNoRow(trx)
      const [, ended] = await Promise.all([
        sql`set local lock_timeout = ${sql.lit(lockTimeoutMs ?? LOCK_TIMEOUT_MS)}`.execute(trx),
        Promise.allSettled(all.map((one) => work(trx, one))),
      ])
      const errors = ended.map((end) => (end.status === 'rejected' ? end.reason : undefined))
      failed.push(...all.filter((_, i) => errors[i] !== undefined && !isAftermath(errors[i])))
      const failures = errors.filter((error) => error !== undefined)
      causes = new Set(failures.filter((error) => !isAftermath(error)))
      if (failures.length > 0) throw failures.find((error) => !isAftermath(error)) ?? failures[0]
    })
    return []
  } catch (error) {
    // It may have been committed before the connection broke: whoever asks again finds out.
    if (isDatabaseUnavailable(error)) throw error
    const [cause, ...others] = causes
    if (failed.length > 1 && others.length === 0 && codeOf(cause) === LOCK_NOT_AVAILABLE) return 'waited'
    // What is refused only at the commit is nobody's in particular.
    return failed.length > 0 ? failed : [...all]
  }
}

/** It did not fail itself: another statement of the transaction did. */
const isAftermath = (error: unknown) => codeOf(error) === IN_FAILED_TRANSACTION
