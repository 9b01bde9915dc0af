import { Gauge } from 'prom-client'
import type { Metrics } from '../metrics.ts'
import type { Db } from '../postgres/connect.ts'
import { usageOutsidePeriods } from '../store/usage-outside.ts'

/**
 * It asks of every customer, a second for some hundred thousand of them, and changes slowly: whoever
 * scrapes more often is told the same again.
 */
const EVERY_MS = 5 * 60_000

/** Usage that is taken in and shown but has no period to be billed in: to be looked at by a person. */
export function showUsage({ db, metrics }: { db: Db; metrics: Metrics }): void {
  let askAfter = 0
  new Gauge({
    name: 'lockstep_usage_events_outside_periods',
    help: 'Usage events of times in which their customer had no billing period, by meter.',
    labelNames: ['meter'],
    registers: [metrics.registry],
    async collect() {
      if (performance.now() < askAfter) return
      const found = await usageOutsidePeriods(db)
      askAfter = performance.now() + EVERY_MS
      this.reset()
      for (const { meterKey, events } of found) this.set({ meter: meterKey }, events)
    },
  })
}
