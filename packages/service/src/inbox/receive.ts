import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../clock.ts'
import type { Db } from '../postgres/connect.ts'
import type { Provider } from '../provider/stripe/account.ts'
import { insertEvent, type ReceivedEvent, type SetAside } from '../store/provider-events.ts'
import { keepPayload } from './fresh-payloads.ts'
import { accountOf, lookingHandlerOf, setAside } from './handlers.ts'
import { signedBy } from './signature.ts'

export interface ReceiveDeps {
  readonly db: Db
  readonly clock: Clock
  /** Every secret that holds: several while one is being replaced. */
  readonly secrets: readonly string[]
  /** Whose events are looked at. */
  readonly provider: Pick<Provider, 'account' | 'livemode'>
  /** Tells the worker that there is something to do. */
  readonly nudge: () => void
  /** Told of each event whose kind is not known, once. */
  readonly onUnhandled?: (type: string) => void
}

export interface Delivery {
  /** The bytes that were signed. */
  readonly body: Buffer
  readonly signature: string | undefined
}

/**
 * Takes one delivery in. When this returns, the event is stored, once, and may be acknowledged: what
 * becomes of it is our own business from here on. What is not Stripe's is refused and not stored.
 */
export async function receive(deps: ReceiveDeps, { body, signature }: Delivery): Promise<void> {
  const at = deps.clock.now()
  if (signedBy(deps.secrets, body, signature, at) === -1) {
    throw new Problem(
      'webhook_signature_invalid',
      'None of the webhook secrets signed this body within the last five minutes.',
    )
  }
  const aside = await store(deps, body.toString('utf8'))
  if (aside === null) deps.nudge()
}

/** Stores one event as its JSON came, however it came: once. Says what becomes of it unseen; null if it waits. */
export async function store(
  { db, clock, provider, onUnhandled }: Pick<ReceiveDeps, 'db' | 'clock' | 'provider' | 'onUnhandled'>,
  json: string,
): Promise<SetAside | null> {
  const { event, parsed } = readEvent(json, clock.now(), provider)
  try {
    const observation = await insertEvent(db, event)
    if (observation === undefined) return event.setAside
    if (event.setAside?.outcome === 'unhandled_type') onUnhandled?.(event.type)
    // With what may not be kept, it is not what is stored.
    if (event.setAside === null && event.payload === json)
      keepPayload(db, event.id, { payload: parsed, observation, length: json.length })
  } catch (error) {
    if (isUnstorable(error)) throw malformed('It holds what cannot be stored as JSON.', error)
    throw error
  }
  return event.setAside
}

/** What has to be known of an event before it is processed. Everything else stays in its payload. */
function readEvent(
  payload: string,
  at: number,
  provider: ReceiveDeps['provider'],
): { readonly event: ReceivedEvent; readonly parsed: Fields } {
  const event = parse(payload)
  const { id, type, object, shown = {}, created } = event.object === THIN ? thin(event) : snapshot(event)
  if (typeof id !== 'string' || id === '' || typeof type !== 'string' || !isInstant(created)) {
    throw malformed('It lacks an id, a type or a time.')
  }
  const instead = lookingHandlerOf(type)
  const addressed = {
    type,
    objectId: text(instead?.idIn ? instead.idIn(shown) : object.id),
    livemode: event.livemode === true,
    account: accountOf(event),
  }
  const received = {
    ...addressed,
    id,
    objectType: instead?.idIn ? instead.observes : text(object.type),
    created,
    apiVersion: typeof event.api_version === 'string' ? event.api_version : null,
    payload: payload.includes(CLIENT_SECRET) ? withoutClientSecrets(event) : payload,
    setAside: setAside(addressed, provider),
    at,
  }
  return { event: received, parsed: event }
}

const CLIENT_SECRET = '"client_secret"'

/** Who has one may pay or set up a card as the customer. https://docs.stripe.com/api/payment_intents/object */
const withoutClientSecrets = (event: Fields) =>
  JSON.stringify(event, (name, value: unknown) => (name === 'client_secret' ? null : value))

interface EventHead {
  readonly id: unknown
  readonly type: unknown
  readonly created: unknown
  readonly object: { readonly id?: unknown; readonly type?: unknown }
  /** The object itself, where the event shows it. */
  readonly shown?: Fields
}

function snapshot({ id, type, created, data }: Fields): EventHead {
  const shown = record(record(data)?.object) ?? {}
  return { id, type, created, object: { id: shown.id, type: shown.object }, shown }
}

/** What `object` says of an event without a snapshot: it names its object, which then has to be fetched. */
const THIN = 'v2.core.event'

/** Of an object of the v1 API, the type is the one we know with its version before it (https://docs.stripe.com/api/v2/core/events). */
function thin({ id, type, created, related_object: related }: Fields): EventHead {
  const seconds = typeof created === 'string' ? Math.floor(Date.parse(created) / 1000) : undefined
  return { id, type: text(type).replace(/^v1\./, ''), created: seconds, object: record(related) ?? {} }
}

type Fields = Readonly<Record<string, unknown>>

function parse(payload: string): Fields {
  try {
    const event = record(JSON.parse(payload))
    if (event) return event
  } catch (error) {
    throw malformed('It is not JSON.', error)
  }
  throw malformed('It is not an object.')
}

function record(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

const text = (value: unknown) => (typeof value === 'string' ? value : '')

/** Years that Postgres has, too. */
const isInstant = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Math.abs(value as number) < 100_000_000_000

/** Text that JSON can say and Postgres cannot hold: NUL, half a surrogate pair, too deep a nesting. */
const UNSTORABLE = new Set(['22P02', '22P05', '22021', '54001', '54000'])

function isUnstorable(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && UNSTORABLE.has(error.code)
  )
}

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem('webhook_malformed', detail, { cause })
}
