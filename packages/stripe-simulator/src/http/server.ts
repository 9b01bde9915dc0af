import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import formbody from '@fastify/formbody'
import fastify, { type FastifyInstance } from 'fastify'
import { Api, type ApiParts } from './api.ts'
import { keepBeforeAnswering } from './kept-answers.ts'
import { BODY_LIMIT_BYTES, isOfApi, Wire } from './wire.ts'

/** How long a connection may wait for its next request. */
const KEEP_ALIVE_MS = 72_000

/**
 * The HTTP face. The API is served as directly as can be, since a test suite asks it all the time; pages and control
 * routes, which are added to what this returns, by Fastify. `flush` is called before anybody is answered.
 */
export function buildServer(parts: ApiParts, flush: (() => void) | undefined): FastifyInstance {
  const wire = new Wire(new Api(parts), parts.world, flush)
  const app = fastify({
    forceCloseConnections: true,
    bodyLimit: BODY_LIMIT_BYTES,
    exposeHeadRoutes: false,
    serverFactory: (others) => serverOf(wire, others as RequestListener),
  })
  if (flush !== undefined) keepBeforeAnswering(app, flush)
  addBodyParsers(app)
  answerErrors(app, wire)
  return app
}

function serverOf(wire: Wire, others: RequestListener) {
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (isOfApi(request.url ?? '')) wire.serve(request, response)
    else others(request, response as ServerResponse<IncomingMessage>)
  })
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.requestTimeout = 0
  return server
}

/** Forms and JSON, as pages and control routes are sent. */
function addBodyParsers(app: FastifyInstance): void {
  app.register(formbody, { parser: (form) => ({ form }) })
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text: string, done) => {
    try {
      done(null, text === '' ? undefined : JSON.parse(text))
    } catch {
      done(Object.assign(new Error('the body is not JSON'), { statusCode: 400 }), undefined)
    }
  })
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined))
}

/** What is wrong outside of the API is said as the API says it. */
function answerErrors(app: FastifyInstance, wire: Wire): void {
  app.setNotFoundHandler((request, reply) => {
    reply.hijack()
    wire.answer(request.raw, reply.raw, '')
  })
  app.setErrorHandler(({ message, statusCode = 500 }: Error & { statusCode?: number }, _request, reply) => {
    reply.hijack()
    if (statusCode < 500) wire.refuse(reply.raw, statusCode, message)
    else wire.fail(reply.raw, message)
  })
}
