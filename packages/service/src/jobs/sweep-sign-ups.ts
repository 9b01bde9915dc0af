import { Gauge } from 'prom-client'
import { inBackground } from '../provider/stripe/limiter.ts'
import type { ServiceParts } from '../service-parts.ts'
import { countMissingSignUps } from '../store/missing-sign-ups.ts'
import { missedBefore, registerMissing } from '../workflow/sweep-sign-ups.ts'

const QUEUE = 'sweep-sign-ups'
/** A thousand registrations behind people's requests. */
const EXPIRES_SECONDS = 3000

type SignUpJobs = Pick<
  ServiceParts,
  'boss' | 'db' | 'clock' | 'log' | 'provider' | 'tax' | 'workflows' | 'metrics'
>

/** Every hour: whoever is a customer and was never registered gets the plan for signing up. */
export async function sweepSignUps(deps: SignUpJobs): Promise<void> {
  const { boss, db, clock, metrics } = deps
  new Gauge({
    name: 'lockstep_customers_without_subscription',
    help: 'Customers whom nobody registered for an hour, where the catalogue has a plan for signing up.',
    registers: [metrics.registry],
    async collect() {
      this.set(await countMissingSignUps(db, missedBefore(clock.now())))
    },
  })
  await boss.createQueue(QUEUE, { policy: 'exclusive', expireInSeconds: EXPIRES_SECONDS, retryLimit: 0 })
  await boss.schedule(QUEUE, '17 * * * *')
  await boss.work(QUEUE, () => inBackground(() => registerMissing(deps)))
}
