/** What `simulator-requests` is held against: a Fastify route that parses a form and answers it as JSON. */
import { parse } from 'node:querystring'
import Fastify from 'fastify'

const server = Fastify({ logger: false })
server.addContentTypeParser(
  'application/x-www-form-urlencoded',
  { parseAs: 'string' },
  (_request, text: string, done) => done(null, parse(text)),
)
server.post('/*', (request) => request.body)
process.once('SIGTERM', () => process.exit(0))
await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
