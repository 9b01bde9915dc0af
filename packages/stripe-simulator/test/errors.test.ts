// docs.stripe.com/api/errors and observed answers of the service.
import { describe, expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { newWorld, refusal } from './world.ts'

const world = await sharedWorld()

async function raw(method: string, path: string, body?: string, key: string | null = 'sk_test_x') {
  const answer = await fetch(world.simulator.url + path, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    ...(body === undefined ? {} : { body }),
  })
  return { status: answer.status, body: (await answer.json()) as { error: Record<string, unknown> } }
}

describe('refusals', () => {
  test('an id in the path is 404, an id in the body 400 with its bracket path', async () => {
    const path = await refusal(world.stripe.customers.retrieve('cus_x'))
    expect(path).toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
      param: 'id',
      type: 'StripeInvalidRequestError',
      message: "No such customer: 'cus_x'",
      doc_url: 'https://stripe.com/docs/error-codes/resource-missing',
    })
    expect(path.requestId).toMatch(/^req_/)
    const { id } = await world.customer()
    const body = await refusal(world.stripe.subscriptions.create({ customer: id, items: [{ price: 'x' }] }))
    expect(body).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      param: 'items[0][price]',
      message: "No such price: 'x'",
    })
    const attach = await refusal(world.stripe.paymentMethods.attach('pm_x', { customer: id }))
    expect(attach).toMatchObject({ statusCode: 404, param: 'payment_method' })
  })

  test('metadata of 50 keys of 40 characters without brackets, and values of 500', async () => {
    // docs.stripe.com/metadata#data
    const create = (metadata: Record<string, string>) => world.stripe.customers.create({ metadata })
    const keys = (count: number) => Object.fromEntries([...Array(count).keys()].map((i) => [`key_${i}`, 'x']))
    const most = { ...keys(49), ['k'.repeat(40)]: 'v'.repeat(500) }
    expect((await create(most)).metadata).toEqual(most)
    expect(await refusal(create(keys(51)))).toMatchObject({ statusCode: 400, param: 'metadata' })
    for (const [key, value] of [
      ['k'.repeat(41), 'v'],
      ['k', 'v'.repeat(501)],
      ['a[b]', 'v'],
    ] as const) {
      expect((await refusal(create({ [key]: value }))).statusCode).toBe(400)
    }
  })

  test('unknown and missing parameters', async () => {
    const unknown = await raw('POST', '/v1/customers', 'email=a@b.c&phases[0][plans]=x')
    expect(unknown).toMatchObject({
      status: 400,
      body: {
        error: { code: 'parameter_unknown', param: 'phases', message: 'Received unknown parameter: phases' },
      },
    })
    const nested = await raw('POST', '/v1/subscriptions', 'customer=c&items[0][colour]=red')
    expect(nested.body.error).toMatchObject({
      code: 'parameter_unknown',
      message: 'Received unknown parameter: items[0][colour]',
    })
    const absent = await raw('POST', '/v1/products', 'description=x')
    expect(absent.body.error).toMatchObject({
      code: 'parameter_missing',
      param: 'name',
      message: 'Missing required param: name.',
    })
    const empty = await raw('POST', '/v1/products', 'name=')
    expect(empty.body.error).toMatchObject({ code: 'parameter_invalid_empty', param: 'name' })
    const number = await raw('GET', '/v1/customers?limit=abc')
    expect(number.body.error).toMatchObject({ code: 'parameter_invalid_integer', param: 'limit' })
  })

  test('what Stripe has and the simulator has not is refused by name', async () => {
    const { id } = await world.customer()
    const price = await world.price(100)
    const gap = await refusal(
      world.stripe.subscriptions.create({
        customer: id,
        items: [{ price: price.id }],
        transfer_data: { destination: 'acct_1' },
      }),
    )
    expect(gap).toMatchObject({ statusCode: 400, code: 'simulator_gap', param: 'transfer_data' })
  })

  test('keys and addresses', async () => {
    expect(await raw('GET', '/v1/customers', undefined, null)).toMatchObject({
      status: 401,
      body: { error: { type: 'invalid_request_error' } },
    })
    const live = await raw('GET', '/v1/customers', undefined, 'sk_live_1234567890')
    expect(live.body.error.message).toBe('Invalid API Key provided: sk_live_******7890')
    // docs.stripe.com/error-codes#secret-key-required
    const publishable = await raw('GET', '/v1/customers', undefined, 'pk_test_1234567890')
    expect(publishable.status).toBe(403)
    expect(publishable.body.error.code).toBe('secret_key_required')
    const unknown = await raw('GET', '/v1/unicorns')
    expect(unknown.status).toBe(404)
    expect(unknown.body.error.message).toMatch(/^Unrecognized request URL \(GET: \/v1\/unicorns\)\./)
    const missing = await raw('POST', '/v1/quotes', 'customer=cus_1')
    expect(missing).toMatchObject({
      status: 404,
      body: {
        error: {
          code: 'simulator_gap',
          message: 'The simulator does not implement stripe.quotes.create (POST /v1/quotes).',
        },
      },
    })
    const basic = await fetch(`${world.simulator.url}/v1/customers`, {
      headers: { authorization: `Basic ${Buffer.from('sk_test_x:').toString('base64')}` },
    })
    expect(basic.status).toBe(200)
  })

  test('an API version that is too old to be served is refused', async () => {
    const old = await refusal(world.stripe.customers.list({}, { apiVersion: '2019-12-03' }))
    expect(old.code).toBe('simulator_gap')
  })

  test('expanding', async () => {
    const { id } = await world.customer()
    const price = await world.price(100)
    const subscription = await world.stripe.subscriptions.create({
      customer: id,
      items: [{ price: price.id }],
      expand: ['customer', 'latest_invoice.payments', 'items.data.price.product'],
    })
    expect(subscription.customer).toMatchObject({ object: 'customer', id })
    expect(subscription.latest_invoice).toMatchObject({
      payments: { object: 'list', data: [{ status: 'paid' }] },
    })
    expect(subscription.items.data[0]?.price.product).toMatchObject({ object: 'product', name: 'Team' })
    const list = await world.stripe.subscriptions.list({ customer: id, expand: ['data.customer'] })
    expect(list.data[0]?.customer).toMatchObject({ id })
    const invoice = await world.stripe.invoices.retrieve(list.data[0]?.latest_invoice as string, {
      expand: ['payments.data.payment.payment_intent', 'parent.subscription_details.subscription'],
    })
    expect(invoice.payments?.data[0]?.payment.payment_intent).toMatchObject({ status: 'succeeded' })
    expect(invoice.parent?.subscription_details?.subscription).toMatchObject({ id: subscription.id })
    const method = await world.stripe.customers.retrieve(id, {
      expand: ['invoice_settings.default_payment_method', 'subscriptions'],
    })
    expect(method).toMatchObject({
      invoice_settings: { default_payment_method: { object: 'payment_method' } },
      subscriptions: { data: [{ id: subscription.id }] },
    })
    const none = await refusal(world.stripe.customers.retrieve(id, { expand: ['metadata'] }))
    expect(none.message).toBe('This property cannot be expanded (metadata).')
    const absent = await refusal(world.stripe.customers.retrieve(id, { expand: ['horse'] }))
    expect(absent.message).toMatch(/^This property cannot be expanded because it doesn't exist: horse/)
    const deep = await refusal(world.stripe.subscriptions.list({ expand: ['data.items.data.price.product'] }))
    expect(deep.code).toBe('property_expansion_max_depth')
  })
})

describe('lists', () => {
  test('newest first, both ways, without gaps or repeats', async () => {
    const own = await newWorld()
    const made: string[] = []
    for (let i = 0; i < 7; i++) made.unshift((await own.stripe.products.create({ name: `p${i}` })).id)
    const first = await own.stripe.products.list({ limit: 3 })
    expect(first.data.map((row) => row.id)).toEqual(made.slice(0, 3))
    expect(first).toMatchObject({ object: 'list', has_more: true, url: '/v1/products' })
    const second = await own.stripe.products.list({ limit: 4, starting_after: made[2] as string })
    expect(second.data.map((row) => row.id)).toEqual(made.slice(3))
    expect(second.has_more).toBe(false)
    const back = await own.stripe.products.list({ limit: 2, ending_before: made[5] as string })
    expect(back.data.map((row) => row.id)).toEqual(made.slice(3, 5))
    expect(back.has_more).toBe(true)
    const all: string[] = []
    for await (const row of own.stripe.products.list({ limit: 2 })) all.push(row.id)
    expect(all).toEqual(made)
    await own.close()
  })

  test('created filters and hidden rows', async () => {
    const { stripe } = world
    const { id, clock } = await world.customer()
    const price = await world.price(100)
    const subscription = await stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
    await stripe.subscriptions.cancel(subscription.id)
    expect((await stripe.subscriptions.list({ customer: id })).data).toEqual([])
    expect((await stripe.subscriptions.list({ customer: id, status: 'all' })).data).toHaveLength(1)
    expect((await stripe.subscriptions.list({ customer: id, status: 'ended' })).data).toHaveLength(1)
    // Customers on a clock come only when it is named.
    expect((await stripe.customers.list({ limit: 100 })).data.map((row) => row.id)).not.toContain(id)
    expect((await stripe.customers.list({ test_clock: clock })).data.map((row) => row.id)).toEqual([id])
    const created = subscription.created
    const some = await stripe.invoices.list({ customer: id, created: { gte: created, lt: created + 1 } })
    expect(some.data).toHaveLength(1)
    expect((await stripe.invoices.list({ customer: id, created: { gt: created } })).data).toEqual([])
  })
})

test('metadata: given keys are set, empty ones removed, an empty whole removes all', async () => {
  const { stripe } = world
  const customer = await stripe.customers.create({ metadata: { a: '1', b: '2' } })
  const some = await stripe.customers.update(customer.id, { metadata: { a: '', c: '3' } })
  expect(some.metadata).toEqual({ b: '2', c: '3' })
  const none = await stripe.customers.update(customer.id, { metadata: '' })
  expect(none.metadata).toEqual({})
})

test('arrays come indexed or appended, and both mean the same', async () => {
  const { id } = await world.customer()
  const price = await world.price(100)
  for (const [expand, item] of [
    ['expand[]=customer&expand[]=latest_invoice', 'items[][price]'],
    ['expand[0]=customer&expand[1]=latest_invoice', 'items[0][price]'],
  ]) {
    const answer = await raw('POST', '/v1/subscriptions', `customer=${id}&${item}=${price.id}&${expand}`)
    expect(answer).toMatchObject({
      status: 200,
      body: {
        customer: { id },
        latest_invoice: { object: 'invoice' },
        items: { data: [{ price: { id: price.id } }] },
      },
    })
  }
})

test('an error carries the addresses of its documentation and of its request', async () => {
  const { body } = await raw('GET', '/v1/customers/cus_x')
  expect(body.error).toMatchObject({
    type: 'invalid_request_error',
    code: 'resource_missing',
    doc_url: 'https://stripe.com/docs/error-codes/resource-missing',
    request_log_url: expect.stringMatching(/^https:\/\/dashboard\.stripe\.com\/test\/logs\/req_/),
  })
})

test('what a product holds decides whether it can be deleted', async () => {
  const { stripe } = world
  const price = await world.price(100)
  const product = price.product as string
  expect((await refusal(stripe.products.del(product))).statusCode).toBe(400)
  const empty = await stripe.products.create({
    name: 'Empty',
    default_price_data: { currency: 'usd', unit_amount: 5 },
  })
  expect((await stripe.prices.retrieve(empty.default_price as string)).product).toBe(empty.id)
  const free = await stripe.products.create({ name: 'Free' })
  expect(await stripe.products.del(free.id)).toMatchObject({ deleted: true })
  expect((await refusal(stripe.products.retrieve(free.id))).statusCode).toBe(404)
})

test('a deleted customer stays readable, and its subscriptions end', async () => {
  const { stripe } = world
  const { id } = await world.customer()
  const price = await world.price(100)
  const subscription = await stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
  await stripe.customers.del(id)
  expect(await stripe.customers.retrieve(id)).toMatchObject({ id, deleted: true })
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled')
  expect((await refusal(stripe.customers.update(id, { name: 'x' }))).statusCode).toBe(404)
  const ended = await refusal(stripe.subscriptions.update(subscription.id, { description: 'x' }))
  expect(ended.code).toBe('invalid_canceled_subscription_fields')
  expect(ended.message).toBe('A canceled subscription can only update its cancellation_details and metadata.')
  expect((await stripe.subscriptions.update(subscription.id, { metadata: { a: '1' } })).metadata).toEqual({
    a: '1',
  })
  expect((await refusal(stripe.subscriptions.cancel(subscription.id))).statusCode).toBe(404)
})

test('a name that every object of the language has is no token and no currency', async () => {
  const { stripe } = world
  const asked = { amount: 100, currency: 'usd', payment_method: 'constructor' }
  expect(await refusal(stripe.paymentIntents.create(asked))).toMatchObject({
    statusCode: 400,
    code: 'resource_missing',
    param: 'payment_method',
  })
  const { id } = await stripe.customers.create({})
  for (const currency of ['constructor', 'zzz']) {
    const refused = await refusal(stripe.invoiceItems.create({ customer: id, amount: 100, currency }))
    expect(refused).toMatchObject({ statusCode: 400, param: 'currency' })
  }
  // docs.stripe.com/currencies: codes are answered in lower case.
  const item = await stripe.invoiceItems.create({ customer: id, amount: 100, currency: 'EUR' })
  expect(item.currency).toBe('eur')
})
