// docs.stripe.com/api/subscriptions/create, items.price_data, and docs.stripe.com/api/plans
import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { refusal } from './world.ts'

const world = await sharedWorld()

test('a price made on the spot bills, changes, and is not listed', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const product = (await world.product('Seats')).id
  const price_data = {
    currency: 'usd',
    product,
    recurring: { interval: 'month' as const },
    unit_amount: 1234,
  }
  const preview = await stripe.invoices.createPreview({
    customer: ada.id,
    subscription_details: { items: [{ price_data, quantity: 2 }] },
  })
  expect(preview.total).toBe(2468)
  const subscription = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price_data, quantity: 2 }],
  })
  const [item] = subscription.items.data
  expect(item?.price).toMatchObject({ product, unit_amount: 1234, active: false })
  expect((await world.invoices(subscription.id))[0]?.total).toBe(2468)
  expect((await stripe.prices.list({ product })).data).toEqual([])
  await stripe.subscriptions.update(subscription.id, {
    items: [{ id: item?.id as string, price_data: { ...price_data, unit_amount: 2000 } }],
    proration_behavior: 'none',
  })
  const after = await stripe.subscriptions.retrieve(subscription.id)
  expect(after.items.data[0]?.price.unit_amount).toBe(2000)
  const both = stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price_data, price: (await world.price(100)).id }],
  })
  expect(await refusal(both)).toMatchObject({ statusCode: 400, param: 'items[0][price]' })
})

test('a recurring price is read as a plan, another is not', async () => {
  const { stripe } = world
  const price = await world.price(900, { recurring: { interval: 'week', interval_count: 2 } })
  expect(await stripe.plans.retrieve(price.id)).toMatchObject({
    id: price.id,
    object: 'plan',
    amount: 900,
    interval: 'week',
    interval_count: 2,
    product: price.product,
  })
  expect((await stripe.plans.list({ product: price.product as string })).data).toHaveLength(1)
  const once = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 5,
    product: price.product as string,
  })
  expect(await refusal(stripe.plans.retrieve(once.id))).toMatchObject({ statusCode: 404 })
})

test('a price that is made on the spot is refused as any other, by the place where it stands', async () => {
  // docs.stripe.com/api/subscriptions/create, items.price_data.unit_amount_decimal: "a positive integer in cents (or 0 for a free
  // price)" with decimals; recurring.interval_count: "Maximum of three years interval allowed".
  const { stripe } = world
  const { id: product } = await world.product()
  const ada = await world.customer()
  type Data = Stripe.SubscriptionCreateParams.Item.PriceData
  const subscribe = (more: Partial<Data>) =>
    stripe.subscriptions.create({
      customer: ada.id,
      items: [{ price_data: { currency: 'usd', product, recurring: { interval: 'month' }, ...more } }],
    })
  const page = (more: Partial<Data>) =>
    stripe.checkout.sessions.create({
      mode: 'subscription',
      success_url: 'https://example.com/done',
      line_items: [
        { quantity: 1, price_data: { currency: 'usd', product, recurring: { interval: 'month' }, ...more } },
      ],
    })
  const credit = { unit_amount_decimal: Stripe.Decimal.from('-500') }
  const rare = { unit_amount: 500, recurring: { interval: 'month', interval_count: 37 } } as const
  const large = { unit_amount: 100_000_000 }
  for (const [make, at] of [
    [subscribe, 'items[0][price_data]'],
    [page, 'line_items[0][price_data]'],
  ] as const) {
    expect(await refusal(make(credit))).toMatchObject({
      statusCode: 400,
      param: `${at}[unit_amount_decimal]`,
    })
    expect(await refusal(make(rare))).toMatchObject({ param: `${at}[recurring][interval_count]` })
    expect(await refusal(make(large))).toMatchObject({
      code: 'amount_too_large',
      param: `${at}[unit_amount]`,
    })
  }
})
