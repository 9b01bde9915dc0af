import { expect, test } from 'vitest'
import { ConfigurationInvalid, readConfig } from './config.ts'

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigurationInvalid) return error.faults
    throw error
  }
  return []
}

const OWN = {
  DATABASE_URL: 'postgres://me:pw@db.example/billing',
  LOCKSTEP_SECRETS: 'of-our-own-making-'.repeat(2),
}

test('nothing set is the embedded service against the simulator, for this machine only', () => {
  expect(readConfig({})).toMatchObject({
    databaseUrl: undefined,
    host: '127.0.0.1',
    port: 4000,
    roles: ['api', 'worker'],
    stripe: { apiBase: 'http://127.0.0.1:12111', livemode: false, webhookSecrets: [] },
    syncCron: '0 * * * *',
    usageTimes: { aheadSeconds: 300, lateDays: null },
    usageRetentionMonths: 13,
  })
})

test('three variables are a service against Stripe', () => {
  const config = readConfig({ ...OWN, STRIPE_API_KEY: 'sk_live_abc' })
  expect(config).toMatchObject({
    host: '0.0.0.0',
    stripe: { apiBase: 'https://api.stripe.com', apiKey: 'sk_live_abc', livemode: true },
  })
})

test.each([
  ['all', null],
  ['', 13],
  ['1', 1],
  ['120', 120],
  ['1000', 1000],
  ['1200', 1200],
])('with LOCKSTEP_USAGE_RETENTION_MONTHS=%s events of so many months are kept: %s', (value, months) => {
  const config = readConfig({ ...OWN, LOCKSTEP_USAGE_RETENTION_MONTHS: value })
  expect(config.usageRetentionMonths).toBe(months)
})

test.each(['0', '01', '1201', '1300', '2000', 'none'])(
  'LOCKSTEP_USAGE_RETENTION_MONTHS=%s is no number of months',
  (value) => {
    expect(faultsOf({ LOCKSTEP_USAGE_RETENTION_MONTHS: value }).join()).toContain('from 1 to 1200, or all')
  },
)

test('every fault is told at once, with the name of its variable', () => {
  const faults = faultsOf({
    DATABASE_URL: 'mysql://x',
    PORT: 'four thousand',
    STRIPE_SIMULATOR_PORT: '70000',
    STRIPE_API_KEY: 'pk_test_abc',
    STRIPE_API_BASE: 'api.stripe.com',
    STRIPE_WEBHOOK_SECRET: 'whsec_a,secret',
    LOCKSTEP_ROLES: 'api,cook',
    LOCKSTEP_ADMIN_KEY: 'short',
    LOCKSTEP_JWT_AUDIENCE: 'billing',
    LOCKSTEP_JWT_JWKS_URL: 'http://keys.example/jwks.json',
    LOCKSTEP_SECRETS: 'short',
    LOCKSTEP_STRIPE_RATE: '80',
    LOCKSTEP_SYNC_CRON: 'hourly',
    LOCKSTEP_USAGE_AHEAD_SECONDS: '-1',
    LOCKSTEP_USAGE_LATE_DAYS: 'never',
    LOCKSTEP_USAGE_RETENTION_MONTHS: '0',
    LOCKSTEP_USAGE_QUEUE: '1',
    LOCKSTEP_LOG_LEVEL: 'loud',
  })
  expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
    'DATABASE_URL',
    'STRIPE_API_KEY',
    'STRIPE_API_BASE',
    'STRIPE_SIMULATOR_PORT',
    'STRIPE_WEBHOOK_SECRET',
    'PORT',
    'LOCKSTEP_ROLES',
    'LOCKSTEP_ADMIN_KEY',
    'LOCKSTEP_JWT_JWKS_URL',
    'LOCKSTEP_SECRETS',
    'LOCKSTEP_STRIPE_RATE',
    'LOCKSTEP_SYNC_CRON',
    'LOCKSTEP_USAGE_AHEAD_SECONDS',
    'LOCKSTEP_USAGE_LATE_DAYS',
    'LOCKSTEP_USAGE_QUEUE',
    'LOCKSTEP_USAGE_RETENTION_MONTHS',
    'LOCKSTEP_LOG_LEVEL',
    'LOCKSTEP_JWT_ISSUER',
  ])
  expect(faults.join()).toContain('publishable')
})

test.each(['http://127.0.0.1:12111', 'https://api.stripe.com.evil.example', 'http://api.stripe.com'])(
  'a live key is not sent to %s',
  (base) => {
    for (const key of ['sk_live_abc', 'rk_live_abc']) {
      expect(faultsOf({ ...OWN, STRIPE_API_KEY: key, STRIPE_API_BASE: base })).toEqual([
        expect.stringMatching(/^STRIPE_API_KEY is a live key/),
      ])
    }
  },
)

test('what is right alone may be wrong together', () => {
  expect(faultsOf({ STRIPE_API_KEY: 'sk_live_abc' })).toEqual([
    expect.stringMatching(/^DATABASE_URL is missing/),
    expect.stringMatching(/^LOCKSTEP_SECRETS is missing/),
  ])
  expect(faultsOf({ LOCKSTEP_HOST: '0.0.0.0' })).toEqual([expect.stringMatching(/^LOCKSTEP_HOST/)])
  expect(faultsOf({ STRIPE_API_BASE: 'https://api.stripe.com' })).toEqual([
    expect.stringMatching(/^STRIPE_API_KEY is missing/),
  ])
})

test('set but empty is not set; several webhook secrets are several', () => {
  const config = readConfig({ PORT: '', DATABASE_URL: '', STRIPE_WEBHOOK_SECRET: 'whsec_a, whsec_b,' })
  expect(config).toMatchObject({
    port: 4000,
    databaseUrl: undefined,
    stripe: { webhookSecrets: ['whsec_a', 'whsec_b'] },
  })
})

test('the rate at Stripe is its published one unless told, in all and for one endpoint', () => {
  expect(readConfig({}).stripe.limits).toBeUndefined()
  expect(readConfig({ LOCKSTEP_STRIPE_RATE: '400,100' }).stripe.limits).toEqual({
    ...{ account: 400, endpoint: 100, burst: 5 },
  })
})

test.each(['0 * * * *', '*/15 * * * *', '0 3 1-7 * 1,2', '5,35 8-18/2 * * *'])('%s is a schedule', (cron) => {
  expect(readConfig({ LOCKSTEP_SYNC_CRON: cron }).syncCron).toBe(cron)
})

test("users' tokens need an issuer, an audience and keys that nobody on the way can change", () => {
  const jwt = (env: Record<string, string>) => readConfig(env).jwt
  const [issuer, audience] = ['https://login.example/', 'billing']
  expect(jwt({})).toBeUndefined()
  expect(jwt({ LOCKSTEP_JWT_ISSUER: issuer, LOCKSTEP_JWT_AUDIENCE: audience })).toEqual({
    issuer,
    audience,
    jwksUrl: 'https://login.example/.well-known/jwks.json',
  })
  const here = 'http://127.0.0.1:9000/keys'
  expect(
    jwt({ LOCKSTEP_JWT_ISSUER: 'ours', LOCKSTEP_JWT_AUDIENCE: audience, LOCKSTEP_JWT_JWKS_URL: here }),
  ).toEqual({ issuer: 'ours', audience, jwksUrl: here })
  expect(faultsOf({ LOCKSTEP_JWT_ISSUER: issuer })).toEqual([expect.stringMatching(/^LOCKSTEP_JWT_AUDIENCE/)])
  expect(faultsOf({ LOCKSTEP_JWT_ISSUER: 'ours', LOCKSTEP_JWT_AUDIENCE: audience })).toEqual([
    expect.stringMatching(/^LOCKSTEP_JWT_JWKS_URL/),
  ])
})

test('secrets are several while one is being replaced; in test mode one is made of the key of Stripe', () => {
  const [a, b] = ['a'.repeat(32), 'b'.repeat(32)]
  expect(readConfig({ LOCKSTEP_SECRETS: `${a}, ${b}` }).secrets).toEqual([a, b])
  const { DATABASE_URL } = OWN
  const one = readConfig({ DATABASE_URL, STRIPE_API_KEY: 'sk_test_abc' }).secrets
  expect(one).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)])
  expect(readConfig({ DATABASE_URL, STRIPE_API_KEY: 'sk_test_abd' }).secrets).not.toEqual(one)
})

test('directions: what is left out stays as by default, what cannot be meant together is refused at once', () => {
  expect(
    readConfig({
      LOCKSTEP_DIRECTIONS: 'customer=both, subscription=both',
      LOCKSTEP_MISSING_CUSTOMER: 'create',
    }).stripe.sync,
  ).toEqual({
    directions: {
      customer: 'both',
      plan: 'outbound',
      price: 'outbound',
      subscription: 'both',
      invoice: 'both',
    },
    missingCustomer: 'create',
    missingPlan: 'park',
  })
  expect(faultsOf({ LOCKSTEP_DIRECTIONS: 'customer=inbound,invoice=outbound' })).toEqual([
    expect.stringContaining('subscription is outbound, but customer is inbound'),
    expect.stringContaining('invoice is outbound'),
  ])
  expect(faultsOf({ LOCKSTEP_DIRECTIONS: 'user=both,plan=sideways,price=off,price=off' })).toEqual([
    'LOCKSTEP_DIRECTIONS says user=both: it may name customer, plan, price, subscription, invoice, each once, like customer=both; ' +
      'says plan=sideways: plan goes inbound, outbound, both, off, and no other way; names price twice.',
  ])
})
