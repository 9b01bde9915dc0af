import { Gauge } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Metrics } from '../metrics.ts'
import type { Db } from '../postgres/connect.ts'
import { busFigures, slowestSignUp } from '../store/bus-messages.ts'

/**
 * The bus sees every message acknowledged, so one that waits or was given up shows only here: a user
 * without a subscription.
 */
export function showBus({ db, clock, metrics }: { db: Db; clock: Clock; metrics: Metrics }): void {
  const registers = [metrics.registry]
  new Gauge({
    name: 'lockstep_bus_messages',
    help: 'Messages that wait to be processed, and messages that were given up for a person to look at.',
    labelNames: ['state'],
    registers,
    async collect() {
      const { waiting, parked } = await busFigures(db)
      this.set({ state: 'waiting' }, waiting)
      this.set({ state: 'parked' }, parked)
    },
  })
  new Gauge({
    name: 'lockstep_bus_age_seconds',
    help: 'How long the oldest message has waited to be processed.',
    registers,
    async collect() {
      const { oldestAt } = await busFigures(db)
      this.set(oldestAt === null ? 0 : clock.now() - oldestAt)
    },
  })
  new Gauge({
    name: 'lockstep_bus_signup_seconds',
    help: 'From a new profile, by its sender, to its running subscription: the slowest of the last hour.',
    registers,
    async collect() {
      this.set(await slowestSignUp(db, clock.now() - 3600))
    },
  })
}
