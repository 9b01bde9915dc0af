// docs.stripe.com/webhooks and .../webhooks/signature
import type Stripe from 'stripe'
import { afterEach, expect, test } from 'vitest'
import { signatureHeader } from '../src/events/signature.ts'
import { newReceiver } from './receiver.ts'
import { HOUR, JAN_1, newWorld, refusal, type World } from './world.ts'

const SECRET = 'whsec_of_the_test'
const DAY = 24 * HOUR
let open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  await Promise.all(open.map((part) => part.close()))
  open = []
})

async function hooked(options: Parameters<typeof newWorld>[0] = {}) {
  const receiver = await newReceiver(SECRET)
  const world = await newWorld({
    webhooks: [{ url: receiver.url, secret: SECRET }],
    ...options,
    delivery: { retryMs: [1, 1, 1], ...options.delivery },
  })
  open.push(world, receiver)
  return { world, receiver }
}

async function subscribed(world: World) {
  const price = await world.price(1000)
  const customer = await world.customer()
  const subscription = await world.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
  })
  return { customer, subscription }
}

test('the signature of the published check vector', () => {
  expect(signatureHeader('whsec_example', '{"id":"evt_1"}', 1700000000)).toBe(
    't=1700000000,v1=2f6f24854ba5c8d505c37e6fc0a06fc74456f1a4042208e7acdd4bd0bdbd599e',
  )
})

test('events arrive signed, in order, as they were rendered, and are acknowledged', async () => {
  const { world, receiver } = await hooked()
  const product = await world.stripe.products.create({ name: 'a' }, { idempotencyKey: 'k1' })
  await world.stripe.products.update(product.id, { name: 'b', metadata: { x: '1' } })
  await world.simulator.control.idle()
  expect(receiver.types()).toEqual(['product.created', 'product.updated'])
  const [created, updated] = receiver.received.map(({ event }) => event)
  expect(created?.data.object).toMatchObject({ name: 'a' })
  expect(created?.request).toMatchObject({ idempotency_key: 'k1' })
  expect(created?.request?.id).toMatch(/^req_/)
  expect(created?.pending_webhooks).toBe(1)
  expect(updated?.data.previous_attributes).toMatchObject({ name: 'a', metadata: { x: null } })
  const listed = await world.stripe.events.retrieve(created?.id as string)
  expect(listed.pending_webhooks).toBe(0)
  expect((await world.stripe.events.list({ delivery_success: true })).data).toHaveLength(2)
})

test('a failed delivery is tried again with a fresh signature', async () => {
  const { world, receiver } = await hooked()
  let failures = 2
  receiver.answerWith(() => (failures-- > 0 ? 500 : 204))
  await world.stripe.products.create({ name: 'a' })
  await world.simulator.control.idle({ retries: true })
  expect(receiver.types()).toEqual(['product.created', 'product.created', 'product.created'])
  expect(new Set(receiver.ids()).size).toBe(1)
  expect((await world.stripe.events.list({ delivery_success: true })).data).toHaveLength(1)
})

test('a redirect is a failure, and an exhausted event is listed as undelivered', async () => {
  const { world, receiver } = await hooked()
  receiver.answerWith(() => 302)
  await world.stripe.products.create({ name: 'a' })
  await world.simulator.control.idle({ retries: true })
  expect(receiver.received).toHaveLength(4)
  const [failed] = (await world.stripe.events.list({ delivery_success: false })).data
  expect(failed?.type).toBe('product.created')
  receiver.answerWith(() => 200)
  world.simulator.control.redeliver(failed?.id as string)
  await world.simulator.control.idle()
  expect(receiver.received).toHaveLength(5)
})

test.each([
  ['/deliveries', { mode: 'sometimes' }, 'mode must be one of in_order, parallel, shuffled'],
  ['/deliveries', { delay_ms: 5 }, 'Received unknown parameter: delay_ms'],
  ['/deliveries', { timeoutMs: -1 }, 'timeoutMs must be a whole number'],
  ['/deliveries', { retryMs: 1000 }, 'retryMs must be a list of whole numbers'],
  ['/intents/pi_1/authenticate', { outcome: 'succeeded' }, 'outcome must be one of succeed, fail'],
])('%s refuses %o: it would change nothing, and nobody would notice', async (path, given, message) => {
  const { world } = await hooked()
  const answer = await fetch(`${world.simulator.url}/_simulator${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(given),
  })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ error: { message: expect.stringContaining(message) } })
})

test('deliveries can be doubled, shuffled, dropped at first, and stopped', async () => {
  const { world, receiver } = await hooked()
  const { control } = world.simulator
  control.setDelivery({ mode: 'duplicated' })
  await world.stripe.products.create({ name: 'a' })
  await control.idle()
  expect(receiver.ids()).toHaveLength(2)
  expect(new Set(receiver.ids()).size).toBe(1)

  control.setDelivery({ mode: 'off' })
  const names = Array.from({ length: 12 }, (_, i) => `p${i}`)
  for (const name of names) await world.stripe.products.create({ name })
  await control.idle()
  expect(receiver.ids()).toHaveLength(2)
  control.setDelivery({ mode: 'shuffled' })
  await control.idle()
  const arrived = receiver.received.slice(2).map(({ event }) => (event.data.object as Stripe.Product).name)
  expect([...arrived].sort()).toEqual([...names].sort())
  expect(arrived).not.toEqual(names)

  control.setDelivery({ mode: 'dropped' })
  await world.stripe.products.create({ name: 'late' })
  await control.idle({ retries: true })
  expect(receiver.ids()).toHaveLength(15)
})

test('a renewal is held until its invoice.created is acknowledged', async () => {
  const { world, receiver } = await hooked({ delivery: { retryMs: [60_000] } })
  const { customer, subscription } = await subscribed(world)
  await world.simulator.control.idle()
  receiver.answerWith((event) => (event.type === 'invoice.created' ? 500 : 200))
  await world.advance(customer.clock, JAN_1 + 31 * DAY + 3 * HOUR)
  const held = (await world.invoices(subscription.id)).at(-1) as Stripe.Invoice
  expect(held.status).toBe('draft')
  receiver.answerWith(() => 200)
  world.simulator.control.retryDeliveriesNow()
  await world.simulator.control.idle({ retries: true })
  expect((await world.stripe.invoices.retrieve(held.id)).status).toBe('paid')
})

test('after 72 hours a held renewal is finalized all the same', async () => {
  const { world, receiver } = await hooked({ delivery: { retryMs: [60_000] } })
  const { customer, subscription } = await subscribed(world)
  await world.simulator.control.idle()
  receiver.answerWith((event) => (event.type === 'invoice.created' ? 500 : 200))
  await world.advance(customer.clock, JAN_1 + 34 * DAY)
  const paid = (await world.invoices(subscription.id)).at(-1) as Stripe.Invoice
  expect(paid.status).toBe('paid')
  expect(paid.status_transitions.finalized_at).toBe(JAN_1 + 31 * DAY + 72 * HOUR)
})

test('a receiver sees the draft before it is finalized, within one advance', async () => {
  const { world, receiver } = await hooked()
  const { customer } = await subscribed(world)
  const seen: string[] = []
  receiver.answerWith(async (event) => {
    if (event.type === 'invoice.created') {
      const invoice = event.data.object as Stripe.Invoice
      seen.push(`${(await world.stripe.invoices.retrieve(invoice.id)).status}`)
    }
    return 200
  })
  await world.advance(customer.clock, JAN_1 + 32 * DAY)
  expect(seen.at(-1)).toBe('draft')
})

test('endpoints are managed by the API; the secret is shown once', async () => {
  const { world, receiver } = await hooked()
  const made = await world.stripe.webhookEndpoints.create({
    url: receiver.url,
    enabled_events: ['customer.created'],
    api_version: '2026-10-28.endive',
  })
  expect(made.secret).toMatch(/^whsec_/)
  expect((await world.stripe.webhookEndpoints.retrieve(made.id)).secret).toBeUndefined()
  const off = await world.stripe.webhookEndpoints.update(made.id, { disabled: true })
  expect(off.status).toBe('disabled')
  await world.stripe.webhookEndpoints.del(made.id)
  expect(await refusal(world.stripe.webhookEndpoints.retrieve(made.id))).toMatchObject({ statusCode: 404 })
  const old = await refusal(
    world.stripe.webhookEndpoints.create({
      url: receiver.url,
      enabled_events: ['*'],
      api_version: '2019-12-03',
    }),
  )
  expect(old.code).toBe('simulator_gap')
})

test('an endpoint asks for events that there are', async () => {
  // The beginning of the sentence as somebody met it: "Invalid enabled_events[0]: must be one of
  // account.application.authorized, account.application.deauthorized, account.external_account.c".
  const { world, receiver } = await hooked()
  const endpoint = (...events: string[]) =>
    world.stripe.webhookEndpoints.create({
      url: receiver.url,
      enabled_events: events as ['*'],
    })
  for (const name of ['invoice.payed', 'invoice.*', '']) {
    const refused = await refusal(endpoint('invoice.paid', name))
    expect(refused).toMatchObject({ statusCode: 400, param: 'enabled_events[1]' })
    expect(refused.message).toMatch(
      /^Invalid enabled_events\[1\]: must be one of account\.application\.authorized, account\.application\.deauthorized, account\.external_account\.created/,
    )
  }
  const { id } = await endpoint('invoice.paid', 'billing.meter.created')
  const changed = world.stripe.webhookEndpoints.update(id, { enabled_events: ['invoice.payed' as '*'] })
  expect(await refusal(changed)).toMatchObject({ statusCode: 400, param: 'enabled_events[0]' })
  const own = { url: receiver.url, enabled_events: ['*' as const] }
  expect((await world.stripe.webhookEndpoints.create({ ...own, connect: false })).application).toBeNull()
  expect((await refusal(world.stripe.webhookEndpoints.create({ ...own, connect: true }))).code).toBe(
    'simulator_gap',
  )
  // Its path parameter is called `webhook_endpoint`: github.com/crvouga/mockingbird, webhook-endpoints.ts.
  expect(await refusal(world.stripe.webhookEndpoints.retrieve('we_nope'))).toMatchObject({
    statusCode: 404,
    message: "No such webhook endpoint: 'we_nope'",
    param: 'webhook_endpoint',
  })
})

// "You can register up to 16 webhook endpoints" https://docs.stripe.com/webhooks
test('an account has sixteen endpoints at most', async () => {
  const world = await newWorld()
  try {
    const endpoint = () =>
      world.stripe.webhookEndpoints.create({ url: 'https://example.com/hook', enabled_events: ['*'] })
    const made = []
    for (let i = 0; i < 16; i++) made.push(await endpoint())
    expect((await refusal(endpoint())).statusCode).toBe(400)
    await world.stripe.webhookEndpoints.del(made[0]?.id ?? '')
    expect((await endpoint()).status).toBe('enabled')
  } finally {
    await world.close()
  }
})
