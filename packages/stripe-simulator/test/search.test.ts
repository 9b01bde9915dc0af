import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newWorld, refusal, type World } from './world.ts'

/** Found at once, so that these stories are about what is found and not about when. */
const AT_ONCE = { settings: { searchDelaySeconds: 0 } }

describe('search', () => {
  let world: World
  beforeAll(async () => {
    world = await newWorld(AT_ONCE)
    for (const [name, email, plan] of [
      ['Amy', 'amy@rocketrides.io', 'gold'],
      ['Bob', 'bob@rocketrides.io', 'gold'],
      ['Carol "C"', 'carol@example.com', ''],
    ] as const) {
      await world.stripe.customers.create({ name, email, metadata: plan === '' ? {} : { plan } })
    }
  })
  afterAll(() => world.close())

  const names = async (query: string) =>
    (await world.stripe.customers.search({ query })).data.map((row) => row.name)

  // The operators of https://docs.stripe.com/search#search-query-language
  test.each([
    ['email:"amy@rocketrides.io"', ['Amy']],
    ['email:"AMY@rocketrides.io"', ['Amy']],
    ["name:'Bob'", ['Bob']],
    ['email~"rocket"', ['Bob', 'Amy']],
    ['-email~"rocket"', ['Carol "C"']],
    ['metadata["plan"]:"gold"', ['Bob', 'Amy']],
    ['metadata["plan"]:"gold" name:"Amy"', ['Amy']],
    ['metadata["plan"]:"gold" AND -name:"Amy"', ['Bob']],
    ['name:"Amy" OR email:"carol@example.com"', ['Carol "C"', 'Amy']],
    ['metadata["plan"]:null', ['Carol "C"']],
    ['-metadata["plan"]:null', ['Bob', 'Amy']],
    ['name:"Carol \\"C\\""', ['Carol "C"']],
    ['created>1000 name:"Bob"', ['Bob']],
    ['created<1000', []],
  ])('%s finds %j', async (query, found) => {
    expect(await names(query)).toEqual(found)
  })

  test.each([
    'amy',
    'email:amy@rocketrides.io',
    'name:"Amy" AND name:"Bob" OR name:"Carol"',
    'email~"am"',
    'name>3',
    'created~"123"',
    'city:"Rome"',
    'metadata:"gold"',
    Array.from({ length: 11 }, (_, i) => `name:"${i}"`).join(' OR '),
  ])('%s is refused', async (query) => {
    // No parameter is named: stripe-ruby-mock's tests, which run against Stripe too, and the walks of
    // github.com/crvouga/mockingbird (packages/service/stripe/src/search.ts), which the next test is from as well.
    const refused = await refusal(world.stripe.customers.search({ query }))
    expect(refused).toMatchObject({ statusCode: 400, type: 'StripeInvalidRequestError' })
    expect(refused.param).toBeUndefined()
  })

  test.each([
    ['0', 'This value must be greater than or equal to 1.'],
    ['101', "This value must be less than or equal to 100 (it currently is '101')."],
  ])('a limit of %s is refused, other than in a list', async (limit, message) => {
    const asked = world.stripe.customers.search({ query: 'created>1', limit: Number(limit) })
    expect(await refusal(asked)).toMatchObject({
      statusCode: 400,
      code: 'parameter_invalid_integer',
      param: 'limit',
      message,
    })
  })

  // https://docs.stripe.com/api/pagination/search
  test('pages by token, and counts when it is asked to', async () => {
    const query = 'created>1000'
    const first = await world.stripe.customers.search({ query, limit: 2 })
    expect(first).toMatchObject({ object: 'search_result', has_more: true, url: '/v1/customers/search' })
    expect(first).not.toHaveProperty('total_count')
    const rest = await world.stripe.customers.search({ query, limit: 2, page: first.next_page ?? '' })
    expect(rest).toMatchObject({ has_more: false, next_page: null })
    expect([...first.data, ...rest.data].map((row) => row.name)).toEqual(['Carol "C"', 'Bob', 'Amy'])
    const counted = await world.stripe.customers.search({ query, limit: 1, expand: ['total_count'] })
    expect(counted.total_count).toBe(3)
    const older = await world.stripe.customers.search(
      { query, limit: 1, expand: ['data.test_clock', 'total_count'] },
      { apiVersion: '2024-06-20' },
    )
    expect(older).toMatchObject({ total_count: 3, data: [{ test_clock: null }] })
    const all = await world.stripe.customers.search({ query, limit: 1 }).autoPagingToArray({ limit: 10 })
    expect(all).toHaveLength(3)
    const other = world.stripe.customers.search({ query: 'created>1', page: first.next_page ?? '' })
    // It is the token that is named: github.com/crvouga/mockingbird, docs/catalog-coverage.md.
    const token = first.next_page ?? ''
    expect(await refusal(other)).toMatchObject({ message: `${token} is an invalid page.`, param: token })
    const long = 'x'.repeat(1001)
    expect((await refusal(world.stripe.customers.search({ query, page: long }))).message).toBe(
      `${'x'.repeat(100)}...${'x'.repeat(100)} is an invalid page.`,
    )
  })

  test('finds each of the seven resources', async () => {
    const { stripe } = world
    const ada = await world.customer()
    const price = await world.price(1500, { lookup_key: 'team_monthly' })
    const subscription = await stripe.subscriptions.create({
      customer: ada.id,
      items: [{ price: price.id }],
      metadata: { order: '6735' },
    })
    const ids = async (found: Promise<{ data: { id: string }[] }>) => (await found).data.map((row) => row.id)
    const [invoice] = await world.invoices(subscription.id)
    expect(await ids(stripe.invoices.search({ query: `total>1000 customer:"${ada.id}"` }))).toEqual([
      invoice?.id,
    ])
    expect(await ids(stripe.invoices.search({ query: `subscription:"${subscription.id}"` }))).toEqual([
      invoice?.id,
    ])
    expect(
      await ids(stripe.subscriptions.search({ query: 'status:"active" metadata["order"]:"6735"' })),
    ).toEqual([subscription.id])
    expect(await ids(stripe.prices.search({ query: 'lookup_key:"team_monthly" active:"true"' }))).toEqual([
      price.id,
    ])
    expect(await ids(stripe.products.search({ query: 'name~"tea"' }))).toEqual([price.product])
    const [intent] = await ids(stripe.paymentIntents.search({ query: `customer:"${ada.id}" amount:1500` }))
    expect(intent).toMatch(/^pi_/)
    const charges = stripe.charges.search({
      query: `payment_method_details.card.last4:4242 customer:"${ada.id}"`,
      expand: ['data.payment_intent'],
    })
    expect((await charges).data).toMatchObject([{ amount: 1500, payment_intent: { id: intent } }])
  })
})

// "Don't use search for read-after-write flows" https://docs.stripe.com/search#data-freshness
test('nothing is found right after it was written, and old states until the new ones are', async () => {
  const world = await newWorld()
  try {
    const find = async (query: string) => (await world.stripe.customers.search({ query })).data.length
    const { id } = await world.stripe.customers.create({ name: 'Ada' })
    expect(await find('name:"Ada"')).toBe(0)
    world.simulator.control.settleSearch()
    expect(await find('name:"Ada"')).toBe(1)
    await world.stripe.customers.update(id, { name: 'Grace' })
    expect([await find('name:"Ada"'), await find('name:"Grace"')]).toEqual([1, 0])
    await fetch(`${world.simulator.url}/_simulator/search/settle`, { method: 'POST' })
    expect([await find('name:"Ada"'), await find('name:"Grace"')]).toEqual([0, 1])
  } finally {
    await world.close()
  }
})
