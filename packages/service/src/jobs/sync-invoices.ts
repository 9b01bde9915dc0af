import type { PgBoss } from 'pg-boss'
import type { Config } from '../config.ts'
import { inBackground } from '../provider/stripe/limiter.ts'
import { spread } from '../spread.ts'
import { subscriptionsToSync } from '../store/invoices.ts'
import type { LookDeps } from '../workflow/look.ts'
import { syncSubscription } from '../workflow/sync-invoice.ts'

export interface SyncJobs extends LookDeps {
  readonly boss: PgBoss
  readonly config: Pick<Config, 'syncCron'>
}

const SCHEDULE = 'sync-invoices'
const CLOSING = 'sync-closing-invoices'
const ONE = 'sync-subscription'

/** The schedule's work is spread over this long, so that it does not come all at once: for each the same second of a round. */
const SPREAD_SECONDS = 300
const WORKERS = 4
/** Of each worker, at the same time. As long as it gets so many it asks for more at once, and not a second later. */
const BATCH = 4
/** Longer than the calls for one subscription take; a killed one is found again by the next schedule. */
const EXPIRES_SECONDS = 300

/** One job for each subscription, waiting or running. */
const QUEUE = { policy: 'exclusive', expireInSeconds: EXPIRES_SECONDS, retryLimit: 0 } as const

interface OneJob {
  readonly subscriptionId: string
}

/**
 * Sends what changed to Stripe: everything by the schedule, and each minute what cannot wait for it,
 * because its draft is going to be finalized. A job that is run twice finds nothing to do.
 */
export async function syncInvoices(deps: SyncJobs): Promise<void> {
  const { boss, config } = deps
  await boss.createQueue(ONE, QUEUE)
  const options = {
    ...{ localConcurrency: WORKERS, batchSize: BATCH, burstWhenBatchFull: true },
    pollingIntervalSeconds: 1,
  }
  await boss.work<OneJob>(ONE, options, async (jobs) => {
    await Promise.all(jobs.map(({ data }) => syncOne(deps, data.subscriptionId)))
  })

  await boss.createQueue(SCHEDULE, { retryLimit: 0 })
  await boss.schedule(SCHEDULE, config.syncCron)
  await boss.work(SCHEDULE, () => enqueue(deps, { closing: false }))

  await boss.createQueue(CLOSING, { retryLimit: 0 })
  await boss.schedule(CLOSING, '* * * * *')
  await boss.work(CLOSING, () => enqueue(deps, { closing: true }))
}

/** Has a subscription synchronised soon, by whoever works: once, however often it is asked meanwhile. */
export async function requestSync({ boss }: Pick<SyncJobs, 'boss'>, subscriptionId: string): Promise<void> {
  // A process that only answers requests may be the first one there.
  await boss.createQueue(ONE, QUEUE)
  const data: OneJob = { subscriptionId }
  await boss.send(ONE, data, { singletonKey: subscriptionId })
}

async function enqueue({ db, boss }: SyncJobs, { closing }: { closing: boolean }): Promise<void> {
  const ids = await subscriptionsToSync(db, { closing })
  if (ids.length === 0) return
  await boss.insert(
    ONE,
    ids.map((subscriptionId) => ({
      data: { subscriptionId } satisfies OneJob,
      singletonKey: subscriptionId,
      startAfter: closing ? 0 : spread(subscriptionId, SPREAD_SECONDS),
    })),
  )
}

/** What fails stays marked, and the next round tries again: the reason stands on the invoice. */
async function syncOne(deps: SyncJobs, subscriptionId: string): Promise<void> {
  await inBackground(() => syncSubscription(deps, subscriptionId, { reason: 'schedule' })).catch(
    (err: unknown) => deps.log.warn({ err, subscription: subscriptionId }, 'A sync did not come to its end.'),
  )
}
