import type { Simulator } from 'stripe-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newDatabase, type TestDatabase } from '../../../../../test/support/database.ts'
import { newSimulator, serviceDeps } from '../../../../../test/support/simulator.ts'
import { wasCharged, withdrawSubscription } from './subscriptions.ts'

let database: TestDatabase
let simulator: Simulator
let deps: Awaited<ReturnType<typeof serviceDeps>>

beforeAll(async () => {
  database = await newDatabase()
  simulator = await newSimulator()
  deps = await serviceDeps(database, simulator)
})
afterAll(async () => {
  await simulator.close()
  await database.drop()
})

/** A subscription of 9.00 a month of a customer with this much credit, in cents. */
async function bought({ credit, trialDays }: { credit: number; trialDays?: number }) {
  const { stripe } = deps.provider
  const { id: customer } = await stripe.customers.create({ payment_method: 'pm_card_visa' })
  if (credit > 0)
    await stripe.customers.createBalanceTransaction(customer, { amount: -credit, currency: 'usd' })
  const product = await stripe.products.create({ name: 'Course' })
  const price = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 900,
    recurring: { interval: 'month' },
    product: product.id,
  })
  const { id } = await stripe.subscriptions.create({
    customer,
    items: [{ price: price.id }],
    payment_behavior: 'default_incomplete',
    ...(trialDays !== undefined && { trial_period_days: trialDays }),
  })
  const balance = async () => {
    const found = await stripe.customers.retrieve(customer)
    return found.deleted ? undefined : found.balance
  }
  return { id, balance }
}

test('what a balance paid for was paid for: it is left to a person, and no credit is lost', async () => {
  const { id, balance } = await bought({ credit: 5000 })
  expect(await balance()).toBe(-4100)
  expect(await wasCharged(deps, id)).toBe(true)
  const withdrawn = withdrawSubscription(deps, 'test/paid', { id: 'subscription_1', providerId: id })
  await expect(withdrawn).rejects.toThrow('was paid for')
  expect(await deps.provider.stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'active' })
})

test.each([
  ['only in part', { credit: 400 }, -400],
  ['in a trial not at all', { credit: 400, trialDays: 14 }, -400],
])('what was paid for %s is taken back, and the credit is there again', async (what, wanted, after) => {
  const { id, balance } = await bought(wanted)
  expect(await wasCharged(deps, id)).toBe(false)
  await withdrawSubscription(deps, `test/${what}`, { id: 'subscription_2', providerId: id })
  expect(await balance()).toBe(after)
})
