import { defineCatalog } from '@lockstep/core/catalog'
import { beforeAll, describe, expect, test } from 'vitest'
import { lookAt } from '../src/workflow/look.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'

// Every way a registration may end, in one table: docs/registrations.md#how-it-ends is this table in words.
// 3-D Secure and pages are in registration-actions.test.ts, coupons in purchases.test.ts.

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    free: flatPlan('Free', '0'),
    team: flatPlan('Team', '9.00'),
    archived: flatPlan('Archived', '7.00'),
    yen: { ...flatPlan('Yen', '500'), currency: 'jpy' },
  },
})

const { installation } = await sharedInstallation(catalog)

beforeAll(async () => {
  const { stripe } = installation.deps.provider
  const { data } = await stripe.prices.list({ limit: 100 })
  const price = data.find(({ unit_amount: amount }) => amount === 700)?.id ?? ''
  await stripe.prices.update(price, { active: false })
})

const register = (body: object) => installation.ask('POST', '/v1/registrations', body)

async function customerOf(externalId: string) {
  const { body } = await installation.ask('GET', `/v1/customers?externalId=${externalId}`)
  const [customer] = body.data as { id: string; providerId: string | null }[]
  return customer
}

/** What somebody did before. */
type Before = 'nothing' | 'is on free' | 'was on free' | 'was deleted at Stripe'

async function arrange(externalId: string, before: Before): Promise<void> {
  if (before === 'nothing') return
  const { body } = await register({ externalId, plan: 'free' })
  const { stripe } = installation.deps.provider
  const subscription = await installation.ask('GET', `/v1/subscriptions/${body.subscription}`)
  const providerId = String(subscription.body.providerId)
  if (before === 'was on free') {
    await stripe.subscriptions.cancel(providerId)
    await lookAt(installation.deps, { type: 'subscription', id: providerId })
  }
  if (before === 'was deleted at Stripe') {
    await stripe.customers.del((await customerOf(externalId))?.providerId ?? '')
    await lookAt(installation.deps, { type: 'subscription', id: providerId })
  }
}

const CARD = { paymentMethod: 'pm_card_visa' }

test.each<
  [
    what: string,
    before: Before,
    wish: object,
    status: number,
    code: string | null,
    stage: string | null,
    cause: string | null,
    live: number,
  ]
>([
  // what, what was before, what is asked, status, code, the step named, the cause counted, live subscriptions after
  ['a card that pays', 'nothing', { plan: 'team', ...CARD }, 201, null, null, null, 1],
  [
    'a card that cannot be attached',
    'nothing',
    { plan: 'team', paymentMethod: 'pm_card_chargeDeclined' },
    402,
    'card_declined',
    'attach payment method',
    'declined',
    0,
  ],
  [
    'a card that does not pay',
    'nothing',
    { plan: 'team', paymentMethod: 'pm_card_chargeCustomerFail' },
    402,
    'card_declined',
    'start subscription',
    'declined',
    0,
  ],
  ['no card', 'nothing', { plan: 'team' }, 402, 'payment_method_required', null, null, 0],
  [
    'no card, of one whom Stripe knows',
    'was on free',
    { plan: 'team' },
    402,
    'payment_method_required',
    'start subscription',
    'declined',
    0,
  ],
  [
    'a price that was archived at Stripe',
    'nothing',
    { plan: 'archived', ...CARD },
    422,
    'provider_refused',
    'start subscription',
    'refused',
    0,
  ],
  [
    'a customer that was deleted at Stripe',
    'was deleted at Stripe',
    { plan: 'team', ...CARD },
    201,
    null,
    null,
    null,
    1,
  ],
  [
    'another currency than before',
    'is on free',
    { plan: 'yen', slot: 'b', ...CARD },
    422,
    'currency_mismatch',
    null,
    null,
    1,
  ],
  [
    'one who came back without a subscription',
    'was on free',
    { plan: 'team', ...CARD },
    201,
    null,
    null,
    null,
    1,
  ],
  [
    'one who has a subscription',
    'is on free',
    { plan: 'team', ...CARD },
    409,
    'subscription_exists',
    null,
    null,
    1,
  ],
])('%s', async (what, before, wish, status, code, stage, cause, live) => {
  const externalId = what.replaceAll(' ', '_')
  await arrange(externalId, before)
  const known = (await customerOf(externalId))?.providerId
  const answer = await register({ externalId, ...wish })
  expect([answer.status, answer.body.code ?? null]).toEqual([status, code])

  const customer = await customerOf(externalId)
  const listed = await installation.ask(
    'GET',
    `/v1/registrations?customer=${customer?.id ?? 'customer_0'}&limit=1`,
  )
  const [registration] = listed.body.data as {
    state: string
    stage: string
    cause: string
    remains: string[]
  }[]
  if (stage !== null) {
    expect(registration).toMatchObject({ state: 'rolledBack', stage, cause })
    // The user stays: a base to come back to.
    expect(registration?.remains).toContain('user')
  }
  // Whoever came back is the same customer at Stripe as before.
  if (known && before !== 'was deleted at Stripe') expect(customer?.providerId).toBe(known)
  expect(await liveSubscriptions(customer?.providerId ?? null)).toBe(live)
})

describe('a customer that was deleted at Stripe', () => {
  const dunno = async () => undefined
  const event = (_: string, providerId: string) =>
    lookAt(installation.deps, { type: 'customer', id: providerId })

  test.each([
    ['is known from an event', event],
    ['is not known yet', dunno],
  ])('%s: who registers then is a new customer there, and the same here', async (what, learn) => {
    const externalId = `again_${what.replaceAll(' ', '_')}`
    await arrange(externalId, 'was deleted at Stripe')
    const before = await customerOf(externalId)
    await learn(externalId, before?.providerId ?? '')
    const wish = { externalId, plan: 'team', ...CARD }
    expect((await register(wish)).status).toBe(201)
    const after = await customerOf(externalId)
    expect(after?.id).toBe(before?.id)
    expect(after?.providerId).not.toBe(before?.providerId)
    expect(await liveSubscriptions(after?.providerId ?? null)).toBe(1)
  })

  test('has nothing left to be told', async () => {
    await arrange('told_late', 'was deleted at Stripe')
    const customer = await customerOf('told_late')
    const changed = await installation.ask('PATCH', `/v1/customers/${customer?.id}`, { name: 'Ada' })
    expect(changed).toMatchObject({ status: 200, body: { name: 'Ada', providerId: null } })
    const tellings = async () => {
      const { rows } = await installation.database.pool.query(
        `select state from workflow where kind = 'change-customer' and input ->> 'customerId' = $1`,
        [customer?.id],
      )
      return rows
    }
    // The answer hardly waits for it.
    await expect.poll(tellings).toEqual([{ state: 'completed' }])
  })
})

test('customers are never matched by their address: two users of one are two customers', async () => {
  const email = 'shared@example.org'
  await register({ externalId: 'first', email, plan: 'free' })
  const second = await register({ externalId: 'second', email, plan: 'free' })
  expect(second.status).toBe(201)
  const [one, two] = [await customerOf('first'), await customerOf('second')]
  expect(one?.providerId).not.toBe(two?.providerId)
})

async function liveSubscriptions(customer: string | null): Promise<number> {
  if (customer === null) return 0
  const { data } = await installation.deps.provider.stripe.subscriptions.list({ customer, status: 'all' })
  return data.filter(({ status }) => !['canceled', 'incomplete_expired'].includes(status)).length
}
