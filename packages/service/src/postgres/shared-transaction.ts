import type { Db, Trx } from './connect.ts'
import { forMany } from './for-many.ts'
import { grouped, patient } from './grouped.ts'
import { transaction } from './transaction.ts'

/** What is done in a transaction, as {@link transaction} does it. */
export type Transact = <T>(db: Db, work: (trx: Trx) => Promise<T>) => Promise<T>

interface Task {
  readonly of: string
  readonly work: (trx: Trx) => Promise<unknown>
}

/**
 * Transactions of one kind, each of something that nobody else has in hand: those that are asked for while one is under
 * way wait for it, and then share the next. What each of them asks in the same moment is one statement for all
 * ({@link forMany}), so they cost less the more there are; one alone is a transaction like any other.
 *
 * `of` names what a transaction is about, and no two of the same are in one: each of those would wait for the other.
 * Who fails is done once more alone, where the error is its own.
 */
export function sharedTransactions(): (of: string) => Transact {
  const together = grouped(async (db, tasks: readonly Task[]): Promise<(() => Promise<unknown>)[]> => {
    const done = new Map<Task, unknown>()
    const left = await forMany(db, oneOfEach(tasks), async (trx, task) => {
      done.set(task, await task.work(trx))
    })
    for (const task of left) done.delete(task)
    return tasks.map((task) => async () => (done.has(task) ? done.get(task) : transaction(db, task.work)))
  }, patient)
  return (of) =>
    async <T>(db: Db, work: (trx: Trx) => Promise<T>) => {
      const result = await together(db, { of, work })
      return (await result()) as T
    }
}

function oneOfEach(tasks: readonly Task[]): Task[] {
  return [...new Map(tasks.toReversed().map((task) => [task.of, task])).values()].reverse()
}
