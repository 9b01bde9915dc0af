import { expect, test } from 'vitest'
import { makeTwiceAtOnce } from './one-packet.ts'
import { sharedWorld } from './shared-world.ts'
import { refusal } from './world.ts'

const world = await sharedWorld()

async function control(method: string, path: string, body?: object) {
  const answer = await fetch(`${world.simulator.url}/_simulator${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

test('the control routes answer without a key', async () => {
  expect(await control('GET', '/health')).toEqual({ status: 200, body: { ok: true } })
  expect((await control('GET', '/idle')).body).toEqual({ idle: true, queued: 0, running: 0, retrying: 0 })
  expect((await control('POST', '/faults', { kind: 'earthquake' })).status).toBe(400)
})

test('both kinds of 429, for as many requests as asked, after as many as skipped', async () => {
  await control('POST', '/faults', {
    kind: 'rate_limit',
    method: 'GET',
    path: '/v1/customers*',
    times: 2,
    skip: 1,
  })
  await world.stripe.customers.list()
  for (let i = 0; i < 2; i++) {
    expect(await refusal(world.stripe.customers.list())).toMatchObject({
      statusCode: 429,
      code: 'rate_limit',
    })
  }
  await world.stripe.customers.list()
  await control('POST', '/faults', { kind: 'lock_timeout' })
  expect(await refusal(world.stripe.customers.create({}))).toMatchObject({
    statusCode: 429,
    code: 'lock_timeout',
  })
  expect((await control('GET', '/faults')).body).toEqual({ faults: [] })
})

test('an answer that breaks off half way', async () => {
  await control('POST', '/faults', { kind: 'truncated', path: '/v1/products' })
  const answer = fetch(`${world.simulator.url}/v1/products`, {
    headers: { authorization: 'Bearer sk_test_x' },
  })
  await expect(answer.then((response) => response.json())).rejects.toThrow()
})

test('requests are counted and logged with what was sent', async () => {
  await control('DELETE', '/requests')
  const { stripe } = world
  const customer = await stripe.customers.create({ email: 'a@b.c' }, { idempotencyKey: 'logged' })
  await stripe.customers.create({ email: 'a@b.c' }, { idempotencyKey: 'logged' })
  await stripe.customers.retrieve(customer.id)
  await refusal(stripe.customers.retrieve('cus_x'))
  const log = world.simulator.control.requests()
  expect(log.total).toBe(4)
  expect(log.counts).toEqual({ 'POST /v1/customers': 2, 'GET /v1/customers/:id': 2 })
  expect(log.requests.map((request) => [request.status, request.replayed])).toEqual([
    [200, false],
    [200, true],
    [200, false],
    [404, false],
  ])
  expect(log.requests[0]).toMatchObject({
    method: 'POST',
    path: '/v1/customers',
    idempotency_key: 'logged',
    params: 'email=a%40b.c',
  })
})

test('a slow answer does its work when its time has come, and holds its key meanwhile', async () => {
  await control('POST', '/faults', { kind: 'slow', ms: 20, method: 'POST', path: '/v1/customers' })
  const { port } = world.simulator
  const [slow, meanwhile] = await makeTwiceAtOnce(port, { name: 'slow', key: 'slow' })
  expect(meanwhile).toMatch(/^409 .*"code":"idempotency_key_in_use"/s)
  expect(slow).toMatch(/^200 .*"name":"slow"/s)
})

test('the next charges are declined, whatever the card', async () => {
  const { id } = await world.customer()
  const price = await world.price(1000)
  await control('POST', '/declines', { decline_code: 'lost_card' })
  const create = () => world.stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
  expect((await create()).status).toBe('incomplete')
  const intents = await world.stripe.paymentIntents.list({ customer: id })
  expect(intents.data[0]?.last_payment_error?.decline_code).toBe('lost_card')
  expect((await create()).status).toBe('active')
})

test('the bank asks at the next charges, whatever the card', async () => {
  await control('POST', '/challenges', { times: 1 })
  const pay = () =>
    world.stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      confirm: true,
      return_url: 'http://127.0.0.1:9/back',
    })
  const asked = await pay()
  expect(asked.status).toBe('requires_action')
  world.simulator.control.authenticate(asked.id, 'succeed')
  expect((await world.stripe.paymentIntents.retrieve(asked.id)).status).toBe('succeeded')
  expect((await pay()).status).toBe('succeeded')
})

test('a pruned key is new again: the same request makes a second object', async () => {
  const create = (key: string) => world.stripe.customers.create({ name: 'once' }, { idempotencyKey: key })
  const [first, other] = [await create('pruned'), await create('kept')]
  expect((await create('pruned')).id).toBe(first.id)
  expect((await control('POST', '/idempotency/prune', { key: 'pruned' })).body).toEqual({ pruned: 1 })
  expect((await create('pruned')).id).not.toBe(first.id)
  expect((await create('kept')).id).toBe(other.id)
  expect(world.simulator.control.pruneKeys()).toBeGreaterThan(1)
  expect((await create('kept')).id).not.toBe(other.id)
})
