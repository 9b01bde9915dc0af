import { newBell } from '@lockstep/service/bell'
import { webhookRoutes } from '@lockstep/service/http/routes/webhooks'
import { createMetrics } from '@lockstep/service/metrics'
import { afterAll, expect, test } from 'vitest'
import { newServer } from '../../packages/service/test/support/server.ts'
import { newDatabase } from '../support/database.ts'
import { fuzzBodies } from './bodies.ts'
import { mutateSignatures } from './signatures.ts'

const NOW = 1_800_000_000
const SECRET = 'whsec_fuzzed'

const database = await newDatabase()
afterAll(() => database.drop())

test('of 20,000 signatures that are true but for one thing none is accepted, and every true one is', () => {
  expect(mutateSignatures({ runs: 20_000, seed: 1 })).toEqual([])
})

test('2,000 signed bodies that hold anything: each is stored or refused, and nothing breaks', async () => {
  const clock = { now: () => NOW }
  const { app, call, logged } = await newServer(database, { clock })
  const stripe = { livemode: false, webhookSecrets: [SECRET] }
  webhookRoutes(app, {
    db: database.db,
    clock,
    bell: newBell(),
    metrics: createMetrics(),
    config: { stripe },
  })
  const post = async (body: Buffer, signature: string) => {
    const headers = { 'content-type': 'application/json', 'stripe-signature': signature }
    return (await call({ method: 'POST', url: '/webhooks/stripe', key: '', payload: body, headers })).status
  }
  expect(await fuzzBodies({ runs: 2000, seed: 1, secret: SECRET, now: NOW, post })).toEqual([])
  expect(logged.filter((line) => line.includes('"level":50'))).toEqual([])
  // What was stored is worth something.
  const { rows } = await database.pool.query('select count(*)::int as stored from provider_event')
  expect(rows[0].stored).toBeGreaterThan(100)
})
