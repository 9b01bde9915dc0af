import { setTimeout as wait } from 'node:timers/promises'
import formbody from '@fastify/formbody'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { wallMillis, wallNow } from '../clock.ts'
import { type ErrorBody, envelope, gap, StripeError } from '../errors.ts'
import type { Fault } from '../faults/fault.ts'
import type { Faults } from '../faults/faults.ts'
import type { RequestLog } from '../faults/request-log.ts'
import { type RateLimiter, tooMany } from '../limits/rate-limiter.ts'
import type { Json } from '../rows.ts'
import { type Dialect, dialectOf, formerRoutes } from '../versions/dialect.ts'
import type { Given } from '../versions/given.ts'
import { type Version, versionOf } from '../versions/versions.ts'
import type { World } from '../world.ts'
import { authenticate } from './auth.ts'
import { refuseWhileAdvancing } from './clock-lock.ts'
import { type Expansions, expand } from './expand.ts'
import { parseForm, pathOf, queryOf } from './form.ts'
import type { IdempotencyKeys, KeptAnswer } from './idempotency.ts'
import { parseJson } from './json-params.ts'
import { textOf } from './json-text.ts'
import { unserved } from './missing.ts'
import type { Route } from './route.ts'
import { list, type Raw, text } from './schema.ts'

export interface ServerParts {
  readonly world: World
  readonly routes: readonly Route[]
  readonly expansions: Expansions
  readonly keys: IdempotencyKeys
  readonly faults: Faults
  readonly log: RequestLog
  /** Null takes every request. */
  readonly limiter: RateLimiter | null
  readonly apiKeys: readonly string[] | undefined
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  readonly replayOf?: string
  /** What the caller sees of a fault: the connection breaks, or breaks half way. */
  readonly broken?: 'closed' | 'truncated'
}

const expandPaths = list(text())

/** The HTTP face: authentication, versions, form parameters, idempotency, faults; then the route's handler. */
export function buildServer(parts: ServerParts): FastifyInstance {
  const app = fastify({ forceCloseConnections: true, bodyLimit: 8 * 1024 * 1024, exposeHeadRoutes: false })
  addBodyParsers(app)
  for (const route of [...parts.routes, ...formerRoutes]) {
    app.route({
      method: route.method,
      url: route.path,
      handler: (request, reply) => serve(parts, route, request, reply),
    })
  }
  app.setNotFoundHandler((request, reply) => {
    const requestId = parts.world.ids.next('req', 14)
    const body = envelope(unserved(request.method, pathOf(request.url)).body, requestId)
    const answer = { status: 404, body: JSON.stringify(body) }
    log(parts, request, null, requestId, answer, null)
    return send(reply, requestId, parts.world.apiVersion, undefined, answer)
  })
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const requestId = parts.world.ids.next('req', 14)
    const status = error.statusCode ?? 500
    const body: ErrorBody =
      status < 500
        ? { type: 'invalid_request_error', message: `Invalid request: ${error.message}` }
        : { type: 'api_error', message: error.message }
    const answer = { status, body: JSON.stringify(envelope(body, requestId)) }
    return send(reply, requestId, parts.world.apiVersion, undefined, answer)
  })
  return app
}

/** v1 is sent as a form, v2 and the control routes as JSON; what else is sent is a file, and those are missing. */
function addBodyParsers(app: FastifyInstance): void {
  app.register(formbody, { parser: (form) => ({ form }) })
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text: string, done) => {
    try {
      // The client names JSON even when it sends nothing, as in a v2 DELETE.
      done(null, text === '' ? undefined : JSON.parse(text))
    } catch {
      done(Object.assign(new Error('the body is not JSON'), { statusCode: 400 }), undefined)
    }
  })
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined))
}

/** Answers at once: a promise is spent on a slow answer only. */
function serve(parts: ServerParts, route: Route, request: FastifyRequest, reply: FastifyReply) {
  const requestId = parts.world.ids.next('req', 14)
  const idempotencyKey = headerOf(request, 'idempotency-key')
  const key = request.method === 'POST' ? idempotencyKey : undefined
  const fault = parts.faults.take(request.method, pathOf(request.url))
  let version = parts.world.apiVersion
  let dialect = dialectOf(version)
  const finish = (answer: Answer) => {
    log(parts, request, route, requestId, answer, fault)
    const sent = fault === undefined ? answer : broken(answer, fault)
    return send(reply, requestId, version, idempotencyKey, sent)
  }
  let held: KeptAnswer | undefined
  const run = () => finish(kept(parts, held, answerOf(parts, route, request, requestId, dialect, fault)))
  try {
    authenticate(request.headers.authorization, parts.apiKeys)
    version = versionOf(headerOf(request, 'stripe-version') ?? version)
    dialect = dialectOf(version)
    if (!dialect.knows(route)) throw unserved(request.method, pathOf(request.url))
    for (const header of ['stripe-account', 'stripe-context']) {
      if (headerOf(request, header) !== undefined) throw gap(`the header ${header}`)
    }
    parts.limiter?.check(route, wallMillis())
    if (fault !== undefined) refuseBefore(fault)
    if (key !== undefined) {
      held = parts.keys.claim(key, pathOf(request.url), bodyOf(request), requestId, wallNow())
      if (held.answer !== null) return finish({ ...held.answer, replayOf: held.requestId })
    }
  } catch (error) {
    return finish(refusal(error, requestId))
  }
  return fault?.kind === 'slow' ? wait(fault.ms ?? 1000).then(run) : run()
}

/** Keeps an answer for the key of its request, if the endpoint began; otherwise the key is free again. */
function kept(
  { keys }: ServerParts,
  held: KeptAnswer | undefined,
  { answer, began }: { answer: Answer; began: boolean },
): Answer {
  if (held !== undefined) {
    if (began) keys.keep(held, answer.status, answer.body)
    else keys.release(held.key)
  }
  return answer
}

/**
 * Parses and executes. `began` says whether the endpoint began to execute: only then is the answer kept
 * for the idempotency key.
 */
function answerOf(
  { world, expansions }: ServerParts,
  route: Route,
  request: FastifyRequest,
  requestId: string,
  dialect: Dialect,
  fault: Fault | undefined,
): { answer: Answer; began: boolean } {
  let began = false
  let accepted: Given | undefined
  try {
    const { expand: asked, ...given } = parametersOf(route, request)
    const paths = asked === undefined ? [] : expandPaths.parse(asked, 'expand')
    accepted = dialect.accept(world, route, given)
    const params = route.params.parse(given as Raw, '') as never
    const segments = request.params as Record<string, string>
    if (route.method !== 'GET') refuseWhileAdvancing(world, segments, given)
    began = true
    if (fault?.kind === 'error_500' || fault?.kind === 'timeout_before_commit') {
      began = false
      throw failure()
    }
    if (fault?.kind === 'error_500_stored') throw failure()
    const execute = (): Json => {
      const result = dialect.show(
        world,
        route.handle({ world, params, path: (name = 'id') => segments[name] ?? '' }),
      )
      return paths.length === 0 ? result : expand(world, dialect.expansions(expansions), result, paths)
    }
    const idempotencyKey = headerOf(request, 'idempotency-key') ?? null
    const cause = { request: requestId, idempotencyKey, path: pathOf(request.url) }
    const result = route.method === 'GET' ? execute() : world.transaction(cause, execute)
    return { answer: { status: 200, body: textOf(result) }, began }
  } catch (error) {
    accepted?.blame(error)
    return { answer: refusal(error, requestId), began: began && !isBusy(error) }
  }
}

/** A refusal that says "later" is not the endpoint's answer. */
function isBusy(error: unknown): boolean {
  return error instanceof StripeError && (error.status === 429 || error.status === 409)
}

function refuseBefore(fault: Fault): void {
  if (fault.kind === 'rate_limit') throw tooMany('global-rate')
  if (fault.kind === 'lock_timeout') {
    throw new StripeError(429, {
      type: 'invalid_request_error',
      code: 'lock_timeout',
      message:
        'This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request. If you see this error frequently and are making multiple concurrent requests to a single object, make your requests serially or at a lower rate. For more details, see https://stripe.com/docs/rate-limits#object-lock-timeouts.',
    })
  }
}

function failure(): StripeError {
  return new StripeError(500, {
    type: 'api_error',
    message:
      "An unknown error occurred while processing your request. Your request may or may not have been processed. It's on Stripe's side.",
  })
}

function refusal(error: unknown, requestId: string): Answer {
  if (error instanceof StripeError) {
    const body = JSON.stringify(envelope(error.body, requestId))
    return { status: error.status, body, headers: error.headers }
  }
  // A bug of the simulator: said as Stripe says its own, with the reason, since nothing here is secret.
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { status: 500, body: JSON.stringify(envelope({ type: 'api_error', message }, requestId)) }
}

function broken(answer: Answer, { kind }: Fault): Answer {
  if (kind === 'timeout_before_commit' || kind === 'timeout_after_commit') {
    return { ...answer, broken: 'closed' }
  }
  return kind === 'truncated' ? { ...answer, broken: 'truncated' } : answer
}

function send(
  reply: FastifyReply,
  requestId: string,
  version: Version,
  key: string | undefined,
  answer: Answer,
) {
  if (answer.broken !== undefined) {
    reply.hijack()
    if (answer.broken === 'truncated') {
      const half = answer.body.slice(0, answer.body.length / 2)
      reply.raw.writeHead(answer.status, {
        'content-type': 'application/json',
        'content-length': answer.body.length,
      })
      reply.raw.write(half)
    }
    reply.raw.destroy()
    return reply
  }
  reply.code(answer.status)
  reply.headers(answer.headers ?? {})
  reply.header('content-type', 'application/json')
  reply.header('request-id', requestId)
  reply.header('stripe-version', version)
  if (key !== undefined) reply.header('idempotency-key', key)
  if (answer.replayOf !== undefined) {
    reply.header('idempotent-replayed', 'true')
    reply.header('original-request', answer.replayOf)
  }
  return reply.send(answer.body)
}

function log(
  parts: ServerParts,
  request: FastifyRequest,
  route: Route | null,
  id: string,
  answer: Answer,
  fault: Fault | null | undefined,
): void {
  const logged = {
    id,
    at: wallNow(),
    method: request.method,
    path: pathOf(request.url),
    route: route?.path ?? null,
    idempotency_key: headerOf(request, 'idempotency-key') ?? null,
    replayed: answer.replayOf !== undefined,
    status: answer.status,
    fault: fault?.kind ?? null,
    params: request.method === 'POST' ? bodyOf(request) : queryOf(request.url),
  }
  parts.log.add(logged, answer.body)
}

/** v1 is asked in forms and v2 in JSON, but for what is read. */
function parametersOf(route: Route, request: FastifyRequest): { [key: string]: Raw } {
  if (route.method !== 'POST') return parseForm(queryOf(request.url))
  return route.path.startsWith('/v2/') ? parseJson(bodyOf(request)) : parseForm(bodyOf(request))
}

/** The body as text: a form as it came, JSON as it means. */
function bodyOf(request: FastifyRequest): string {
  const body = request.body as { form?: string } | undefined | null
  if (body === undefined || body === null) return ''
  return body.form ?? JSON.stringify(body)
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}
