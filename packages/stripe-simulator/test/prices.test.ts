// docs.stripe.com/api/prices, .../api/plans and .../products-prices/pricing-models
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { amounts, DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()

type Invoice = import('stripe').default.Invoice

test('a price in several currencies is billed in the one that the customer has, or the request names', async () => {
  const { stripe } = world
  const price = await world.price(1000, {
    currency_options: { EUR: { unit_amount: 900 }, jpy: { unit_amount: 1500 } },
  })
  const expanded = await stripe.prices.retrieve(price.id, { expand: ['currency_options'] })
  expect(expanded.currency_options).toMatchObject({
    usd: { unit_amount: 1000 },
    eur: { unit_amount: 900, unit_amount_decimal: '900' },
    jpy: { unit_amount: 1500 },
  })
  expect(price.currency_options).toBeUndefined()
  const ada = await world.customer()
  const first = await stripe.subscriptions.create({
    customer: ada.id,
    currency: 'eur',
    items: [{ price: price.id, quantity: 2 }],
    expand: ['latest_invoice'],
  })
  expect(first.currency).toBe('eur')
  expect(first.latest_invoice as Invoice).toMatchObject({ currency: 'eur', total: 1800 })
  expect((first.latest_invoice as Invoice).lines.data[0]?.description).toBe('2 × Team (at €9.00 / month)')
  // From now on the customer has a currency, and it selects.
  const second = await stripe.subscriptions.create({ customer: ada.id, items: [{ price: price.id }] })
  expect(second.currency).toBe('eur')
  const dollars = stripe.subscriptions.create({
    customer: ada.id,
    currency: 'usd',
    items: [{ price: price.id }],
  })
  expect(await refusal(dollars)).toMatchObject({ statusCode: 400, param: 'currency' })
  // 900 x 2 and 900 x 3 for 21 of 31 days: 1219.35 and 1829.03.
  await world.advance(ada.clock, JAN_1 + 10 * DAY)
  const changed = await stripe.subscriptions.update(first.id, {
    items: [{ id: first.items.data[0]?.id as string, quantity: 3 }],
    proration_behavior: 'always_invoice',
    expand: ['latest_invoice'],
  })
  expect(amounts(changed.latest_invoice as Invoice)).toEqual([-1219, 1829])
})

test('a currency that a price lacks is refused, and can be added later', async () => {
  const { stripe } = world
  const price = await world.price(1000)
  const ada = await world.customer()
  const items = [{ price: price.id }]
  const refused = stripe.subscriptions.create({ customer: ada.id, currency: 'gbp', items })
  expect(await refusal(refused)).toMatchObject({ statusCode: 400, param: 'currency' })
  await stripe.prices.update(price.id, { currency_options: { gbp: { unit_amount: 800 } } })
  const { currency } = await stripe.subscriptions.create({ customer: ada.id, currency: 'gbp', items })
  expect(currency).toBe('gbp')
})

test('a tiered price has tiers in each of its currencies', async () => {
  const { stripe } = world
  const { id: product } = await world.product()
  const base = {
    product,
    currency: 'usd',
    recurring: { interval: 'month' },
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: 10, unit_amount: 500 },
      { up_to: 'inf', unit_amount: 400 },
    ],
  } satisfies import('stripe').default.PriceCreateParams
  const flat = stripe.prices.create({ ...base, currency_options: { eur: { unit_amount: 1 } } })
  expect(await refusal(flat)).toMatchObject({ statusCode: 400, param: 'currency_options[eur]' })
  const price = await stripe.prices.create({
    ...base,
    currency_options: {
      eur: {
        tiers: [
          { up_to: 10, unit_amount: 450 },
          { up_to: 'inf', unit_amount: 350 },
        ],
      },
    },
  })
  const ada = await world.customer()
  const { latest_invoice: invoice } = await stripe.subscriptions.create({
    customer: ada.id,
    currency: 'eur',
    items: [{ price: price.id, quantity: 12 }],
    expand: ['latest_invoice'],
  })
  // 10 x 450 + 2 x 350
  expect(amounts(invoice as Invoice).sort((a, b) => a - b)).toEqual([700, 4500])
  // They are asked for currency by currency.
  const options = ['currency_options', 'currency_options.eur.tiers']
  const shown = await stripe.prices.retrieve(price.id, { expand: options })
  expect(shown.currency_options?.eur?.tiers).toMatchObject([{ unit_amount: 450 }, { unit_amount: 350 }])
  expect(shown.currency_options?.usd?.tiers).toBeUndefined()
})

test('a lookup key moves from one price to the next', async () => {
  const { stripe } = world
  const old = await world.price(1000, { lookup_key: 'standard' })
  expect(await refusal(world.price(1200, { lookup_key: 'standard' }))).toMatchObject({ param: 'lookup_key' })
  const next = await world.price(1200, { lookup_key: 'standard', transfer_lookup_key: true })
  expect((await stripe.prices.retrieve(old.id)).lookup_key).toBeNull()
  const found = await stripe.prices.list({ lookup_keys: ['standard'] })
  expect(found.data.map((price) => price.id)).toEqual([next.id])
})

test('an amount that the customer names is for Checkout alone', async () => {
  const { stripe } = world
  const { id: product } = await world.product('Tip')
  const price = await stripe.prices.create({
    product,
    currency: 'usd',
    custom_unit_amount: { enabled: true, minimum: 100, preset: 500 },
  })
  expect(price).toMatchObject({
    unit_amount: null,
    unit_amount_decimal: null,
    custom_unit_amount: { minimum: 100, maximum: null, preset: 500 },
  })
  const ada = await world.customer()
  const item = stripe.invoiceItems.create({ customer: ada.id, pricing: { price: price.id } })
  expect(await refusal(item)).toMatchObject({ statusCode: 400, param: 'pricing[price]' })
  const recurring = world.price(0, { custom_unit_amount: { enabled: true }, product })
  expect(await refusal(recurring)).toMatchObject({ statusCode: 400, param: 'custom_unit_amount' })
})

test('a product can come with its price, also with its other currencies', async () => {
  const product = await world.stripe.products.create({
    name: 'Team',
    default_price_data: {
      currency: 'usd',
      unit_amount: 1000,
      recurring: { interval: 'year' },
      currency_options: { eur: { unit_amount: 900 } },
    },
    expand: ['default_price.currency_options'],
  })
  expect(product.default_price).toMatchObject({
    unit_amount: 1000,
    recurring: { interval: 'year' },
    currency_options: { eur: { unit_amount: 900 } },
  })
})

test('a plan is a price by another name: made, changed and deleted, each told as both', async () => {
  const { stripe } = world
  const made = await world.typesDuring(async () => {
    const plan = await stripe.plans.create({
      id: 'gold',
      currency: 'usd',
      interval: 'month',
      amount: 3100,
      product: { name: 'Gold' },
    })
    expect(plan).toMatchObject({ id: 'gold', object: 'plan', amount: 3100, interval_count: 1 })
  })
  expect(made).toEqual(['product.created', 'price.created', 'plan.created'])
  expect(await stripe.prices.retrieve('gold')).toMatchObject({ unit_amount: 3100, type: 'recurring' })
  const again = stripe.plans.create({
    id: 'gold',
    currency: 'usd',
    interval: 'month',
    product: { name: 'x' },
  })
  expect(await refusal(again)).toMatchObject({ code: 'resource_already_exists' })
  const changed = await world.typesDuring(() => stripe.plans.update('gold', { nickname: 'Gold, monthly' }))
  expect(changed).toEqual(['price.updated', 'plan.updated'])
  const [event] = (await world.events(['plan.updated'])).slice(-1)
  expect(event?.data.previous_attributes).toEqual({ nickname: null })
  const ada = await world.customer()
  const subscription = await stripe.subscriptions.create({ customer: ada.id, items: [{ price: 'gold' }] })
  const moved = stripe.plans.update('gold', { product: (await world.product()).id })
  expect(await refusal(moved)).toMatchObject({ param: 'product' })
  const gone = await world.typesDuring(async () => {
    expect(await stripe.plans.del('gold')).toEqual({ id: 'gold', object: 'plan', deleted: true })
  })
  expect(gone).toEqual(['price.deleted', 'plan.deleted'])
  expect(await refusal(stripe.plans.retrieve('gold'))).toMatchObject({ statusCode: 404 })
  const anew = stripe.subscriptions.create({ customer: ada.id, items: [{ price: 'gold' }] })
  expect(await refusal(anew)).toMatchObject({ statusCode: 400, param: 'items[0][price]' })
  // Who has it keeps it.
  await world.advance(ada.clock, JAN_1 + 31 * DAY + 2 * HOUR)
  expect((await world.invoices(subscription.id)).at(-1)).toMatchObject({ total: 3100, status: 'paid' })
})

test('an amount off in several currencies', async () => {
  const { stripe } = world
  const coupon = await stripe.coupons.create({
    amount_off: 200,
    currency: 'usd',
    currency_options: { eur: { amount_off: 150 } },
    expand: ['currency_options'],
  })
  expect(coupon.currency_options).toEqual({ usd: { amount_off: 200 }, eur: { amount_off: 150 } })
  const price = await world.price(1000, { currency_options: { eur: { unit_amount: 900 } } })
  const ada = await world.customer()
  const { latest_invoice: invoice } = await stripe.subscriptions.create({
    customer: ada.id,
    currency: 'eur',
    items: [{ price: price.id }],
    discounts: [{ coupon: coupon.id }],
    expand: ['latest_invoice'],
  })
  expect(invoice).toMatchObject({ subtotal: 900, total: 750 })
})
