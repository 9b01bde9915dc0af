import { Problem } from '@lockstep/core/problem'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import { serializerCompiler } from 'fastify-type-provider-zod'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { readJsonBodies } from './json-body.ts'
import { methodsOf, type RouteTable } from './method-not-allowed.ts'
import { DOCS, describeApi } from './openapi.ts'
import { answerProblems, pathOf } from './problems.ts'

export interface ServerOptions {
  readonly log: Log
  readonly metrics: Metrics
  /** Only this machine may call: the Host header is checked, because a web page anywhere may point a name at 127.0.0.1. */
  readonly loopbackOnly: boolean
}

const DEFAULT_BODY_LIMIT = 1024 * 1024

/**
 * What browsers are told: answers are data, not pages. Whether there is TLS in front is known to the
 * proxy that does it, so that is not said here.
 */
const HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** An HTTP server with everything but routes: bodies, problems, headers, metrics, docs. */
export async function createServer({ log, metrics, loopbackOnly }: ServerOptions): Promise<FastifyInstance> {
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: DEFAULT_BODY_LIMIT,
    requestTimeout: 60_000,
    // A machine that starts much at once loads the docs for longer than the usual ten seconds, and would never start.
    pluginTimeout: 120_000,
    forceCloseConnections: 'idle',
    // A webhook address is pasted by hand: with and without a slash at its end, never a redirect.
    routerOptions: { maxParamLength: 500, ignoreTrailingSlash: true },
  }) as unknown as FastifyInstance
  server.decorateRequest('caller', undefined)

  // Hooks that wait for nothing are no promises: at a few events a request, those would be a tenth of it.
  server.addHook('onRequest', (request, reply, done) => {
    reply.headers(HEADERS)
    if (!loopbackOnly || isLoopbackName(request.headers.host)) done()
    else done(new Problem('forbidden', 'The embedded service answers to 127.0.0.1 and localhost only.'))
  })
  const table: RouteTable = []
  server.addHook('onRoute', ({ method, url, config }) => {
    if (url === DOCS || url.startsWith(`${DOCS}/`)) return
    if (config?.callers === undefined) throw new Error(`${method} ${url} does not say who may call it.`)
    table.push({ methods: [method].flat(), url })
  })
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown'
    metrics.httpDuration.observe(
      { method: request.method, route, status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    )
    if (log.isLevelEnabled('debug')) {
      request.log.debug(
        { method: request.method, path: pathOf(request), status: reply.statusCode },
        'answered',
      )
    }
    done()
  })

  // Every part is checked at once in `route`, so that all faults are told together.
  server.setValidatorCompiler(() => () => true)
  server.setSerializerCompiler(serializerCompiler as never)
  readJsonBodies(server)
  answerProblems(server)
  server.setNotFoundHandler((request, reply) => {
    const path = pathOf(request)
    const methods = methodsOf(table, path)
    if (methods.length === 0) throw new Problem('route_not_found', `There is nothing at ${path}.`)
    reply.header('allow', methods.join(', '))
    throw new Problem('method_not_allowed', `${path} takes ${methods.join(', ')}.`)
  })
  await describeApi(server)
  return server
}

/** Names of this very machine, with any port. */
const isLoopbackName = (host: string | undefined) =>
  /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(host ?? '')
