import { defineCatalog } from '@lockstep/core/catalog'
import type { ContractDocument } from '@lockstep/core/contract'
import type { Simulator } from 'stripe-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSimulator } from '../../../test/support/simulator.ts'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { lookAt } from '../src/workflow/look.ts'
import { flatPlan } from './support/catalogs.ts'
import { type Installation, newInstallation } from './support/installation.ts'
import { newSubscriber } from './support/subscriber.ts'

// Changes here of what somebody has touched in Stripe's dashboard before.

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  coupons: {
    half: { name: 'Half', percentOff: '50', duration: 'forever' },
    tenth: { name: 'Tenth', percentOff: '10', duration: 'repeating', durationInMonths: 3 },
  },
  plans: {
    starter: flatPlan('Starter', '0'),
    basic: flatPlan('Basic', '10.00'),
    premium: flatPlan('Premium', '25.00'),
  },
})

let simulator: Simulator
let installation: Installation
beforeAll(async () => {
  simulator = await newSimulator({ settings: { unlimitedClocks: true } })
  installation = await newInstallation(simulator, catalog)
  subscriptionDeedRoutes(installation.app, { ...installation.deps, workflows: installation.workflows })
})
afterAll(async () => {
  await simulator.close()
  await installation.close()
})

const subscriber = (key: string) => newSubscriber(installation, key)
const stripe = () => installation.deps.provider.stripe

async function withoutCard(plan: string) {
  const ada = await subscriber(plan)
  const { customer } = await ada.atStripe()
  await stripe().customers.update(customer.id, { invoice_settings: { default_payment_method: '' } })
  await lookAt(installation.deps, { type: 'customer', id: customer.id })
  return ada
}

test('who has no card any more is asked for none where nothing is to be paid', async () => {
  const ada = await withoutCard('premium')
  expect(await ada.change({ coupons: ['tenth'] })).toMatchObject({ status: 200 })
  expect(await ada.change({ plan: 'basic' })).toMatchObject({ status: 200 })
  expect(await ada.read()).toMatchObject({ scheduledChange: { plan: 'basic' } })
  // Back to what still runs.
  expect(await ada.change({ plan: 'premium' })).toMatchObject({ status: 200 })
  expect(await ada.read()).toMatchObject({ plan: 'premium', scheduledChange: null })

  const ben = await withoutCard('basic')
  expect(await ben.change({ plan: 'premium' })).toMatchObject({
    status: 402,
    body: { code: 'payment_method_required' },
  })
})

test('a coupon that is given here stands at once, and is agreed on once, also beside one of the dashboard', async () => {
  const ada = await subscriber('basic')
  const providerId = String((await ada.read()).providerId)
  const known = async () => {
    const { rows } = await installation.deps.pool.query('select discounts from subscription where id = $1', [
      ada.id,
    ])
    return rows[0].discounts
  }
  const agreed = async () => {
    const { rows } = await installation.deps.pool.query(
      'select document from contract where subscription_id = $1 order by sequence desc limit 1',
      [ada.id],
    )
    const { agreement } = JSON.parse(rows[0].document) as ContractDocument
    return agreement.discounts.map(({ coupon }) => coupon)
  }
  const { rows } = await installation.deps.pool.query(
    `select provider_id from mapping where entity_type = 'coupon' and entity_id = 'half'`,
  )
  await stripe().subscriptions.update(providerId, { discounts: [{ coupon: rows[0].provider_id }] })
  await lookAt(installation.deps, { type: 'subscription', id: providerId })
  expect(await ada.change({ coupons: ['tenth'] })).toMatchObject({ status: 200 })
  expect(await known()).toEqual((await stripe().subscriptions.retrieve(providerId)).discounts)
  expect(await agreed()).toEqual(['half', 'tenth'])
  expect(await ada.contracts()).toHaveLength(3)

  // Looked at once more, nothing new is agreed on.
  await lookAt(installation.deps, { type: 'subscription', id: providerId })
  expect(await ada.contracts()).toHaveLength(3)
})

test.each([
  ['by an event', (id: string) => lookAt(installation.deps, { type: 'subscription', id })],
  // Whoever asked for that has no part in the change.
  [
    'by the answer to something else',
    (_: string, path: string) => installation.ask('POST', `${path}/resume`, {}),
  ],
])(
  'what the dashboard changed without a bill, heard of %s, gives nothing back of time that was not paid',
  async (_, hear) => {
    const ada = await subscriber('premium')
    expect(await installation.ask('POST', `${ada.path}/cancel`, { when: 'periodEnd' })).toMatchObject({
      status: 200,
    })
    const { providerId } = await ada.read()
    const { data } = await stripe().subscriptionItems.list({ subscription: String(providerId) })
    const { rows } = await installation.deps.pool.query(
      `select provider_id from mapping join price on price.id = entity_id
       join plan_version on plan_version.id = plan_version_id where plan_key = 'starter'`,
    )
    const { subscriptions, intents } = await ada.atStripe()
    await stripe().refunds.create({ payment_intent: intents[0]?.id ?? '' })
    await stripe().subscriptionItems.update(data[0]?.id ?? '', {
      price: rows[0].provider_id,
      proration_behavior: 'none',
    })
    await hear(subscriptions[0]?.id ?? '', ada.path)
    await installation.ask('POST', `${ada.path}/resume`, {})
    expect(await ada.read()).toMatchObject({ plan: 'starter', cancelAt: null })
    // To more, and yet 25.00 that went back to the card would be credited, and 10.00 charged.
    expect(await ada.change({ plan: 'basic' })).toMatchObject({
      status: 409,
      body: { code: 'subscription_not_changeable' },
    })
  },
)
