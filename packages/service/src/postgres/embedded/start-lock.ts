import { open, readFile, rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { CannotStart } from '../../cannot-start.ts'
import { isAlive } from './postmaster.ts'

const PATIENCE_SECONDS = 90

/** Runs `start` while no other process starts the same cluster: of two, the second finds it running. */
export async function withStartLock<T>(path: string, start: () => Promise<T>): Promise<T> {
  await take(path)
  try {
    return await start()
  } finally {
    await rm(path, { force: true })
  }
}

async function take(path: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_SECONDS * 1000
  for (;;) {
    try {
      const file = await open(path, 'wx', 0o600)
      await file.writeFile(String(process.pid))
      await file.close()
      return
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => ''))
    // A holder that was killed left its file behind. An empty one was made this very moment.
    if (holder > 0 && !isAlive(holder)) await rm(path, { force: true })
    else if (performance.now() > deadline) {
      throw new CannotStart(
        `Process ${holder} has been starting the embedded Postgres for ${PATIENCE_SECONDS} s.`,
        `Stop it. If it is not Lockstep at all, delete ${path}.`,
      )
    }
    await delay(50)
  }
}
