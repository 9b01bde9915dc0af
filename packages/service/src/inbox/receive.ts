import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../clock.ts'
import type { Db } from '../postgres/connect.ts'
import { insertEvent, type ReceivedEvent } from '../store/provider-events.ts'
import { whyIgnored } from './handlers.ts'
import { signedBy } from './signature.ts'

export interface ReceiveDeps {
  readonly db: Db
  readonly clock: Clock
  /** Every secret that holds: several while one is being replaced. */
  readonly secrets: readonly string[]
  readonly livemode: boolean
  /** Tells the worker that there is something to do. */
  readonly nudge: () => void
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
  const ignoredAs = await store(deps, body.toString('utf8'))
  if (ignoredAs === null) deps.nudge()
}

/** Stores one event as its JSON came, however it came: once. Says why nothing is done about it; null if it waits. */
export async function store(
  { db, clock, livemode }: Pick<ReceiveDeps, 'db' | 'clock' | 'livemode'>,
  json: string,
): Promise<string | null> {
  const event = readEvent(json, clock.now(), livemode)
  try {
    await insertEvent(db, event)
  } catch (error) {
    if (isUnstorable(error)) throw malformed('It holds what cannot be stored as JSON.', error)
    throw error
  }
  return event.ignoredAs
}

/** What has to be known of an event before it is processed. Everything else stays in its payload. */
function readEvent(payload: string, at: number, livemode: boolean): ReceivedEvent {
  const event = parse(payload)
  const object = record(record(event.data)?.object) ?? {}
  const { id, type, created } = event
  if (typeof id !== 'string' || id === '' || typeof type !== 'string' || !isInstant(created)) {
    throw malformed('It lacks an id, a type or a time.')
  }
  const addressed = {
    type,
    objectId: text(object.id),
    livemode: event.livemode === true,
    account: event.account,
  }
  return {
    ...addressed,
    id,
    objectType: text(object.object),
    created,
    apiVersion: typeof event.api_version === 'string' ? event.api_version : null,
    payload,
    ignoredAs: whyIgnored(addressed, { livemode }),
    at,
  }
}

function parse(payload: string): Readonly<Record<string, unknown>> {
  try {
    const event = record(JSON.parse(payload))
    if (event) return event
  } catch (error) {
    throw malformed('It is not JSON.', error)
  }
  throw malformed('It is not an object.')
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined
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
