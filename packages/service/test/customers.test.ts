import { defineCatalog } from '@lockstep/core/catalog'
import { afterEach, expect, test } from 'vitest'
import { atStripe } from './support/installation.ts'
import { sharedInstallation } from './support/shared.ts'

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  meters: { calls: { name: 'Calls', unitLabel: 'call', aggregation: 'count' } },
  plans: {
    free: {
      name: 'Free',
      product: 'app',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '0' } },
    },
    team: {
      name: 'Team',
      product: 'app',
      interval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '9.00' },
        calls: {
          meter: 'calls',
          model: 'graduated',
          tiers: [
            { upTo: '10', unitAmount: '0' },
            { upTo: null, unitAmount: '0.0004' },
          ],
        },
        support: { model: 'percentage', percent: '10' },
      },
    },
  },
})

const { simulator, installation } = await sharedInstallation(catalog)
const ask = installation.ask
afterEach(() => simulator.control.clearFaults())

test('a customer may exist before a plan is chosen', async () => {
  const body = { externalId: 'ada', name: 'Ada', email: 'Ada@Example.org' }
  const made = await ask('POST', '/v1/customers', body, 'ada-1')
  expect(made).toMatchObject({
    status: 201,
    body: { ...body, currency: null, testClock: null, providerId: null, deletedAtProvider: null },
  })
  expect(await ask('POST', '/v1/customers', body, 'ada-1')).toEqual(made)
  expect(await ask('GET', `/v1/customers/${made.body.id}`)).toEqual({ ...made, status: 200 })
  expect(await ask('POST', '/v1/customers', body)).toMatchObject({
    status: 409,
    body: { code: 'customer_exists' },
  })

  const registered = await ask('POST', '/v1/registrations', { externalId: 'ada', plan: 'free' })
  expect(registered.body.customer).toBe(made.body.id)
  const now = await ask('GET', `/v1/customers/${made.body.id}`)
  expect(now.body).toMatchObject({ name: 'Ada', currency: 'usd', providerId: expect.stringMatching(/^cus_/) })
})

test('customers are found by what is exactly theirs', async () => {
  await ask('POST', '/v1/customers', { externalId: 'mary', email: 'Mary@Example.org' })
  const { body } = await ask('GET', '/v1/customers?email=mary@example.ORG')
  expect(body.data).toMatchObject([{ externalId: 'mary' }])
  expect((await ask('GET', '/v1/customers?externalId=nobody')).body).toEqual({
    data: [],
    hasMore: false,
    nextCursor: null,
  })
  expect((await ask('GET', '/v1/customers/customer_0')).body.code).toBe('customer_not_found')
})

test('one is read by our id or by your own', async () => {
  const { body } = await ask('POST', '/v1/customers', { externalId: 'read:by/both', name: 'Ada' })
  for (const name of [String(body.id), encodeURIComponent('read:by/both')])
    expect(await ask('GET', `/v1/customers/${name}`)).toMatchObject({ status: 200, body: { id: body.id } })
  // Somebody else's own id is no id of ours.
  await ask('POST', '/v1/customers', { externalId: String(body.id), name: 'Eve' })
  expect((await ask('GET', `/v1/customers/${body.id}`)).body).toMatchObject({ name: 'Ada' })
  expect(await ask('GET', '/v1/customers/nobody')).toMatchObject({
    status: 404,
    body: { code: 'customer_not_found' },
  })
})

/** What is under way. The answer to a change hardly waits for Stripe to be told of it. */
async function underWay(): Promise<string[]> {
  const { rows } = await installation.database.pool.query('select id from workflow where ended_at is null')
  return rows.map(({ id }) => id)
}

test('a name is changed here and at Stripe; what is left out stays, null removes', async () => {
  const { body } = await ask('POST', '/v1/registrations', {
    externalId: 'grace',
    plan: 'free',
    name: 'Grace',
    email: 'g@example.org',
  })
  const atStripe = async () => {
    for (const id of await underWay()) await installation.workflows.settled(id, 600)
    const { body: customer } = await ask('GET', `/v1/customers/${body.customer}`)
    const seen = await installation.deps.provider.stripe.customers.retrieve(String(customer.providerId))
    return seen.deleted ? undefined : [seen.name, seen.email]
  }
  simulator.control.fail({ kind: 'timeout_after_commit', method: 'POST', path: '/v1/customers/*' })
  const changed = await ask('PATCH', `/v1/customers/${body.customer}`, { name: 'Grace Hopper' })
  expect(changed).toMatchObject({ status: 200, body: { name: 'Grace Hopper', email: 'g@example.org' } })
  expect(await atStripe()).toEqual(['Grace Hopper', 'g@example.org'])
  await ask('PATCH', `/v1/customers/${body.customer}`, { email: null })
  expect(await atStripe()).toEqual(['Grace Hopper', null])

  simulator.control.clearRequests()
  await ask('PATCH', `/v1/customers/${body.customer}`, { name: 'Grace Hopper' })
  expect(simulator.control.requests().total).toBe(0)
})

test('a name that is changed while Stripe is away is told later', async () => {
  const { body } = await ask('POST', '/v1/registrations', { externalId: 'edsger', plan: 'free' })
  simulator.control.fail({ kind: 'error_500', method: 'POST', path: '/v1/customers/*', times: 6 })
  const changed = await ask('PATCH', `/v1/customers/${body.customer}`, { name: 'Edsger' })
  expect(changed).toMatchObject({ status: 200, body: { name: 'Edsger' } })
  for (const id of await underWay()) await installation.workflows.stopped(id)
  simulator.control.clearFaults()
  await installation.database.pool.query('update workflow set next_attempt_at = null where ended_at is null')
  await installation.workflows.resumeDue()
  const seen = await installation.deps.provider.stripe.customers.retrieve(String(changed.body.providerId))
  expect(seen).toMatchObject({ name: 'Edsger' })
})

test('the catalogue is read as it was written, and its parts by key', async () => {
  const read = await ask('GET', '/v1/catalog')
  expect(read.status).toBe(200)
  expect(await ask('POST', '/v1/catalog/plan', read.body)).toMatchObject({
    status: 200,
    body: { changes: [] },
  })
  expect(await ask('POST', '/v1/catalog/apply', read.body)).toMatchObject({
    status: 200,
    body: { changes: [] },
  })

  const plans = await ask('GET', '/v1/plans?limit=1')
  expect(plans.body).toMatchObject({ data: [{ key: 'free' }], hasMore: true, nextCursor: 'free' })
  expect((await ask('GET', '/v1/plans?after=free')).body).toMatchObject({
    data: [{ key: 'team' }],
    hasMore: false,
  })
  const team = await ask('GET', '/v1/plans/team')
  expect(team.body).toMatchObject({
    version: 1,
    prices: [
      { key: 'fee', model: 'flat', amount: { amount: '9.00', minor: '900', currency: 'usd' } },
      {
        key: 'calls',
        model: 'graduated',
        tiers: [
          { upTo: '10', unitAmount: '0' },
          { upTo: null, unitAmount: '0.0004' },
        ],
      },
      { key: 'support', model: 'percentage', percent: '10' },
    ],
  })
  expect((await ask('GET', '/v1/plans/nothing')).body.code).toBe('plan_not_found')
  expect((await ask('GET', '/v1/meters')).body).toMatchObject({
    data: [{ key: 'calls', aggregation: 'count' }],
  })
  expect((await ask('GET', '/v1/meters/nothing')).body.code).toBe('meter_not_found')
})

test('a catalogue with mistakes is refused with all of them', async () => {
  const answer = await ask('POST', '/v1/catalog/apply', {
    currency: 'usd',
    products: { app: { name: 'App' } },
    plans: {
      a: {
        name: 'A',
        product: 'nothing',
        interval: 'month',
        prices: { fee: { kind: 'recurring', model: 'flat', amount: '9.001' } },
      },
    },
  })
  expect(answer).toMatchObject({ status: 422, body: { code: 'catalog_invalid' } })
  expect((answer.body.errors as { pointer: string }[]).map(({ pointer }) => pointer)).toEqual([
    '#/plans/a/product',
    '#/plans/a/prices/fee/amount',
  ])
})

test('mappings are listed page by page, each once', async () => {
  const ours: string[] = []
  for (const externalId of ['linked_1', 'linked_2', 'linked_3']) {
    const { body } = await ask('POST', '/v1/registrations', { externalId, plan: 'free' })
    ours.push(`customer ${body.customer}`)
  }
  const seen: string[] = []
  for (let after: string | null = ''; after !== null; ) {
    const { body } = await ask(
      'GET',
      `/v1/mappings?limit=2${after ? `&after=${encodeURIComponent(after)}` : ''}`,
    )
    seen.push(
      ...(body.data as { entityType: string; entityId: string }[]).map(
        (one) => `${one.entityType} ${one.entityId}`,
      ),
    )
    after = body.nextCursor as string | null
  }
  expect(seen).toEqual([...new Set(seen)])
  expect(seen.filter((line) => ours.includes(line)).toSorted()).toEqual(ours.toSorted())
  const one = await ask('GET', '/v1/mappings?entityType=product&entityId=app')
  expect(one.body).toMatchObject({ data: [{ providerType: 'product', livemode: false, origin: 'outbound' }] })
})

test('two who make one customer at once, by two names, make one, and Stripe hears the name that stands here', async () => {
  for (let round = 1; round <= 5; round += 1) {
    const externalId = `twice_${round}`
    const makers = ['Ada', 'Ada Byron', 'Ada Lovelace'].map((name, index) =>
      ask('POST', '/v1/registrations', { externalId, plan: 'free', slot: `place_${index}`, name }),
    )
    expect((await Promise.all(makers)).map(({ status }) => status)).toEqual([201, 201, 201])
    const { body } = await ask('GET', `/v1/customers?externalId=${externalId}`)
    const [here] = body.data as { id: string; name: string; providerId: string }[]
    const own = (await atStripe(installation)).customers.filter(
      ({ metadata }) => metadata.lockstep_customer === here?.id,
    )
    expect(own.map(({ id, name }) => [id, name])).toEqual([[here?.providerId, here?.name]])
  }
})

test('what makes a customer says nothing that may change', async () => {
  simulator.control.clearRequests()
  await ask('POST', '/v1/registrations', {
    externalId: 'barbara',
    plan: 'free',
    name: 'Barbara',
    email: 'b@example.org',
    address: { country: 'DE', postalCode: '10115' },
  })
  const [create, tell] = simulator.control.requests().requests
  expect(create).toMatchObject({ method: 'POST', path: '/v1/customers' })
  expect(create?.params).not.toMatch(/Barbara|example|10115/)
  expect(tell?.params).toMatch(/Barbara/)
})
