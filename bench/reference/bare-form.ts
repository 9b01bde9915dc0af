/** What `simulator-requests` is held against: a Fastify route that parses a form and answers it as JSON. */
import formbody from '@fastify/formbody'
import Fastify from 'fastify'

const server = Fastify({ logger: false })
server.register(formbody)
server.post('/*', (request) => request.body)
process.once('SIGTERM', () => process.exit(0))
await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
