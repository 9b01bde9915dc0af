import { defineCatalog } from '@lockstep/core/catalog'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entitlementRoutes } from '../src/http/routes/entitlements.ts'
import { spendLimitRoutes } from '../src/http/routes/spend-limits.ts'
import { usageCorrectionRoutes } from '../src/http/routes/usage-corrections.ts'
import { signingKeys } from '../src/http/signing-keys.ts'
import { userTokens } from '../src/http/user-token.ts'
import { checkLimits, LOOK } from '../src/invoice/check-limits.ts'
import { makeEvents } from '../src/outbox/make-events.ts'
import { GATE, stripeOf } from '../src/usage/gate.ts'
import { openUsage, type Usage } from '../src/usage/usage.ts'
import { amounts, type BillingWorld, newBillingWorld, type Payer } from './support/billing-world.ts'
import { AUDIENCE, ISSUER, NOW, newIssuer, newSigningKey, type SigningKey, sign } from './support/issuer.ts'
import { newServer, type TestServer } from './support/server.ts'

const fee = { kind: 'recurring', model: 'flat', amount: '20.00' } as const
const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  meters: {
    seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' },
    files: { name: 'Files', unitLabel: 'file', aggregation: 'max' },
  },
  features: {
    compute: { name: 'Compute', kind: 'metered', meter: 'seconds' },
    storage: { name: 'Storage', kind: 'metered', meter: 'files' },
    together: { name: 'Together', kind: 'switch' },
  },
  plans: {
    cloud: {
      name: 'Cloud',
      product: 'app',
      interval: 'month',
      prices: {
        fee,
        compute: { meter: 'seconds', product: 'app', model: 'perUnit', unitAmount: '0.01' },
        support: { product: 'app', model: 'percentage', percent: '10' },
      },
      grants: { compute: { upTo: '100', beyond: 'billed' }, storage: { upTo: '10' }, together: true },
    },
    yen: {
      name: 'Yen',
      product: 'app',
      currency: 'jpy',
      interval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '2000' },
        compute: { meter: 'seconds', product: 'app', model: 'perUnit', unitAmount: '0.1' },
      },
    },
  },
})

let world: BillingWorld
let server: TestServer
let issuer: Awaited<ReturnType<typeof newIssuer>>
let key: SigningKey
let usage: Usage
beforeAll(async () => {
  world = await newBillingWorld({ catalog })
  key = await newSigningKey('1', 'ES256')
  issuer = await newIssuer([key])
  const keys = signingKeys({ url: issuer.url })
  const tokens = userTokens({ clock: { now: () => NOW }, issuer: ISSUER, audience: AUDIENCE, keys })
  server = await newServer(world.deps, { clock: world.deps.clock, tokens })
  usage = openUsage({ ...world.deps, databaseUrl: world.url })
  for (const register of [spendLimitRoutes, entitlementRoutes, usageCorrectionRoutes])
    register(server.app, { ...world.deps, usage })
  // Somebody is told of everything: without an endpoint nothing is noted.
  await sql`insert into webhook_endpoint (id, url, secrets, created_at)
    values ('webhook_endpoint_1', 'https://app.example', '[]', now())`.execute(world.db)
})
afterAll(async () => {
  await usage.close()
  await world.close()
  await issuer.close()
})

/** A month that runs since 10 January. */
async function subscribed(plan = 'cloud'): Promise<Payer> {
  const payer = await world.register(plan, '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-20T00:00:00Z')
  return payer
}

const go = async (payer: Payer, time: string) => {
  await world.turn(payer, time)
  await world.deliver()
}

const use = (payer: Payer, quantity: string, time = '2026-01-20T00:00:00Z', meter?: string) =>
  world.use(payer, quantity, time, meter)

type Body = { id: string; data: Body[]; code: string; errors: unknown[]; standing: object[] } & Record<
  string,
  unknown
>

async function ask(method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object, as?: string) {
  const credentials = as === undefined ? {} : { key: await sign(key, { sub: as }) }
  const { status, body } = await server.call({ method, url, ...(payload && { payload }), ...credentials })
  return { status, body: body as Body }
}

const set = async ({ customerId }: Payer, wanted: object, as?: string) =>
  ask('POST', `/v1/customers/${customerId}/spend-limits`, wanted, as)

/** Holds what runs against the limits, and answers what the application is told since the last time. */
async function told(payer: Payer): Promise<string[]> {
  await checkLimits(world.deps)
  await makeEvents(world.deps)
  const events = await world.db
    .deleteFrom('outgoingEvent')
    .where('customerId', '=', payer.customerId)
    .where('type', 'in', ['spend_limit.alert_reached', 'spend_limit.cap_reached'])
    .returning(['type', 'data', 'sequence'])
    .execute()
  return events
    .toSorted((a, b) => Number(a.sequence - b.sequence))
    .map(({ type, data }) => {
      const { at, spent, owner } = data as Record<string, string>
      return `${type.replace('spend_limit.', '')} ${at} at ${spent} (${owner})`
    })
}

async function entitled({ customerId }: Payer, feature = 'compute') {
  const { body } = await ask('GET', `/v1/entitlements?customer=${customerId}&feature=${feature}`)
  const { allowed, reason, upTo, left, cappedBy } = body.data[0] as Body
  return { allowed, reason, upTo, left, cappedBy }
}

test('figures are told of once in a period, down and up again, and anew in the next one', async () => {
  const payer = await subscribed()
  const { status, body } = await set(payer, { cap: '10.00', alerts: ['2.50'], alertPercents: [50, 80, 100] })
  expect({ status, body }).toMatchObject({
    status: 201,
    body: { owner: 'operator', meter: null, currency: 'usd', cap: '10.00', alerts: ['2.50'], ended: null },
  })
  expect(await told(payer)).toEqual([])
  await use(payer, '249')
  expect(await told(payer)).toEqual([])
  await use(payer, '1')
  expect(await told(payer)).toEqual(['alert_reached 2.50 at 2.50 (operator)'])
  // Two figures at once, and what is seen twice is told once.
  await use(payer, '600')
  expect(await told(payer)).toEqual([
    'alert_reached 5.00 at 8.50 (operator)',
    'alert_reached 8.00 at 8.50 (operator)',
  ])
  expect(await told(payer)).toEqual([])
  // Taken back by a correction, the usage is below three figures again; and then it is there once more.
  const [wrong] = await world.db
    .selectFrom('usageEvent')
    .select(['id', 'source'])
    .where('customerId', '=', payer.customerId)
    .where('quantity', '=', '600')
    .execute()
  const taken = { kind: 'void', source: wrong?.source, id: wrong?.id, time: '2026-01-20T00:00:00Z' }
  const reason = { reason: 'A faulty host' }
  expect(await ask('POST', '/v1/usage-corrections?dryRun=false', { ...taken, ...reason })).toMatchObject({
    status: 201,
  })
  expect(await told(payer)).toEqual([])
  const { customerId } = payer
  expect((await ask('GET', `/v1/customers/${customerId}/spend-limits`)).body.data).toMatchObject([
    { standing: [{ spent: '2.50' }] },
  ])
  await use(payer, '600')
  expect(await told(payer)).toEqual([])
  await use(payer, '150')
  expect(await told(payer)).toEqual([
    'alert_reached 10.00 at 10.00 (operator)',
    'cap_reached 10.00 at 10.00 (operator)',
  ])
  const list = await ask('GET', `/v1/customers/${payer.customerId}/spend-alerts?limit=2`)
  expect(list.body).toMatchObject({
    hasMore: true,
    data: [
      { kind: 'cap', at: '10.00', spent: '10.00', limit: body.id, subscription: payer.subscriptionId },
      { kind: 'alert', at: '10.00', period: { start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' } },
    ],
  })

  await go(payer, '2026-02-10T02:00:00Z')
  expect(await told(payer)).toEqual([])
  await use(payer, '300', '2026-02-10T01:00:00Z')
  expect(await told(payer)).toEqual(['alert_reached 2.50 at 3.00 (operator)'])
})

test('a cap that is reached answers that the feature is used up, and usage that comes anyway is billed', async () => {
  const payer = await subscribed()
  await use(payer, '999')
  const { body: limit } = await set(payer, { cap: '10.00' })
  expect(await entitled(payer)).toEqual({
    ...{ allowed: true, reason: 'billed', upTo: '100', left: '0', cappedBy: null },
  })
  // At the very next event, without anything in between.
  await use(payer, '1')
  expect(await entitled(payer)).toEqual({
    ...{ allowed: false, reason: 'used_up', upTo: '100', left: '0', cappedBy: limit.id },
  })
  // What costs nothing is not capped by an amount, nor is what is not metered.
  expect(await entitled(payer, 'storage')).toMatchObject({ allowed: true, cappedBy: null })
  expect(await entitled(payer, 'together')).toMatchObject({ allowed: true, cappedBy: null })
  await use(payer, '500')
  // A tenth of fee and usage is no usage: it does not count towards the cap.
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    '1500 Seconds: 1,500 second',
    '350 Support, 10 %',
    '2000 Cloud',
  ])
  expect((await ask('GET', `/v1/customers/${payer.customerId}/spend-limits`)).body.data).toMatchObject([
    { id: limit.id, standing: [{ subscription: payer.subscriptionId, spent: '15.00', capReached: true }] },
  ])
  await world.sync(payer)
  await go(payer, '2026-02-10T02:00:00Z')
  const last = (await world.atStripe(payer)).at(-1)
  expect(last?.lines).toContain('1500 Seconds: 1,500 second')
  expect(await entitled(payer)).toMatchObject({ allowed: true, reason: 'granted', left: '100' })
})

test('a cap that is raised or taken away gives the feature back at once; the higher one is told of anew', async () => {
  const payer = await subscribed()
  await use(payer, '1000')
  await set(payer, { cap: '10.00', alertPercents: [80] })
  expect(await told(payer)).toEqual([
    'alert_reached 8.00 at 10.00 (operator)',
    'cap_reached 10.00 at 10.00 (operator)',
  ])
  const { body: raised } = await set(payer, { cap: '20.00', alertPercents: [40, 80] })
  expect(await entitled(payer)).toMatchObject({ allowed: true })
  // 40 % of 20.00 are the 8.00 that were told of.
  expect(await told(payer)).toEqual([])
  await use(payer, '1000')
  expect(await told(payer)).toEqual([
    'alert_reached 16.00 at 20.00 (operator)',
    'cap_reached 20.00 at 20.00 (operator)',
  ])
  expect(await entitled(payer)).toMatchObject({ allowed: false, cappedBy: raised.id })
  const url = `/v1/customers/${payer.customerId}/spend-limits`
  for (let i = 0; i < 2; i += 1)
    expect(await ask('DELETE', `${url}/${raised.id}`)).toMatchObject({
      status: 200,
      body: { id: raised.id, ended: { by: raised.madeBy, at: '2026-01-20T00:00:00Z' }, standing: [] },
    })
  expect(await entitled(payer)).toMatchObject({ allowed: true, cappedBy: null })
  expect((await ask('GET', url)).body.data).toEqual([])
  // Who set what, and when, stays.
  expect((await ask('GET', `${url}?ended=true`)).body.data.map(({ cap }) => cap)).toEqual(['20.00', '10.00'])
})

test('a meter’s quantity is limited by itself, and narrows what is left', async () => {
  const payer = await subscribed()
  await set(payer, { meter: 'seconds', cap: '50', alerts: ['0.5'] })
  await use(payer, '30')
  expect(await told(payer)).toEqual(['alert_reached 0.5 at 30 (operator)'])
  expect(await entitled(payer)).toEqual({
    ...{ allowed: true, reason: 'granted', upTo: '50', left: '20', cappedBy: null },
  })
  await use(payer, '20.000000001')
  expect(await told(payer)).toEqual(['cap_reached 50 at 50.000000001 (operator)'])
  expect(await entitled(payer)).toMatchObject({ allowed: false, reason: 'used_up', left: '0' })
})

test('a figure that is reached just before the period ends is told of, however late anybody looks', async () => {
  const payer = await subscribed()
  await set(payer, { cap: '10.00' })
  await told(payer)
  await use(payer, '1000')
  // Nobody looks until the invoice is final: the process was down.
  await world.sync(payer)
  await go(payer, '2026-02-10T02:00:00Z')
  expect(await world.story(payer)).toContain('2026-01-10 … 2026-02-10 subscription_cycle paid 3300')
  expect(await told(payer)).toEqual(['cap_reached 10.00 at 10.00 (operator)'])
})

test('the last look does not trust that somebody looked: what took usage in last may be of the version before', async () => {
  const payer = await subscribed()
  await set(payer, { cap: '10.00' })
  // The period is over, its draft not final yet.
  await go(payer, '2026-02-10T00:30:00Z')
  await use(payer, '1000', '2026-02-09T00:00:00Z')
  await world.sync(payer)
  await world.db
    .updateTable('invoice')
    .set({ limitsChecked: true })
    .where('customerId', '=', payer.customerId)
    .execute()
  await go(payer, '2026-02-10T02:00:00Z')
  expect(await told(payer)).toEqual(['cap_reached 10.00 at 10.00 (operator)'])
})

test('whoever sets a limit waits for usage at the gate before all else, and not for what refers to the customer', async () => {
  const payer = await subscribed()
  const { customerId } = payer
  const other = await world.pool.connect()
  try {
    await other.query('begin')
    // As an alert's foreign key has it.
    await other.query('select from customer where id = $1 for key share', [customerId])
    expect(await set(payer, { cap: '10.00' })).toMatchObject({ status: 201 })
    await other.query('commit')

    await other.query('begin')
    await other.query('select pg_advisory_xact_lock_shared($1, $2)', [GATE, stripeOf(customerId)])
    const setting = set(payer, { cap: '20.00' })
    await waitsAtGate(customerId)
    await other.query('select from customer where id = $1 for update nowait', [customerId])
    await other.query('commit')
    expect(await setting).toMatchObject({ status: 201 })
  } finally {
    other.release(true)
  }
})

test('one process looks at a time, and what another left is looked at afterwards', async () => {
  const payer = await subscribed()
  await set(payer, { cap: '10.00' })
  await use(payer, '1000')
  const other = await world.pool.connect()
  try {
    await other.query('begin')
    await other.query('select pg_advisory_xact_lock($1, 0)', [LOOK])
    expect(await told(payer)).toEqual([])
    await other.query('commit')
    expect(await told(payer)).toEqual(['cap_reached 10.00 at 10.00 (operator)'])
  } finally {
    other.release(true)
  }
})

test('nothing is rated for an answer that no cap can change', async () => {
  const payer = await subscribed()
  await set(payer, { meter: 'seconds', cap: '1000' })
  // Rating throws where usage is not cut at the period's edges: whoever answers all the same did not rate.
  await use(payer, '1')
  const edge = '2026-01-10T00:00:00Z'
  await world.db
    .updateTable('invoice')
    .set({ periodStart: sql`${edge}::timestamptz + interval '1 second'` })
    .where('customerId', '=', payer.customerId)
    .where('status', '=', 'current')
    .execute()
  await use(payer, '1', edge)
  expect(await entitled(payer, 'together')).toMatchObject({ allowed: true })
  expect(await entitled(payer, 'storage')).toMatchObject({ allowed: true })
  const rated = await ask('GET', `/v1/entitlements?customer=${payer.customerId}&feature=compute`)
  expect(rated.status).toBe(500)
})

/** Until somebody waits there. */
async function waitsAtGate(customerId: string): Promise<void> {
  const waiting = `select from pg_locks where locktype = 'advisory' and not granted
    and classid = $1 and objid = $2 and database = (select oid from pg_database where datname = current_database())`
  while ((await world.pool.query(waiting, [GATE, stripeOf(customerId)])).rowCount === 0);
}

test('each side sets its own, and both hold', async () => {
  const payer = await subscribed()
  const { customerId, externalId } = payer
  await set(payer, { cap: '20.00' })
  const own = await set(payer, { cap: '10.00' }, externalId)
  expect(own).toMatchObject({
    status: 201,
    body: { owner: 'customer', madeBy: expect.stringMatching(/^user_/) },
  })
  await use(payer, '2000')
  expect(await told(payer)).toEqual([
    'cap_reached 20.00 at 20.00 (operator)',
    'cap_reached 10.00 at 20.00 (customer)',
  ])
  const url = `/v1/customers/${customerId}/spend-limits`
  const { body } = await ask('GET', url, undefined, externalId)
  expect(body.data.map(({ owner }) => owner)).toEqual(['customer', 'operator'])
  const forbidden = { status: 403, body: { code: 'forbidden' } }
  expect(await set(payer, { cap: '99.00', owner: 'operator' }, externalId)).toMatchObject(forbidden)
  expect(await ask('DELETE', `${url}/${body.data[1]?.id}`, undefined, externalId)).toMatchObject(forbidden)
  // The application may speak for its user.
  expect(await set(payer, { cap: '30.00', owner: 'customer' })).toMatchObject({ status: 201 })
  expect(await entitled(payer)).toMatchObject({ allowed: false })
  expect((await ask('DELETE', `${url}/${body.data[1]?.id}`)).status).toBe(200)
  expect(await entitled(payer)).toMatchObject({ allowed: true })
})

test('twenty settings at the same moment leave one', async () => {
  const payer = await subscribed()
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => set(payer, { cap: `${i + 1}.00` })))
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
  const { body } = await ask('GET', `/v1/customers/${payer.customerId}/spend-limits`)
  expect(body.data).toHaveLength(1)
})

describe('what is refused', () => {
  let payer: Payer
  beforeAll(async () => {
    payer = await subscribed()
  })

  test.each([
    [{}, 'invalid_request'],
    [{ cap: '0' }, 'invalid_request'],
    [{ cap: '-1.00' }, 'invalid_request'],
    [{ cap: '1e3' }, 'invalid_request'],
    [{ cap: '10.001' }, 'invalid_request'],
    [{ meter: 'seconds', cap: '0.0000000001' }, 'invalid_request'],
    [{ alertPercents: [50], alerts: ['1.00'] }, 'invalid_request'],
    [{ cap: '10.00', alertPercents: [101] }, 'invalid_request'],
    [{ cap: '10.00', currency: 'eur' }, 'currency_mismatch'],
    [{ meter: 'none', cap: '10' }, 'meter_not_found'],
  ])('%j', async (wanted, code) => {
    expect((await set(payer, wanted)).body).toMatchObject({ code })
  })

  test('a yen has no hundredths', async () => {
    const payer = await subscribed('yen')
    expect(await set(payer, { cap: '1.5', alerts: ['0', '10'] })).toMatchObject({
      status: 400,
      body: {
        errors: [
          { pointer: '#/cap', code: 'amount_invalid' },
          { pointer: '#/alerts/0', code: 'amount_invalid' },
        ],
      },
    })
    await set(payer, { cap: '100', alertPercents: [33] })
    await use(payer, '335')
    // 33.5 yen are 34 on the line.
    expect(await told(payer)).toEqual(['alert_reached 33 at 34 (operator)'])
  })

  test('a limit of another customer is one that does not exist', async () => {
    const other = await subscribed()
    const { body } = await set(payer, { cap: '10.00' })
    expect(await ask('DELETE', `/v1/customers/${other.customerId}/spend-limits/${body.id}`)).toMatchObject({
      ...{ status: 404, body: { code: 'spend_limit_not_found' } },
    })
  })
})
