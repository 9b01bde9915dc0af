// docs.stripe.com/api/customers/create: `payment_method` is attached, and may be the default in the same call
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { refusal } from './world.ts'

const world = await sharedWorld()
const { stripe } = world

const newMethod = (card = 'tok_visa') => stripe.paymentMethods.create({ type: 'card', card: { token: card } })

/** A customer with a method that is its default, as one call makes it. */
const withMethod = (id: string, more: Stripe.CustomerCreateParams = {}, idempotencyKey?: string) =>
  stripe.customers.create(
    { payment_method: id, invoice_settings: { default_payment_method: id }, ...more },
    idempotencyKey === undefined ? {} : { idempotencyKey },
  )

/** Nobody is left of a customer who was refused, and nobody hears of one. */
async function refusedWhole(create: (email: string) => Promise<unknown>) {
  const email = `${crypto.randomUUID()}@example.com`
  let error: Stripe.errors.StripeError | undefined
  const types = await world.typesDuring(async () => {
    error = await refusal(create(email))
  })
  expect(types).toEqual([])
  expect((await stripe.customers.list({ email })).data).toEqual([])
  return error as Stripe.errors.StripeError
}

test('one call makes the customer, attaches the method and makes it the default', async () => {
  const method = await newMethod()
  const before = new Set((await world.events()).map((event) => event.id))
  const customer = await withMethod(method.id, { metadata: { user: '7' } })
  expect(customer).toMatchObject({
    invoice_settings: { default_payment_method: method.id },
    metadata: { user: '7' },
  })
  expect(await stripe.paymentMethods.retrieve(method.id)).toMatchObject({ customer: customer.id })
  const events = (await world.events()).filter((event) => !before.has(event.id))
  // The customer is there before a method can be attached to it; what is told of it is what was answered.
  expect(events).toMatchObject([
    {
      type: 'customer.created',
      data: { object: { id: customer.id, invoice_settings: { default_payment_method: method.id } } },
    },
    { type: 'payment_method.attached', data: { object: { id: method.id, customer: customer.id } } },
  ])
  expect(new Set(events.map((event) => event.request?.id))).toEqual(
    new Set([customer.lastResponse.requestId]),
  )
})

test('a method alone is attached and is nobody’s default', async () => {
  const customer = await stripe.customers.create({ payment_method: 'pm_card_visa' })
  expect(customer.invoice_settings.default_payment_method).toBeNull()
  expect((await stripe.customers.listPaymentMethods(customer.id)).data).toHaveLength(1)
})

test('the same call on a test clock: the method lives at it with its customer', async () => {
  const clock = await world.clock()
  const customer = await withMethod('pm_card_visa', { test_clock: clock.id })
  const price = await world.price(1000)
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
  })
  expect(subscription.status).toBe('active')
  await stripe.testHelpers.testClocks.del(clock.id)
  expect((await refusal(stripe.customers.listPaymentMethods(customer.id))).statusCode).toBe(404)
})

test('sent again under its key, the same customer with the same method is answered', async () => {
  const key = crypto.randomUUID()
  const first = await withMethod('pm_card_visa', {}, key)
  const types = await world.typesDuring(async () => {
    const again = await withMethod('pm_card_visa', {}, key)
    expect(again.id).toBe(first.id)
    expect(again.invoice_settings).toEqual(first.invoice_settings)
    expect(again.lastResponse.headers['idempotent-replayed']).toBe('true')
  })
  expect(types).toEqual([])
  expect((await stripe.customers.listPaymentMethods(first.id)).data).toHaveLength(1)
})

test('an answer that was lost on its way is found again under its key', async () => {
  const method = await newMethod()
  // The client tries a closed socket once more by itself: two are armed.
  for (const kind of ['timeout_before_commit', 'timeout_after_commit'] as const) {
    world.simulator.control.fail({ kind, method: 'POST', path: '/v1/customers' })
  }
  const key = crypto.randomUUID()
  await refusal(withMethod(method.id, {}, key))
  const customer = await withMethod(method.id, {}, key)
  expect(await stripe.paymentMethods.retrieve(method.id)).toMatchObject({ customer: customer.id })
})

describe('refused, nothing is left:', () => {
  // Stripe's staff say so of cards that decline: github.com/stripe/stripe-php/issues/511
  test.each([
    ['tok_visa_chargeDeclined', 'card_declined', 'generic_decline'],
    ['tok_visa_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['tok_chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
  ])('%s', async (token, code, declineCode) => {
    const method = await newMethod(token)
    const error = await refusedWhole((email) => withMethod(method.id, { email }))
    expect(error).toMatchObject({
      statusCode: 402,
      type: 'StripeCardError',
      code,
      decline_code: declineCode,
    })
    expect(await stripe.paymentMethods.retrieve(method.id)).toMatchObject({ customer: null })
  })

  test('a decline is the answer to its key for good, also when the bank would say yes by now', async () => {
    const method = await newMethod('tok_visa_chargeDeclined')
    const key = crypto.randomUUID()
    const email = `${key}@example.com`
    await refusedWhole(() => withMethod(method.id, { email }, key))
    const again = await refusedWhole(() => withMethod(method.id, { email }, key))
    expect(again).toMatchObject({ statusCode: 402, code: 'card_declined' })
    expect(again.headers?.['idempotent-replayed']).toBe('true')
  })

  test('a method that nobody knows', async () => {
    const error = await refusedWhole((email) => stripe.customers.create({ email, payment_method: 'pm_none' }))
    expect(error).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      param: 'payment_method',
      message: "No such PaymentMethod: 'pm_none'",
    })
  })

  test('a default that nobody knows', async () => {
    const error = await refusedWhole((email) =>
      stripe.customers.create({ email, invoice_settings: { default_payment_method: 'pm_none' } }),
    )
    expect(error).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      param: 'invoice_settings[default_payment_method]',
      message: "No such PaymentMethod: 'pm_none'",
    })
  })

  test('a method of another customer', async () => {
    const other = await withMethod('pm_card_visa')
    const theirs = other.invoice_settings.default_payment_method as string
    const error = await refusedWhole((email) => withMethod(theirs, { email }))
    expect(error).toMatchObject({
      statusCode: 400,
      type: 'StripeInvalidRequestError',
      message: 'The payment method you provided has already been attached to a customer.',
    })
    expect(await stripe.paymentMethods.retrieve(theirs)).toMatchObject({ customer: other.id })
  })

  test('another customer’s method as default; the own one is not attached either', async () => {
    const other = await withMethod('pm_card_visa')
    const theirs = other.invoice_settings.default_payment_method as string
    const mine = await newMethod()
    const error = await refusedWhole((email) =>
      withMethod(mine.id, { email, invoice_settings: { default_payment_method: theirs } }),
    )
    expect(error).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      param: 'invoice_settings[default_payment_method]',
      message: `The customer does not have a payment method with the ID ${theirs}. The payment method must be attached to the customer.`,
    })
    expect(await stripe.paymentMethods.retrieve(mine.id)).toMatchObject({ customer: null })
  })

  test('a default that is attached to nobody', async () => {
    const method = await newMethod()
    const error = await refusedWhole((email) =>
      stripe.customers.create({ email, invoice_settings: { default_payment_method: method.id } }),
    )
    expect(error.message).toContain(`does not have a payment method with the ID ${method.id}.`)
  })

  // A token makes a new method at each use, and Stripe's refusal names the new one.
  test('a test token as default only', async () => {
    const error = await refusedWhole((email) =>
      stripe.customers.create({ email, invoice_settings: { default_payment_method: 'pm_card_visa' } }),
    )
    expect(error.code).toBe('resource_missing')
    expect(error.message).toMatch(/does not have a payment method with the ID pm_(?!card)\w+\./)
  })

  test('a detached method', async () => {
    const other = await withMethod('pm_card_visa')
    const gone = other.invoice_settings.default_payment_method as string
    await stripe.paymentMethods.detach(gone)
    const error = await refusedWhole((email) => withMethod(gone, { email }))
    expect(error.message).toMatch(/It may not be used again\./)
  })

  test('a parameter that nobody knows, beside a good method', async () => {
    const method = await newMethod()
    const wrong = { colour: 'red' } as Stripe.CustomerCreateParams
    const error = await refusedWhole((email) => withMethod(method.id, { ...wrong, email }))
    expect(error.code).toBe('parameter_unknown')
    expect(await stripe.paymentMethods.retrieve(method.id)).toMatchObject({ customer: null })
  })
})
