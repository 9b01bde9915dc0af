import { defineRoute } from '@lockstep/api/define-route'
import { defineCatalog } from '@lockstep/core/catalog'
import type { Simulator } from 'stripe-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { newSimulator } from '../../../test/support/simulator.ts'
import { route } from '../src/http/route.ts'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { subscriptionHistoryRoutes } from '../src/http/routes/subscription-history.ts'
import { subscriptionStartRoutes } from '../src/http/routes/subscription-starts.ts'
import { signingKeys } from '../src/http/signing-keys.ts'
import { userTokens } from '../src/http/user-token.ts'
import { type Installation, newInstallation } from './support/installation.ts'
import { AUDIENCE, ISSUER, NOW, newIssuer, newSigningKey, type SigningKey, sign } from './support/issuer.ts'

const fee = { kind: 'recurring', model: 'flat', amount: '0' } as const
const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    free: {
      name: 'Free',
      product: 'app',
      interval: 'month',
      prices: { fee },
    },
    given: { name: 'Given', product: 'app', audience: 'admin', interval: 'year', prices: { fee } },
    old: { name: 'Old', product: 'app', audience: 'legacy', interval: 'month', prices: { fee } },
  },
  coupons: { secret: { name: 'A tenth off', percentOff: '12.5', duration: 'once' } },
})

/** Something that a user asks to be made: the answer holds what only they may see. */
const makeLink = defineRoute({
  id: 'makeLink',
  method: 'POST',
  path: '/v1/links',
  callers: { key: 'customers:write', user: 'own customer in body' },
  summary: 'For this test',
  tags: [],
  body: z.strictObject({ customer: z.string().max(100), note: z.string().optional() }),
  answers: { 201: z.strictObject({ link: z.string() }) },
})

let simulator: Simulator
let issuer: Awaited<ReturnType<typeof newIssuer>>
let key: SigningKey
let installation: Installation
const customers: Record<string, { id: string; subscription: string }> = {}
let links = 0

beforeAll(async () => {
  simulator = await newSimulator()
  key = await newSigningKey('1', 'ES256')
  issuer = await newIssuer([key])
  const tokens = userTokens({
    clock: { now: () => NOW },
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: signingKeys({ url: issuer.url }),
  })
  installation = await newInstallation(simulator, catalog, { tokens })
  const parts = { ...installation.deps, workflows: installation.workflows }
  subscriptionDeedRoutes(installation.app, parts)
  subscriptionHistoryRoutes(installation.app, parts)
  subscriptionStartRoutes(installation.app, parts)
  route(
    installation.app,
    makeLink,
  )(async ({ body }) => {
    links += 1
    return { status: 201, body: { link: `https://pay.example/${body.customer}/${links}` } }
  })
  for (const name of ['ada', 'bob']) {
    const { status, body } = await installation.ask('POST', '/v1/registrations', {
      externalId: name,
      plan: 'free',
    })
    expect(status).toBe(201)
    customers[name] = { id: String(body.customer), subscription: String(body.subscription) }
  }
})
afterAll(async () => {
  await installation.close()
  await issuer.close()
  await simulator.close()
})

const of = (name: string) => customers[name] ?? { id: '', subscription: '' }

async function as(name: string, method: 'GET' | 'POST' | 'PATCH', url: string, more: object = {}) {
  return installation.call({ method, url, key: await sign(key, { sub: name }), ...more })
}

test('a user reads what is theirs, and has it filled in where nobody is named', async () => {
  const { id, subscription } = of('ada')
  expect(await as('ada', 'GET', `/v1/subscriptions/${subscription}`)).toMatchObject({
    status: 200,
    body: { id: subscription, externalId: 'ada' },
  })
  for (const query of ['', `?customer=${id}`, '?customer=ada', `?limit=100&status=active`]) {
    const { body } = await as('ada', 'GET', `/v1/subscriptions${query}`)
    expect((body as { data: object[] }).data).toEqual([expect.objectContaining({ id: subscription })])
  }
  for (const who of [id, 'me'])
    expect(await as('ada', 'GET', `/v1/customers/${who}`)).toMatchObject({ status: 200, body: { id } })
  expect(await as('ada', 'GET', '/v1/entitlements')).toMatchObject({ status: 200, body: { customer: id } })
})

test('what is another’s is answered like what does not exist', async () => {
  const [bob, none] = [of('bob'), { id: 'customer_none', subscription: 'subscription_none' }]
  const paths = [
    (it: typeof bob) => `/v1/subscriptions/${it.subscription}`,
    (it: typeof bob) => `/v1/customers/${it.id}`,
    (it: typeof bob) => `/v1/customers/${it.id}/contract-chain`,
    (it: typeof bob) => `/v1/subscriptions?customer=${it.id}`,
    (it: typeof bob) => `/v1/entitlements?customer=${it.id}`,
  ]
  for (const path of paths) {
    const [theirs, absent] = [await as('ada', 'GET', path(bob)), await as('ada', 'GET', path(none))]
    expect(theirs.status).toBe(404)
    const named = ({ text }: { text: string }) =>
      text.replaceAll(/(customer|subscription)_(none|[0-9a-z]{26})/g, '$1_X')
    expect(named(theirs)).toBe(named(absent))
    const { 'content-length': _, date: __, ...headers } = theirs.headers
    expect(absent.headers).toMatchObject(headers)
  }
})

test('a user who was never registered has nothing, and is told so', async () => {
  for (const path of ['/v1/subscriptions', '/v1/customers/me', '/v1/entitlements'])
    expect(await as('eve', 'GET', path)).toMatchObject({ status: 404, body: { code: 'customer_not_found' } })
})

test('what is not for users is refused to them, whosever it is', async () => {
  expect(await as('ada', 'GET', '/v1/api-keys')).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  expect(
    await as('ada', 'POST', '/v1/registrations', { payload: { externalId: 'ada', plan: 'free' } }),
  ).toMatchObject({ status: 403, body: { code: 'forbidden' } })
})

test('of the catalogue a user sees what is for sale to everybody', async () => {
  for (const query of ['', '?audience=public', '?product=app&currency=usd&interval=month']) {
    const { body } = await as('eve', 'GET', `/v1/plans${query}`)
    expect((body as { data: object[] }).data).toEqual([expect.objectContaining({ key: 'free' })])
  }
  for (const query of ['?audience=admin', '?audience=legacy', '?interval=year', '?currency=jpy'])
    expect(await as('eve', 'GET', `/v1/plans${query}`)).toMatchObject({ status: 200, body: { data: [] } })
  expect(await as('eve', 'GET', '/v1/plans/free')).toMatchObject({ status: 200, body: { key: 'free' } })
  const [given, none] = [await as('eve', 'GET', '/v1/plans/given'), await as('eve', 'GET', '/v1/plans/none')]
  expect(given.status).toBe(404)
  expect(given.text.replaceAll('given', 'none')).toBe(none.text)
  expect((await installation.ask('GET', '/v1/plans/given')).status).toBe(200)
  expect(await as('eve', 'GET', '/v1/coupons')).toMatchObject({ status: 403 })
})

test('a repetition with the next token has the same answer, and nobody else has', async () => {
  const ask = async (name: string, iat: number, payload: object = {}) => {
    const token = await sign(key, { sub: name, iat })
    const headers = { 'idempotency-key': 'one' }
    return installation.call({ method: 'POST', url: '/v1/links', key: token, headers, payload })
  }
  const first = await ask('ada', NOW - 50)
  expect(first).toMatchObject({ status: 201, body: { link: expect.stringContaining(of('ada').id) } })
  const again = await ask('ada', NOW - 10)
  expect(again.text).toBe(first.text)
  expect(again.headers['idempotent-replayed']).toBe('true')
  const other = await ask('bob', NOW - 10)
  expect(other.body).toMatchObject({ link: expect.stringContaining(of('bob').id) })
  expect(await ask('bob', NOW, { customer: of('ada').id })).toMatchObject({ status: 404 })
  // Neither who it was nor what was answered can be read from the database.
  const { rows } = await installation.database.pool.query(
    `select caller, response::text from idempotency_key where key = 'one'`,
  )
  expect(rows).toHaveLength(2)
  // A digest may spell "ada", and what is sealed "bob": so its shape is looked at, and names that are long.
  for (const { caller, response } of rows) {
    expect(caller).toMatch(/^user_[0-9a-f]{32}$/)
    for (const secret of ['pay.example', of('ada').id, of('bob').id]) expect(response).not.toContain(secret)
  }
})

test('a user takes back an end that is the customer’s own, and neither undoes nor puts off another', async () => {
  const deeds = `/v1/subscriptions/${of('ada').subscription}`
  const user = async (verb: string, payload: object = {}) => {
    const { status, body } = await as('ada', 'POST', `${deeds}/${verb}`, { payload })
    const { code, subscription } = body as { code?: string; subscription?: { cancelAt: string | null } }
    return [status, code ?? (subscription?.cancelAt === null ? 'goes on' : 'ends')]
  }
  const operator = async (verb: string, payload: object = {}) =>
    (await installation.ask('POST', `${deeds}/${verb}`, payload)).body.state

  expect([await user('cancel'), await user('resume')]).toEqual([
    [200, 'ends'],
    [200, 'goes on'],
  ])
  expect(await operator('cancel', { reason: 'customer' })).toBe('done')
  expect(await user('resume')).toEqual([200, 'goes on'])

  // Wanted by both: what the user planned first is the operator's as well.
  expect(await user('cancel')).toEqual([200, 'ends'])
  expect(await operator('cancel', { reason: 'fraud' })).toBe('done')
  expect(await operator('cancel', { reason: 'fraud' })).toBe('unchanged')
  expect(await user('resume')).toEqual([403, 'forbidden'])
  expect(await user('cancel', { at: '2090-01-01T00:00:00Z' })).toEqual([403, 'forbidden'])
  expect(await user('cancel')).toEqual([200, 'ends'])
  expect(await user('resume')).toEqual([403, 'forbidden'])

  // Taken back by the operator, it is as if it had never been.
  expect(await operator('resume')).toBe('done')
  expect([await user('cancel'), await user('resume')]).toEqual([
    [200, 'ends'],
    [200, 'goes on'],
  ])
})

test('a user goes on with a plan change that waits for the customer; what is parked takes a key', async () => {
  const paymentPage = { returnUrl: 'https://app.example/billing' }
  const url = `/v1/subscriptions/${of('bob').subscription}`
  const asked: { body: { change: { id: string; state: string } } } = await as('bob', 'PATCH', url, {
    payload: { paymentPage },
  })
  const { id, state } = asked.body.change
  expect(state).toBe('requiresAction')
  const resumed = { status: 202, body: { id, state: 'requiresAction' } }
  expect(await as('bob', 'POST', `${url}/changes/${id}/resume`)).toMatchObject(resumed)

  const { workflows, database } = installation
  const { rows } = await database.pool.query(`select id from workflow where subject_id = $1`, [id])
  const workflow: string = rows[0].id
  await workflows.stopped(workflow)
  await database.pool.query(
    `update workflow set state = 'parked', action = null, ended_at = clock_timestamp() where id = $1`,
    [workflow],
  )
  const refused = { status: 403, body: { code: 'forbidden' } }
  expect(await as('bob', 'POST', `${url}/changes/${id}/resume`)).toMatchObject(refused)
  expect(await as('bob', 'POST', `${url}/changes/${id}/cancel`)).toMatchObject(refused)
  expect(await as('bob', 'GET', `${url}/changes/${id}`)).toMatchObject({ body: { state: 'parked' } })
  // Parked between the look and the word, it is not the customer's either.
  await workflows.resume(workflow, 'customer')
  expect(await as('bob', 'GET', `${url}/changes/${id}`)).toMatchObject({ body: { state: 'parked' } })

  expect(await installation.ask('POST', `${url}/changes/${id}/resume`)).toMatchObject(resumed)
  expect(await as('bob', 'POST', `${url}/changes/${id}/cancel`)).toMatchObject({
    status: 200,
    body: { state: 'refused', problem: { code: 'plan_change_canceled' } },
  })
})

test('who asked for a subscription is in its history, also where it began anew', async () => {
  const whoBegan = async (subscription: unknown) => {
    const { body } = await as('cleo', 'GET', `/v1/subscriptions/${subscription}/history`)
    const { cause, actor } = (body as { data: { cause: string; actor: string | null }[] }).data.at(-1) ?? {}
    return `${cause} by ${actor?.replace(/_.*/, '')}`
  }
  const wanted = { externalId: 'cleo', plan: 'free' }
  const { body: first } = await installation.ask('POST', '/v1/registrations', wanted)
  expect(await whoBegan(first.subscription)).toBe('registration by admin')

  const end = (id: unknown) =>
    as('cleo', 'POST', `/v1/subscriptions/${id}/cancel`, { payload: { when: 'now' } })
  await end(first.subscription)
  const path = `/v1/subscriptions/${first.subscription}/reactivate`
  const { body: second } = await as('cleo', 'POST', path, { payload: {} })
  const { id } = second as { id: string }
  expect(await whoBegan(id)).toBe('registration by user')

  await end(id)
  const given = await installation.ask('POST', '/v1/subscriptions', { ...wanted, plan: 'given' })
  expect(await whoBegan(given.body.id)).toBe('registration by admin')
})
