import type { Db, Trx } from './connect.ts'
import { transaction } from './transaction.ts'

/** Does something in a transaction, says what it came to, and takes it all back. */
export async function undone<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  try {
    return await transaction(db, async (trx): Promise<never> => {
      throw new Undone(await work(trx))
    })
  } catch (error) {
    if (error instanceof Undone) return error.result as T
    throw error
  }
}

class Undone extends Error {
  readonly result: unknown

  constructor(result: unknown) {
    super('It was a dry run.')
    this.result = result
  }
}
