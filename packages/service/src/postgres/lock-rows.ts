import type { Db, Trx } from './connect.ts'
import { grouped, inOrder } from './grouped.ts'

/** Rows that can be locked: a query that is ordered, so that all who lock them do so in one order. */
interface Lockable<Row> {
  forUpdate(): Lockable<Row>
  skipLocked(): Lockable<Row>
  execute(): Promise<Row[]>
}

/** Transactions in which nobody waits for a row that somebody else has locked. */
const hasty = new WeakSet<Db | Trx>()

/** Has {@link lockRows} fail at once, in this transaction, for whoever asks for a row that is locked elsewhere. */
export function waitForNoRow(trx: Trx): void {
  hasty.add(trx)
}

/** As Postgres says it of a lock that was not to be had in time, but of one row of many. */
class LockedElsewhere extends Error {
  readonly code = '55P03'
}

const LOCKED = Symbol('locked elsewhere')

/**
 * Locks a row until the transaction ends, together with those that others ask for in the same moment. Undefined where
 * there is none. Waits for whoever has it; a wait that is too long fails for all of them, and does not say whose it was.
 */
export function lockRows<Row>(
  rowsOf: (trx: Db | Trx, keys: readonly string[]) => Lockable<Row>,
  keyOf: (row: Row) => string,
): (trx: Db | Trx, key: string) => Promise<Row | undefined> {
  const lock = grouped(async (trx, keys: readonly string[]): Promise<(Row | undefined | typeof LOCKED)[]> => {
    const locking = rowsOf(trx, keys).forUpdate()
    if (!hasty.has(trx)) return inOrder(keys, await locking.execute(), keyOf)
    const rows = inOrder(keys, await locking.skipLocked().execute(), keyOf)
    const missing = keys.filter((_, i) => rows[i] === undefined)
    if (missing.length === 0) return rows
    const locked = new Set((await rowsOf(trx, missing).execute()).map(keyOf))
    return rows.map((row, i) => row ?? (locked.has(keys[i] ?? '') ? LOCKED : undefined))
  })
  return async (trx, key) => {
    const row = await lock(trx, key)
    if (row === LOCKED) throw new LockedElsewhere(`The row of ${key} is locked elsewhere.`)
    return row
  }
}
