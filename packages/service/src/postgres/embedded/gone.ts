import { isAlive } from './postmaster.ts'

const LOOK_MS = 500

/** The embedded Postgres ended and nobody here had stopped it: without it nothing can be answered. */
export class PostgresGone extends Error {
  readonly remedy: string

  constructor(log: string) {
    super('The embedded Postgres has ended, and nobody here stopped it.')
    this.name = 'PostgresGone'
    this.remedy = `Start Lockstep again: what was committed is there. Why it ended may stand in ${log}.`
  }
}

/** Looks whether it lives, because of one that another process started nobody tells us. */
export function watchPostgres(
  pid: number,
  log: string,
): {
  readonly gone: Promise<PostgresGone>
  stop(): void
} {
  let timer: NodeJS.Timeout | undefined
  const gone = new Promise<PostgresGone>((resolve) => {
    timer = setInterval(() => {
      if (isAlive(pid)) return
      clearInterval(timer)
      resolve(new PostgresGone(log))
    }, LOOK_MS).unref()
  })
  return { gone, stop: () => clearInterval(timer) }
}
