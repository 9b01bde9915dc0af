import { Counter } from 'prom-client'
import { inBackground } from '../provider/stripe/limiter.ts'
import type { ServiceParts } from '../service-parts.ts'
import { registerMissing } from '../workflow/sweep-sign-ups.ts'

const QUEUE = 'sweep-sign-ups'
/** A thousand registrations behind people's requests. */
const EXPIRES_SECONDS = 3000

type SignUpJobs = Pick<
  ServiceParts,
  'boss' | 'db' | 'clock' | 'log' | 'provider' | 'tax' | 'workflows' | 'metrics'
>

/** Every hour: whoever is a customer and was never registered gets the plan for signing up. */
export async function sweepSignUps(deps: SignUpJobs): Promise<void> {
  const { boss, metrics } = deps
  const missed = new Counter({
    name: 'lockstep_missed_sign_ups_total',
    help: 'Customers whom nobody had registered for an hour: registered by the sweep, or refused.',
    labelNames: ['outcome'],
    registers: [metrics.registry],
  })
  await boss.createQueue(QUEUE, { policy: 'exclusive', expireInSeconds: EXPIRES_SECONDS, retryLimit: 0 })
  await boss.schedule(QUEUE, '17 * * * *')
  await boss.work(QUEUE, async () => {
    const { customers } = await inBackground(() => registerMissing(deps))
    for (const { reason } of customers) missed.inc({ outcome: reason === null ? 'registered' : 'refused' })
  })
}
