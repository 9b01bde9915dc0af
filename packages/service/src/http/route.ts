import type { Callers } from '@lockstep/api/callers'
import type { Body, Params, Query, Reply, Route } from '@lockstep/api/define-route'
import { problemDocument as problemSchema } from '@lockstep/api/problems'
import { Problem } from '@lockstep/core/problem'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { newId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { Db } from '../postgres/connect.ts'
import { validate } from '../validate.ts'
import type { Authenticator } from './authenticate.ts'
import { type Caller, requireCaller } from './caller.ts'
import { type Coming, comingOf } from './coming.ts'
import { type Answer, once, readIdempotencyKey } from './idempotency.ts'
import { type Named, narrowed } from './ownership.ts'
import { problemDocument } from './problem-document.ts'
import { pathOf } from './problems.ts'

/** What a route is registered on. */
export interface App {
  readonly server: FastifyInstance
  readonly db: Db
  readonly clock: Clock
  readonly authenticate: Authenticator
}

/** What a handler gets: the request, parsed and allowed. */
export interface Incoming<R> {
  readonly params: Params<R>
  readonly query: Query<R>
  readonly body: Body<R>
  readonly headers: FastifyRequest['headers']
  /** Who asks; on a public route nobody is asked. */
  readonly caller: Caller
  /**
   * The name of what is asked. A repetition of the request has the same, also after a crash, so what
   * is made under it is found instead of made again. Without an Idempotency-Key it is new each time.
   */
  readonly operation: string
  /** When it came, for what may be the other half of a double click. */
  readonly coming: Coming
  readonly log: Log
}

type Handler = (incoming: Incoming<Route>) => Promise<{ status: number; body: unknown }>

/** Of a route that takes no parameters: a misspelled one is told, as everywhere. */
const NO_QUERY = z.strictObject({})

/** Of one that takes no body: a `dryRun` in it would be passed over, and the deed be done. */
const NO_BODY = NO_QUERY.nullish()

const nobody: Caller = { kind: 'key', id: 'nobody', scopes: new Set(), secrets: [] }

/**
 * Serves a route of the contract. In two steps, because only then the handler's answer is checked
 * against this route's and no other's:
 *
 * ```ts
 * route(app, readPlan)(async ({ params }) => ({ status: 200, body: await planOf(db, params.key) }))
 * ```
 */
export function route<R extends Route>(app: App, definition: R) {
  return (handler: (incoming: Incoming<R>) => Promise<Reply<R>>): void => {
    register(app, definition, handler as unknown as Handler)
  }
}

function register(app: App, definition: Route, handler: Handler): void {
  const { method, path, callers, bodyLimit, rawBody, idempotent } = definition
  if (idempotent && callers === 'public')
    throw new Error(`${path} cannot be idempotent: a key belongs to a caller.`)
  app.server.route({
    method,
    url: path,
    ...(bodyLimit === undefined ? {} : { bodyLimit }),
    config: { callers, rawBody: rawBody ?? false },
    schema: documented(definition),
    // Before the body is read: who may not call does not get to send megabytes.
    onRequest: async (request) => {
      if (callers === 'public') return
      const caller = await app.authenticate(request.headers.authorization)
      requireCaller(caller, callers)
      request.caller = caller
    },
    handler: (request, reply) => answer(app, definition, handler, request, reply),
  })
}

async function answer(
  app: App,
  definition: Route,
  handler: Handler,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const coming = comingOf(reply)
  const caller = request.caller ?? nobody
  const named = await theirs(app, definition, caller, request)
  const schemas =
    definition.callers === 'public' ? definition : { query: NO_QUERY, body: NO_BODY, ...definition }
  const parsed = definition.rawBody
    ? { ...validate({ ...schemas, body: undefined }, named), body: request.body }
    : validate(schemas, named)
  const log = request.log as Log
  const work = (operation: string) =>
    handler({ ...parsed, headers: request.headers, caller, operation, coming, log } as Incoming<Route>)

  const key = definition.idempotent ? readIdempotencyKey(request.headers['idempotency-key']) : undefined
  if (key === undefined) {
    const { status, body } = await work(newId('operation'))
    coming.answers()
    reply.code(status)
    if (definition.produces !== undefined) reply.header('content-type', definition.produces)
    return reply.send(body)
  }

  const repeatable = {
    caller,
    method: request.method,
    path: pathOf(request),
    key,
    content: { query: request.query, body: request.body },
  }
  const { status, text, contentType, replayed } = await once(
    { ...app, log },
    repeatable,
    async (operation) => {
      try {
        const { status, body } = await work(operation)
        reply.code(status)
        return { status, text: reply.serialize(body as never) as string, contentType: JSON_TYPE }
      } catch (error) {
        return finalRefusal(error, pathOf(request))
      }
    },
  )
  coming.answers()
  if (replayed) reply.header('idempotent-replayed', 'true')
  return reply.code(status).header('content-type', contentType).send(text)
}

/** The request, narrowed to what is the user's own. Whoever holds a key may name anybody's. */
async function theirs(
  { db }: App,
  { callers }: Route,
  caller: Caller,
  request: FastifyRequest,
): Promise<Named> {
  if (caller.kind === 'key' || callers === 'public' || callers.user === undefined) return request
  return narrowed(db, caller, callers.user, request)
}

const JSON_TYPE = 'application/json; charset=utf-8'

/** A refusal that will stand is an answer; everything else is thrown on and may be tried again. */
function finalRefusal(error: unknown, path: string): Answer {
  if (!(error instanceof Problem) || error.status >= 500 || error.retryAfterSeconds !== undefined) throw error
  return {
    status: error.status,
    text: JSON.stringify(problemDocument(error, path)),
    contentType: 'application/problem+json; charset=utf-8',
  }
}

/** What the OpenAPI document says of a route, and the schemas its answers are written by. */
function documented(definition: Route): Record<string, unknown> {
  const { id, summary, description, tags, params, query, body, consumes, callers, problems, idempotent } =
    definition
  const notes = [
    description,
    callers === 'public' ? undefined : whoMayCall(callers),
    problems && problems.length > 0
      ? `Problems: ${problems.map((code) => `\`${code}\``).join(', ')}.`
      : undefined,
  ]
  return {
    operationId: id,
    summary,
    description: notes.filter((note) => note !== undefined).join('\n\n'),
    tags,
    ...(params ? { params } : {}),
    ...(query ? { querystring: query } : {}),
    ...(body ? { body } : {}),
    ...(consumes ? { consumes } : {}),
    ...(idempotent ? { headers: idempotencyHeader } : {}),
    security: securityOf(callers),
    response: {
      ...(definition.produces === undefined ? definition.answers : {}),
      default: {
        description: 'A refusal.',
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    },
  }
}

const whoMayCall = ({ key, user }: Exclude<Callers, 'public'>) =>
  `Scope: \`${key}\`.${user === undefined ? '' : ` Users: ${user}.`}`

function securityOf(callers: Callers): Record<string, never[]>[] {
  if (callers === 'public') return []
  return callers.user === undefined ? [{ apiKey: [] }] : [{ apiKey: [] }, { userToken: [] }]
}

const idempotencyHeader = z.object({
  'Idempotency-Key': z
    .string()
    .max(255)
    .optional()
    .meta({ description: 'Any text of your own. Repeating a request with it is safe: it is done once.' }),
})

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | undefined
  }
  interface FastifyContextConfig {
    /** Who may call it. A route without it stops the start. */
    callers?: Callers
    /** The body stays the bytes that were sent. */
    rawBody?: boolean
  }
}
