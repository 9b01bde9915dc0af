import { differenceOf, type SeenEndpoint } from '@lockstep/core/webhook-endpoint'
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

const NAME = 'webhook endpoint'
const MOST_NAMED = 5

/** Whether an endpoint at the provider sends every event that we act on, signed with a secret that is known here. */
async function endpoint(stripe: ReturnType<typeof makeStripe>, secrets: readonly string[]): Promise<Check> {
  const wanted = { events: Object.keys(handlers), version: API_VERSION }
  try {
    const there = (await listEndpoints(stripe)).filter(({ url }) =>
      new URL(url).pathname.startsWith('/webhooks/stripe'),
    )
    const ours = there.filter(({ enabled }) => enabled)
    const [first] = ours
    if (!first) return there[0] ? switchedOff(there[0]) : wrong(NAME, NONE, setUpAt())
    const sent = ours.flatMap((one) => one.events)
    const { missing } = differenceOf(wanted, { ...first, events: sent })
    if (missing.length > 0) {
      const detail = `${first.url} does not send ${someOf(missing)}.`
      return wrong(NAME, detail, setUpAt(first.url))
    }
    const prints = new Set(secrets.map(printOf))
    const unknown = ours.find(({ secretPrint }) => secretPrint !== null && !prints.has(secretPrint))
    if (unknown) {
      const detail = `The secret of ${unknown.id} is not in STRIPE_WEBHOOK_SECRET: what it sends is refused.`
      return wrong(
        NAME,
        detail,
        `Put it there and restart; is it lost, rotate: ${commandAt(unknown.url, '--rotate --apply')}.`,
      )
    }
    const other = ours.find(({ version }) => version !== null && version !== API_VERSION)
    if (other) {
      const detail = `${other.url} sends API version ${other.version}, and ${API_VERSION} is read; each object is fetched anew.`
      return hint(NAME, detail, `Replace ${other.id}: ${commandAt(other.url, '--rotate --apply')}.`)
    }
    return fine(NAME, `${first.url} sends what is needed.`)
  } catch (error) {
    // A restricted key need not be allowed to see endpoints.
    return hint(NAME, `Not looked at: ${verdictOf(error).problem.detail}`, setUpAt())
  }
}

const NONE = 'None that is enabled and ends in /webhooks/stripe.'

/** By a person, or by Stripe, which gives up on one that took nothing for days. */
const switchedOff = ({ id, url }: SeenEndpoint): Check =>
  wrong(NAME, `${NONE} ${id} for ${url} is disabled: nothing is sent there.`, setUpAt(url))

const commandAt = (url: string, rest: string): string => `\`lockstep stripe setup --endpoint ${url} ${rest}\``

const setUpAt = (url = 'https://YOUR-HOST'): string =>
  `${commandAt(url, '--apply')} has it send exactly what is handled, in API version ${API_VERSION}; without --apply it says what it would do.`

function someOf(types: readonly string[]): string {
  const named = types.slice(0, MOST_NAMED).join(', ')
  return types.length > MOST_NAMED ? `${named} and ${types.length - MOST_NAMED} more` : named
}
