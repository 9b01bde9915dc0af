import { readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Directories that this very process has open. */
const open = new Set<string>()

/**
 * Keeps a directory for one process. Answers how to let go of it. A process that was killed keeps
 * nothing: whether the one that is named still lives is told by its number and when it began.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, 'lock')
  const own = nameOf(process.pid)
  if (open.has(directory)) throw inUse(directory, 'this process')
  open.add(directory)
  try {
    await claim(path, own, directory)
  } catch (error) {
    open.delete(directory)
    throw error
  }
  return async () => {
    open.delete(directory)
    await rm(path, { force: true })
  }
}

async function claim(path: string, own: string, directory: string): Promise<void> {
  try {
    await writeFile(path, own, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const holder = await readFile(path, 'utf8')
    if (isAlive(holder) && holder !== own) throw inUse(directory, `process ${holder.split(' ')[0]}`)
    await writeFile(path, own)
  }
}

const inUse = (directory: string, by: string) =>
  new Error(`${directory} is in use by ${by}: each process has a directory of its own.`)

function isAlive(holder: string): boolean {
  const pid = Number(holder.split(' ')[0])
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Somebody else's: there is one, and it may not be asked.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return nameOf(pid) === holder
}

/** The process's number and, on Linux, the tick at which it began: numbers are given again. */
function nameOf(pid: number): string {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Behind the name of the program, which may have spaces and brackets, the 20th word.
    return `${pid} ${status.slice(status.lastIndexOf(')') + 2).split(' ')[19]}`
  } catch {
    return `${pid}`
  }
}
