import type { PgBoss } from 'pg-boss'
import { inBackground } from '../provider/stripe/limiter.ts'
import { someAtOnce } from '../some-at-once.ts'
import { claimReadings } from '../store/provider-usage.ts'
import type { LookDeps } from '../workflow/look.ts'
import { tryReadProviderUsage } from '../workflow/provider-usage.ts'

const QUEUE = 'read-provider-usage'
/** A process that dies with some in hand has them looked at by another after this long, and so has a provider that failed. */
const RETRY_SECONDS = 300
const BATCH = 20
const AT_ONCE = 2
/** Of one job; the next one goes on. */
const MOST_BATCHES = 100

/** Each minute: what the provider's own meters have counted, of whom it was not asked for an hour or something has changed. */
export async function readProviderUsageHourly(deps: LookDeps & { readonly boss: PgBoss }): Promise<void> {
  const { boss } = deps
  await boss.createQueue(QUEUE, { policy: 'exclusive', expireInSeconds: 3600, retryLimit: 0 })
  await boss.schedule(QUEUE, '* * * * *')
  await boss.work(QUEUE, () => inBackground(() => readDueUsage(deps)))
}

/** What is due now, a few at a time; several processes take different ones. Says how many were read. */
export async function readDueUsage(deps: LookDeps): Promise<number> {
  const { db, clock } = deps
  let read = 0
  for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
    const now = clock.now()
    const ids = await claimReadings(db, { now, limit: BATCH, until: now + RETRY_SECONDS })
    await someAtOnce(ids, AT_ONCE, async (id) => {
      if (await tryReadProviderUsage(deps, id)) read += 1
    })
    if (ids.length < BATCH) break
  }
  return read
}
