import * as api from '@lockstep/api/webhooks'
import type { Bell } from '../../bell.ts'
import type { Clock } from '../../clock.ts'
import type { Config } from '../../config.ts'
import { receive } from '../../inbox/receive.ts'
import type { Db } from '../../postgres/connect.ts'
import { type App, route } from '../route.ts'

interface WebhookParts {
  readonly db: Db
  readonly clock: Clock
  readonly config: Pick<Config, 'stripe'>
  readonly bell: Bell
}

/** What payment providers send. Stored and acknowledged here; what becomes of it is the worker's. */
export function webhookRoutes(app: App, { db, clock, config, bell }: WebhookParts): void {
  const { webhookSecrets: secrets, livemode } = config.stripe
  const deps = { db, clock, secrets, livemode, nudge: () => void bell.emit('inbox') }
  route(
    app,
    api.receiveStripeEvent,
  )(async ({ body, headers }) => {
    const signature = headers['stripe-signature']
    await receive(deps, {
      // The route keeps the bytes: see `rawBody`.
      body: body as unknown as Buffer,
      signature: typeof signature === 'string' ? signature : undefined,
    })
    return { status: 200, body: { received: true } }
  })
}
