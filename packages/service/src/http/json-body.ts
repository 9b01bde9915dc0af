import { Problem } from '@lockstep/core/problem'
import type { FastifyInstance } from 'fastify'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads JSON bodies, and nothing else. A route with `rawBody` gets the bytes as they came: a signature
 * covers those, and no parser may stand in front of it.
 */
export function readJsonBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(
    /^application\/(?:[\w.+-]+\+)?json\b/i,
    { parseAs: 'buffer' },
    (request, body: Buffer, done) => {
      if (request.routeOptions.config.rawBody) return done(null, body)
      try {
        done(null, body.length === 0 ? undefined : JSON.parse(utf8.decode(body)))
      } catch (error) {
        done(new Problem('invalid_request', `The body is not valid JSON: ${whereOf(error)}`))
      }
    },
  )
}

/** Where it breaks. Never the engine's own words: they quote the body. */
function whereOf(error: unknown): string {
  if (error instanceof TypeError) return 'it is not UTF-8.'
  const message = error instanceof Error ? error.message : ''
  const place = /line (\d+) column (\d+)/.exec(message)
  if (place) return `it breaks at line ${place[1]}, column ${place[2]}.`
  return message.includes('end of JSON input') ? 'it ends too early.' : 'it does not begin like JSON.'
}
