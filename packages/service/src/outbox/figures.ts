import { Gauge } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Metrics } from '../metrics.ts'
import type { Db } from '../postgres/connect.ts'
import { type DeliveryFigures, deliveryFigures } from '../store/deliveries.ts'

/** What an operator watches of the outbox: who is not told what, and since when. */
export function showOutbox({ db, clock, metrics }: { db: Db; clock: Clock; metrics: Metrics }): void {
  const registers = [metrics.registry]
  // A scrape asks all gauges at the same time: they share one reading.
  let reading: Promise<DeliveryFigures> | undefined
  const figures = () => {
    reading ??= deliveryFigures(db).finally(() => {
      reading = undefined
    })
    return reading
  }
  new Gauge({
    name: 'lockstep_outbox',
    help: 'Changes that no event was made of yet, deliveries that wait or were given up, endpoints that are disabled.',
    labelNames: ['what'],
    registers,
    async collect() {
      const { unmade, waiting, failed, disabledEndpoints } = await figures()
      this.set({ what: 'unmade' }, unmade)
      this.set({ what: 'waiting' }, waiting)
      this.set({ what: 'failed' }, failed)
      this.set({ what: 'endpoints disabled' }, disabledEndpoints)
    },
  })
  new Gauge({
    name: 'lockstep_outbox_age_seconds',
    help: 'How long the oldest delivery has waited.',
    registers,
    async collect() {
      const { oldestAt } = await figures()
      this.set(oldestAt === null ? 0 : clock.now() - oldestAt)
    },
  })
}
