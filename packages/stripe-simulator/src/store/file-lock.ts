import { DatabaseSync } from 'node:sqlite'

/** SQLite's result code for a file that another process has locked. https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5

export interface FileLock {
  close(): void
}

/**
 * Takes the file for this process, or throws that another one has it. The lock stands in a file beside it and is the
 * operating system's: it goes with the process, however that ends, and nothing is left for the next one to judge.
 * Node has no call for such a lock; SQLite takes one for each transaction, and this one lasts until it is closed.
 */
export function lockFile(path: string): FileLock {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 0 })
  try {
    lock.exec('pragma journal_mode = memory; begin exclusive')
  } catch (error) {
    lock.close()
    if (!(error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY)) throw error
    throw new Error(
      `${path} is the state of a simulator that runs already. Use that one, stop it, or name another file.`,
    )
  }
  return lock
}
