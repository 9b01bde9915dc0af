import { differenceOf } from '@lockstep/core/webhook-endpoint'
import type { StripeConfig } from '../config.ts'
import { handlers } from '../inbox/handlers.ts'
import { API_VERSION, isStripeItself, makeStripe } from '../provider/stripe/client.ts'
import { verdictOf } from '../provider/stripe/problems.ts'
import { listEndpoints, printOf } from '../provider/stripe/webhook-endpoints.ts'
import { type Check, fine, hint, wrong } from './check.ts'

const PATIENCE_MS = 5000

/** Whether the provider takes our key, and whether its events will reach us. */
export async function examineStripe(config: StripeConfig): Promise<Check[]> {
  const { apiKey, apiBase, livemode } = config
  const stripe = makeStripe({ apiKey, apiBase }, { timeoutMs: PATIENCE_MS })
  const kind = isStripeItself(apiBase)
    ? `Stripe in ${livemode ? 'live' : 'test'} mode`
    : `A simulator at ${apiBase}`
  try {
    await stripe.products.list({ limit: 1 })
  } catch (error) {
    const remedy = isStripeItself(apiBase)
      ? 'Check STRIPE_API_KEY (does it belong to this account, may it read products?) and the connection to api.stripe.com.'
      : `Start it (\`npx stripe-simulator --port ${new URL(apiBase).port}\`), or set STRIPE_API_KEY to use Stripe.`
    return [wrong('stripe', `${kind}: ${verdictOf(error).problem.detail}`, remedy), secrets(config)]
  }
  return [
    fine('stripe', `${kind} takes the key.`),
    secrets(config),
    await endpoint(stripe, config.webhookSecrets),
  ]
}

function secrets({ webhookSecrets }: StripeConfig): Check {
  const name = 'webhook secret'
  if (webhookSecrets.length > 0) return fine(name, `${webhookSecrets.length} set.`)
  return wrong(
    name,
    'STRIPE_WEBHOOK_SECRET is not set: events cannot be told from forged ones and are refused.',
    'Set it to the signing secret (whsec_…) that Stripe shows for the webhook endpoint.',
  )
}

/** Whether an endpoint at the provider sends every event that we act on, signed with a secret that is known here. */
async function endpoint(stripe: ReturnType<typeof makeStripe>, secrets: readonly string[]): Promise<Check> {
  const name = 'webhook endpoint'
  const events = Object.keys(handlers)
  const remedy = `\`lockstep stripe setup --endpoint https://YOUR-HOST\` makes one that sends, in API version ${API_VERSION}: ${events.join(', ')}.`
  try {
    const ours = (await listEndpoints(stripe)).filter(
      ({ url, enabled }) => enabled && new URL(url).pathname.startsWith('/webhooks/stripe'),
    )
    const [first] = ours
    if (!first) return wrong(name, 'None that is enabled and ends in /webhooks/stripe.', remedy)
    const sent = ours.flatMap((one) => one.events)
    const { missing } = differenceOf({ events, version: API_VERSION }, { ...first, events: sent })
    if (missing.length > 0) return wrong(name, `${first.url} does not send ${missing.join(', ')}.`, remedy)
    const prints = new Set(secrets.map(printOf))
    const unknown = ours.find(({ secretPrint }) => secretPrint !== null && !prints.has(secretPrint))
    if (unknown) {
      const detail = `The secret of ${unknown.id} is not in STRIPE_WEBHOOK_SECRET: what it sends is refused.`
      return wrong(name, detail, 'Put it there; is it lost, rotate: `lockstep stripe setup --rotate`.')
    }
    const other = ours.find(({ version }) => version !== null && version !== API_VERSION)
    if (other) {
      return hint(
        name,
        `${other.url} sends API version ${other.version}; each object is fetched anew.`,
        remedy,
      )
    }
    return fine(name, `${first.url} sends what is needed.`)
  } catch (error) {
    // A restricted key need not be allowed to see endpoints.
    return hint(name, `Not looked at: ${verdictOf(error).problem.detail}`, remedy)
  }
}
