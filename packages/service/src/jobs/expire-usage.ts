import { formatMonth } from '@lockstep/core/usage-retention'
import { Gauge } from 'prom-client'
import type { ServiceParts } from '../service-parts.ts'
import { expiredFigures } from '../store/usage-retention.ts'
import { expireUsage } from '../usage/retention.ts'

const QUEUE = 'expire-usage'
/** Counting a month of a thousand million events, and waiting for whoever reads it. */
const EXPIRES_SECONDS = 6 * 3600
/** What was cut off goes on soon: a month that is half detached is not shown, and not counted yet. */
const RETRY = { retryLimit: 20, retryDelay: 300 }

type ExpiryJobs = Pick<ServiceParts, 'boss' | 'config' | 'db' | 'pool' | 'clock' | 'log' | 'metrics'>

/** Every night: raw usage events of months that need no longer be kept are dropped. */
export async function expireUsageNightly(deps: ExpiryJobs): Promise<void> {
  const { boss, config, db, log, metrics } = deps
  new Gauge({
    name: 'lockstep_usage_expired_months',
    help: 'Months whose raw usage events are no longer kept, by state.',
    labelNames: ['state'],
    registers: [metrics.registry],
    async collect() {
      const { expiring, expired } = await expiredFigures(db)
      this.set({ state: 'expiring' }, expiring)
      this.set({ state: 'expired' }, expired)
    },
  })
  const held = new Gauge({
    name: 'lockstep_usage_held_months',
    help: 'Months that are older than raw usage events are kept, and that something holds, by what. As of the last night.',
    labelNames: ['cause'],
    registers: [metrics.registry],
  })
  await boss.createQueue(QUEUE, { policy: 'exclusive', expireInSeconds: EXPIRES_SECONDS, ...RETRY })
  await boss.schedule(QUEUE, '37 4 * * *')
  await boss.work(QUEUE, async () => {
    const months = await expireUsage({ ...deps, keepMonths: config.usageRetentionMonths }, 'schedule')
    held.reset()
    for (const { month, verdict, events, holds } of months) {
      for (const { cause } of holds) held.inc({ cause })
      if (verdict === 'expire') log.info({ month: formatMonth(month), events }, 'Usage events were dropped.')
      if (holds.some(({ cause }) => cause === 'drift'))
        log.error({ month: formatMonth(month), holds }, 'The rollups do not hold what the events do.')
    }
  })
}
