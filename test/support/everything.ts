import type Stripe from 'stripe'

// Stripe's lists of customers and subscriptions leave out those on test clocks unless one is named.

/** Every customer of the account, on whatever clock. */
export async function* everyCustomer(stripe: Stripe): AsyncGenerator<Stripe.Customer> {
  yield* stripe.customers.list({ limit: 100 })
  for await (const { id } of stripe.testHelpers.testClocks.list({ limit: 100 }))
    yield* stripe.customers.list({ limit: 100, test_clock: id })
}

/** Every subscription of the account, whatever its status and clock. */
export async function* everySubscription(stripe: Stripe): AsyncGenerator<Stripe.Subscription> {
  yield* stripe.subscriptions.list({ limit: 100, status: 'all' })
  for await (const { id } of stripe.testHelpers.testClocks.list({ limit: 100 }))
    yield* stripe.subscriptions.list({ limit: 100, status: 'all', test_clock: id })
}
