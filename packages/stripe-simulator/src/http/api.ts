import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { wallMillis, wallNow } from '../clock.ts'
import { type ErrorBody, envelope, gap, StripeError } from '../errors.ts'
import type { Fault } from '../faults/fault.ts'
import type { Faults } from '../faults/faults.ts'
import type { RequestLog } from '../faults/request-log.ts'
import type { RateLimiter } from '../limits/rate-limiter.ts'
import type { Json } from '../rows.ts'
import { type Dialect, dialectOf } from '../versions/dialect.ts'
import type { Given } from '../versions/given.ts'
import { type Version, versionOf } from '../versions/versions.ts'
import type { World } from '../world.ts'
import { authenticate } from './auth.ts'
import { refuseWhileAdvancing } from './clock-lock.ts'
import { type Expansions, expand } from './expand.ts'
import { parseForm } from './form.ts'
import type { IdempotencyKeys, KeptAnswer } from './idempotency.ts'
import { parseJson } from './json-params.ts'
import { textOf } from './json-text.ts'
import { unserved } from './missing.ts'
import { parsed } from './missing-parameters.ts'
import type { Route } from './route.ts'
import { list, type Raw, text } from './schema.ts'
import { breakOf, failure, failureOf, refuseBefore } from './struck.ts'

export interface ApiParts {
  readonly world: World
  readonly expansions: Expansions
  readonly keys: IdempotencyKeys
  readonly faults: Faults
  readonly log: RequestLog
  /** Null takes every request. */
  readonly limiter: RateLimiter | null
  readonly apiKeys: readonly string[] | undefined
}

/** A request as the API sees it, however it came. */
export interface ApiRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: IncomingHttpHeaders
  /** A form as it came, JSON as it means; empty where nothing of the kind was sent. */
  readonly body: string
}

export interface Answer {
  readonly requestId: string
  readonly version: Version
  readonly status: number
  readonly body: string
  /** The key of the request, said back. */
  readonly idempotencyKey: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The request that was answered first where this is a replay. */
  readonly replayOf?: string
  /** What the caller sees of a fault: the connection breaks, or breaks half way. */
  readonly broken?: 'closed' | 'truncated' | undefined
}

/** What an answer says, before it is known who asked. */
type Said = Pick<Answer, 'status' | 'body' | 'headers' | 'replayOf'>

const expandPaths = list(text())

/** A route and what the named segments of its path are. */
interface Found {
  readonly route: Route
  readonly segments: Readonly<Record<string, string>>
}

/** Answers a request to an address that no version has. */
export function answerUnknown({ world, log }: ApiParts, request: ApiRequest): Answer {
  const requestId = world.ids.next('req', 14)
  const said = refusal(unserved(request.method, request.path), requestId)
  note(log, request, null, requestId, said, undefined)
  return { ...said, requestId, version: world.apiVersion, idempotencyKey: undefined }
}

/**
 * The API as a function of requests: authentication, versions, parameters, idempotency, faults; then the route's
 * handler. Answers at once: a promise is spent on a slow answer only.
 */
export function answerOf(
  parts: ApiParts,
  { route, segments }: Found,
  request: ApiRequest,
): Answer | Promise<Answer> {
  const { world, keys, faults, log, limiter, apiKeys } = parts
  const { method, path, headers } = request
  const requestId = world.ids.next('req', 14)
  const idempotencyKey = headerOf(headers, 'idempotency-key')
  const fault = faults.take(method, path)
  let version = world.apiVersion
  let dialect = dialectOf(version)
  const finish = (said: Said): Answer => {
    note(log, request, route, requestId, said, fault)
    const broken = fault && breakOf(fault)
    const { status, body, headers: more, replayOf } = said
    return {
      requestId,
      version,
      status,
      body,
      idempotencyKey,
      headers: more,
      broken,
      ...(replayOf === undefined ? {} : { replayOf }),
    }
  }
  let held: KeptAnswer | undefined
  const run = () => {
    const executed = execute(parts, { route, segments, request, requestId, idempotencyKey, dialect, fault })
    return finish(kept(keys, held, executed))
  }
  try {
    authenticate(headers.authorization, apiKeys)
    version = versionOf(headerOf(headers, 'stripe-version') ?? version)
    dialect = dialectOf(version)
    if (!dialect.knows(route)) throw unserved(method, path)
    for (const header of ['stripe-account', 'stripe-context']) {
      if (headers[header] !== undefined) throw gap(`the header ${header}`)
    }
    limiter?.check(route, wallMillis())
    if (fault !== undefined) refuseBefore(fault)
    if (idempotencyKey !== undefined && method === 'POST') {
      held = keys.claim(idempotencyKey, path, request.body, requestId, wallNow())
      if (held.answer !== null) return finish({ ...held.answer, replayOf: held.requestId })
    }
  } catch (error) {
    return finish(refusal(error, requestId))
  }
  return fault?.kind === 'slow' ? wait(fault.ms ?? 1000).then(run) : run()
}

interface Execution {
  readonly said: Said
  /** Whether the endpoint began: only then is the answer kept for the idempotency key. */
  readonly began: boolean
}

/** Keeps an answer for the key of its request, if the endpoint began; otherwise the key is free again. */
function kept(keys: IdempotencyKeys, held: KeptAnswer | undefined, { said, began }: Execution): Said {
  if (held !== undefined) {
    if (began) keys.keep(held, said.status, said.body)
    else keys.release(held.key)
  }
  return said
}

interface Call extends Found {
  readonly request: ApiRequest
  readonly requestId: string
  readonly idempotencyKey: string | undefined
  readonly dialect: Dialect
  readonly fault: Fault | undefined
}

/** Parses and executes. */
function execute({ world, expansions }: ApiParts, call: Call): Execution {
  const { route, segments, request, requestId, dialect, fault } = call
  let began = false
  let accepted: Given | undefined
  try {
    const { expand: asked, ...given } = parametersOf(route, request)
    const paths = asked === undefined ? [] : expandPaths.parse(asked, 'expand')
    accepted = dialect.accept(world, route, given)
    const params = parsed(route, given as Raw) as never
    if (route.method !== 'GET') refuseWhileAdvancing(world, segments, given)
    const struck = fault && failureOf(fault)
    began = struck !== 'not stored'
    if (struck !== undefined) throw failure()
    const handle = (): Json => {
      const result = dialect.show(
        world,
        route.handle({ world, params, path: (name = 'id') => segments[name] ?? '' }),
      )
      return paths.length === 0 ? result : expand(world, dialect.expansions(expansions), result, paths)
    }
    const cause = { request: requestId, idempotencyKey: call.idempotencyKey ?? null, path: request.path }
    const result = route.method === 'GET' ? handle() : world.transaction(cause, handle)
    return { said: { status: 200, body: textOf(result) }, began }
  } catch (error) {
    accepted?.blame(error)
    const said = refusal(error, requestId, (body) => dialect.show(world, body))
    return { said, began: began && !isBusy(error) }
  }
}

/** A refusal that says "later" is not the endpoint's answer. */
function isBusy(error: unknown): boolean {
  return error instanceof StripeError && (error.status === 429 || error.status === 409)
}

/** `show` turns what an error tells of an intent into the caller's version, once that is known. */
function refusal(error: unknown, requestId: string, show = (body: Json) => body): Said {
  if (error instanceof StripeError) {
    const body = JSON.stringify(envelope(show(error.body) as ErrorBody, requestId))
    return { status: error.status, body, headers: error.headers }
  }
  // A bug of the simulator: said as Stripe says its own, with the reason, since nothing here is secret.
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { status: 500, body: JSON.stringify(envelope({ type: 'api_error', message }, requestId)) }
}

function note(
  log: RequestLog,
  { method, path, query, headers, body }: ApiRequest,
  route: Route | null,
  id: string,
  { status, body: answer, replayOf }: Said,
  fault: Fault | undefined,
): void {
  log.add(
    {
      id,
      at: wallNow(),
      method,
      path,
      route: route?.path ?? null,
      idempotency_key: headerOf(headers, 'idempotency-key') ?? null,
      replayed: replayOf !== undefined,
      status,
      fault: fault?.kind ?? null,
      params: method === 'POST' ? body : query,
    },
    answer,
  )
}

/** v1 is asked in forms and v2 in JSON, but for what is read. */
function parametersOf(route: Route, { body, query }: ApiRequest): { [key: string]: Raw } {
  if (route.method !== 'POST') return parseForm(query)
  return route.path.startsWith('/v2/') ? parseJson(body) : parseForm(body)
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}
