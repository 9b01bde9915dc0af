/**
 * A Stripe that answers at once: what it is asked first it passes on to the simulator, and answers the
 * same again from memory, with a new id and the metadata of the request. So a bench measures who asks.
 */
import { parse } from 'node:querystring'
import Fastify from 'fastify'

const simulator = process.env.SIMULATOR_URL ?? ''
/** A registration makes these calls, or its reference does, and nobody looks at what they made. */
const instant: readonly (readonly [RegExp, (path: string) => string])[] = [
  [/^POST \/v1\/customers$/, () => 'cus'],
  [/^POST \/v1\/payment_methods\/[^/]+\/attach$/, () => 'pm'],
  [/^POST \/v1\/customers\/[^/]+$/, () => ''],
  [/^POST \/v1\/subscriptions$/, () => 'sub'],
]

interface Known {
  readonly id: string
  readonly customer: string
  readonly text: string
}
const known = new Map<RegExp, Known>()
let made = 0

const server = Fastify({ logger: false })
server.removeAllContentTypeParsers()
server.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => done(null, text))
server.all('/*', async (request, reply) => {
  const body = typeof request.body === 'string' ? request.body : ''
  const found = instant.find(([pattern]) => pattern.test(`${request.method} ${request.url}`))
  const template = found && known.get(found[0])
  void reply.header('content-type', 'application/json').header('request-id', `req_${++made}`)
  if (found && template) return fill(template, found[1](request.url), request.url, body)

  const headers = {
    authorization: request.headers.authorization ?? '',
    'stripe-version': String(request.headers['stripe-version'] ?? ''),
  }
  const form =
    body === '' ? {} : { body, headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' } }
  const answer = await fetch(`${simulator}${request.url}`, { method: request.method, headers, ...form })
  const text = await answer.text()
  void reply.code(answer.status)
  if (found && answer.ok) {
    const { id, customer = '' } = JSON.parse(text) as { id: string; customer?: string }
    known.set(found[0], { id, customer, text })
  }
  return text
})

/** The same object under a new id, of the customer that is asked for. */
function fill({ id, customer, text }: Known, prefix: string, path: string, body: string): string {
  const form = parse(body)
  const newId = prefix === '' ? (path.split('/').at(-1) ?? '') : `${prefix}_bench${made}`
  const of = typeof form.customer === 'string' ? form.customer : customer
  const metadata = Object.fromEntries(
    Object.entries(form).flatMap(([name, value]) => {
      const key = /^metadata\[(.+)\]$/.exec(name)?.[1]
      return key === undefined ? [] : [[key, value]]
    }),
  )
  const filled = text.replaceAll(id, newId)
  const whole = customer === '' ? filled : filled.replaceAll(customer, of)
  return JSON.stringify({ ...JSON.parse(whole), metadata })
}

process.once('SIGTERM', () => process.exit(0))
await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
