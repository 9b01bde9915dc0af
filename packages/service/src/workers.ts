import { showInbox } from './inbox/figures.ts'
import { startInboxWorker } from './inbox/worker.ts'
import { forgetAnswers } from './jobs/forget-answers.ts'
import { syncInvoices } from './jobs/sync-invoices.ts'
import type { ServiceParts } from './service-parts.ts'

/**
 * Work that runs beside the requests. `start` returns as soon as it runs; what it returns stops it,
 * after the piece in hand is done.
 */
export interface Worker {
  readonly name: string
  start(parts: ServiceParts): Promise<() => Promise<void>>
}

/** Every worker of a process with the role `worker`, in the order in which they start. */
export const workers: readonly Worker[] = [
  {
    name: 'workflows',
    start: async ({ workflows }) => {
      workflows.watch()
      return () => workflows.close()
    },
  },
  {
    name: 'inbox',
    start: async (parts) => {
      showInbox(parts)
      const worker = startInboxWorker(parts)
      parts.bell.on('inbox', worker.nudge)
      return worker.close
    },
  },
  {
    name: 'sync invoices',
    start: async (parts) => {
      await syncInvoices(parts)
      return async () => {}
    },
  },
  {
    name: 'forget answers',
    // The job queue itself stops what it runs.
    start: async (parts) => {
      await forgetAnswers(parts)
      return async () => {}
    },
  },
]
