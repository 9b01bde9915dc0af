import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { Db, Trx } from './connect.ts'

const open = new AsyncLocalStorage<true>()

const ATTEMPTS = 5
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK_DETECTED = '40P01'

/**
 * Runs `work` in one transaction, again when Postgres chose it as the victim of a deadlock or of a
 * serialization conflict. So `work` may run several times: it changes nothing but the database.
 */
export async function transaction<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await open.run(true, () => db.transaction().execute(work))
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error
      await delay(10 * attempt)
    }
  }
}

/** A provider call must not hold a connection, nor be undone by a roll-back it cannot follow. */
export function assertOutsideTransaction(): void {
  if (open.getStore()) throw new Error('A provider was called inside a database transaction.')
}

function isConflict(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED
}
