import type { Instant } from '@lockstep/core/instant'
import type { PgBoss } from 'pg-boss'
import type { Config } from '../config.ts'
import { inBackground } from '../provider/stripe/limiter.ts'
import { spread } from '../spread.ts'
import { subscriptionsToSync } from '../store/invoices.ts'
import { beginRound, countInRound } from '../store/sync-rounds.ts'
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
export const SPREAD_SECONDS = 300
const WORKERS = 4
/** Of each worker, at the same time. As long as it gets so many it asks for more at once, and not a second later. */
const BATCH = 4
/** Longer than the calls for one subscription take; a killed one is found again by the next schedule. */
const EXPIRES_SECONDS = 300

/** One job for each subscription, waiting or running. */
const QUEUE = { policy: 'exclusive', expireInSeconds: EXPIRES_SECONDS, retryLimit: 0 } as const

interface OneJob {
  readonly subscriptionId: string
  /** The round of the schedule that it is of. */
  readonly round?: string
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
    const done = jobs.map(async ({ data }) => ({
      round: data.round,
      isTold: await syncOne(deps, data.subscriptionId),
    }))
    await countDone(deps, await Promise.all(done))
  })

  await boss.createQueue(SCHEDULE, { retryLimit: 0 })
  await boss.schedule(SCHEDULE, config.syncCron)
  await boss.work(SCHEDULE, () => beginNext(deps))

  await boss.createQueue(CLOSING, { retryLimit: 0 })
  await boss.schedule(CLOSING, '* * * * *')
  await boss.work(CLOSING, async () => {
    await enqueue(deps, await subscriptionsToSync(deps.db, { closing: true }))
  })
}

/** Has a subscription synchronised soon, by whoever works: once, however often it is asked meanwhile. */
export async function requestSync({ boss }: Pick<SyncJobs, 'boss'>, subscriptionId: string): Promise<void> {
  // A process that only answers requests may be the first one there.
  await boss.createQueue(ONE, QUEUE)
  const data: OneJob = { subscriptionId }
  await boss.send(ONE, data, { singletonKey: subscriptionId })
}

/** When the schedule begins its next round, after `now`. */
export function nextRound({ boss, config }: Pick<SyncJobs, 'boss' | 'config'>, now: Instant): Instant {
  const [next] = boss.previewSchedule(config.syncCron, { from: new Date(now * 1000), count: 1 })
  if (!next) throw new Error(`The schedule ${config.syncCron} has no next round.`)
  return next.getTime() / 1000
}

async function beginNext(deps: SyncJobs): Promise<void> {
  const ids = await subscriptionsToSync(deps.db, { closing: false })
  await enqueue(deps, ids, await beginRound(deps.db, { due: ids.length, at: deps.clock.now() }))
}

/** Of a round each in its turn; at once without one. */
async function enqueue({ boss }: SyncJobs, ids: readonly string[], round?: string): Promise<void> {
  if (ids.length === 0) return
  await boss.insert(
    ONE,
    ids.map((subscriptionId) => ({
      data: { subscriptionId, ...(round !== undefined && { round }) } satisfies OneJob,
      singletonKey: subscriptionId,
      startAfter: round === undefined ? 0 : spread(subscriptionId, SPREAD_SECONDS),
    })),
  )
}

/** True: it came to its end. What fails stays marked, and the next round tries again: the reason stands on the invoice. */
async function syncOne(deps: SyncJobs, subscriptionId: string): Promise<boolean> {
  try {
    await inBackground(() => syncSubscription(deps, subscriptionId, { reason: 'schedule' }))
    return true
  } catch (err) {
    deps.log.warn({ err, subscription: subscriptionId }, 'A sync did not come to its end.')
    return false
  }
}

interface Done {
  readonly round: string | undefined
  readonly isTold: boolean
}

/** They were done whether or not they are counted: a process that dies in between counts too little. */
async function countDone({ db }: SyncJobs, done: readonly Done[]): Promise<void> {
  for (const [round, of] of Map.groupBy(done, (one) => one.round)) {
    if (round === undefined) continue
    const told = of.filter(({ isTold }) => isTold).length
    await countInRound(db, { round, told, failed: of.length - told })
  }
}
