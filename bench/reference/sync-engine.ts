/**
 * What `webhooks-vs-peer` is held against: `@supabase/stripe-sync-engine` behind HTTP, as its own README mounts it. It
 * takes the payload as it comes, asks Stripe nothing and answers when its row is written. A connection for each delivery
 * on its way, so that none waits for another.
 */
import { createRequire } from 'node:module'
import Fastify from 'fastify'

// Its ES module looks for its migrations by a variable that only CommonJS has, and swallows the error.
const { runMigrations, StripeSync } = createRequire(import.meta.url)(
  '@supabase/stripe-sync-engine',
) as typeof import('@supabase/stripe-sync-engine')

const databaseUrl = process.env.DATABASE_URL ?? ''
// Its migrations only log what they break on.
const logger = {
  info: () => undefined,
  error: (error: unknown) => {
    throw error
  },
}
await runMigrations({ databaseUrl, schema: 'stripe', logger: logger as never })
const sync = new StripeSync({
  stripeSecretKey: 'sk_test_bench',
  stripeWebhookSecret: process.env.STRIPE_WEBHOOK_SECRET ?? '',
  poolConfig: { connectionString: databaseUrl, max: 16 },
})

const server = Fastify({ logger: false })
server.removeAllContentTypeParsers()
server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
server.post('/webhooks/stripe', async ({ body, headers }) => {
  await sync.processWebhook(body as Buffer, String(headers['stripe-signature']))
  return { received: true }
})
process.once('SIGTERM', () => process.exit(0))
await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
