// The sentences are Stripe's, as github.com/Kiln-AI/stripe_world recorded them at 2026-08-26.dahlia.
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()
const { stripe } = world
const [dollars, euros] = [(await world.price(1000)).id, (await world.price(900, { currency: 'eur' })).id]

const past = JAN_1 - DAY

test.each<[string, Partial<Stripe.SubscriptionCreateParams>, string, string | undefined]>([
  [
    'a value for updates only',
    { payment_behavior: 'pending_if_incomplete' },
    'Setting `payment_behavior` to `pending_if_incomplete` has no effect when creating a subscription.',
    'payment_behavior',
  ],
  [
    'a bill without a day',
    { collection_method: 'send_invoice' },
    "If invoice collection method is 'send_invoice', you must specify 'days_until_due'.",
    undefined,
  ],
  [
    'a day without a bill',
    { days_until_due: 7 },
    "You can only specify 'days_until_due' if invoice collection method is 'send_invoice'.",
    undefined,
  ],
  [
    'a trial that is over',
    { trial_end: past },
    `The parameter \`trial_end\` expects a unix timestamp representing a date and time in the future. You specified the value \`${past}\` which is in the past.`,
    'trial_end',
  ],
  [
    'a trial of two lengths',
    { trial_period_days: 7, trial_from_plan: true },
    'You cannot set `trial_end` or `trial_period_days` when `trial_from_plan=true`.',
    undefined,
  ],
  [
    'two currencies',
    { items: [{ price: dollars }, { price: euros }] },
    'This `price` has `currency=eur`, but other items use `currency=usd`. All items must have pricing in the same currency. When using multi-currency prices, you can specify `currency` at the top level, to be used by all items.',
    'items[1][price]',
  ],
])('%s', async (_name, more, message, param) => {
  const { id } = await world.customer()
  const create = stripe.subscriptions.create({ customer: id, items: [{ price: dollars }], ...more })
  const error = await refusal(create)
  expect([error.statusCode, error.message, error.param]).toEqual([400, message, param])
})

test('the same of an update', async () => {
  const { id: customer } = await world.customer()
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: dollars }] })
  const update = (params: Stripe.SubscriptionUpdateParams) => refusal(stripe.subscriptions.update(id, params))
  expect((await update({ days_until_due: 7 })).message).toMatch(/^You can only specify 'days_until_due'/)
  expect((await update({ collection_method: 'send_invoice' })).message).toMatch(/^If invoice collection/)
  expect((await update({ trial_end: past })).message).toContain(`the value \`${past}\` which is in the past`)
  expect(await update({ items: [{ price: euros }] })).toMatchObject({
    param: 'items[0][price]',
    message: "The price specified only supports `eur`. This doesn't match the expected currency: `usd`.",
  })
  // Sent already, it keeps its days unless others are given.
  await stripe.subscriptions.update(id, { collection_method: 'send_invoice', days_until_due: 7 })
  const kept = await stripe.subscriptions.update(id, {
    collection_method: 'send_invoice',
    metadata: { a: 'b' },
  })
  expect(kept.days_until_due).toBe(7)
  const back = await stripe.subscriptions.update(id, { collection_method: 'charge_automatically' })
  expect(back.collection_method).toBe('charge_automatically')
})

test('a card that asks its holder, where nothing may be left that waits', async () => {
  const { id: customer } = await world.customer({ card: 'pm_card_authenticationRequired' })
  const types = await world.typesDuring(async () => {
    const create = stripe.subscriptions.create({
      customer,
      items: [{ price: dollars }],
      payment_behavior: 'error_if_incomplete',
    })
    expect(await refusal(create)).toMatchObject({
      statusCode: 402,
      type: 'StripeCardError',
      code: 'subscription_payment_intent_requires_action',
    })
  })
  expect(types).toEqual([])
  expect((await stripe.subscriptions.list({ customer, status: 'all' })).data).toEqual([])
  // Where it may wait, its invoice says the same of itself.
  const waiting = await stripe.subscriptions.create({ customer, items: [{ price: dollars }] })
  expect(waiting.status).toBe('incomplete')
  const pay = stripe.invoices.pay(waiting.latest_invoice as string)
  expect(await refusal(pay)).toMatchObject({
    statusCode: 402,
    code: 'invoice_payment_intent_requires_action',
  })
  // The same of a change that has to be paid.
  await world.setCard(customer, 'pm_card_visa')
  const running = await stripe.subscriptions.create({ customer, items: [{ price: dollars }] })
  await world.setCard(customer, 'pm_card_authenticationRequired')
  const untold = await world.typesDuring(async () => {
    const update = stripe.subscriptions.update(running.id, {
      items: [{ id: running.items.data[0]?.id as string, quantity: 5 }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'error_if_incomplete',
    })
    expect((await refusal(update)).code).toBe('subscription_payment_intent_requires_action')
  })
  expect(untold).toEqual([])
})

// In the words of github.com/stripe/stripe-go/issues/1031.
test('a price in use whose product is archived takes nobody new, and who has it keeps it', async () => {
  const price = await world.price(700)
  const product = price.product as string
  const { id: customer } = await world.customer()
  const { id, items } = await stripe.subscriptions.create({ customer, items: [{ price: price.id }] })
  await stripe.products.update(product, { active: false })
  const { id: other } = await world.customer()
  const { message, param } = await refusal(
    stripe.subscriptions.create({ customer: other, items: [{ price: price.id }] }),
  )
  expect(message).toBe(
    `The product ${product} is marked as inactive, and thus no new subscriptions can be created to any plans of this product. You provided the plan ${price.id}.`,
  )
  expect(param).toBe('items[0][price]')
  const more = await stripe.subscriptions.update(id, {
    items: [{ id: items.data[0]?.id ?? '', quantity: 2 }],
  })
  expect(more.items.data[0]?.quantity).toBe(2)
})

test('who is not paused is not resumed, who is over is not found, and no trial begins in a pause', async () => {
  const { id: customer } = await world.customer()
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: dollars }] })
  const words = 'You can only resume a subscription if it is `paused`.'
  expect(await refusal(stripe.subscriptions.resume(id))).toMatchObject({
    statusCode: 400,
    raw: { message: words },
  })
  await stripe.subscriptions.pause(id)
  expect(await refusal(stripe.subscriptions.update(id, { trial_end: JAN_1 + DAY }))).toMatchObject({
    statusCode: 400,
    raw: {
      message:
        'You cannot set `trial_end` while a subscription is `paused`. Resume the subscription first before setting `trial_end`.',
    },
  })
  await stripe.subscriptions.cancel(id)
  expect(await refusal(stripe.subscriptions.resume(id))).toMatchObject({
    statusCode: 404,
    code: 'resource_missing',
    param: 'id',
  })
})

// docs.stripe.com/api/subscriptions/object#subscription_object-days_until_due and .../update#update_subscription-pause_collection
test('who is charged again has no days to pay, and no pause ends before it began', async () => {
  const { id: customer } = await world.customer()
  const { id } = await stripe.subscriptions.create({
    customer,
    items: [{ price: dollars }],
    collection_method: 'send_invoice',
    days_until_due: 7,
  })
  const charged = await stripe.subscriptions.update(id, { collection_method: 'charge_automatically' })
  expect(charged).toMatchObject({ collection_method: 'charge_automatically', days_until_due: null })
  const paused = stripe.subscriptions.update(id, { pause_collection: { behavior: 'void', resumes_at: past } })
  expect(await refusal(paused)).toMatchObject({ param: 'pause_collection[resumes_at]' })
})

/** Two sentences of Stripe that others met; a subscription that runs longer can have a trial all the same. */
test('a trial ends within two years of the anchor, and of now', async () => {
  const ada = await world.customer()
  const { id } = await stripe.subscriptions.create({ customer: ada.id, items: [{ price: dollars }] })
  const length = 'The maximum number of trial period days is 730 (2 years).'
  const far = 'Invalid timestamp: can be no more than five years in the future.'
  for (const [days, message] of [
    [731, length],
    [5 * 366, far],
  ] as const) {
    const asked = { trial_end: JAN_1 + days * DAY }
    expect(await refusal(stripe.subscriptions.update(id, asked))).toMatchObject({
      message,
      param: 'trial_end',
    })
    const bob = await world.customer()
    const created = stripe.subscriptions.create({ customer: bob.id, items: [{ price: dollars }], ...asked })
    expect(await refusal(created)).toMatchObject({ message, param: 'trial_end' })
  }
  expect(await stripe.subscriptions.update(id, { trial_end: JAN_1 + 730 * DAY })).toMatchObject({
    status: 'trialing',
  })
  const both = { trial_from_plan: true, trial_end: JAN_1 + 9 * DAY }
  expect(await refusal(stripe.subscriptions.update(id, both))).toMatchObject({
    message: 'You cannot set `trial_end` or `trial_period_days` when `trial_from_plan=true`.',
  })
})

/** docs.stripe.com/api/subscriptions/create: "Maximum of one year interval allowed (1 year, 12 months, or 52 weeks)". */
test('pending items are billed once a year at least', async () => {
  const ada = await world.customer()
  const { id } = await stripe.subscriptions.create({ customer: ada.id, items: [{ price: dollars }] })
  const most = { day: 365, week: 52, month: 12, year: 1 } as const
  for (const interval of ['day', 'week', 'month', 'year'] as const) {
    const every = (interval_count: number) =>
      stripe.subscriptions.update(id, { pending_invoice_item_interval: { interval, interval_count } })
    expect(await refusal(every(most[interval] + 1))).toMatchObject({
      statusCode: 400,
      param: 'pending_invoice_item_interval[interval_count]',
    })
    expect((await every(most[interval])).pending_invoice_item_interval).toMatchObject({ interval })
  }
})

test('what is wrong with an item or an extra is named as it was sent', async () => {
  const ada = await world.customer()
  const once = (currency: string) =>
    stripe.prices.create({ currency, unit_amount: 500, product_data: { name: 'Setup' } })
  const [dollar, euro] = [(await once('usd')).id, (await once('eur')).id]
  const { id, items } = await stripe.subscriptions.create({ customer: ada.id, items: [{ price: dollars }] })
  const item = items.data[0]?.id as string

  const twice = { price: dollars, plan: dollars } as Stripe.SubscriptionUpdateParams.Item
  expect(await refusal(stripe.subscriptions.update(id, { items: [{ id: item, ...twice }] }))).toMatchObject({
    message: 'You may only specify one of these parameters: plan, price.',
    param: 'items[0][plan]',
  })
  const created = { subscription: id } as Stripe.SubscriptionItemCreateParams
  expect(await refusal(stripe.subscriptionItems.create(created))).toMatchObject({
    message: 'Missing required param: price.',
    param: 'price',
  })
  expect(await refusal(stripe.subscriptionItems.update(item, { price: euros }))).toMatchObject({
    param: 'price',
  })
  expect(await refusal(stripe.subscriptionItems.update(item, { price: 'price_none' }))).toMatchObject({
    message: "No such price: 'price_none'",
    param: 'price',
  })

  const add = (extra: Stripe.SubscriptionUpdateParams.AddInvoiceItem) =>
    refusal(stripe.subscriptions.update(id, { add_invoice_items: [extra] }))
  const param = 'add_invoice_items[0][price]'
  const data = { currency: 'usd', product: (await world.product()).id, unit_amount: 100 }
  expect(await add({ price: dollar, price_data: data })).toMatchObject({
    message: 'You may only specify one of these parameters: price, price_data.',
    param,
  })
  expect(await add({ quantity: 2 })).toMatchObject({ code: 'parameter_missing', param })
  expect(await add({ price: 'price_none' })).toMatchObject({ code: 'resource_missing', param })
  expect(await add({ price: dollars })).toMatchObject({
    message:
      'The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.',
    param,
  })
  expect(await add({ price: euro })).toMatchObject({
    message: "The price specified only supports `eur`. This doesn't match the expected currency: `usd`.",
    param,
  })
  expect(await add({ price_data: { ...data, currency: 'eur' } })).toMatchObject({
    param: 'add_invoice_items[0][price_data][currency]',
  })
  expect((await stripe.subscriptions.retrieve(id)).items.data).toHaveLength(1)
  expect((await stripe.invoiceItems.list({ customer: ada.id })).data).toEqual([])
})

test('subscriptions are listed by whether Stripe counts their tax', async () => {
  const ada = await world.customer()
  const { id } = await stripe.subscriptions.create({ customer: ada.id, items: [{ price: dollars }] })
  const listed = async (enabled: boolean) =>
    (await stripe.subscriptions.list({ customer: ada.id, automatic_tax: { enabled } })).data.map(
      (row) => row.id,
    )
  expect(await listed(false)).toEqual([id])
  expect(await listed(true)).toEqual([])
})
