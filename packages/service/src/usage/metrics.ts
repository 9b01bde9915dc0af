import { Counter, Gauge } from 'prom-client'
import type { Metrics } from '../metrics.ts'
import type { Receipt } from './arrival.ts'
import type { Ingest } from './ingest.ts'

/** Figures for operators: what came in, and whether it queues. */
export function observeUsage({ registry }: Metrics, ingest: Ingest): (receipt: Receipt) => void {
  const events = new Counter({
    name: 'lockstep_usage_events_total',
    help: 'Usage events that were taken in, by what became of them.',
    labelNames: ['outcome'],
    registers: [registry],
  })
  new Gauge({
    name: 'lockstep_usage_events_waiting',
    help: 'Usage events that wait to be written.',
    registers: [registry],
    collect() {
      this.set(ingest.waiting())
    },
  })
  const [accepted, duplicate, conflict] = ['accepted', 'duplicate', 'conflict'].map((outcome) =>
    events.labels(outcome),
  )
  return ({ accepted: taken, duplicates, conflicts }) => {
    accepted?.inc(taken)
    duplicate?.inc(duplicates)
    conflict?.inc(conflicts.length)
  }
}
