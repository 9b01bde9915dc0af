import { once } from 'node:events'
import { createServer } from 'node:net'
import Stripe from 'stripe'
import type { Simulator } from 'stripe-simulator'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import { newSimulator } from '../../../test/support/simulator.ts'
import { newBell } from '../src/bell.ts'
import { CannotStart } from '../src/cannot-start.ts'
import { wallClock } from '../src/clock.ts'
import { readConfig } from '../src/config.ts'
import { examineStripe } from '../src/doctor/stripe.ts'
import { webhookRoutes } from '../src/http/routes/webhooks.ts'
import { handlers } from '../src/inbox/handlers.ts'
import { createMetrics } from '../src/metrics.ts'
import { type EndpointSetUp, setUpStripe } from '../src/set-up-stripe.ts'
import { newServer } from './support/server.ts'

const database = await newDatabase()
afterAll(() => database.drop())

let simulator: Simulator
let stripe: Stripe
beforeEach(async () => {
  simulator = await newSimulator()
  const { hostname, port } = new URL(simulator.url)
  stripe = new Stripe('sk_test_1', { host: hostname, port, protocol: 'http', maxNetworkRetries: 0 })
})
afterEach(() => simulator.close())

const environment = (secrets = '') => ({
  STRIPE_API_KEY: 'sk_test_1',
  STRIPE_API_BASE: simulator.url,
  STRIPE_WEBHOOK_SECRET: secrets,
})
type Wanted = Partial<Parameters<typeof setUpStripe>[1]> & { readonly secrets?: string }
const setUp = ({ secrets, ...wanted }: Wanted = {}) =>
  setUpStripe(environment(secrets), {
    address: 'https://billing.example.org',
    wish: 'set up',
    apply: true,
    ...wanted,
  })
const endpoints = async () => (await stripe.webhookEndpoints.list({ limit: 100 })).data
const story = ({ steps }: EndpointSetUp) => steps.map((step) => step.do)
const secretOf = ({ secret }: EndpointSetUp): string => {
  if (secret === null) throw new Error('No secret was shown.')
  return secret
}

test('a dry run says what would be made and makes nothing; then it is made once, with exactly what is handled', async () => {
  expect(await setUp({ apply: false })).toMatchObject({
    url: 'https://billing.example.org/webhooks/stripe',
    applied: false,
    steps: [{ do: 'create' }],
    secret: null,
  })
  expect(await endpoints()).toEqual([])

  const made = await setUp()
  expect(made.secret).toMatch(/^whsec_/)
  const [endpoint, ...others] = await endpoints()
  expect(others).toEqual([])
  expect(endpoint).toMatchObject({ api_version: '2026-10-28.endive', status: 'enabled' })
  expect(endpoint?.enabled_events.toSorted()).toEqual(Object.keys(handlers).sort())
  expect(JSON.stringify(endpoint)).not.toContain(made.secret)

  // However the address is written, it is the same one.
  for (const address of [
    'https://billing.example.org/',
    'https://billing.example.org/webhooks/stripe/',
    'https://billing.example.org/webhooks/stripe',
  ])
    expect(await setUp({ address })).toMatchObject({ steps: [{ do: 'keep' }], secret: null })
  expect(await endpoints()).toHaveLength(1)
})

test('what differs is said, and brought right without a new secret', async () => {
  await setUp()
  const id = (await endpoints())[0]?.id ?? ''
  await stripe.webhookEndpoints.update(id, {
    enabled_events: ['invoice.paid', 'payout.paid'],
    disabled: true,
  })
  const { steps } = await setUp({ apply: false })
  expect(steps).toMatchObject([{ do: 'update', difference: { surplus: ['payout.paid'], disabled: true } }])
  expect(story(await setUp())).toEqual(['update'])
  expect(story(await setUp())).toEqual(['keep'])
})

test("another installation's endpoint on the same account is left alone", async () => {
  await setUp({ address: 'https://other.example.org' })
  await setUp()
  await setUp({ wish: 'rotate' })
  expect((await endpoints()).map(({ url }) => url).sort()).toEqual([
    'https://billing.example.org/webhooks/stripe',
    'https://billing.example.org/webhooks/stripe',
    'https://other.example.org/webhooks/stripe',
  ])
})

test('a secret is replaced without a moment in which none holds', async () => {
  const service = await listening()
  try {
    const first = secretOf(await setUp({ address: service.url }))
    service.restartWith(first)
    const second = secretOf(await setUp({ address: service.url, wish: 'rotate' }))
    expect(await endpoints()).toHaveLength(2)
    const retire = (secrets: string) => setUp({ address: service.url, wish: 'retire', secrets })

    // Nobody has put the new secret anywhere yet, then only here and not at the service.
    await expect(retire(first)).rejects.toThrow(/none of those in STRIPE_WEBHOOK_SECRET/)
    await expect(retire(`${second},${first}`)).rejects.toThrow(/It refuses the signature/)
    expect(await endpoints()).toHaveLength(2)

    service.restartWith(second, first)
    expect(story(await retire(`${second},${first}`))).toEqual(['keep', 'retire'])
    expect(await endpoints()).toHaveLength(1)
    expect(await setUp({ address: service.url, apply: false, secrets: second })).toMatchObject({
      steps: [{ do: 'keep' }],
    })
    // What was sent to find that out is not kept.
    const { rows } = await database.pool.query('select 1 from provider_event')
    expect(rows).toEqual([])
  } finally {
    await service.close()
  }
})

test('an older endpoint stays while nothing at that address answers as the service would', async () => {
  const silent = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as { port: number }
  const address = `http://127.0.0.1:${port}`
  await setUp({ address })
  const second = secretOf(await setUp({ address, wish: 'rotate' }))
  await expect(setUp({ address, wish: 'retire', secrets: second })).rejects.toThrow(/cannot be reached/)
  expect(await endpoints()).toHaveLength(2)
  silent.close()
})

test('live events go to https only, and an address has to be one', async () => {
  const live = setUpStripe(
    { STRIPE_API_KEY: 'sk_live_1', DATABASE_URL: 'postgres://x', LOCKSTEP_SECRETS: 's'.repeat(32) },
    { address: 'http://billing.example.org', wish: 'set up', apply: true },
  )
  await expect(live).rejects.toThrow(CannotStart)
  await expect(setUp({ address: 'billing' })).rejects.toThrow(/not an address/)
})

test('the doctor holds endpoints against what is handled, and their secrets against ours', async () => {
  const endpointCheck = async (secrets: string) => {
    const checks = await examineStripe(readConfig(environment(secrets)).stripe)
    return checks.find(({ name }) => name === 'webhook endpoint')
  }
  expect(await endpointCheck('whsec_x')).toMatchObject({
    ok: false,
    detail: expect.stringMatching(/^None that is enabled/),
  })
  const secret = secretOf(await setUp())
  expect(await endpointCheck(secret)).toMatchObject({
    ok: true,
    detail: expect.stringMatching(/sends what is needed/),
  })
  expect(await endpointCheck('whsec_x')).toMatchObject({
    ok: false,
    detail: expect.stringMatching(/STRIPE_WEBHOOK_SECRET/),
  })
  const id = (await endpoints())[0]?.id ?? ''
  const some = Object.keys(handlers).filter((type) => type !== 'invoice.paid')
  await stripe.webhookEndpoints.update(id, {
    enabled_events: some as Stripe.WebhookEndpointUpdateParams.EnabledEvent[],
  })
  expect(await endpointCheck(secret)).toMatchObject({
    ok: false,
    detail: expect.stringMatching(/does not send invoice.paid\.$/),
    // What can be typed as it stands, and no list of a hundred kinds.
    remedy: expect.stringContaining(
      '`lockstep stripe setup --endpoint https://billing.example.org/webhooks/stripe --apply`',
    ),
  })
  await stripe.webhookEndpoints.update(id, { enabled_events: ['invoice.paid'] })
  const few = await endpointCheck(secret)
  expect(few?.detail).toMatch(/ and \d+ more\.$/)
  expect(`${few?.detail}${few?.remedy}`.length).toBeLessThan(500)
  await stripe.webhookEndpoints.update(id, { disabled: true })
  expect(await endpointCheck(secret)).toMatchObject({
    ok: false,
    detail: expect.stringContaining(`${id} for https://billing.example.org/webhooks/stripe is disabled`),
  })
})

test('the doctor says how an endpoint of another version is replaced', async () => {
  const secret = secretOf(await setUp())
  await stripe.webhookEndpoints.create({
    url: 'https://billing.example.org/webhooks/stripe',
    api_version: '2025-03-31.basil',
    enabled_events: ['*'],
  })
  const checks = await examineStripe(readConfig(environment(secret)).stripe)
  expect(checks.find(({ name }) => name === 'webhook endpoint')).toMatchObject({
    ok: true,
    detail: expect.stringContaining('sends API version 2025-03-31.basil'),
    remedy: expect.stringContaining('--rotate --apply'),
  })
})

/** The webhook route behind a port, with secrets that can be changed as by a restart. */
async function listening() {
  const { app, server } = await newServer(database)
  const webhookSecrets: string[] = []
  const stripe = { apiKey: 'sk_test_1', apiBase: simulator.url, livemode: false, webhookSecrets }
  const parts = { db: database.db, clock: wallClock, bell: newBell(), metrics: createMetrics() }
  const provider = { account: 'acct_ours', livemode: false }
  webhookRoutes(app, { ...parts, provider, config: { stripe } })
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  const restartWith = (...secrets: string[]) => webhookSecrets.splice(0, Infinity, ...secrets)
  return { url, restartWith, close: () => server.close() }
}
