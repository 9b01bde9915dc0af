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
      let text: string | undefined
      try {
        text = utf8.decode(body)
        done(null, text === '' ? undefined : JSON.parse(text))
      } catch {
        const where = text === undefined ? 'it is not UTF-8.' : whereItBreaks(text)
        done(new Problem('invalid_request', `The body is not valid JSON: ${where}`))
      }
    },
  )
}

/** Beyond this, looking for the place would cost more than it helps. */
const MOST_CHARS_SEARCHED = 100_000

/**
 * Where text stops being the beginning of something valid, found by halves: the engine names the place
 * for some faults only, and its words quote the body.
 */
function whereItBreaks(text: string): string {
  if (text.length > MOST_CHARS_SEARCHED) return 'send it through a JSON checker to see where.'
  let good = 0
  let bad = text.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (couldGoOn(text.slice(0, middle))) good = middle
    else bad = middle
  }
  if (good === text.length) return 'it ends too early.'
  const lines = text.slice(0, good).split('\n')
  return `it breaks at line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}.`
}

/** Whether more text could make it valid: then what the engine misses is at its end. */
function couldGoOn(start: string): boolean {
  try {
    JSON.parse(start)
    return true
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    if (message.includes('end of JSON input') || message.startsWith('Unterminated')) return true
    return Number(/at position (\d+)/.exec(message)?.[1]) === start.length
  }
}
