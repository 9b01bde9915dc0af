import { defineCatalog } from '@lockstep/core/catalog'
import { defaultSyncPolicy } from '@lockstep/core/direction'
import { expect, test } from 'vitest'
import { decideChange } from '../src/workflow/plan-change/decide.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

// Plans and subscriptions are made at Stripe, and what they cost is known there alone.

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

test('of a fee that is not known here, Stripe is asked what a change would give back', async () => {
  const { stripe } = world
  const product = await stripe.products.create({ name: 'Legacy' })
  const seat = { currency: 'usd', product: product.id, unit_amount: 10_000 }
  const price = await stripe.prices.create({ ...seat, recurring: { interval: 'month' } })
  const customer = await stripe.customers.create({ name: 'Somebody' })
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  const made = await stripe.subscriptions.create({
    ...{ customer: customer.id, default_payment_method: method.id },
    items: [{ price: price.id, quantity: 5 }],
  })
  await world.deliver()
  const { rows } = await world.pool.query('select entity_id from mapping where provider_id = $1', [made.id])
  const decide = () => decideChange(world.deps, rows[0].entity_id, { quantity: 1 }, { mayGivePlans: true })
  // Five seats of 100.00 were paid.
  const [item] = made.items.data
  expect((await decide()).items).toEqual([{ id: item?.id, quantity: 1 }])
  const { data: charges } = await stripe.charges.list({ customer: customer.id })
  await stripe.refunds.create({ charge: charges[0]?.id ?? '' })
  await expect(decide()).rejects.toMatchObject({ code: 'subscription_not_changeable' })
})
