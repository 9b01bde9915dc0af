import { Problem } from '@lockstep/core/problem'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { newId } from '../ids.ts'
import { isDatabaseUnavailable } from '../postgres/unavailable.ts'
import { problemIn } from '../store/events-expired.ts'
import { problemDocument } from './problem-document.ts'

/** The one place where an error becomes an answer. */
export function answerProblems(server: FastifyInstance): void {
  server.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error)
    if (problem && problem.status < 500) return send(request, reply, problem, pathOf(request))

    // The caller gets an id to quote, we get the error under that id.
    const errorId = newId('error')
    request.log.error(
      { err: error, errorId, method: request.method, path: pathOf(request) },
      'request failed',
    )
    const told = problem ?? new Problem('internal_error', `Quote ${errorId} when you ask about it.`)
    return send(request, reply, told, problem ? pathOf(request) : errorId)
  })
}

/** A client that announces more is cut off: it will hardly wait for an answer. */
const MOST_BYTES_THROWN_AWAY = 64 * 1024 * 1024

function send(request: FastifyRequest, reply: FastifyReply, problem: Problem, instance: string) {
  // A body that was refused unread is read and thrown away: cutting the connection under a client
  // that still writes would lose it the answer.
  request.raw.resume()
  if (Number(request.headers['content-length']) <= MOST_BYTES_THROWN_AWAY) reply.removeHeader('connection')
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="lockstep"')
  if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', String(problem.retryAfterSeconds))
  // As text, so that no schema of the route's own answers is applied to it.
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(problemDocument(problem, instance)))
}

export const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '/'

/** What the framework refuses, in our words; undefined for a bug of ours. */
function problemOf(error: unknown): Problem | undefined {
  const problem = problemIn(error)
  if (problem) return problem
  if (isDatabaseUnavailable(error)) {
    return new Problem('database_unavailable', 'The database does not answer. Try again.', {
      cause: error,
      retryAfterSeconds: 2,
    })
  }
  const { code, statusCode } = error as Partial<FastifyError>
  switch (code ?? '') {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem('body_too_large', 'The body is larger than this address takes. Send it in parts.')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem('unsupported_media_type', 'Send JSON, with `Content-Type: application/json`.')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Problem('invalid_request', 'The body is not as long as its Content-Length says.')
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Problem('invalid_request', 'The request cannot be read.', { cause: error })
  }
  return undefined
}
