import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** SQLite's result code for a file that another process has locked. https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5

/** Who has a folder, for the message to whoever comes next. */
interface Holder {
  readonly pid: number
  readonly url: string
}

/** By the variable that sets it: the ports of one who starts, to say which others a second one could take. */
type Ports = Readonly<Record<string, number>>

/** Another `lockstep start` has the folder: its database, and the state file of its simulator. */
class FolderInUse extends Error {
  readonly remedy: string

  constructor(folder: string, holder: Holder | undefined, ports: Ports) {
    const who = holder === undefined ? '' : `: process ${holder.pid}, ${holder.url}`
    super(`Lockstep runs in ${folder} already${who}.`)
    this.name = 'FolderInUse'
    const others = Object.entries(ports).map(([variable, port]) => `${variable}=${port + 1}`)
    const another = ['LOCKSTEP_DATA=.lockstep-2', ...others, 'npm start'].join(' ')
    this.remedy = `Use that one, or stop it (Ctrl-C where it runs), or start another in a folder of its own: ${another}`
  }
}

/**
 * Takes the folder for this process, or throws who has it. The lock is the operating system's, so it goes with
 * the process however that ends: nothing stays behind that the next one would have to judge by a number that may
 * be another's by now. Node has no call for such a lock; SQLite takes one for each transaction, and this one
 * lasts until it is closed.
 */
export function lockFolder(folder: string, url: string, ports: Ports): { close(): Promise<void> } {
  mkdirSync(folder, { recursive: true })
  const lock = new DatabaseSync(join(folder, 'running.lock'), { timeout: 0 })
  const holderFile = join(folder, 'running.json')
  try {
    lock.exec('pragma journal_mode = memory; begin exclusive')
  } catch (error) {
    lock.close()
    if (!(error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY)) throw error
    throw new FolderInUse(resolve(folder), readHolder(holderFile), ports)
  }
  writeFileSync(holderFile, JSON.stringify({ pid: process.pid, url } satisfies Holder))
  return { close: async () => lock.close() }
}

/** Undefined when the other one took the folder this very moment. */
function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder
  } catch {
    return undefined
  }
}
