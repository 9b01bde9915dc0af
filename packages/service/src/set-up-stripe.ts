import {
  type EndpointStep,
  type EndpointWish,
  planEndpoint,
  type SeenEndpoint,
  type WantedEndpoint,
} from '@lockstep/core/webhook-endpoint'
import { CannotStart } from './cannot-start.ts'
import { wallClock } from './clock.ts'
import { readConfig, type StripeConfig } from './config.ts'
import { handlers } from './inbox/handlers.ts'
import { probeEndpoint } from './inbox/probe.ts'
import { API_VERSION, makeStripe } from './provider/stripe/client.ts'
import { verdictOf } from './provider/stripe/problems.ts'
import {
  createEndpoint,
  deleteEndpoint,
  listEndpoints,
  printOf,
  updateEndpoint,
} from './provider/stripe/webhook-endpoints.ts'

const PATH = '/webhooks/stripe'

export interface EndpointSetUp {
  readonly url: string
  readonly applied: boolean
  readonly steps: readonly EndpointStep[]
  /** Of an endpoint that was made: shown once, here. */
  readonly secret: string | null
}

export interface SetUpWanted {
  /** Where the service is reached from outside: `https://billing.example.org`. */
  readonly address: string
  readonly wish: EndpointWish
  /** Not only say what would be done. */
  readonly apply: boolean
}

/**
 * Lets Stripe send here exactly what is handled, in the pinned version. Looks first, so that doing it again
 * changes nothing; needs no database, since a service is set up before it runs. Endpoints are known by their
 * address alone: two installations share none.
 */
export async function setUpStripe(
  env: Record<string, string | undefined>,
  { address, wish, apply }: SetUpWanted,
): Promise<EndpointSetUp> {
  const { stripe: config } = readConfig(env)
  const wanted = { url: endpointUrl(address, config), version: API_VERSION, events: Object.keys(handlers) }
  const stripe = makeStripe(config)
  try {
    const steps = planEndpoint(wanted, await listEndpoints(stripe), wish)
    if (!apply) return { url: wanted.url, applied: false, steps, secret: null }
    for (const step of steps) if (step.do === 'retire') await refuseIfNotTakenOver(config, step.successor)
    let secret: string | null = null
    for (const step of steps) secret = (await take(stripe, wanted, step)) ?? secret
    return { url: wanted.url, applied: true, steps, secret }
  } catch (error) {
    if (error instanceof CannotStart) throw error
    throw verdictOf(error).problem
  }
}

async function take(
  stripe: ReturnType<typeof makeStripe>,
  wanted: WantedEndpoint,
  step: EndpointStep,
): Promise<string | undefined> {
  if (step.do === 'create') return createEndpoint(stripe, wanted)
  if (step.do === 'update') await updateEndpoint(stripe, step.endpoint.id, wanted.events)
  if (step.do === 'retire') await deleteEndpoint(stripe, step.endpoint.id)
  return undefined
}

/** The address as the endpoint's: Stripe follows no redirect, so it has to be the very one. */
function endpointUrl(address: string, { livemode }: StripeConfig): string {
  const remedy = 'Write it like https://billing.example.org.'
  const url = URL.parse(address)
  if (!url || !/^https?:$/.test(url.protocol)) throw new CannotStart(`${address} is not an address.`, remedy)
  if (livemode && url.protocol !== 'https:')
    throw new CannotStart(`${address} is not https: Stripe sends live events to nothing else.`, remedy)
  const path = url.pathname.replace(/\/+$/, '')
  return `${url.origin}${path.endsWith(PATH) ? path : `${path}${PATH}`}`
}

/**
 * An older endpoint goes only when the service is seen to take what the newer one signs: its secret is one of
 * those given here, and the service at that address does not refuse its signature.
 */
async function refuseIfNotTakenOver(
  config: StripeConfig,
  { id, url, secretPrint }: SeenEndpoint,
): Promise<void> {
  const secret = config.webhookSecrets.find((one) => printOf(one) === secretPrint)
  if (secret === undefined) {
    throw new CannotStart(
      `The secret of ${id} is none of those in STRIPE_WEBHOOK_SECRET.`,
      'Put the new secret beside the old one, restart the service with both, and try again. Is it lost: rotate once more.',
    )
  }
  const answer = await probeEndpoint(url, secret, wallClock.now())
  if (answer.kind === 'accepted') return
  throw new CannotStart(
    `The service at ${url} does not take what ${id} signs: ${answer.detail}`,
    'Restart it with the new secret in STRIPE_WEBHOOK_SECRET, and try again. Nothing was changed.',
  )
}
