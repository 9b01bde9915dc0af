import type { Instant } from '@lockstep/core/instant'
import { Gauge } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Metrics } from '../metrics.ts'
import type { Db } from '../postgres/connect.ts'
import { countDisputes } from '../store/disputes.ts'
import { countStuckRefunds } from '../store/stuck-refunds.ts'
import { failuresByCode, syncFigures } from '../store/sync-health.ts'
import { lastRound } from '../store/sync-rounds.ts'

interface Watched {
  readonly db: Db
  readonly clock: Clock
  readonly metrics: Metrics
  /** When the schedule begins its next round. */
  readonly nextRound: (now: Instant) => Instant
}

/** What an operator watches of the sync: a failure does no harm at once, and shows only here. */
export function showSync({ db, clock, metrics, nextRound }: Watched): void {
  const registers = [metrics.registry]
  new Gauge({
    name: 'lockstep_invoices_open',
    help: 'Invoices that are not final, and of them those of which the provider does not know everything.',
    labelNames: ['state'],
    registers,
    async collect() {
      const { open, stale } = await syncFigures(db)
      this.set({ state: 'all' }, open)
      this.set({ state: 'stale' }, stale)
    },
  })
  new Gauge({
    name: 'lockstep_invoice_sync_age_seconds',
    help: 'How long ago the provider was told of the stale invoice that waits longest, how long ago a sync last came to its end, and how long ago the schedule last began a round.',
    labelNames: ['sync'],
    registers,
    async collect() {
      const now = clock.now()
      const { oldestTold, lastSuccess } = await syncFigures(db)
      this.set({ sync: 'longest waiting' }, oldestTold === null ? 0 : now - oldestTold)
      if (lastSuccess !== null) this.set({ sync: 'last success' }, now - lastSuccess)
      const round = await lastRound(db)
      if (round) this.set({ sync: 'last round' }, now - round.beganAt)
    },
  })
  new Gauge({
    name: 'lockstep_invoice_sync_next_round_seconds',
    help: 'How long until the schedule begins its next round.',
    registers,
    collect() {
      const now = clock.now()
      this.set(nextRound(now) - now)
    },
  })
  new Gauge({
    name: 'lockstep_invoice_sync_round_subscriptions',
    help: 'Of the last round of the schedule: subscriptions of which something was to be told, and of them those that were told and those that failed.',
    labelNames: ['outcome'],
    registers,
    async collect() {
      const round = await lastRound(db)
      if (!round) return
      for (const outcome of ['due', 'told', 'failed'] as const) this.set({ outcome }, round[outcome])
    },
  })
  new Gauge({
    name: 'lockstep_invoice_sync_failing',
    help: 'Subscriptions whose last sync did not come to its end, by the reason.',
    labelNames: ['code'],
    registers,
    async collect() {
      this.reset()
      for (const { code, subscriptions } of await failuresByCode(db)) this.set({ code }, subscriptions)
    },
  })
  new Gauge({
    name: 'lockstep_disputes',
    help: 'Payments that a bank took back or asked about, by how they stand. Those that need a response lose by waiting.',
    labelNames: ['status'],
    registers,
    async collect() {
      this.reset()
      for (const { status, disputes } of await countDisputes(db)) this.set({ status }, disputes)
    },
  })
  new Gauge({
    name: 'lockstep_refunds_stuck',
    help: 'Refunds that do not come to their end by themselves, by why.',
    labelNames: ['reason'],
    registers,
    async collect() {
      this.reset()
      for (const { stuck, refunds } of await countStuckRefunds(db, clock.now()))
        this.set({ reason: stuck }, refunds)
    },
  })
}
