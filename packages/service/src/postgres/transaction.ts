import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { sql, Transaction } from 'kysely'
import type { Database } from '../store/schema.ts'
import { isOutdated } from './client.ts'
import type { Db, Trx } from './connect.ts'
import { inert } from './packet.ts'
import { codeOf } from './unavailable.ts'

const open = new AsyncLocalStorage<true>()
const committed = new WeakSet<Trx>()

const ATTEMPTS = 5
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK_DETECTED = '40P01'
const IN_FAILED_TRANSACTION = '25P02'

/**
 * Runs `work` in one transaction, again when Postgres chose it as the victim of a deadlock or of a
 * serialization conflict. So `work` may run several times: it changes nothing but the database.
 */
export async function transaction<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const done = await open.run(true, () => db.transaction().execute((trx) => together(trx, work)))
      committed.add(done.trx)
      return done.result
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error
      await delay(10 * attempt)
    }
  }
}

/** Whether what was written in a transaction stands: one that was begun again is another. */
export function hasCommitted(trx: Trx): boolean {
  return committed.has(trx)
}

/** Reads that are all of one moment, whatever is committed meanwhile. Locks nothing and writes nothing. */
export async function snapshot<T>(db: Db, read: (trx: Trx) => Promise<T>): Promise<T> {
  return transaction(db, async (trx) => {
    await sql`set transaction isolation level repeatable read, read only`.execute(trx)
    return read(trx)
  })
}

/**
 * Runs `work` in the same transaction, in which a statement does not wait for the one before: what is asked
 * together goes out in one packet, and is done in the order in which it was asked.
 *
 * Of several at once one may fail while another goes on. Whatever that asks afterwards is refused here: it
 * would come behind the roll-back, and would stand.
 */
async function together<T>(
  trx: Trx,
  work: (trx: Trx) => Promise<T>,
): Promise<{ readonly trx: Trx; readonly result: T }> {
  const executor = trx.getExecutor()
  const connection = await executor.provideConnection(async (held) => held)
  let isOver = false
  let first: unknown
  const direct = executor.withConnectionProvider({
    provideConnection: async (consumer) => {
      if (isOver) throw new Error('The transaction is over.')
      try {
        return await consumer(connection)
      } catch (error) {
        first ??= error
        throw error
      }
    },
  })
  const own = new Transaction<Database>({ ...inert, executor: direct })
  try {
    return { trx: own, result: await work(own) }
  } catch (error) {
    // What came behind the statement that failed may be heard of first.
    throw codeOf(error) === IN_FAILED_TRANSACTION ? first : error
  } finally {
    isOver = true
  }
}

/** A provider call must not hold a connection, nor be undone by a roll-back it cannot follow. */
export function assertOutsideTransaction(): void {
  if (open.getStore()) throw new Error('A provider was called inside a database transaction.')
}

function isConflict(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED || isOutdated(error)
}
