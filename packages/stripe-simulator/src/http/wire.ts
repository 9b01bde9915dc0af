import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ErrorBody, envelope } from '../errors.ts'
import type { World } from '../world.ts'
import type { Answer, Api, ApiRequest } from './api.ts'
import { pathOf, queryOf } from './form.ts'

export const BODY_LIMIT_BYTES = 8 * 1024 * 1024

/** The API is asked below these; whatever else the server has is for people and tests. */
export function isOfApi(url: string): boolean {
  return url.startsWith('/v1/') || url.startsWith('/v2/')
}

/**
 * Carries requests to the API and answers back over HTTP. `flush` writes down what a request did before its answer
 * leaves: nobody is told of what a kill could take back. Where it cannot be written the answer is a 500, and the
 * state in memory goes on without being kept.
 */
export class Wire {
  readonly #api: Api
  readonly #world: World
  readonly #flush: (() => void) | undefined

  constructor(api: Api, world: World, flush: (() => void) | undefined) {
    this.#api = api
    this.#world = world
    this.#flush = flush
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'POST') {
      this.answer(request, response, '')
      return
    }
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= BODY_LIMIT_BYTES) chunks.push(chunk)
      else if (!response.headersSent)
        this.refuse(response, 413, 'Request body is too large', { connection: 'close' })
    })
    request.on('end', () => {
      if (bytes > BODY_LIMIT_BYTES) return
      const sent = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
      let body: string
      try {
        body = bodyOf(request.headers['content-type'], sent)
      } catch {
        this.refuse(response, 400, 'the body is not JSON')
        return
      }
      this.answer(request, response, body)
    })
  }

  /** Answers a request whose body was read. */
  answer({ method = '', url = '', headers }: IncomingMessage, response: ServerResponse, body: string): void {
    const request: ApiRequest = { method, path: pathOf(url), query: queryOf(url), headers, body }
    try {
      const answer = this.#api.answer(request)
      if (answer instanceof Promise) {
        answer.then(
          (late) => this.#send(response, late),
          (error: Error) => this.fail(response, error.message),
        )
      } else this.#send(response, answer)
    } catch (error) {
      this.fail(response, (error as Error).message)
    }
  }

  #send(response: ServerResponse, answer: Answer): void {
    try {
      this.#flush?.()
    } catch (error) {
      this.fail(response, (error as Error).message)
      return
    }
    const { status, body, broken, requestId, version, idempotencyKey, replayOf, headers = {} } = answer
    if (broken === 'closed') {
      response.destroy()
      return
    }
    const bytes = Buffer.byteLength(body)
    const head = ['content-type', 'application/json', 'request-id', requestId, 'stripe-version', version]
    for (const name of Object.keys(headers)) head.push(name, headers[name] as string)
    if (idempotencyKey !== undefined) head.push('idempotency-key', idempotencyKey)
    if (replayOf !== undefined) head.push('idempotent-replayed', 'true', 'original-request', replayOf)
    head.push('content-length', String(bytes))
    response.writeHead(status, head)
    if (broken === 'truncated') {
      response.write(body.slice(0, body.length / 2))
      response.destroy()
      return
    }
    // Latin-1 goes over the wire as it lies in memory; of ASCII it is the same bytes as UTF-8.
    response.end(body, bytes === body.length ? 'latin1' : 'utf8')
  }

  /** A bug, or a file that cannot be written: with its reason, since nothing here is secret. */
  fail(response: ServerResponse, message: string): void {
    this.#say(response, 500, { type: 'api_error', message })
  }

  /** What does not come to the API, since it cannot be read. */
  refuse(response: ServerResponse, status: number, reason: string, headers = {}): void {
    const message = `Invalid request: ${reason}`
    this.#say(response, status, { type: 'invalid_request_error', message }, headers)
  }

  #say(response: ServerResponse, status: number, error: ErrorBody, headers = {}): void {
    const requestId = this.#world.ids.next('req', 14)
    const body = JSON.stringify(envelope(error, requestId))
    response.writeHead(status, {
      ...headers,
      'content-type': 'application/json',
      'request-id': requestId,
      'stripe-version': this.#world.apiVersion,
      'content-length': Buffer.byteLength(body),
    })
    response.end(body)
  }
}

/** v1 is sent as a form and v2 as JSON; what else is sent is a file, and those are missing. */
function bodyOf(contentType: string | undefined, sent: Buffer): string {
  if (contentType === undefined || sent.length === 0) return ''
  const type = contentType.toLowerCase()
  if (type.startsWith('application/x-www-form-urlencoded')) return sent.toString()
  // As it means, so that two texts of one meaning are one request to an idempotency key.
  return type.startsWith('application/json') ? JSON.stringify(JSON.parse(sent.toString())) : ''
}
