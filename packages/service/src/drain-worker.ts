import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from './log.ts'
import { inBackground } from './provider/stripe/limiter.ts'

export interface DrainWorker {
  /** There is something to do now. */
  nudge(): void
  /** Stops after what is under way. */
  close(): Promise<void>
}

interface DrainDeps {
  readonly log: Log
  /** What is drained, for the log: `inbox`. */
  readonly name: string
  /** Does everything that is due. */
  readonly drain: () => Promise<unknown>
  /** How long to wait for the next round, by how long this one took. */
  readonly restMs?: (tookMs: number) => number
  /** While there is something to do all the time, rounds begin so far apart at least: what comes in between is done together. */
  readonly gatherMs?: number
}

/** What other processes took in is seen after this long; what this one took in, at once. */
const POLL_MS = 500

/** Works off rows as they come. One run at a time in a process: a nudge during a run leads to one more. */
export function startDrainWorker(deps: DrainDeps): DrainWorker {
  const { log, name, drain, restMs = () => POLL_MS, gatherMs = 0 } = deps
  let closed = false
  let again = false
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const run = async () => {
    clearTimeout(timer)
    const begun = performance.now()
    do {
      again = false
      const roundBegun = performance.now()
      await inBackground(drain).catch((error: unknown) =>
        log.error({ err: error, worker: name }, 'What waits could not be worked off.'),
      )
      const early = gatherMs - (performance.now() - roundBegun)
      if (again && !closed && early > 0) await delay(early)
    } while (again && !closed)
    running = undefined
    if (!closed) timer = setTimeout(start, restMs(performance.now() - begun))
  }
  const start = () => {
    if (closed) return
    if (running) again = true
    else running = run()
  }

  start()
  return {
    nudge: start,
    close: async () => {
      closed = true
      clearTimeout(timer)
      await running
    },
  }
}
