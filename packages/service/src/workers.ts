import { showBus } from './bus/figures.ts'
import { drainBus } from './bus/process.ts'
import { startDrainWorker } from './drain-worker.ts'
import { showInbox } from './inbox/figures.ts'
import { drainRound } from './inbox/process.ts'
import { checkLimits } from './invoice/check-limits.ts'
import { showSync } from './invoice/figures.ts'
import { beginHistories } from './jobs/begin-histories.ts'
import { eraseAgain } from './jobs/erase-again.ts'
import { expireUsageNightly } from './jobs/expire-usage.ts'
import { findDriftNightly } from './jobs/find-drift.ts'
import { forgetAnswers } from './jobs/forget-answers.ts'
import { readProviderUsageHourly } from './jobs/read-provider-usage.ts'
import { settleOrphans } from './jobs/settle-orphans.ts'
import { sweepEventsHourly } from './jobs/sweep-events.ts'
import { sweepSignUps } from './jobs/sweep-sign-ups.ts'
import { nextRound, requestSync, syncInvoices } from './jobs/sync-invoices.ts'
import { showOutbox } from './outbox/figures.ts'
import { startOutbox } from './outbox/outbox.ts'
import type { ServiceParts } from './service-parts.ts'
import { showUsage } from './usage/figures.ts'
import { doDue } from './workflow/due.ts'

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
      const worker = startDrainWorker({
        ...parts,
        name: 'inbox',
        drain: () => drainRound(parts),
        gatherMs: 50,
      })
      parts.bell.on('inbox', worker.nudge)
      return worker.close
    },
  },
  {
    name: 'bus',
    start: async (parts) => {
      showBus(parts)
      const worker = startDrainWorker({ ...parts, name: 'bus', drain: () => drainBus(parts) })
      parts.bell.on('bus', worker.nudge)
      const listening = parts.bus.listen(parts.config.bus.profileSubject)
      return async () => {
        await listening.close()
        await worker.close()
      }
    },
  },
  {
    name: 'usage figures',
    start: async (parts) => {
      showUsage(parts)
      return async () => {}
    },
  },
  {
    name: 'outbox',
    start: async (parts) => {
      showOutbox(parts)
      return startOutbox(parts)
    },
  },
  {
    name: 'due',
    start: async (parts) => {
      const deps = { ...parts, requestSync: (id: string) => requestSync(parts, id) }
      const worker = startDrainWorker({ ...parts, name: 'due', drain: () => doDue(deps) })
      return worker.close
    },
  },
  {
    name: 'spend limits',
    start: async (parts) => {
      // However many customers have limits, they take a fifth of a connection's time.
      const restMs = (tookMs: number) => Math.max(2000, 4 * tookMs)
      const worker = startDrainWorker({ ...parts, name: 'limits', drain: () => checkLimits(parts), restMs })
      return worker.close
    },
  },
  {
    name: 'sync invoices',
    start: async (parts) => {
      showSync({ ...parts, nextRound: (now) => nextRound(parts, now) })
      await syncInvoices(parts)
      return async () => {}
    },
  },
  {
    name: 'read provider usage',
    start: async (parts) => {
      await readProviderUsageHourly(parts)
      return async () => {}
    },
  },
  {
    name: 'sweep events',
    start: async (parts) => {
      await sweepEventsHourly(parts)
      return async () => {}
    },
  },
  {
    name: 'find drift',
    start: async (parts) => {
      await findDriftNightly(parts)
      return async () => {}
    },
  },
  {
    name: 'settle orphans',
    start: async (parts) => {
      await settleOrphans(parts)
      return async () => {}
    },
  },
  {
    name: 'sweep sign-ups',
    start: async (parts) => {
      await sweepSignUps(parts)
      return async () => {}
    },
  },
  {
    name: 'erase again',
    start: async (parts) => {
      await eraseAgain(parts)
      return async () => {}
    },
  },
  {
    name: 'begin histories',
    start: async (parts) => {
      await beginHistories(parts)
      return async () => {}
    },
  },
  {
    name: 'expire usage',
    start: async (parts) => {
      await expireUsageNightly(parts)
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
