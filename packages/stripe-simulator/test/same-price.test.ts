// As Stripe answers: github.com/stripe-archive/submigrate/issues/1 and github.com/cartalyst/stripe/issues/120. The parameter
// is still named as it was before there were prices.
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { refusal } from './world.ts'

const world = await sharedWorld()
const { stripe } = world

test('a subscription has a price once: more of it is a quantity', async () => {
  const [price, other] = [(await world.price(1000)).id, (await world.price(500)).id]
  const { id: customer } = await world.customer()
  const types = await world.typesDuring(async () => {
    const create = stripe.subscriptions.create({ customer, items: [{ price, quantity: 2 }, { price }] })
    expect(await refusal(create)).toMatchObject({
      statusCode: 400,
      type: 'StripeInvalidRequestError',
      param: 'plan',
      message: `Cannot create a Subscription with multiple Subscription Items with the same Price: ${price}`,
    })
  })
  expect(types).toEqual([])

  const { id, items } = await stripe.subscriptions.create({ customer, items: [{ price }] })
  const used = {
    statusCode: 400,
    param: 'plan',
    message: `A new item with Price ${price} can't be added to this Subscription because an existing Subscription Item ${items.data[0]?.id} is already using that Price. If you want to update the existing item (e.g., to adjust the quantity), pass the existing Subscription Item's \`id\` in your update request: https://stripe.com/docs/api/subscriptions/update#update_subscription-items-id`,
  }
  expect(await refusal(stripe.subscriptionItems.create({ subscription: id, price }))).toMatchObject(used)
  expect(await refusal(stripe.subscriptions.update(id, { items: [{ price }] }))).toMatchObject(used)
  // Two that are added at once, of which the subscription has none yet.
  const added = (of: string) => ({
    statusCode: 400,
    param: 'plan',
    message: `Cannot add multiple subscription items with the same plan: ${of}`,
  })
  const both = stripe.subscriptions.update(id, { items: [{ price: other }, { price: other }] })
  expect(await refusal(both)).toMatchObject(added(other))
  const preview = stripe.invoices.createPreview({
    subscription: id,
    subscription_details: { items: [{ price: other }, { price: other }] },
  })
  expect(await refusal(preview)).toMatchObject(added(other))

  // Named by its id it is the same item, and inline prices are prices of their own.
  const item = { id: items.data[0]?.id as string, price, quantity: 3 }
  const product = (await world.product()).id
  const inline = {
    price_data: { currency: 'usd', product, unit_amount: 1000, recurring: { interval: 'month' as const } },
  }
  const changed = await stripe.subscriptions.update(id, { items: [item, inline, inline] })
  expect(changed.items.data.map(({ quantity }) => quantity)).toEqual([3, 1, 1])
})
