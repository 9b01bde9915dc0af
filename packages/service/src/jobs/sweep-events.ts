import { Counter, Gauge } from 'prom-client'
import { type SweepDeps, sweepEvents } from '../inbox/sweep.ts'
import { inBackground } from '../provider/stripe/limiter.ts'
import type { ServiceParts } from '../service-parts.ts'
import { lastSweep } from '../store/event-sweeps.ts'

const QUEUE = 'sweep-events'
/** All objects of a large account, behind people's requests. */
const EXPIRES_SECONDS = 6 * 3600
/** Longer ago than the schedule leaves between two: nobody was here. */
const OUTAGE_SECONDS = 2 * 3600
/** A new installation missed nothing yet. */
const YOUNG_SECONDS = 86_400

type EventSweepJobs = Omit<SweepDeps, 'nudge'> & Pick<ServiceParts, 'boss' | 'bell' | 'metrics'>

/** Every hour, and at once after an outage: what no webhook brought is read from Stripe's own list. */
export async function sweepEventsHourly(deps: EventSweepJobs): Promise<void> {
  const { boss, bell, db, clock, provider, metrics } = deps
  const registers = [metrics.registry]
  const missed = new Counter({
    name: 'lockstep_missed_events_total',
    help: 'Events that Stripe listed and no webhook had brought.',
    registers,
  })
  const lost = new Counter({
    name: 'lockstep_sweep_failures_total',
    help: 'What a sweep met and could not take in: events that cannot be stored, objects that cannot be written down.',
    labelNames: ['what'],
    registers,
  })
  new Gauge({
    name: 'lockstep_event_sweep_age_seconds',
    help: "How long ago the last sweep of Stripe's events began that came to its end.",
    registers,
    async collect() {
      this.set(clock.now() - (await lastSweep(db, provider)).sweptTo)
    },
  })
  await boss.createQueue(QUEUE, { policy: 'exclusive', expireInSeconds: EXPIRES_SECONDS, retryLimit: 0 })
  await boss.schedule(QUEUE, '23 * * * *')
  await boss.work(QUEUE, async () => {
    const sweep = () => sweepEvents({ ...deps, nudge: () => void bell.emit('inbox') }, { dryRun: false })
    const swept = await inBackground(sweep)
    missed.inc(swept.missed)
    lost.inc({ what: 'event' }, swept.unstorable.length)
    lost.inc({ what: 'object' }, swept.objects?.failed ?? 0)
  })
  const { sweptTo, isFirst } = await lastSweep(db, provider)
  if (clock.now() - sweptTo > (isFirst ? YOUNG_SECONDS : OUTAGE_SECONDS)) await boss.send(QUEUE)
}
