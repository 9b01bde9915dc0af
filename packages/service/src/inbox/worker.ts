import { inBackground } from '../provider/stripe/limiter.ts'
import { drainInbox, type InboxDeps } from './process.ts'

export interface InboxWorker {
  /** There is something to do now. */
  nudge(): void
  /** Stops after what is under way. */
  close(): Promise<void>
}

/** What other processes took in is seen after this long; what this one took in, at once. */
const POLL_MS = 500

/** Processes events as they come. One at a time in a process: a nudge during a run leads to one more. */
export function startInboxWorker(deps: InboxDeps): InboxWorker {
  let closed = false
  let again = false
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const run = async () => {
    clearTimeout(timer)
    do {
      again = false
      await inBackground(() => drainInbox(deps)).catch((error: unknown) =>
        deps.log.error({ err: error }, 'The inbox could not be processed.'),
      )
    } while (again && !closed)
    running = undefined
    if (!closed) timer = setTimeout(start, POLL_MS)
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
