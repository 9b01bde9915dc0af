import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import cloudHost from '../../examples/cloud-host/catalog.ts'
import { everyCustomer } from '../support/everything.ts'
import { freePort, runToEnd } from '../support/process.ts'
import { newWorld, type World } from '../support/world.ts'

/** No trace of our insides reaches anybody. */
const STACK = /\bat .*\.ts:\d+|node_modules|select .* from/

interface Answer {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly pointers: readonly string[]
  readonly text: string
}

describe('what is wrong is refused whole, with a code, a pointer and a way out', () => {
  let world: World
  beforeAll(async () => {
    world = await newWorld()
    await world.client.catalog.apply(catalogDocumentOf(cloudHost))
    const { id } = await world.client.registrations.create({
      externalId: 'ada',
      plan: 'cloud-host',
      paymentMethod: 'pm_card_visa',
    })
    await world.client.registrations.ended(id)
  })
  afterAll(() => world?.close())

  async function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(world.serviceUrl + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${world.apiKey}`, ...headers },
      body,
    })
    const text = await response.text()
    const problem = JSON.parse(text) as { code: string; detail: string; errors?: { pointer: string }[] }
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    expect(text).not.toMatch(STACK)
    return {
      status: response.status,
      code: problem.code,
      detail: problem.detail,
      pointers: (problem.errors ?? []).map(({ pointer }) => pointer),
      text,
    }
  }

  const event = (more: object) => ({
    specversion: '1.0',
    source: 'bad-input',
    id: 'one',
    type: 'requests',
    subject: 'ada',
    time: new Date().toISOString(),
    data: { quantity: '1' },
    ...more,
  })
  const send = (...events: unknown[]) => post('/v1/usage-events', JSON.stringify(events))
  const stored = async () => {
    const { rows } = await world.db.query<{ count: string }>(
      'select count(*)::text as count from usage_event',
    )
    return Number(rows[0]?.count)
  }

  test.each([
    ['an unknown meter', { type: 'no_such_meter' }, '#/1/type'],
    ['an unknown customer', { subject: 'nobody' }, '#/1/subject'],
    ['a negative quantity', { data: { quantity: '-1' } }, '#/1/data/quantity'],
    ['a quantity in words', { data: { quantity: 'many' } }, '#/1/data/quantity'],
    ['a quantity that is a float', { data: { quantity: 0.1 } }, '#/1/data/quantity'],
    ['an exponent', { data: { quantity: '1e3' } }, '#/1/data/quantity'],
    ['digits of another script', { data: { quantity: '٣' } }, '#/1/data/quantity'],
    ['an event from the future', { time: new Date(Date.now() + 3_600_000).toISOString() }, '#/1/time'],
    ['a time that is none', { time: 'yesterday' }, '#/1/time'],
    ['no id', { id: undefined }, '#/1/id'],
  ])('a batch with %s is refused whole', async (_, fault, pointer) => {
    const before = await stored()
    const answer = await send(event({ id: `good-${pointer}` }), event({ id: 'bad', ...fault }))
    expect(answer).toMatchObject({ status: 422, code: 'usage_event_invalid' })
    expect(answer.pointers).toEqual([pointer])
    expect(await stored()).toBe(before)
  })

  test('all faults of a batch are named at once', async () => {
    const { pointers } = await send(event({ type: 'x' }), event({ id: '', data: { quantity: 'y' } }))
    expect([...pointers].sort()).toEqual(['#/0/type', '#/1/data/quantity', '#/1/id'])
  })

  test('a body of 10 MB is refused before it is read', async () => {
    const answer = await post(
      '/v1/usage-events',
      `[${JSON.stringify(event({ data: { quantity: '1', pad: 'x'.repeat(10_000_000) } }))}]`,
    )
    expect(answer).toMatchObject({ status: 413, code: 'body_too_large' })
  })

  test('broken JSON says where it breaks', async () => {
    const answer = await post('/v1/registrations', '{"externalId": "x", }')
    expect(answer).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(answer.detail).toMatch(/JSON/)
  })

  test('unknown fields, an unknown plan and another currency are each named', async () => {
    const unknown = await post(
      '/v1/registrations',
      JSON.stringify({ externalId: 'x', plan: 'cloud-host', colour: 'red' }),
    )
    expect(unknown).toMatchObject({ status: 400, code: 'invalid_request', pointers: ['#/colour'] })
    const plan = await post('/v1/registrations', JSON.stringify({ externalId: 'x', plan: 'no-such-plan' }))
    expect(plan.status).toBe(422)
    expect(plan.pointers).toEqual(['#/plan'])
    const currency = await post(
      '/v1/registrations',
      JSON.stringify({ externalId: 'x', plan: 'cloud-host', currency: 'eur', paymentMethod: 'pm_card_visa' }),
    )
    expect(currency).toMatchObject({ status: 422, code: 'currency_mismatch', pointers: ['#/currency'] })
    const { rows } = await world.db.query(`select from customer where external_id = 'x'`)
    expect(rows).toHaveLength(0)
  })

  test('what Postgres cannot hold is refused by its field, and is nobody’s id', async () => {
    const page = { returnUrl: 'https://app.example/\0' }
    const fields = { externalId: 'a\0', name: 'a\0', requestOrigin: 'a\0', testClock: '\0', plan: '\0' }
    for (const [field, body] of [
      ...Object.entries(fields).map(([name, value]) => [name, { [name]: value }] as const),
      ...['\0', '\ud800'].map((note) => ['metadata/note', { metadata: { note } }] as const),
      ['paymentPage/returnUrl', { paymentPage: page }] as const,
    ]) {
      const wanted = { externalId: 'nul', plan: 'cloud-host', ...body }
      const answer = await post('/v1/registrations', JSON.stringify(wanted))
      expect(answer).toMatchObject({ status: 400, code: 'invalid_request', pointers: [`#/${field}`] })
    }
    for (const fault of [{ id: '\0' }, { source: '\0' }, { subject: '\0' }, { type: '\0' }])
      expect(await send(event({ id: 'nul', ...fault }))).toMatchObject({ status: 422 })
    const queries = [
      'customers?after',
      'customers?email',
      'mappings?providerId',
      'provider-events?type',
      'entitlements?customer',
    ]
    for (const path of ['customers/%00', 'plans/%00', ...queries.map((query) => `${query}=%00`)]) {
      const headers = { authorization: `Bearer ${world.apiKey}` }
      const { status } = await fetch(`${world.serviceUrl}/v1/${path}`, { headers })
      expect([path, status]).toEqual([path, 400])
    }
  })

  test('a card number is refused wherever it is written, and is not in the log', async () => {
    const number = '4242 4242 4242 4242'
    const named = await post(
      '/v1/registrations',
      JSON.stringify({ externalId: 'pan', name: number, plan: 'cloud-host' }),
    )
    expect(named).toMatchObject({ status: 400, pointers: ['#/name'] })
    expect(world.output().replaceAll(' ', '')).not.toContain('4242424242424242')
  })

  test('no key, a wrong key and a wrong signature each say so', async () => {
    expect(await post('/v1/usage-events', '[]', { authorization: '' })).toMatchObject({
      status: 401,
      code: 'unauthorized',
    })
    expect(await post('/v1/usage-events', '[]', { authorization: 'Bearer lk_wrong' })).toMatchObject({
      status: 401,
    })
    // With a slash at its end the address is the same: Stripe follows no redirect.
    const forged = await post('/webhooks/stripe/', '{"id":"evt_1"}', {
      'stripe-signature': `t=${Math.floor(Date.now() / 1000)},v1=${'0'.repeat(64)}`,
    })
    expect(forged).toMatchObject({ status: 400, code: 'webhook_signature_invalid' })
    const { rows } = await world.db.query(`select from provider_event where id = 'evt_1'`)
    expect(rows).toHaveLength(0)
  })

  test('a declined card leaves the customer, no subscription, and a free place to try again', async () => {
    const declined = await post(
      '/v1/registrations',
      JSON.stringify({ externalId: 'bob', plan: 'cloud-host', paymentMethod: 'pm_card_visa_chargeDeclined' }),
    )
    expect(declined).toMatchObject({ status: 402, code: 'card_declined' })
    const second = await world.client.registrations.create({
      externalId: 'bob',
      plan: 'cloud-host',
      paymentMethod: 'pm_card_visa',
    })
    expect((await world.client.registrations.ended(second.id)).state).toBe('completed')
    const atStripe = []
    for await (const customer of everyCustomer(world.stripe)) atStripe.push(customer)
    expect(atStripe.filter(({ metadata }) => metadata.lockstep_customer === second.customer)).toHaveLength(1)
  })
})

describe('a set-up that cannot work says why and stops', () => {
  const SERVICE = 'packages/service/src/main.ts'
  let world: World
  beforeAll(async () => {
    world = await newWorld()
  })
  afterAll(() => world?.close())

  test('a database that is down', async () => {
    const { code, output } = await runToEnd(SERVICE, {
      ...world.env,
      PORT: String(await freePort()),
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    })
    expect(code).not.toBe(0)
    expect(output).toContain('127.0.0.1:1')
    expect(output).not.toMatch(STACK)
  })

  test('a live key pointed at the simulator, and everything else that is wrong beside it', async () => {
    const { code, output } = await runToEnd(SERVICE, {
      ...world.env,
      STRIPE_API_KEY: 'sk_live_x',
      PORT: '-1',
      LOCKSTEP_ROLES: 'everything',
    })
    expect(code).toBe(2)
    for (const name of ['STRIPE_API_BASE', 'PORT', 'LOCKSTEP_ROLES']) expect(output).toContain(name)
    expect(output).not.toContain('sk_live_x')
    expect(output).not.toMatch(STACK)
  })

  test('a port that is taken', async () => {
    // The world's own service listens there.
    const { code, output } = await runToEnd(SERVICE, { ...world.env })
    expect(code).not.toBe(0)
    expect(output).toContain(world.env.PORT)
    expect(output).toMatch(/taken|in use/)
    expect(output).not.toMatch(STACK)
  })
})
