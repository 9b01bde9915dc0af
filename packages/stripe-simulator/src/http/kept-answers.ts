import type { FastifyInstance } from 'fastify'
import { envelope } from '../errors.ts'

/**
 * Writes down what a request did before its answer leaves: nobody is told of what a kill could take back.
 * Where it cannot be written the answer is a 500, and the state in memory goes on without being kept.
 */
export function keepBeforeAnswering(app: FastifyInstance, flush: () => void): void {
  app.addHook('onSend', (request, reply, _payload, done) => {
    try {
      flush()
      done()
    } catch (error) {
      const { message } = error as Error
      reply.code(500)
      done(null, JSON.stringify(envelope({ type: 'api_error', message }, request.id)))
    }
  })
}
