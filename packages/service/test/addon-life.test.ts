import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { subscriptionHistoryRoutes } from '../src/http/routes/subscription-history.ts'
import { subscriptionStartRoutes } from '../src/http/routes/subscription-starts.ts'
import { subscriptionStatsRoutes } from '../src/http/routes/subscription-stats.ts'
import { readCustomerInvoices } from '../src/invoice/read.ts'
import { findDrift } from '../src/workflow/drift/find.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { newSubscriber } from './support/subscriber.ts'

// What becomes of add-ons from sign-up to the end, and in the figures.

const document = (unitAmount = '3.10') => ({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    free: flatPlan('Free', '0'),
    basic: flatPlan('Basic', '10.00'),
    franc: { ...flatPlan('Franc', '10.00'), currency: 'chf' },
  },
  addons: {
    backups: {
      name: 'Backups',
      product: 'app',
      interval: 'month',
      prices: { each: { kind: 'recurring', model: 'perUnit', unitAmount } },
    },
    support: { ...flatPlan('Support', '31.00'), plans: ['basic'] },
    rescue: { ...flatPlan('Rescue', '1.00'), audience: 'admin' },
    depot: { ...flatPlan('Depot', '5.00'), currency: 'chf' },
    safe: { ...flatPlan('Safe', '2.00'), currency: 'chf' },
  },
})

const { installation } = await sharedInstallation(defineCatalog(document() as never))
const parts = { ...installation.deps, workflows: installation.workflows }
subscriptionDeedRoutes(installation.app, parts)
subscriptionHistoryRoutes(installation.app, parts)
subscriptionStartRoutes(installation.app, parts)
subscriptionStatsRoutes(installation.app, parts)

const subscriber = (plan: string, more?: Parameters<typeof newSubscriber>[2]) =>
  newSubscriber(installation, plan, more)
const backups = (quantity: number) => [{ addon: 'backups', quantity }]
const support = (quantity: number) => [{ addon: 'support', quantity }]

test('who signs up with add-ons has them from the first invoice on, and in the first contract', async () => {
  const ada = await subscriber('basic', { addons: [...support(1), ...backups(2)] })
  expect(await ada.read()).toMatchObject({
    quantity: 1,
    addons: [
      { addon: 'backups', version: 1, quantity: 2 },
      { addon: 'support', version: 1, quantity: 1 },
    ],
  })
  // 10.00 + 2 × 3.10 + 31.00.
  expect(await ada.invoices()).toEqual(['subscription_create 4720 paid'])
  const [contract, ...others] = await ada.contracts()
  expect(others).toEqual([])
  const { body } = await installation.ask('GET', `/v1/contracts/${contract?.id}`)
  expect(body).toMatchObject({ agreement: { addons: [{ key: 'backups', quantity: 2 }, { key: 'support' }] } })
})

test('what is wrong with the add-ons of a registration is told at once, by its place', async () => {
  const ask = async (wish: object) => {
    const payload = { externalId: 'eve', paymentMethod: 'pm_card_visa', ...wish }
    const { body } = await installation.ask('POST', '/v1/registrations', payload)
    return (body.errors as { pointer: string; code: string }[]).map(
      ({ pointer, code }) => `${pointer} ${code}`,
    )
  }
  const addons = [{ addon: 'gone', quantity: 1 }, ...support(1), { addon: 'depot', quantity: 1 }]
  expect(await ask({ plan: 'free', addons })).toEqual([
    '#/addons/0/addon addon_unknown',
    '#/addons/1 addon_mismatch',
    '#/addons/2 addon_mismatch',
  ])
  // The plan alone is free.
  expect(await ask({ plan: 'free', addons: backups(1), paymentMethod: undefined })).toEqual([
    '#/paymentMethod payment_method_required',
  ])
  expect(await ask({ plan: 'basic', addons: backups(1), agreed: { amount: '10.00' } })).toEqual([
    '#/agreed/amount agreed_terms_differ',
  ])
})

test('the invoice to come is what Stripe will bill, add-ons included', async () => {
  const ada = await subscriber('basic', { addons: backups(3) })
  const [current] = await readCustomerInvoices(installation.deps.db, ada.customer)
  expect(current?.lines.map(({ id, amount }) => `${id} ${amount.minor}`)).toEqual([
    'upcoming.fee 1000',
    'upcoming.backups.each 930',
  ])
  const { stripe } = installation.deps.provider
  const { providerId } = await ada.read()
  const preview = await stripe.invoices.createPreview({ subscription: String(providerId) })
  expect(`${current?.total.minor}`).toBe(`${preview.total}`)
})

test('more of an add-on than of the plan is no drift', async () => {
  await subscriber('basic', { addons: backups(3) })
  const { drifts } = await findDrift(installation.deps)
  // What was finalized is told by events, which nobody delivers here.
  expect(drifts.filter(({ entity }) => entity === 'subscription')).toEqual([])
})

test('history and revenue say when an add-on came, changed its number and went', async () => {
  const ada = await subscriber('franc')
  const depot = (quantity: number) => ({ addon: 'depot', quantity })
  await ada.change({ addons: [depot(1), { addon: 'safe', quantity: 1 }] })
  await ada.turn('2026-01-20T00:00:00Z')
  await ada.change({ addons: [depot(0)], when: 'now' })
  const { body } = await installation.ask('GET', `${ada.path}/history`)
  const stretches = body.data as { addons: { addon: string }[]; fee: { minor: string }; cause: string }[]
  expect(
    stretches.map(({ addons, fee, cause }) => [addons.map(({ addon }) => addon).join(' '), fee.minor, cause]),
  ).toEqual([
    ['safe', '1200', 'planChange'],
    ['depot safe', '1700', 'planChange'],
    ['', '1000', 'registration'],
  ])
  const figures = async (since: string) => {
    const stats = await installation.ask('GET', `/v1/subscription-stats?since=${since}`)
    return (stats.body.revenue as { currency: string }[]).find(({ currency }) => currency === 'chf')
  }
  // 12.00 a month by now; since the 10th there was 5.00 less.
  expect(await figures('2026-01-10T00:00:00Z')).toMatchObject({
    mrr: { minor: '1200' },
    movements: { expansion: { minor: '0' }, contraction: { minor: '500' }, new: { minor: '0' } },
  })
})

test('ended now, what is left of the add-ons is given back with the rest; begun anew, they are there again', async () => {
  const ada = await subscriber('basic', { addons: support(1) })
  await ada.turn('2026-01-17T00:00:00Z')
  const end = { when: 'now', unusedTime: 'credit' }
  const { body: preview } = await installation.ask('POST', `${ada.path}/cancel/preview`, end)
  // 15 of 31 days: 10.00 and 31.00 come to 4.84 and 15.00.
  expect(preview).toMatchObject({ toGiveBack: { minor: '1984' } })
  const ended = await installation.ask('POST', `${ada.path}/cancel`, end)
  expect(ended.body).toMatchObject({ state: 'done', subscription: { status: 'canceled' } })

  const anew = await installation.ask('POST', `${ada.path}/reactivate`, {})
  expect(anew).toMatchObject({
    status: 201,
    body: { addons: [{ addon: 'support', version: 1, quantity: 1 }] },
  })
  await installation.ask('POST', `/v1/subscriptions/${anew.body.id}/cancel`, { when: 'now' })
  const without = await installation.ask('POST', `${ada.path}/reactivate`, { addons: [] })
  expect(without).toMatchObject({ status: 201, body: { plan: 'basic', addons: [] } })
})

test('paused and resumed, and while its end is planned, a subscription keeps its add-ons', async () => {
  const ada = await subscriber('basic', { addons: backups(1) })
  const kept = { addons: [{ addon: 'backups', quantity: 1 }] }
  for (const [verb, payload] of [
    ['pause', { collection: 'keepAsDraft' }],
    ['resume', {}],
    ['cancel', { when: 'periodEnd' }],
  ] as const) {
    const { body } = await installation.ask('POST', `${ada.path}/${verb}`, payload)
    expect([verb, body]).toMatchObject([verb, { state: 'done', subscription: kept }])
  }
  // What is going to end takes no more.
  expect((await ada.change({ addons: backups(2) })).body.code).toBe('subscription_not_changeable')
})

test('a changed add-on is another version: who has the old one keeps it, and more of it costs what it did', async () => {
  const ada = await subscriber('basic', { addons: backups(1) })
  const changes = async (how: 'plan' | 'apply', amount: string) => {
    const { body } = await installation.ask('POST', `/v1/catalog/${how}`, document(amount))
    return body.changes
  }
  const told = (await changes('plan', '4.10')) as { subscribers: { version: number; count: number }[] }[]
  expect(told).toMatchObject([
    { kind: 'addon', key: 'backups', action: 'newVersion', subscribers: [{ version: 1 }] },
  ])
  expect(told[0]?.subscribers[0]?.count).toBeGreaterThan(0)
  await changes('apply', '4.10')
  await ada.change({ addons: backups(2) })
  const bob = await subscriber('basic', { addons: backups(1) })
  expect([await ada.read(), await bob.read()]).toMatchObject([
    { addons: [{ version: 1, quantity: 2 }] },
    { addons: [{ version: 2, quantity: 1 }] },
  ])
  expect(await bob.invoices()).toEqual(['subscription_create 1410 paid'])
  // Detached and attached again, it comes in the new version.
  await ada.change({ addons: backups(0), when: 'now' })
  await ada.change({ addons: backups(1) })
  expect(await ada.read()).toMatchObject({ addons: [{ version: 2, quantity: 1 }] })
})

test('what only the operator gives is refused to others, in a change as in a registration', async () => {
  const { body: made } = await installation.ask('POST', '/v1/api-keys', {
    name: 'application',
    scopes: ['subscriptions:write', 'operations:read', 'customers:write'],
  })
  const ada = await subscriber('basic')
  const rescue = { addons: [{ addon: 'rescue', quantity: 1 }] }
  const url = `${ada.path}/preview`
  const asked = await installation.call({ method: 'POST', url, payload: rescue, key: String(made.key) })
  expect(asked).toMatchObject({ status: 403, body: { code: 'addon_not_allowed' } })
  expect((await ada.change(rescue)).body.change).toMatchObject({ state: 'effective' })
})
