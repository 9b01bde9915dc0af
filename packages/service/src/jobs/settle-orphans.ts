import { Gauge } from 'prom-client'
import { inBackground } from '../provider/stripe/limiter.ts'
import type { ServiceParts } from '../service-parts.ts'
import { countParkedOrphans } from '../store/orphans.ts'
import { settleOrphans as settle } from '../workflow/orphans/settle.ts'

const QUEUE = 'settle-orphans'
/** A first sweep of a large account reads every customer and subscription, behind people's requests. */
const EXPIRES_SECONDS = 3600

type OrphanJobs = Pick<ServiceParts, 'boss' | 'db' | 'clock' | 'log' | 'provider' | 'metrics'>

/** Every night: what a crash left at Stripe is adopted, taken back, or put before a person. */
export async function settleOrphans(deps: OrphanJobs): Promise<void> {
  const { boss, db, metrics } = deps
  new Gauge({
    name: 'lockstep_orphans_parked',
    help: 'Objects at the provider with our name and without a row here, for a person to decide.',
    registers: [metrics.registry],
    async collect() {
      this.set(await countParkedOrphans(db))
    },
  })
  await boss.createQueue(QUEUE, { policy: 'exclusive', expireInSeconds: EXPIRES_SECONDS })
  await boss.schedule(QUEUE, '41 2 * * *')
  await boss.work(QUEUE, () => inBackground(() => settle(deps)))
}
