/** A Stripe that takes its time: whatever it is asked it passes on, and answers when so much time is over. */
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'

const simulator = process.env.SIMULATOR_URL ?? ''
const DELAY_MS = Number(process.env.DELAY_MS)
/** Of the connection itself, which the answer has too. */
const PASSED_ON = ['authorization', 'stripe-version', 'idempotency-key', 'content-type'] as const

const server = Fastify({ logger: false })
server.removeAllContentTypeParsers()
server.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => done(null, text))
server.all('/*', async (request, reply) => {
  const over = sleep(DELAY_MS)
  const headers = Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = request.headers[name]
      return value === undefined ? [] : [[name, String(value)]]
    }),
  )
  const body = typeof request.body === 'string' && request.body !== '' ? { body: request.body } : {}
  const answer = await fetch(`${simulator}${request.url}`, { method: request.method, headers, ...body })
  const text = await answer.text()
  await over
  void reply.code(answer.status).header('content-type', 'application/json')
  void reply.header('request-id', answer.headers.get('request-id') ?? '')
  return text
})

process.once('SIGTERM', () => process.exit(0))
await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
