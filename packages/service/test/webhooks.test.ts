import { createHmac } from 'node:crypto'
import { readingScopes, type Scope } from '@lockstep/api/scopes'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import { newBell } from '../src/bell.ts'
import { providerEventRoutes } from '../src/http/routes/provider-events.ts'
import { webhookRoutes } from '../src/http/routes/webhooks.ts'
import { createMetrics } from '../src/metrics.ts'
import { newServer, type TestServer } from './support/server.ts'

const NOW = 1_800_000_000
const SECRET = 'whsec_current'
const RETIRING = 'whsec_retiring'

const database = await newDatabase()
let server: TestServer
let rung = 0
const metrics = createMetrics()
beforeAll(async () => {
  const clock = { now: () => NOW }
  const bell = newBell()
  bell.on('inbox', () => {
    rung += 1
  })
  server = await newServer(database, { clock })
  const stripe = {
    apiKey: 'sk_test_1',
    apiBase: 'http://127.0.0.1',
    livemode: false,
    webhookSecrets: [SECRET, RETIRING],
  }
  const provider = { account: 'acct_ours', livemode: false }
  const parts = { db: database.db, clock, bell, metrics, provider, config: { stripe } }
  webhookRoutes(server.app, parts)
  providerEventRoutes(server.app, parts)
})
afterAll(() => database.drop())

const event = (more: object = {}) => ({
  id: 'evt_1',
  object: 'event',
  type: 'invoice.created',
  created: 1_700_000_000,
  livemode: false,
  api_version: '2026-10-28.endive',
  data: { object: { id: 'in_1', object: 'invoice' } },
  ...more,
})

interface Sent {
  readonly at?: number
  readonly secret?: string
  readonly header?: string | null
}

function send(body: string, { at = NOW, secret = SECRET, header }: Sent = {}) {
  const mac = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
  const signature = header === undefined ? `t=${at},v1=${mac}` : header
  return server.call({
    method: 'POST',
    url: '/webhooks/stripe',
    key: '',
    payload: body,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      ...(signature === null ? {} : { 'stripe-signature': signature }),
    },
  })
}

async function stored(): Promise<string[]> {
  const { rows } = await database.pool.query(
    `select id || ' ' || state || coalesce(' ' || outcome, '') as line from provider_event order by id`,
  )
  return rows.map(({ line }) => line)
}

test('an event is stored, then acknowledged, and the worker is told; a repetition is acknowledged too', async () => {
  const before = rung
  expect(await send(JSON.stringify(event()))).toMatchObject({ status: 200, body: { received: true } })
  expect(rung).toBe(before + 1)
  const again = await Promise.all(Array.from({ length: 20 }, () => send(JSON.stringify(event()))))
  expect(again.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(await stored()).toEqual(['evt_1 received'])
})

test('either secret holds while one is being replaced', async () => {
  expect(await send(JSON.stringify(event({ id: 'evt_2' })), { secret: RETIRING })).toMatchObject({
    status: 200,
  })
})

test.each<[string, Sent]>([
  ['no signature', { header: null }],
  ['an empty one', { header: '' }],
  ['a wrong secret', { secret: 'whsec_of_somebody' }],
  ['one that is too old', { at: NOW - 301 }],
  ['one from the future', { at: NOW + 301 }],
  ['v0 only', { header: `t=${NOW},v0=${'0'.repeat(64)}` }],
])('%s is refused, and nothing is stored', async (_name, sent) => {
  const { status, body, headers } = await send(JSON.stringify(event({ id: 'evt_bad' })), sent)
  expect(status).toBe(400)
  expect(headers['content-type']).toMatch('application/problem+json')
  expect(body).toMatchObject({ code: 'webhook_signature_invalid' })
  expect(await stored()).not.toContainEqual(expect.stringContaining('evt_bad'))
})

test('a body that was changed on the way is refused', async () => {
  const body = JSON.stringify(event({ id: 'evt_bad' }))
  const mac = createHmac('sha256', SECRET).update(`${NOW}.${body}`).digest('hex')
  const changed = `${body} `
  expect(await send(changed, { header: `t=${NOW},v1=${mac}` })).toMatchObject({ status: 400 })
})

test('what is refused is counted by why', async () => {
  const counted = async () => {
    const metric = await metrics.registry.getSingleMetric('lockstep_webhooks_refused_total')?.get()
    const of = (code: string) => metric?.values.find(({ labels }) => labels.code === code)?.value ?? 0
    return [of('webhook_signature_invalid'), of('webhook_malformed')]
  }
  const [unsigned = 0, malformed = 0] = await counted()
  // The secret of an endpoint that nobody told us.
  await send(JSON.stringify(event({ id: 'evt_bad' })), { secret: 'whsec_other' })
  await send(JSON.stringify(event({ id: undefined })))
  expect(await counted()).toEqual([unsigned + 1, malformed + 1])
})

test('what is not for us is acknowledged and kept as ignored', async () => {
  const before = rung
  await send(JSON.stringify(event({ id: 'evt_live', livemode: true })))
  await send(JSON.stringify(event({ id: 'evt_other', account: 'acct_connected' })))
  await send(JSON.stringify(event({ id: 'evt_context', context: 'acct_ours/acct_connected' })))
  await send(JSON.stringify(event({ id: 'evt_new', type: 'invoice.folded' })))
  await send(JSON.stringify(event({ id: 'evt_upcoming', data: { object: { object: 'invoice' } } })))
  expect(await stored()).toEqual(
    expect.arrayContaining([
      'evt_context ignored other_account',
      'evt_live ignored other_mode',
      'evt_new ignored unhandled_type',
      'evt_other ignored other_account',
      'evt_upcoming processed recorded',
    ]),
  )
  expect(rung).toBe(before)
})

test.each([
  ['broken JSON', '{"id":'],
  ['no event', '[]'],
  ['no id', JSON.stringify(event({ id: 7 }))],
  ['no time', JSON.stringify(event({ id: 'evt_bad', created: '1e400' }))],
  ['a year beyond all calendars', JSON.stringify(event({ id: 'evt_bad', created: 1e300 }))],
  ['NUL', JSON.stringify(event({ id: 'evt_bad', request: '\u0000' }))],
  ['half a character', JSON.stringify(event({ id: 'evt_bad', request: '\ud800' }))],
  [
    'too deep',
    JSON.stringify(event({ id: 'evt_bad' })).replace(
      '"object":"event"',
      `"object":${'['.repeat(50_000)}${']'.repeat(50_000)}`,
    ),
  ],
])('%s, though signed, is refused as malformed', async (_name, body) => {
  const answer = await send(body)
  expect(answer).toMatchObject({ status: 400, body: { code: 'webhook_malformed' } })
})

test('keys that reach into prototypes are only text', async () => {
  await send(
    `{"__proto__":{"polluted":1},${JSON.stringify(event({ id: 'evt_proto', type: '__proto__' })).slice(1)}`,
  )
  expect(({} as { polluted?: number }).polluted).toBeUndefined()
  expect(await stored()).toContain('evt_proto ignored unhandled_type')
})

test('what came is listed newest first, read with its payload, and can be looked at again', async () => {
  const list = await server.call({ method: 'GET', url: '/v1/provider-events?limit=2' })
  expect(list).toMatchObject({ status: 200, body: { hasMore: true } })
  const { data, nextCursor } = list.body as { data: { id: string }[]; nextCursor: string }
  const next = await server.call({ method: 'GET', url: `/v1/provider-events?limit=100&after=${nextCursor}` })
  const all = [...data, ...(next.body as { data: { id: string }[] }).data].map(({ id }) => id)
  expect(new Set(all).size).toBe(all.length)
  expect(all).toHaveLength((await stored()).length)

  expect(await server.call({ method: 'GET', url: '/v1/provider-events/evt_1' })).toMatchObject({
    status: 200,
    body: { id: 'evt_1', state: 'received', created: '2023-11-14T22:13:20Z', payload: { id: 'evt_1' } },
  })
  // Its payload may say anything of a customer: it is for keys that may read everything.
  const readAs = async (...scopes: Scope[]) => {
    const made = await server.call({
      ...{ method: 'POST', url: '/v1/api-keys', payload: { name: 'limited', scopes } },
    })
    const { key } = made.body as { key: string }
    return server.call({ method: 'GET', url: '/v1/provider-events/evt_1', key })
  }
  expect(await readAs('operations:read', 'customers:read')).toMatchObject({
    status: 200,
    body: { id: 'evt_1', payload: null },
  })
  expect(await readAs(...readingScopes)).toMatchObject({ body: { payload: { id: 'evt_1' } } })
  expect(
    await server.call({ method: 'GET', url: '/v1/provider-events?state=ignored&type=invoice.folded' }),
  ).toMatchObject({ body: { data: [{ id: 'evt_new' }] } })
  const before = rung
  expect(await server.call({ method: 'POST', url: '/v1/provider-events/evt_live/retry' })).toMatchObject({
    status: 202,
    body: { id: 'evt_live', state: 'received', processedAt: null },
  })
  expect(rung).toBe(before + 1)
  expect(await server.call({ method: 'GET', url: '/v1/provider-events/evt_none' })).toMatchObject({
    status: 404,
    body: { code: 'provider_event_not_found' },
  })
  expect(await server.call({ method: 'GET', url: '/v1/provider-events?after=nonsense' })).toMatchObject({
    status: 400,
    body: { code: 'invalid_request', errors: [{ pointer: '?after' }] },
  })
})

test('a kind that nobody knows is counted, once for each event; one that is only kept is not', async () => {
  const send20 = (id: string, type: string) =>
    Promise.all(Array.from({ length: 20 }, () => send(JSON.stringify(event({ id, type })))))
  await send20('evt_odd_1', 'invoice.unfolded')
  await send20('evt_odd_2', 'invoice.unfolded')
  await send20('evt_kept', 'charge.refunded')
  expect(await metrics.registry.metrics()).toContain(
    'lockstep_inbox_unhandled_total{type="invoice.unfolded"} 2\n',
  )
  expect(await metrics.registry.metrics()).not.toContain('charge.refunded')
  expect(await stored()).toContain('evt_kept processed recorded')
})

test('a thin event names its object and nothing more', async () => {
  const thin = {
    id: 'evt_thin',
    object: 'v2.core.event',
    type: 'v1.customer.updated',
    created: '2026-09-01T12:00:00.000Z',
    livemode: false,
    related_object: { id: 'cus_1', type: 'customer', url: '/v1/customers/cus_1' },
  }
  expect(await send(JSON.stringify(thin))).toMatchObject({ status: 200 })
  expect(await send(JSON.stringify({ ...thin, created: 'yesterday' }))).toMatchObject({ status: 400 })
  const { rows } = await database.pool.query(
    `select type, object_type, object_id, created, state from provider_event where id = 'evt_thin'`,
  )
  expect(rows).toEqual([
    {
      type: 'customer.updated',
      object_type: 'customer',
      object_id: 'cus_1',
      created: expect.anything(),
      state: 'received',
    },
  ])
})
