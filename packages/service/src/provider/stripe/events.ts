import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import type { CallDeps } from './call.ts'
import { pages } from './pages.ts'

export interface EventsWanted {
  /** Only those that an endpoint did not take yet. */
  readonly undelivered: boolean
  /** Null: all that are kept. */
  readonly since: Instant | null
}

/** Stripe's own list of what happened, newest first, for the 30 days that it keeps. */
export function eventPages(
  deps: Pick<CallDeps, 'provider'>,
  { undelivered, since }: EventsWanted,
): AsyncGenerator<Stripe.Event[]> {
  const wanted = {
    ...(undelivered && { delivery_success: false }),
    ...(since !== null && { created: { gte: since } }),
  }
  return pages(deps, (stripe, page) => stripe.events.list({ ...wanted, ...page }))
}
