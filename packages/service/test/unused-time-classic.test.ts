import { defineCatalog } from '@lockstep/core/catalog'
import { defaultSyncPolicy } from '@lockstep/core/direction'
import { expect, test } from 'vitest'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

// Subscriptions that somebody made at Stripe in classic billing mode, which values unused time at the price of this moment, whatever
// it was billed at. https://docs.stripe.com/billing/subscriptions/billing-mode/compare

const world = await shared(
  newBillingWorld({
    catalog: defineCatalog({ currency: 'usd', products: {}, plans: {} }),
    sync: {
      ...defaultSyncPolicy,
      directions: {
        ...defaultSyncPolicy.directions,
        ...{ customer: 'inbound', plan: 'inbound', price: 'outbound', subscription: 'inbound' },
      },
      missingCustomer: 'create',
      missingPlan: 'create',
    },
  }),
)
const server = await newServer(world)
subscriptionDeedRoutes(server.app, { ...world.deps, workflows: world.workflows })

test('what a coupon took off when the time was billed is not given back when the coupon is gone', async () => {
  const { stripe } = world
  const at = Date.parse('2026-01-01T00:00:00Z') / 1000
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: at })
  const product = await stripe.products.create({ name: 'Legacy' })
  const price = await stripe.prices.create({
    ...{ currency: 'usd', product: product.id, unit_amount: 2500 },
    recurring: { interval: 'month' },
  })
  const customer = await stripe.customers.create({ name: 'Somebody', test_clock: clock.id })
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: 'once' })
  const { id } = await stripe.subscriptions.create({
    ...{ customer: customer.id, default_payment_method: method.id, billing_mode: { type: 'classic' } },
    ...{ items: [{ price: price.id }], discounts: [{ coupon: coupon.id }] },
  })
  await world.deliver()
  const { rows } = await world.pool.query('select entity_id from mapping where provider_id = $1', [id])
  const later = Date.parse('2026-01-12T00:00:00Z') / 1000
  await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: later })
  await world.simulator.control.idle()
  await world.deliver()
  const url = `/v1/subscriptions/${rows[0].entity_id}/cancel`
  const payload = { when: 'now', unusedTime: 'credit' }
  const preview = await server.call({ method: 'POST', url: `${url}/preview`, payload })
  // Stripe would credit 20 of 31 days of 25.00, 16.13; of the 22.50 that were billed and paid they are 14.52.
  expect(preview.body).toMatchObject({
    toGiveBack: { minor: '1452' },
    notGivenBack: [{ reason: 'notPaid', amount: { minor: '161' } }],
  })
  const { body } = await server.call({ method: 'POST', url, payload })
  expect(body).toMatchObject({
    givenBack: { amount: { minor: '1452' }, notGivenBack: [{ reason: 'notPaid', amount: { minor: '161' } }] },
  })
  const found = await stripe.customers.retrieve(customer.id)
  expect('balance' in found && found.balance).toBe(-1452)
})
