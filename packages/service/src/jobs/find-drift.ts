import { Gauge } from 'prom-client'
import { inBackground } from '../provider/stripe/limiter.ts'
import type { ServiceParts } from '../service-parts.ts'
import { lastReport } from '../store/drift.ts'
import { findDrift } from '../workflow/drift/find.ts'

const QUEUE = 'find-drift'
/** All objects of a large account, behind people's requests. */
const EXPIRES_SECONDS = 6 * 3600

type DriftJobs = Pick<ServiceParts, 'boss' | 'db' | 'clock' | 'log' | 'provider' | 'metrics'>

/** Every night both sides are held against each other. Nothing is repaired by itself. */
export async function findDriftNightly(deps: DriftJobs): Promise<void> {
  const { boss, db, clock, log, metrics } = deps
  const registers = [metrics.registry]
  new Gauge({
    name: 'lockstep_drift',
    help: 'Objects that the last comparison found not to be here as they are at the provider.',
    registers,
    async collect() {
      const last = await lastReport(db)
      if (last) this.set(last.count)
    },
  })
  new Gauge({
    name: 'lockstep_drift_age_seconds',
    help: 'How long ago both sides were last compared.',
    registers,
    async collect() {
      const last = await lastReport(db)
      if (last) this.set(clock.now() - last.checkedAt)
    },
  })
  await boss.createQueue(QUEUE, { policy: 'exclusive', expireInSeconds: EXPIRES_SECONDS, retryLimit: 0 })
  await boss.schedule(QUEUE, '7 3 * * *')
  await boss.work(QUEUE, async () => {
    const { drifts } = await inBackground(() => findDrift(deps))
    for (const { entity, entityId, providerId, cause, repair } of drifts)
      log.error({ entity, entityId, providerId, cause, repair }, 'It is not here as it is at the provider.')
  })
}
