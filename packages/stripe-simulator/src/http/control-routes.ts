import type { FastifyInstance } from 'fastify'
import { StripeError } from '../errors.ts'
import type { DeliverySettings } from '../events/delivery-settings.ts'
import type { Control } from '../faults/control.ts'
import type { Fault } from '../faults/fault.ts'

/** The control routes, in JSON, under a prefix that Stripe does not have. They take no key. */
export function addControlRoutes(app: FastifyInstance, control: Control): void {
  app.register(
    (routes, _options, done) => {
      routes.setErrorHandler((error, _request, reply) => {
        const status = error instanceof StripeError ? error.status : 400
        return reply
          .code(status)
          .send({ error: { message: error instanceof Error ? error.message : String(error) } })
      })
      routes.get('/health', () => ({ ok: true }))
      routes.get('/requests', () => control.requests())
      routes.delete('/requests', () => {
        control.clearRequests()
        return { ok: true }
      })
      routes.get('/faults', () => ({ faults: control.faults() }))
      routes.post('/faults', (request) => {
        control.fail(request.body as Fault)
        return { faults: control.faults() }
      })
      routes.delete('/faults', () => {
        control.clearFaults()
        return { faults: [] }
      })
      routes.post('/declines', (request) => {
        const { decline_code: code, times } = (request.body ?? {}) as {
          decline_code?: string
          times?: number
        }
        control.declineNext(code, times)
        return { ok: true }
      })
      routes.post('/challenges', (request) => {
        control.challengeNext((request.body as { times?: number } | null | undefined)?.times)
        return { ok: true }
      })
      routes.post('/idempotency/prune', (request) => {
        const { key } = (request.body ?? {}) as { key?: string }
        return { pruned: control.pruneKeys(key) }
      })
      routes.post('/intents/:id/authenticate', (request) => {
        const { outcome = 'succeed' } = (request.body ?? {}) as { outcome?: 'succeed' | 'fail' }
        return control.authenticate((request.params as { id: string }).id, outcome)
      })
      routes.post('/search/settle', () => {
        control.settleSearch()
        return { ok: true }
      })
      routes.post('/deliveries', (request) =>
        control.setDelivery((request.body ?? {}) as Partial<DeliverySettings>),
      )
      routes.post('/deliveries/retry', () => {
        control.retryDeliveriesNow()
        return { ok: true }
      })
      routes.get('/events/:id/attempts', (request) => ({
        attempts: control.attempts((request.params as { id: string }).id),
      }))
      routes.post('/events/:id/redeliver', (request) => {
        const { endpoint } = (request.body ?? {}) as { endpoint?: string }
        control.redeliver((request.params as { id: string }).id, endpoint)
        return { ok: true }
      })
      routes.get('/idle', (request) => {
        const query = request.query as { timeout_ms?: string; retries?: string }
        return control.idle({
          ...(query.timeout_ms === undefined ? {} : { timeoutMs: Number(query.timeout_ms) }),
          retries: query.retries === 'true',
        })
      })
      done()
    },
    { prefix: '/_simulator' },
  )
}
