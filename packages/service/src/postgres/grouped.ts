import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
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
  /**
   * So long at most it waits until as many are there as shared the ones before: who went on together comes again together,
   * a moment apart. One that comes alone, and came alone before, waits for nobody.
   */
  readonly patienceMs?: number
}

/** Of what is committed by itself, which costs more than a moment's wait. */
export const patient: Gathering = { patienceMs: 3 }

/** Who waits for the next statement on one database. */
interface Queue<One, Answer> {
  readonly waiting: Waiting<One, Answer>[]
  isWorked: boolean
  /** So many shared the last statement; of more that shared one before, half are forgotten with each. */
  expected: number
  /** Called when somebody comes. */
  arrived: () => void
}

const nothing = () => {}

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
  { gatherMs = 0, patienceMs = 0 }: Gathering = {},
): (db: Db | Trx, one: One) => Promise<Answer> {
  const queues = new WeakMap<Db, Queue<One, Answer>>()
  const inTransactions = new WeakMap<Db, Waiting<One, Answer>[]>()

  async function alone(db: Db | Trx, one: One): Promise<Answer> {
    const [answer] = await doAll(db, [one])
    return answer as Answer
  }

  async function work(db: Db, queue: Queue<One, Answer>): Promise<void> {
    const { waiting } = queue
    while (waiting.length > 0) {
      if (gatherMs > 0 && waiting.length < MOST) await delay(gatherMs)
      if (patienceMs > 0 && waiting.length < queue.expected) await company(queue)
      const batch = waiting.splice(0, MOST)
      queue.expected = Math.max(batch.length, Math.floor((queue.expected + batch.length) / 2))
      if (!(await together(db, batch)))
        await Promise.all(batch.map(({ one, resolve, reject }) => alone(db, one).then(resolve, reject)))
      // Who goes on by the answers of this turn comes along.
      await turn()
    }
    queue.isWorked = false
  }

  /** As many are there as are expected, or it was waited long enough. */
  function company(queue: Queue<One, Answer>): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        queue.arrived = nothing
        clearTimeout(timer)
        // Who comes in the same turn comes along.
        setImmediate(resolve)
      }
      const timer = setTimeout(end, patienceMs)
      queue.arrived = () => {
        if (queue.waiting.length >= queue.expected) end()
      }
    })
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
      const known = inTransactions.get(trx)
      if (known) return void known.push({ one, resolve, reject })
      inTransactions.set(trx, [{ one, resolve, reject }])
      process.nextTick(() => {
        const queue = inTransactions.get(trx) ?? []
        inTransactions.delete(trx)
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
      const queue = queues.get(db) ?? { waiting: [], isWorked: false, expected: 1, arrived: nothing }
      queues.set(db, queue)
      queue.waiting.push({ one, resolve, reject })
      queue.arrived()
      if (queue.isWorked) return
      queue.isWorked = true
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
