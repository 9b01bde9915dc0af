import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { readInvoice } from '../src/invoice/read.ts'
import { lookAt } from '../src/workflow/look.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { newSubscriber } from './support/subscriber.ts'

// An item of quantity 0 stays on a subscription, and nothing is billed for it.
// https://docs.stripe.com/billing/subscriptions/quantities

const seats = (unitAmount: string) => ({ kind: 'recurring', model: 'perUnit', unitAmount }) as const

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    basic: flatPlan('Basic', '10.00'),
    premium: flatPlan('Premium', '25.00'),
    team: { ...flatPlan('Team', '0'), prices: { seat: seats('30.00') } },
    office: {
      ...flatPlan('Office', '0'),
      prices: { base: { kind: 'recurring', model: 'flat', amount: '20.00' }, seat: seats('5.00') },
    },
  },
})

const { installation } = await sharedInstallation(catalog)

/** Of a plan two, then none: somebody said so in the dashboard. */
async function withNone(plan: string, quantity = 2) {
  const ada = await newSubscriber(installation, plan, { quantity })
  const { stripe } = installation.deps.provider
  const id = String((await ada.read()).providerId)
  const { items } = await stripe.subscriptions.retrieve(id)
  const item = items.data.find((one) => one.quantity === quantity)
  await stripe.subscriptionItems.update(String(item?.id), { quantity: 0, proration_behavior: 'none' })
  await lookAt(installation.deps, { type: 'subscription', id })
  expect(await ada.read()).toMatchObject({ plan, quantity: 0 })
  return { ...ada, atProvider: id }
}

/** What the current invoice says, and what Stripe says that it is going to bill. */
async function totals({ id, atProvider }: { readonly id: string; readonly atProvider: string }) {
  const { deps, database } = installation
  const next = await deps.provider.stripe.invoices.createPreview({ subscription: atProvider })
  const { rows } = await database.pool.query<{ id: string }>(
    `select id from invoice where subscription_id = $1 and status = 'current'`,
    [id],
  )
  const shown = await readInvoice(deps.db, rows[0]?.id ?? '')
  return { here: Number(shown?.total.minor), there: next.total }
}

test('of a flat fee alone, of which there is none, nothing is shown and nothing is billed', async () => {
  const ada = await withNone('basic', 1)
  expect(await totals(ada)).toEqual({ here: 0, there: 0 })
})

test('beside no seats the flat fee is paid: shown, counted and compared as Stripe bills it', async () => {
  const ada = await withNone('office')
  expect(await totals(ada)).toEqual({ here: 2000, there: 2000 })
  const more = await ada.preview({ plan: 'premium', when: 'now' })
  expect(more.body).toMatchObject({ direction: 'upgrade', recurring: { amount: '25.00' } })
  const less = await ada.preview({ plan: 'basic' })
  expect(less.body).toMatchObject({ direction: 'downgrade', takesEffect: 'periodEnd' })
})

// What was paid for the two is credited: the numbers of flexible billing go by what was billed.
// https://docs.stripe.com/billing/subscriptions/billing-mode
test('from none of it to a plan without a number it is one, paid once and over', async () => {
  const ada = await withNone('team')
  const { status, body } = await ada.change({ plan: 'basic', when: 'now' })
  expect([status, body.code]).toEqual([200, undefined])
  expect(await ada.read()).toMatchObject({ plan: 'basic', quantity: 1 })
  expect(await ada.changes()).toMatchObject([{ state: 'effective', to: { plan: 'basic', quantity: 1 } }])
  expect(await ada.invoices()).toEqual(['subscription_create 6000 paid', 'subscription_update -5000 paid'])
  expect((await ada.change({ plan: 'premium', when: 'now' })).status).toBe(200)
})

test('to another plan by number it is said how many: none of it costs nothing', async () => {
  const ada = await withNone('office')
  const refused = await ada.change({ plan: 'team', when: 'now' })
  expect(refused.body).toMatchObject({
    code: 'quantity_invalid',
    errors: [{ pointer: '#/quantity', code: 'quantity_invalid' }],
  })
  const taken = await ada.change({ plan: 'team', quantity: 1, when: 'now' })
  expect(taken.status).toBe(200)
  expect(await ada.read()).toMatchObject({ plan: 'team', quantity: 1 })
})

test('who changes an address leaves alone what stands at Stripe', async () => {
  const ada = await withNone('basic', 1)
  expect((await ada.change({ email: 'ada@example.org' })).status).toBe(200)
  const { items } = await installation.deps.provider.stripe.subscriptions.retrieve(ada.atProvider)
  expect(items.data.map(({ quantity }) => quantity)).toEqual([0])
  expect(await ada.invoices()).toEqual(['subscription_create 1000 paid'])
})
