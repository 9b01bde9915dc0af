import { setTimeout as delay } from 'node:timers/promises'
import type { Db, Trx } from './connect.ts'
import { isDatabaseUnavailable } from './unavailable.ts'

/** Does all of these in one statement: all or none. Answers one for each, in their order. */
type DoAll<One, Answer> = (db: Db | Trx, all: readonly One[]) => Promise<readonly Answer[]>

interface Waiting<One, Answer> {
  readonly one: One
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** Transactions in which many do the same, each for itself. */
const shared = new WeakSet<Db | Trx>()

/** Has what is asked in the same moment share a statement in this transaction too. */
export function share(trx: Trx): void {
  shared.add(trx)
}

interface Gathering {
  /** So long it waits for others before it asks: where nobody minds, and a commit of its own costs more than the rest of it. */
  readonly gatherMs?: number
}

/** In one statement; what is more waits for the next. */
const MOST = 100

/**
 * What is asked in one turn of the event loop, or while the same is under way, shares one statement: one round trip,
 * one commit, one wait for the disk. So it costs less the more there is to do, and one alone waits for nobody. Each is
 * answered after the commit of its own; a read sees whatever was committed before it was asked. In a transaction it is
 * done there, alone; in one that many share (`forMany`), together with what the others ask in the same moment, and
 * behind whatever else is asked in it.
 *
 * Where doing it together is refused, each is done alone, so that nobody fails by another's fault.
 */
export function grouped<One, Answer>(
  doAll: DoAll<One, Answer>,
  { gatherMs = 0 }: Gathering = {},
): (db: Db | Trx, one: One) => Promise<Answer> {
  const queues = new WeakMap<Db, Waiting<One, Answer>[]>()

  async function alone(db: Db | Trx, one: One): Promise<Answer> {
    const [answer] = await doAll(db, [one])
    return answer as Answer
  }

  async function work(db: Db, queue: Waiting<One, Answer>[]): Promise<void> {
    while (queue.length > 0) {
      if (gatherMs > 0 && queue.length < MOST) await delay(gatherMs)
      const batch = queue.splice(0, MOST)
      if (!(await together(db, batch)))
        await Promise.all(batch.map(({ one, resolve, reject }) => alone(db, one).then(resolve, reject)))
    }
    queues.delete(db)
  }

  async function together(db: Db, batch: readonly Waiting<One, Answer>[]): Promise<boolean> {
    if (batch.length === 1) return false
    try {
      const answers = await doAll(
        db,
        batch.map(({ one }) => one),
      )
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i] as Answer)
      return true
    } catch (error) {
      if (!isDatabaseUnavailable(error)) return false
      // It may have been committed before the connection broke, so none is done a second time.
      for (const { reject } of batch) reject(error)
      return true
    }
  }

  /** In a shared transaction: whoever goes on at the same moment asks before the event loop turns. */
  function gather(trx: Db, one: One): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const known = queues.get(trx)
      if (known) return void known.push({ one, resolve, reject })
      queues.set(trx, [{ one, resolve, reject }])
      process.nextTick(() => {
        const queue = queues.get(trx) ?? []
        queues.delete(trx)
        while (queue.length > 0) void ask(trx, queue.splice(0, MOST))
      })
    })
  }

  /** It fails for all of them: so does their transaction. */
  async function ask(trx: Db, batch: readonly Waiting<One, Answer>[]): Promise<void> {
    try {
      const answers = await doAll(
        trx,
        batch.map(({ one }) => one),
      )
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i] as Answer)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  return (db, one) => {
    if (db.isTransaction) return shared.has(db) ? gather(db, one) : alone(db, one)
    return new Promise((resolve, reject) => {
      const known = queues.get(db)
      const queue = known ?? []
      queue.push({ one, resolve, reject })
      if (known) return
      queues.set(db, queue)
      // The answers that came in this turn of the event loop are all read by then, and whoever goes on by them asks with us.
      setImmediate(() => void work(db, queue))
    })
  }
}

/** The row of each key, undefined where there is none. */
export function inOrder<Row>(
  keys: readonly string[],
  rows: readonly Row[],
  keyOf: (row: Row) => string,
): (Row | undefined)[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]))
  return keys.map((key) => byKey.get(key))
}
