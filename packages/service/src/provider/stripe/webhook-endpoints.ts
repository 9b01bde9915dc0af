import { createHash } from 'node:crypto'
import type { SeenEndpoint, WantedEndpoint } from '@lockstep/core/webhook-endpoint'
import type Stripe from 'stripe'
import { all } from './fetch.ts'

/** The print of the secret, on the endpoint itself: Stripe shows a secret once and never again. */
const PRINT = 'lockstep_secret_print'

type EventName = Stripe.WebhookEndpointCreateParams.EnabledEvent

export async function listEndpoints(stripe: Stripe): Promise<SeenEndpoint[]> {
  const endpoints = await all(stripe.webhookEndpoints.list({ limit: 100 }))
  return endpoints.map((endpoint) => ({
    id: endpoint.id,
    url: endpoint.url,
    enabled: endpoint.status === 'enabled',
    version: endpoint.api_version,
    events: endpoint.enabled_events,
    created: endpoint.created,
    secretPrint: endpoint.metadata[PRINT] ?? null,
  }))
}

/**
 * Makes an endpoint and returns its secret, which nobody can ask for again. Where the answer is lost, the
 * endpoint stays without a print: whoever looks next sees that its secret is not known, and rotates.
 */
export async function createEndpoint(stripe: Stripe, wanted: WantedEndpoint): Promise<string> {
  const { id, secret } = await stripe.webhookEndpoints.create({
    url: wanted.url,
    api_version: wanted.version as Stripe.WebhookEndpointCreateParams.ApiVersion,
    enabled_events: wanted.events as EventName[],
    description: 'Lockstep',
  })
  if (secret === undefined) throw new Error(`Stripe gave no secret for ${id}.`)
  await stripe.webhookEndpoints.update(id, { metadata: { [PRINT]: printOf(secret) } })
  return secret
}

/** Lets it send exactly these kinds of events, and turns it on. */
export async function updateEndpoint(stripe: Stripe, id: string, events: readonly string[]): Promise<void> {
  await stripe.webhookEndpoints.update(id, { enabled_events: events as EventName[], disabled: false })
}

export async function deleteEndpoint(stripe: Stripe, id: string): Promise<void> {
  await stripe.webhookEndpoints.del(id)
}

/** Of a secret of 32 random characters nothing can be learned from a part of its hash. */
export function printOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, 16)
}
