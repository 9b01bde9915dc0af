// docs.stripe.com/api/pagination
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { refusal } from './world.ts'

const { stripe } = await sharedWorld()

// What Stripe answers is quoted in github.com/stripe/stripe-python/issues/585: its page said that one of them wins.
test('one cursor at most', async () => {
  const { id } = await stripe.customers.create()
  const error = await refusal(stripe.customers.list({ starting_after: id, ending_before: id }))
  expect(error).toMatchObject({ statusCode: 400, type: 'StripeInvalidRequestError' })
  expect(error.message).toBe(
    'Received both starting_after and ending_before parameters. Please pass in only one.',
  )
  expect([error.code, error.param]).toEqual([undefined, undefined])
  const invoice = await stripe.invoices.create({ customer: id })
  const lines = stripe.invoices.listLineItems(invoice.id, { starting_after: 'a', ending_before: 'b' })
  expect((await refusal(lines)).message).toMatch(/^Received both /)
})

// As quoted in github.com/stripe/stripe-node/issues/258: the refusal names what is listed, and the cursor's parameter. Of
// events it calls them notifications: github.com/crvouga/mockingbird, packages/service/stripe/src/events.ts.
test.each<[string, (cursor: Stripe.PaginationParams) => Promise<unknown>]>([
  ['customer', (cursor) => stripe.customers.list(cursor)],
  ['price', (cursor) => stripe.prices.list(cursor)],
  ['plan', (cursor) => stripe.plans.list(cursor)],
  ['invoice', (cursor) => stripe.invoices.list(cursor)],
  ['subscription', (cursor) => stripe.subscriptions.list(cursor)],
  ['notification', (cursor) => stripe.events.list(cursor)],
])('a cursor that names no %s', async (noun, list) => {
  for (const param of ['starting_after', 'ending_before'] as const) {
    expect(await refusal(list({ [param]: 'none_1' }))).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      param,
      message: `No such ${noun}: 'none_1'`,
    })
  }
})

test('a cursor that names no method of the customer', async () => {
  const { id } = await stripe.customers.create({ payment_method: 'pm_card_visa' })
  const [method] = (await stripe.customers.listPaymentMethods(id)).data
  const other = await stripe.customers.create()
  expect(
    (await stripe.customers.listPaymentMethods(id, { starting_after: method?.id as string })).data,
  ).toEqual([])
  expect(
    await refusal(stripe.customers.listPaymentMethods(other.id, { starting_after: method?.id as string })),
  ).toMatchObject({ code: 'resource_missing', param: 'starting_after' })
})
