import { randomBytes } from 'node:crypto'
import { type Client, createClient } from '@lockstep/sdk'
import type { Pool } from 'pg'
import Stripe from 'stripe'
import { newDatabase } from './database.ts'
import { freePort, type RunningProcess, startProcess } from './process.ts'

/**
 * The whole product as its users meet it: the service and the simulator in processes of their own, a
 * database of its own, the SDK to talk to one and the unmodified `stripe` package to look at the other.
 */
export interface World {
  readonly client: Client
  readonly stripe: Stripe
  readonly db: Pool
  readonly serviceUrl: string
  readonly simulatorUrl: string
  readonly apiKey: string
  readonly webhookSecret: string
  /** The service's environment: for a second process beside the first. */
  readonly env: Readonly<Record<string, string>>
  /** SIGKILL for the service; the simulator and the database live on, as Stripe and a server would. */
  kill(): Promise<void>
  /** How the simulator delivers webhooks from now on. */
  deliver(settings: { readonly mode?: string; readonly retryMs?: readonly number[] }): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
  /** What the service wrote last, for the message of a failing test. */
  output(): string
}

export interface WorldOptions {
  /** Further environment of the service. */
  readonly env?: Record<string, string>
  /** Further arguments of the simulator. */
  readonly simulator?: readonly string[]
}

/** Stripe's three days of retries, in a test's time. */
const RETRIES_MS = [100, 200, 400, 800, 1600, 3200, 6400]

export async function newWorld({ env = {}, simulator: args = [] }: WorldOptions = {}): Promise<World> {
  const database = await newDatabase()
  const [servicePort, simulatorPort] = [await freePort(), await freePort()]
  const serviceUrl = `http://127.0.0.1:${servicePort}`
  const apiKey = `lk_${randomBytes(32).toString('base64url')}`

  const simulator = await startProcess('packages/stripe-simulator/src/main.ts', {
    port: simulatorPort,
    args: ['--port', String(simulatorPort), ...args],
  })
  const stripe = new Stripe('sk_test_world', {
    host: '127.0.0.1',
    port: simulatorPort,
    protocol: 'http',
    maxNetworkRetries: 0,
  })
  const endpoint = await stripe.webhookEndpoints.create({
    url: `${serviceUrl}/webhooks/stripe`,
    enabled_events: ['*'],
    api_version: Stripe.API_VERSION as Stripe.WebhookEndpointCreateParams.ApiVersion,
  })
  const webhookSecret = endpoint.secret
  if (!webhookSecret) throw new Error('The simulator gave no secret for its webhook endpoint.')

  const deliver: World['deliver'] = async (settings) => {
    const response = await fetch(`${simulator.url}/_simulator/deliveries`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(settings),
    })
    if (!response.ok) throw new Error(`The simulator refused: ${await response.text()}`)
  }
  await deliver({ retryMs: RETRIES_MS })

  const serviceEnv = {
    DATABASE_URL: database.url,
    STRIPE_API_KEY: 'sk_test_world',
    STRIPE_API_BASE: simulator.url,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    PORT: String(servicePort),
    LOCKSTEP_ADMIN_KEY: apiKey,
    ...env,
  }
  const startService = () =>
    startProcess('packages/service/src/main.ts', { port: servicePort, env: serviceEnv })
  let service: RunningProcess = await startService()

  return {
    client: createClient({ baseUrl: serviceUrl, apiKey }),
    stripe,
    db: database.pool,
    serviceUrl,
    simulatorUrl: simulator.url,
    apiKey,
    webhookSecret,
    env: serviceEnv,
    deliver,
    kill: () => service.kill(),
    start: async () => {
      service = await startService()
    },
    close: async () => {
      await service.stop()
      await simulator.stop()
      await database.drop()
    },
    output: () => service.output(),
  }
}
