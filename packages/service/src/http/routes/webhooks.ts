import * as api from '@lockstep/api/webhooks'
import { Problem } from '@lockstep/core/problem'
import { Counter } from 'prom-client'
import type { Bell } from '../../bell.ts'
import type { Clock } from '../../clock.ts'
import type { StripeConfig } from '../../config.ts'
import { type ReceiveDeps, receive } from '../../inbox/receive.ts'
import type { Metrics } from '../../metrics.ts'
import type { Db } from '../../postgres/connect.ts'
import { type App, route } from '../route.ts'

interface WebhookParts {
  readonly db: Db
  readonly clock: Clock
  readonly config: { readonly stripe: Pick<StripeConfig, 'webhookSecrets'> }
  readonly provider: ReceiveDeps['provider']
  readonly bell: Bell
  readonly metrics: Metrics
}

/** What payment providers send. Stored and acknowledged here; what becomes of it is the worker's. */
export function webhookRoutes(app: App, { db, clock, config, provider, bell, metrics }: WebhookParts): void {
  const { webhookSecrets: secrets } = config.stripe
  const unhandled = new Counter({
    name: 'lockstep_inbox_unhandled_total',
    help: 'Events of a kind that is not known, kept and not looked at.',
    labelNames: ['type'],
    registers: [metrics.registry],
  })
  const refused = new Counter({
    name: 'lockstep_webhooks_refused_total',
    help: 'Deliveries that were refused: none of the secrets signed them, or they hold no event.',
    labelNames: ['code'],
    registers: [metrics.registry],
  })
  const deps = {
    ...{ db, clock, secrets, provider },
    nudge: () => void bell.emit('inbox'),
    onUnhandled: (type: string) => unhandled.inc({ type }),
  }
  route(
    app,
    api.receiveStripeEvent,
  )(async ({ body, headers }) => {
    const signature = headers['stripe-signature']
    await receive(deps, {
      // The route keeps the bytes: see `rawBody`.
      body: body as unknown as Buffer,
      signature: typeof signature === 'string' ? signature : undefined,
    }).catch((error: unknown) => {
      if (error instanceof Problem) refused.inc({ code: error.code })
      throw error
    })
    return { status: 200, body: { received: true } }
  })
}
