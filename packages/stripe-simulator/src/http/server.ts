import formbody from '@fastify/formbody'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type ErrorBody, envelope } from '../errors.ts'
import { formerRoutes } from '../versions/dialect.ts'
import { type Answer, type ApiParts, type ApiRequest, answerOf, answerUnknown } from './api.ts'
import { pathOf, queryOf } from './form.ts'
import type { Route } from './route.ts'

/** The HTTP face: what Fastify reads is asked of the API, and its answer is sent. */
export function buildServer(parts: ApiParts, routes: readonly Route[]): FastifyInstance {
  const app = fastify({ forceCloseConnections: true, bodyLimit: 8 * 1024 * 1024, exposeHeadRoutes: false })
  addBodyParsers(app)
  for (const route of [...routes, ...formerRoutes]) {
    app.route({
      method: route.method,
      url: route.path,
      handler: (request, reply) => {
        const segments = request.params as Record<string, string>
        const answer = answerOf(parts, { route, segments }, asked(request))
        return answer instanceof Promise ? answer.then((late) => send(reply, late)) : send(reply, answer)
      },
    })
  }
  app.setNotFoundHandler((request, reply) => send(reply, answerUnknown(parts, asked(request))))
  app.setErrorHandler(({ message, statusCode: status = 500 }: Error & { statusCode?: number }, _, reply) => {
    const requestId = parts.world.ids.next('req', 14)
    const error: ErrorBody =
      status < 500
        ? { type: 'invalid_request_error', message: `Invalid request: ${message}` }
        : { type: 'api_error', message }
    const body = JSON.stringify(envelope(error, requestId))
    return send(reply, {
      requestId,
      version: parts.world.apiVersion,
      status,
      body,
      idempotencyKey: undefined,
    })
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

function asked(request: FastifyRequest): ApiRequest {
  const { method, url, headers } = request
  return { method, path: pathOf(url), query: queryOf(url), headers, body: bodyOf(request) }
}

/** The body as text: a form as it came, JSON as it means. */
function bodyOf(request: FastifyRequest): string {
  const body = request.body as { form?: string } | undefined | null
  if (body === undefined || body === null) return ''
  return body.form ?? JSON.stringify(body)
}

function send(reply: FastifyReply, answer: Answer) {
  const { status, body, broken, requestId, version, idempotencyKey, replayOf, headers } = answer
  if (broken !== undefined) {
    reply.hijack()
    if (broken === 'truncated') {
      reply.raw.writeHead(status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      })
      reply.raw.write(body.slice(0, body.length / 2))
    }
    reply.raw.destroy()
    return reply
  }
  reply.code(status)
  if (headers !== undefined) reply.headers(headers)
  reply.header('content-type', 'application/json')
  reply.header('request-id', requestId)
  reply.header('stripe-version', version)
  if (idempotencyKey !== undefined) reply.header('idempotency-key', idempotencyKey)
  if (replayOf !== undefined) {
    reply.header('idempotent-replayed', 'true')
    reply.header('original-request', replayOf)
  }
  return reply.send(body)
}
