import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { planChangeRoutes } from '../src/http/routes/plan-changes.ts'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { idOf } from '../src/provider/stripe/field.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const SECRETS = ['a secret of the tests, long enough']
const plan = (name: string, amount: string) =>
  ({
    name,
    product: 'cloud',
    interval: 'month',
    prices: {
      fee: { kind: 'recurring', model: 'flat', amount },
      compute: { meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount: '0.01' },
    },
  }) as const
const catalog = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' }, compute: { name: 'Compute', unitLabel: 'second' } },
  meters: { seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
  plans: { free: plan('Free', '0.00'), paid: plan('Paid', '30.00') },
})

const world = await shared(newBillingWorld({ catalog }))
const server = await newServer(world.deps, { clock: world.deps.clock })
const { deps, workflows } = world
planChangeRoutes(server.app, { ...deps, workflows, config: { secrets: SECRETS } })
subscriptionDeedRoutes(server.app, { ...deps, workflows, config: { secrets: SECRETS } })

/** Somebody puts the payer on half the price in Stripe's dashboard, billed at once. */
async function halfPrice({ subscription }: Payer) {
  const { stripe } = world
  const { items } = await stripe.subscriptions.retrieve(subscription)
  const fee = items.data.find(({ price }) => price.unit_amount === 3000)
  const price = await stripe.prices.create({
    ...{ product: idOf(fee?.price.product ?? ''), currency: 'usd', unit_amount: 1500 },
    recurring: { interval: 'month' },
  })
  await stripe.subscriptions.update(subscription, {
    items: [{ id: fee?.id ?? '', price: price.id }],
    proration_behavior: 'always_invoice',
  })
  await world.deliver()
}

const balanceOf = async ({ customer }: Payer) =>
  ((await world.stripe.customers.retrieve(customer)) as { balance: number }).balance

test('an end in the second of a change gives all of its time back, beside what was used in that second', async () => {
  const payer = await world.register('free', '2026-01-10T00:00:00Z')
  await world.deliver()
  // The change bills it, as it begins a period; in the second of an end it is of no period.
  await world.use(payer, '495', '2026-01-10T00:00:00Z')
  const path = `/v1/subscriptions/${payer.subscriptionId}`
  expect(await server.call({ method: 'PATCH', url: path, payload: { plan: 'paid' } })).toMatchObject({
    status: 200,
  })
  const payload = { when: 'now', unusedTime: 'credit' }
  const shown = await server.call({ method: 'POST', url: `${path}/cancel/preview`, payload })
  expect(shown.body).toMatchObject({ toGiveBack: { minor: '3000' }, notGivenBack: [] })
  const { body } = await server.call({ method: 'POST', url: `${path}/cancel`, payload })
  expect(body).toMatchObject({ givenBack: { amount: { minor: '3000' }, notGivenBack: [] } })
  await world.deliver()
  await world.turn(payer, '2026-01-10T03:00:00Z')
  await world.deliver()
  // 30.00 and 4.95 were paid.
  expect(await balanceOf(payer)).toBe(-3495)
})

test('what was used in that second on an invoice whose time the one before paid is no time given back of that', async () => {
  const payer = await world.register('paid', '2026-01-01T00:00:00Z')
  await world.deliver()
  await world.turn(payer, '2026-01-12T00:00:00Z')
  await world.deliver()
  await world.use(payer, '100', '2026-01-12T00:00:00Z')
  await world.sync(payer)
  // 20 of 31 days of 30.00 are 19.35, of 15.00 9.68: with 1.00 of usage 8.67 go to the balance.
  await halfPrice(payer)
  expect(await balanceOf(payer)).toBe(-867)
  const path = `/v1/subscriptions/${payer.subscriptionId}`
  const payload = { when: 'now', unusedTime: 'credit' }
  const shown = await server.call({ method: 'POST', url: `${path}/cancel/preview`, payload })
  expect(shown.body).toMatchObject({ toGiveBack: { minor: '968' }, notGivenBack: [] })
  const { body } = await server.call({ method: 'POST', url: `${path}/cancel`, payload })
  expect(body).toMatchObject({ givenBack: { amount: { minor: '968' }, notGivenBack: [] } })
  await world.deliver()
  await world.turn(payer, '2026-01-12T03:00:00Z')
  await world.deliver()
  // Of 30.00 11 of 31 days were had.
  expect(await balanceOf(payer)).toBe(-1935)
})

test('what was used in the second of all of it was paid by the time that a change credits, and comes off that once', async () => {
  const payer = await world.register('paid', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.use(payer, '100', '2026-01-10T00:00:00Z')
  await world.sync(payer)
  // 30.00 are credited, 15.00 billed instead, and 1.00 for usage: 14.00 go to the balance.
  await halfPrice(payer)
  expect(await balanceOf(payer)).toBe(-1400)
  const path = `/v1/subscriptions/${payer.subscriptionId}`
  const payload = { when: 'now', unusedTime: 'credit' }
  const shown = await server.call({ method: 'POST', url: `${path}/cancel/preview`, payload })
  expect(shown.body).toMatchObject({ toGiveBack: { minor: '1500' }, notGivenBack: [] })
  const { body } = await server.call({ method: 'POST', url: `${path}/cancel`, payload })
  expect(body).toMatchObject({ givenBack: { amount: { minor: '1500' }, notGivenBack: [] } })
  await world.deliver()
  await world.turn(payer, '2026-01-10T03:00:00Z')
  await world.deliver()
  // 30.00 were paid, and nothing was had.
  expect(await balanceOf(payer)).toBe(-3000)
})
