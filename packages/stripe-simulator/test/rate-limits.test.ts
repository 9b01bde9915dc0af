import { expect, test } from 'vitest'
import { newWorld, refusal, type World } from './world.ts'

const roomy = {
  globalPerSecond: 1000,
  endpointPerSecond: 1000,
  searchPerSecond: 1000,
  meterEventsPerSecond: null,
  subscriptionInvoicesPerMinute: 1000,
  subscriptionInvoicesPerDay: 1000,
  subscriptionQuantitiesPerHour: 1000,
}

async function during(rateLimits: object, story: (world: World) => Promise<void>) {
  const world = await newWorld({ settings: { rateLimits: { ...roomy, ...rateLimits } } })
  try {
    await story(world)
  } finally {
    await world.close()
  }
}

const all = (calls: Promise<unknown>[]) =>
  Promise.all(
    calls.map((call) =>
      call.then(
        () => null,
        (error: { raw: object }) => error,
      ),
    ),
  )

// https://docs.stripe.com/rate-limits
test('too many requests of one operation are refused, others are not', async () => {
  await during({ endpointPerSecond: 1 }, async ({ stripe }) => {
    const answers = await all(Array.from({ length: 40 }, () => stripe.customers.list()))
    const refused = answers.filter((answer) => answer !== null)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]).toMatchObject({
      type: 'StripeRateLimitError',
      statusCode: 429,
      code: 'rate_limit',
      headers: { 'stripe-rate-limited-reason': 'endpoint-rate' },
    })
    expect((await stripe.products.list()).data).toEqual([])
  })
})

test('too many requests of all operations are refused', async () => {
  await during({ globalPerSecond: 1 }, async ({ stripe }) => {
    const answers = await all(
      Array.from({ length: 20 }, () => [stripe.customers.list(), stripe.products.list()]).flat(),
    )
    expect(answers.find((answer) => answer !== null)).toMatchObject({
      headers: { 'stripe-rate-limited-reason': 'global-rate' },
    })
  })
})

test('a refused request did nothing, and its idempotency key is free', async () => {
  await during({ endpointPerSecond: 1 }, async ({ stripe }) => {
    const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`)
    const create = (key: string) => stripe.customers.create({ name: key }, { idempotencyKey: key })
    const answers = await all(keys.map(create))
    const made = await stripe.customers.list({ limit: 100 })
    expect(made.data).toHaveLength(answers.filter((answer) => answer === null).length)
  })
})

// "10 new invoices per minute ... per subscription", "200 quantity updates per hour per subscription"
test('one subscription takes so many invoices and changes of quantity, another is not touched', async () => {
  await during(
    { subscriptionInvoicesPerMinute: 3, subscriptionQuantitiesPerHour: 2 },
    async ({ stripe, customer, price }) => {
      const [ada, monthly] = [await customer(), await price(1000)]
      const subscribe = () =>
        stripe.subscriptions.create({ customer: ada.id, items: [{ price: monthly.id, quantity: 1 }] })
      const { id, items } = await subscribe()
      const item = items.data[0]?.id ?? ''
      const seats = (quantity: number, behavior: 'none' | 'always_invoice' = 'none') =>
        stripe.subscriptions.update(id, { items: [{ id: item, quantity }], proration_behavior: behavior })
      await seats(2)
      await seats(3)
      const refused = await refusal(seats(4))
      expect(refused).toMatchObject({
        statusCode: 429,
        code: 'rate_limit',
        headers: { 'stripe-rate-limited-reason': 'resource-specific' },
      })
      expect((await stripe.subscriptions.retrieve(id)).items.data[0]?.quantity).toBe(3)
      const invoice = () => stripe.invoices.create({ customer: ada.id, subscription: id })
      await invoice()
      await invoice()
      expect(await refusal(invoice())).toMatchObject({ code: 'rate_limit' })
      expect((await subscribe()).status).toBe('active')
    },
  )
})

test('without limits everything is taken', async () => {
  const world = await newWorld()
  try {
    const answers = await all(Array.from({ length: 40 }, () => world.stripe.customers.list()))
    expect(answers.every((answer) => answer === null)).toBe(true)
  } finally {
    await world.close()
  }
})
