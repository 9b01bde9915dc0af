import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** What Postgres writes about itself into its data directory while it runs. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  readonly ready: boolean
}

/** The Postgres that runs on this data directory, whoever started it. What a dead one left is ignored. */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const lines = text.split('\n')
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 1 || !(await runsOn(pid, data))) return undefined
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' }
}

/**
 * Whether this process is alive and was started on `data`. After a reboot the number may be anybody's;
 * and a dead process that nobody waited for still has a number, but no arguments any more.
 */
async function runsOn(pid: number, data: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  if (process.platform !== 'linux') return true
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return commandLine.split('\0').includes(data)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Removes the file of a Postgres that is not there any more, lest its number belong to another by now. */
export async function forgetPostmaster(data: string): Promise<void> {
  await rm(join(data, 'postmaster.pid'), { force: true })
}

/**
 * Stops it: SIGINT asks it to cut connections and write everything down, SIGQUIT makes it leave at
 * once (the next start recovers from the log), SIGKILL is for one that hangs.
 */
export async function stopPostmaster(data: string, { discard = false } = {}): Promise<void> {
  const steps: [NodeJS.Signals, number][] = [
    ['SIGINT', 20],
    ['SIGQUIT', 5],
    ['SIGKILL', 5],
  ]
  for (const [signal, seconds] of discard ? steps.slice(1) : steps) {
    const running = await findPostmaster(data)
    if (!running) return
    try {
      process.kill(running.pid, signal)
    } catch {
      // It went between the look and the signal.
    }
    const deadline = performance.now() + seconds * 1000
    while (performance.now() < deadline) {
      if (!(await runsOn(running.pid, data))) return
      await delay(10)
    }
  }
}
