import * as api from '@lockstep/api/event-sweeps'
import { formatInstant } from '@lockstep/core/instant'
import { sweepEvents } from '../../inbox/sweep.ts'
import { inBackground } from '../../provider/stripe/limiter.ts'
import type { ServiceParts } from '../../service-parts.ts'
import { type App, route } from '../route.ts'

type EventSweepParts = Pick<ServiceParts, 'db' | 'clock' | 'log' | 'provider' | 'bell'>

/** What Stripe says happened and no webhook brought. */
export function eventSweepRoutes(app: App, parts: EventSweepParts): void {
  const deps = { ...parts, nudge: () => void parts.bell.emit('inbox') }
  route(
    app,
    api.sweepEvents,
  )(async ({ body: { dryRun } }) => {
    // As long as the outage was: whoever waits for a registration goes first.
    const { from, isBeyond, events, unstorable, ...sweep } = await inBackground(() =>
      sweepEvents(deps, { dryRun }),
    )
    const missed = events.map((event) => ({ ...event, created: formatInstant(event.created) }))
    return {
      status: 200,
      body: {
        dryRun,
        from: formatInstant(from),
        readsEverything: isBeyond,
        ...sweep,
        events: missed,
        unstorable: [...unstorable],
      },
    }
  })
}
