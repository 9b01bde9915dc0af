import { expect, test } from 'vitest'
import { newReceiver } from './receiver.ts'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, newWorld } from './world.ts'

const world = await sharedWorld()

async function see(path: string) {
  const response = await fetch(world.simulator.url + path)
  return { status: response.status, text: await response.text() }
}

/** Presses a button as a browser does, on the simulator's own page unless told. */
async function press(path: string, form: Record<string, string>, site = 'same-origin') {
  const response = await fetch(`${world.simulator.url}/_simulator/window${path}`, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: { 'sec-fetch-site': site },
    redirect: 'manual',
  })
  return { status: response.status, text: await response.text(), next: response.headers.get('location') }
}

const object = (id: string) => see(`/_simulator/window/object/${id}`)

test('the root leads to the window, and every kind of object that is there has a page', async () => {
  const { id } = await world.customer()
  const price = await world.price(1000)
  await world.stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
  const home = await see('/')
  const kinds = [...home.text.matchAll(/href="(\/_simulator\/window\/objects\/\w+)"/g)].map(
    ([, path]) => path,
  )
  expect(kinds).toEqual(
    expect.arrayContaining(
      ['customers', 'subscriptions', 'invoices', 'charges', 'events', 'testClocks'].map(
        (kind) => `/_simulator/window/objects/${kind}`,
      ),
    ),
  )
  for (const path of kinds) {
    const list = await see(path ?? '')
    expect([path, list.status]).toEqual([path, 200])
    const first = /href="(\/_simulator\/window\/object\/[^"]+)"/.exec(list.text)?.[1]
    expect((await see(first ?? '')).status).toBe(200)
  }
  expect((await object('cus_none')).status).toBe(404)
  expect((await see('/_simulator/window/objects/alarms')).status).toBe(404)
})

test('ids lead from object to object, and an object names what belongs to it', async () => {
  const { id, clock } = await world.customer()
  const price = await world.price(2500)
  const subscription = await world.stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
  const { text } = await object(id)
  const { id: invoice } = (await world.invoices(subscription.id))[0] ?? {}
  for (const other of [clock, subscription.id, invoice]) {
    expect(text).toContain(`<a href="/_simulator/window/object/${other}">`)
  }
  expect(text).toContain('$25.00')
  expect(text).toContain('customer.created')
})

test('whatever was sent is text on a page, never markup', async () => {
  const name = '<script>alert("1")</script>'
  const { id } = await world.stripe.customers.create({ name, metadata: { '<b>': "'><img src=x>" } })
  const log = world.simulator.control.requests().requests.at(-1)
  for (const path of [
    `/_simulator/window/object/${id}`,
    '/_simulator/window/objects/customers',
    `/_simulator/window/requests/${log?.id}`,
    `/_simulator/window/events?type=${encodeURIComponent(name)}`,
  ]) {
    const { text } = await see(path)
    expect(text).not.toContain('<script')
    expect(text).not.toContain('<img')
    expect(text).toContain('&#60;script&#62;')
  }
})

test('secrets are not shown', async () => {
  const endpoint = await world.stripe.webhookEndpoints.create({
    url: 'http://127.0.0.1:9/hook',
    enabled_events: ['plan.created'],
  })
  const intent = await world.stripe.paymentIntents.create({ amount: 1000, currency: 'usd' })
  await world.stripe.customers.create({ description: `sk_test_51Abcdef ${endpoint.secret}` })
  const secrets = [endpoint.secret, intent.client_secret, 'sk_test_51Abcdef'].map(String)
  const requests = world.simulator.control.requests().requests.slice(-3)
  const pages = [
    `/_simulator/window/object/${endpoint.id}`,
    `/_simulator/window/object/${intent.id}`,
    '/_simulator/window/objects/customers',
    ...requests.map((request) => `/_simulator/window/requests/${request.id}`),
  ]
  for (const path of pages) {
    const { text } = await see(path)
    for (const secret of secrets) expect([path, text.includes(secret)]).toEqual([path, false])
  }
  expect((await object(intent.id)).text).toContain(`${intent.id}_secret_…`)
})

test('a request is shown with what was sent and answered', async () => {
  await world.stripe.customers.create({ email: 'ada@example.com' }, { idempotencyKey: 'seen' })
  const [request] = world.simulator.control.requests().requests.slice(-1)
  expect((await see('/_simulator/window/requests')).text).toContain(`${request?.id}</a>`)
  const { text } = await see(`/_simulator/window/requests/${request?.id}`)
  expect(text).toContain('<td>email</td><td>ada@example.com</td>')
  expect(text).toContain('Idempotency key: seen.')
  expect(text).toMatch(/<b>id<\/b>: "<a href="\/_simulator\/window\/object\/cus_\w+">/)
})

test('an event is shown with its deliveries, their answers, and a button to send it again', async () => {
  const receiver = await newReceiver('whsec_window')
  const own = await newWorld({
    webhooks: [{ url: receiver.url, secret: 'whsec_window' }],
    delivery: { retryMs: [] },
  })
  const windowOf = async (path: string) =>
    (await fetch(`${own.simulator.url}/_simulator/window${path}`)).text()
  receiver.answerWith(() => 503)
  await own.stripe.customers.create({ name: 'Ada' })
  await own.simulator.control.idle()
  const [event] = await own.events(['customer.created'])
  expect(await windowOf(`/object/${event?.id}`)).toContain('<td class="bad">503</td>')
  expect(own.simulator.control.attempts(event?.id ?? '')).toMatchObject([{ status: 503, answer: '' }])
  receiver.answerWith(() => 200)
  await fetch(`${own.simulator.url}/_simulator/window/events/${event?.id}/redeliver`, { method: 'POST' })
  await own.simulator.control.idle()
  expect(await windowOf(`/object/${event?.id}`)).toContain('<td class="good">200</td>')
  await receiver.close()
  await own.stripe.customers.create({ name: 'Grace' })
  await own.simulator.control.idle()
  const [, unanswered] = await own.events(['customer.created'])
  expect(await windowOf(`/object/${unanswered?.id}`)).toContain('ECONNREFUSED')
  await own.close()
})

test('a clock is turned by its buttons, also to the next thing that is due on it', async () => {
  const { id, clock } = await world.customer()
  const price = await world.price(1000)
  const { id: subscription } = await world.stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
  })
  expect(await press(`/clocks/${clock}/advance`, { by: 'month' })).toMatchObject({
    status: 303,
    next: '/_simulator/window/clocks',
  })
  await world.simulator.control.idle()
  // 2026-02-01T00:00:00Z: the renewal is a draft, and its hour is what is due next.
  expect((await world.stripe.testHelpers.testClocks.retrieve(clock)).frozen_time).toBe(JAN_1 + 31 * DAY)
  expect((await world.invoices(subscription)).map(({ status }) => status)).toEqual(['paid', 'draft'])
  await press(`/clocks/${clock}/advance`, { by: 'due' })
  await world.simulator.control.idle()
  expect((await world.stripe.testHelpers.testClocks.retrieve(clock)).frozen_time).toBe(
    JAN_1 + 31 * DAY + HOUR,
  )
  expect((await world.invoices(subscription)).map(({ status }) => status)).toEqual(['paid', 'paid'])
  expect((await press(`/clocks/${clock}/advance`, { by: 'century' })).text).toContain('how far')
})

test('a challenge of the bank is answered by a button', async () => {
  const intent = await world.stripe.paymentIntents.create({
    amount: 1099,
    currency: 'usd',
    payment_method: 'pm_card_authenticationRequired',
    confirm: true,
    return_url: 'http://127.0.0.1:9/back',
  })
  const { text } = await see('/_simulator/window/waiting')
  expect(text).toContain(intent.id)
  expect(text).toContain('$10.99')
  await press(`/intents/${intent.id}/authenticate`, { outcome: 'succeed' })
  expect((await world.stripe.paymentIntents.retrieve(intent.id)).status).toBe('succeeded')
  expect((await press(`/intents/${intent.id}/authenticate`, { outcome: 'succeed' })).text).toContain(
    'does not wait for authentication',
  )
})

test('a button pressed from another site does nothing', async () => {
  const { clock } = await world.customer()
  expect((await press(`/clocks/${clock}/advance`, { by: 'month' }, 'cross-site')).status).toBe(403)
  expect((await world.stripe.testHelpers.testClocks.retrieve(clock)).status).toBe('ready')
})

test('long lists come in pages that together are the list', async () => {
  const own = await newWorld()
  const made: string[] = []
  for (let i = 0; i < 120; i++) made.push((await own.stripe.products.create({ name: `Product ${i}` })).id)
  const seen: string[] = []
  let path: string | undefined = '/_simulator/window/objects/products'
  while (path !== undefined) {
    const text: string = await (await fetch(own.simulator.url + path)).text()
    seen.push(...[...text.matchAll(/object\/(prod_\w+)"/g)].map(([, id]) => id ?? ''))
    path = /<a href="([^"]+after=[^"]+)">Older/.exec(text)?.[1]
  }
  expect(seen).toEqual(made.toReversed())
  await own.close()
})
