import { Gauge } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Metrics } from '../metrics.ts'
import type { Db } from '../postgres/connect.ts'
import { inboxFigures } from '../store/provider-events.ts'

/**
 * What an operator watches: Stripe sees every event acknowledged, so a backlog, or an event that was
 * given up, shows only here.
 */
export function showInbox({ db, clock, metrics }: { db: Db; clock: Clock; metrics: Metrics }): void {
  const registers = [metrics.registry]
  new Gauge({
    name: 'lockstep_inbox_events',
    help: 'Events that wait to be processed, and events that were given up for a person to look at.',
    labelNames: ['state'],
    registers,
    async collect() {
      const { waiting, parked } = await inboxFigures(db)
      this.set({ state: 'waiting' }, waiting)
      this.set({ state: 'parked' }, parked)
    },
  })
  new Gauge({
    name: 'lockstep_inbox_age_seconds',
    help: 'How long the oldest event has waited, and how long ago the last one came.',
    labelNames: ['event'],
    registers,
    async collect() {
      const now = clock.now()
      const { oldestAt, lastAt } = await inboxFigures(db)
      this.set({ event: 'oldest waiting' }, oldestAt === null ? 0 : now - oldestAt)
      if (lastAt !== null) this.set({ event: 'last received' }, now - lastAt)
    },
  })
}
