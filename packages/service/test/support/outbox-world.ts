import { creditNoteRoutes } from '../../src/http/routes/credit-notes.ts'
import { customerRoutes } from '../../src/http/routes/customers.ts'
import { deliveryRoutes } from '../../src/http/routes/deliveries.ts'
import { erasureRoutes } from '../../src/http/routes/erasure.ts'
import { refundRoutes } from '../../src/http/routes/refunds.ts'
import { registrationRoutes } from '../../src/http/routes/registrations.ts'
import { subscriptionRoutes } from '../../src/http/routes/subscriptions.ts'
import { webhookEndpointRoutes } from '../../src/http/routes/webhook-endpoints.ts'
import { newGuard } from '../../src/outbox/addresses.ts'
import { type Deliveries, newDeliveries } from '../../src/outbox/deliver.ts'
import { makeEvents } from '../../src/outbox/make-events.ts'
import type { Db } from '../../src/postgres/connect.ts'
import { type BillingWorld, newBillingWorld } from './billing-world.ts'
import type { Receiver } from './receiver.ts'
import { newServer } from './server.ts'

const networks = ['127.0.0.0/8']
const config = { secrets: ['a secret of the tests, long enough to seal'], webhookNetworks: networks }

interface Endpoint {
  readonly id: string
  readonly secret: string
}

/** A billing world that tells receivers of this machine what happens. */
export async function newOutboxWorld() {
  const world = await newBillingWorld()
  const { deps, workflows } = world
  const server = await newServer(deps, { clock: deps.clock })
  for (const register of [
    creditNoteRoutes,
    customerRoutes,
    deliveryRoutes,
    erasureRoutes,
    refundRoutes,
    registrationRoutes,
    subscriptionRoutes,
    webhookEndpointRoutes,
  ])
    register(server.app, { ...deps, workflows, config })

  async function ask<Body = Record<string, unknown>>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    payload?: object,
    key?: string,
  ) {
    const wanted = { method, url, ...(payload && { payload }), ...(key !== undefined && { key }) }
    const { status, body } = await server.call(wanted)
    return { status, body: body as Body }
  }

  /** What sends, in a process of its own if its connection is. */
  const sender = (db: Db = deps.db, secrets: readonly string[] = config.secrets): Deliveries =>
    newDeliveries({
      ...deps,
      db,
      config: { secrets },
      guard: newGuard(networks),
      random: () => 0,
      timeoutMs: 250_000,
    })
  const here = sender()

  return {
    ...(world as Omit<BillingWorld, 'close'>),
    ask,
    sender,

    async endpoint({ url }: Pick<Receiver, 'url'>, wanted: object = {}): Promise<Endpoint> {
      const { status, body } = await ask<Endpoint>('POST', '/v1/webhook-endpoints', { url, ...wanted })
      if (status !== 201) throw new Error(JSON.stringify(body))
      return body
    },

    /** Makes events of what changed, and sends what is due, until nothing is. */
    async tell(): Promise<void> {
      await makeEvents(deps)
      while ((await here.begin()) > 0) await here.settled()
    },

    close: () => world.close(),
  }
}
