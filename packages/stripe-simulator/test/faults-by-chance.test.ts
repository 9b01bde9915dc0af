// Faults with a probability: which ones strike depends on the seed alone.
import type Stripe from 'stripe'
import { afterEach, expect, test } from 'vitest'
import { newReceiver } from './receiver.ts'
import { DAY, HOUR, JAN_1, newWorld, refusal, type World } from './world.ts'

const SECRET = 'whsec_of_the_test'
let open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  await Promise.all(open.map((part) => part.close()))
  open = []
})

async function fresh(options: Parameters<typeof newWorld>[0] = {}) {
  const world = await newWorld(options)
  open.push(world)
  return world
}

async function arm(world: World, fault: object) {
  const answer = await fetch(`${world.simulator.url}/_simulator/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(fault),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

/** Twelve products, one after the other and none asked for twice; which of the requests a fault struck. */
async function twelve(world: World) {
  world.simulator.control.clearRequests()
  const headers = {
    authorization: 'Bearer sk_test_x',
    'content-type': 'application/x-www-form-urlencoded',
  }
  for (let i = 0; i < 12; i++) {
    const sent = fetch(`${world.simulator.url}/v1/products`, { method: 'POST', headers, body: `name=p${i}` })
    await sent.then((answer) => answer.text()).catch(() => null)
  }
  return world.simulator.control.requests().requests.map(({ fault }) => fault !== null)
}

const KINDS = [
  // By kind: how many of the requests that it strikes are done all the same.
  ['error_500', 0],
  ['error_500_stored', 0],
  ['rate_limit', 0],
  ['lock_timeout', 0],
  ['timeout_before_commit', 0],
  ['timeout_after_commit', 1],
  ['truncated', 1],
  ['slow', 1],
] as const

test('every kind strikes the same requests with the same seed, on its path alone', async () => {
  const patterns: boolean[][] = []
  for (const [kind, done] of KINDS) {
    const world = await fresh()
    await arm(world, { kind, path: '/v1/products', probability: 0.4, seed: 5, ms: 1 })
    const pattern = await twelve(world)
    const struck = pattern.filter(Boolean).length
    expect(struck).toBeGreaterThan(0)
    expect(struck).toBeLessThan(12)
    expect((await world.stripe.customers.create({ name: 'elsewhere' })).name).toBe('elsewhere')
    world.simulator.control.clearFaults()
    const made = await world.stripe.products.list({ limit: 100 })
    expect(made.data).toHaveLength(12 - struck + done * struck)
    patterns.push(pattern)
  }
  for (const pattern of patterns) expect(pattern).toEqual(patterns[0])
})

test('another seed strikes others; without one the simulator draws it, and tells', async () => {
  const pattern = async (fault: object) => {
    const world = await fresh({ seed: 7 })
    const { body } = await arm(world, { kind: 'rate_limit', method: 'POST', probability: 0.5, ...fault })
    return { pattern: await twelve(world), fault: (body.faults as { seed: number }[])[0] }
  }
  const [five, six] = [await pattern({ seed: 5 }), await pattern({ seed: 6 })]
  expect(five.pattern).not.toEqual(six.pattern)
  const [drawn, again] = [await pattern({}), await pattern({})]
  expect(again).toEqual(drawn)
  expect(await pattern({ seed: drawn.fault?.seed })).toEqual(drawn)
})

test('a number of times ends it, a number to skip comes first', async () => {
  const world = await fresh()
  await arm(world, { kind: 'lock_timeout', path: '/v1/products', probability: 1, skip: 3, times: 2 })
  const pattern = await twelve(world)
  expect(pattern).toEqual([false, false, false, true, true, ...Array.from({ length: 7 }, () => false)])
  expect(world.simulator.control.faults()).toEqual([])
})

test('what makes no sense is refused by name', async () => {
  const world = await fresh()
  for (const [fault, param] of [
    [{ kind: 'earthquake' }, 'kind'],
    [{ kind: 'slow', probability: 0 }, 'probability'],
    [{ kind: 'slow', probability: 1.5 }, 'probability'],
    [{ kind: 'slow', chance: 0.5 }, 'chance'],
    [{ kind: 'slow', times: 0 }, 'times'],
    [{ kind: 'slow', ms: '5' }, 'ms'],
    [{ kind: 'slow', event: 'invoice.*' }, 'event'],
    [{ kind: 'decline', method: 'POST' }, 'method'],
    [{ kind: 'webhook_lost', decline_code: 'lost_card' }, 'decline_code'],
  ] as const) {
    const { status, body } = await arm(world, fault)
    expect(status, param).toBe(400)
    expect((body.error as { message: string }).message).toContain(param)
  }
  expect(world.simulator.control.faults()).toEqual([])
})

test('charges are declined on the path that asks for them, and at renewals when none is named', async () => {
  const world = await fresh()
  const { stripe } = world
  const { control } = world.simulator
  const price = (await world.price(1000)).id
  const ada = await world.customer()
  control.fail({ kind: 'decline', decline_code: 'lost_card', path: '/v1/subscriptions', probability: 1 })
  const made = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price }],
    expand: ['latest_invoice'],
  })
  expect(made.status).toBe('incomplete')
  await stripe.invoices.pay((made.latest_invoice as Stripe.Invoice).id)
  expect((await stripe.subscriptions.retrieve(made.id)).status).toBe('active')
  // A renewal has no request.
  await world.advance(ada.clock, JAN_1 + 31 * DAY + 2 * HOUR)
  expect((await stripe.subscriptions.retrieve(made.id)).status).toBe('active')
  control.clearFaults()
  control.fail({ kind: 'decline', probability: 1, times: 1 })
  await world.advance(ada.clock, JAN_1 + 59 * DAY + 2 * HOUR)
  expect((await stripe.subscriptions.retrieve(made.id)).status).toBe('past_due')
})

test('a holder who was asked is not asked again for the same payment', async () => {
  const world = await fresh()
  const { control } = world.simulator
  await arm(world, { kind: 'challenge', path: '/v1/payment_intents', probability: 1 })
  for (let i = 0; i < 2; i++) {
    const asked = await world.stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      confirm: true,
      return_url: 'http://127.0.0.1:9/back',
    })
    expect(asked.status).toBe('requires_action')
    control.authenticate(asked.id, 'succeed')
    expect((await world.stripe.paymentIntents.retrieve(asked.id)).status).toBe('succeeded')
  }
})

async function hooked() {
  const receiver = await newReceiver(SECRET)
  const world = await fresh({
    webhooks: [{ url: receiver.url, secret: SECRET }],
    delivery: { retryMs: [600_000] },
  })
  open.push(receiver)
  return { world, receiver, control: world.simulator.control }
}

/** Events that wait together, so that their order is not a matter of time. */
async function together(world: World, make: () => Promise<unknown>) {
  const { control } = world.simulator
  control.setDelivery({ mode: 'off' })
  await make()
  control.setDelivery({ mode: 'in_order' })
  await control.idle()
}

test('webhooks are lost, late and doubled by the type of their event and the path of their endpoint', async () => {
  const { world, receiver, control } = await hooked()
  const { stripe } = world
  control.fail({ kind: 'webhook_lost', event: 'product.*', path: '/elsewhere', probability: 1 })
  control.fail({ kind: 'webhook_lost', event: 'product.*', path: '/hook', probability: 1, times: 1 })
  await stripe.products.create({ name: 'lost' })
  await control.idle()
  expect(receiver.types()).toEqual([])
  control.retryDeliveriesNow()
  await control.idle({ retries: true })
  expect(receiver.types()).toEqual(['product.created'])

  await arm(world, { kind: 'webhook_late', event: 'product.created', ms: 1, times: 1 })
  await together(world, async () => {
    await stripe.products.create({ name: 'late' })
    await stripe.customers.create({})
  })
  expect(receiver.types().slice(1)).toEqual(['customer.created', 'product.created'])

  control.fail({ kind: 'webhook_doubled', event: 'customer.created', probability: 1 })
  await together(world, async () => {
    await stripe.customers.create({})
    await stripe.products.create({ name: 'once' })
  })
  expect(receiver.types().slice(3)).toEqual(['customer.created', 'customer.created', 'product.created'])
  expect(new Set(receiver.ids().slice(3)).size).toBe(2)
})

test('webhooks are shuffled: the same ones to the same places with the same seed', async () => {
  const orders: string[][] = []
  for (const seed of [3, 3, 4]) {
    const { world, receiver, control } = await hooked()
    control.fail({ kind: 'webhook_shuffled', probability: 0.5, seed })
    const names = Array.from({ length: 10 }, (_, i) => `p${i}`)
    await together(world, async () => {
      for (const name of names) await world.stripe.products.create({ name })
    })
    const arrived = receiver.received.map(({ event }) => (event.data.object as Stripe.Product).name)
    expect([...arrived].sort()).toEqual([...names].sort())
    expect(arrived).not.toEqual(names)
    orders.push(arrived)
  }
  expect(orders[1]).toEqual(orders[0])
  expect(orders[2]).not.toEqual(orders[0])
})

test('a stored 500 is replayed for its key, one that is not stored is done the second time', async () => {
  const world = await fresh()
  const create = (idempotencyKey: string) =>
    world.stripe.products.create({ name: 'a' }, { idempotencyKey, maxNetworkRetries: 0 })
  for (const [kind, second] of [
    ['error_500_stored', 500],
    ['error_500', 200],
  ] as const) {
    await arm(world, { kind, path: '/v1/products', probability: 1, times: 1 })
    expect((await refusal(create(kind))).statusCode).toBe(500)
    const again = await create(kind).then(
      () => 200,
      (error: Stripe.errors.StripeError) => error.statusCode,
    )
    expect(again).toBe(second)
  }
})
