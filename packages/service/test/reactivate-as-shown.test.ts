import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { subscriptionStartRoutes } from '../src/http/routes/subscription-starts.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { type Body, newSubscriber } from './support/subscriber.ts'

// What is over is begun anew as it was shown, or not at all.

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  meters: { calls: { name: 'Calls', unitLabel: 'call', aggregation: 'sum' } },
  plans: {
    basic: flatPlan('Basic', '10.00'),
    premium: flatPlan('Premium', '25.00'),
    team: {
      ...flatPlan('Team', '0'),
      prices: { seats: { kind: 'recurring', model: 'perUnit', unitAmount: '12.00' } },
    },
    metered: {
      ...flatPlan('Metered', '5.00'),
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '5.00' },
        calls: { meter: 'calls', product: 'app', model: 'perUnit', unitAmount: '0.01' },
      },
    },
    tried: { ...flatPlan('Tried', '9.00'), trialDays: 14 },
  },
})

const { simulator, installation } = await sharedInstallation(catalog)
const parts = { ...installation.deps, workflows: installation.workflows }
subscriptionDeedRoutes(installation.app, parts)
subscriptionStartRoutes(installation.app, parts)

async function over(plan: string, more?: Parameters<typeof newSubscriber>[2]) {
  const ada = await newSubscriber(installation, plan, more)
  await installation.ask('POST', `${ada.path}/cancel`, { when: 'now' })
  return {
    ...ada,
    preview: (wish: object) => installation.ask('POST', `${ada.path}/reactivate/preview`, wish),
    reactivate: (wish: object) => installation.ask('POST', `${ada.path}/reactivate`, wish),
  }
}

test('what it begins with is shown, and just that is charged', async () => {
  const ada = await over('team', { at: '2026-01-31T09:30:00Z', quantity: 3 })
  const shown = await ada.preview({})
  expect(shown).toMatchObject({
    status: 200,
    body: {
      ...{ subscription: ada.id, trialEndsAt: null, expiresAt: '2026-01-31T10:30:00Z' },
      to: { plan: 'team', planVersion: 1, quantity: 3, addons: [] },
      // Three seats of 12.00, from the 31st to the last of February.
      dueNow: {
        lines: [
          {
            ...{ quantity: 3, amount: { minor: '3600' } },
            period: { start: '2026-01-31T09:30:00Z', end: '2026-02-28T09:30:00Z' },
          },
        ],
        total: { minor: '3600' },
        amountDue: { minor: '3600' },
      },
      recurring: { minor: '3600' },
    },
  })
  const { subscriptions } = await ada.atStripe()
  expect(subscriptions.map(({ status }) => status)).toEqual(['canceled'])
  const begun = await ada.reactivate({ preview: shown.body.token })
  expect(begun).toMatchObject({ status: 201, body: { plan: 'team', quantity: 3, status: 'active' } })
  const { intents } = await ada.atStripe()
  expect(intents.map(({ amount_received: paid }) => paid)).toEqual([3600, 3600])
})

test('where it comes to something else by now, nothing begins, and that is shown', async () => {
  const ada = await over('basic')
  const { body: shown } = await ada.preview({})
  const { stripe } = installation.deps.provider
  // A credit of 4.00 on the balance.
  await stripe.customers.update((await ada.atStripe()).customer.id, { balance: -400 })
  const stale = await ada.reactivate({ preview: shown.token })
  expect(stale).toMatchObject({
    status: 409,
    body: {
      code: 'preview_stale',
      preview: { dueNow: { total: { minor: '1000' }, amountDue: { minor: '600' } } },
    },
  })
  expect((await ada.atStripe()).subscriptions).toHaveLength(1)
  const { token } = stale.body.preview as Body
  // The same token is not one of another plan, nor of somebody else's.
  expect((await ada.reactivate({ plan: 'premium', preview: token })).body.code).toBe('preview_stale')
  expect((await (await over('basic')).reactivate({ preview: token })).body.code).toBe('preview_stale')
  expect((await ada.reactivate({ preview: `${token}x` })).body.code).toBe('preview_stale')
  expect(await ada.reactivate({ preview: token })).toMatchObject({ status: 201 })
})

test('an hour later it is shown anew', async () => {
  const ada = await over('basic')
  const { body: shown } = await ada.preview({})
  await ada.turn('2026-01-01T01:00:01Z')
  expect((await ada.reactivate({ preview: shown.token })).body).toMatchObject({
    ...{ code: 'preview_stale', detail: 'The preview is too old.' },
  })
})

test('a trial that is given again is shown, with nothing due', async () => {
  const ada = await over('tried', { card: '' })
  expect((await ada.preview({ paymentMethod: 'pm_card_visa' })).body).toMatchObject({
    ...{ trialEndsAt: null, dueNow: { total: { minor: '900' } } },
  })
  expect((await ada.preview({ trial: 'again' })).body).toMatchObject({
    ...{ trialEndsAt: '2026-01-15T00:00:00Z', dueNow: null, recurring: { minor: '900' } },
  })
})

test('what would be refused is refused by the preview', async () => {
  const ada = await newSubscriber(installation, 'basic')
  const live = await installation.ask('POST', `${ada.path}/reactivate/preview`, {})
  expect(live).toMatchObject({ status: 409, body: { code: 'subscription_live' } })
  const bea = await over('basic')
  expect(await bea.preview({ plan: 'nothing' })).toMatchObject({
    status: 422,
    body: { code: 'plan_unknown', errors: [{ pointer: '#/plan' }] },
  })
  expect(await bea.preview({ paymentMethod: 'pm_1Nothing' })).toMatchObject({
    status: 422,
    body: { code: 'provider_refused', errors: [{ pointer: '#/paymentMethod' }] },
  })
  // What another subscription bills already.
  const cleo = await over('metered')
  const { externalId } = (await installation.ask('GET', `/v1/customers/${cleo.customer}`)).body
  const beside = { externalId, plan: 'metered', slot: 'second' }
  expect((await installation.ask('POST', '/v1/registrations', beside)).status).toBe(201)
  expect((await cleo.preview({})).body.code).toBe('meter_billed_already')

  expect(await bea.reactivate({})).toMatchObject({ status: 201 })
  expect(await bea.preview({})).toMatchObject({ status: 409, body: { code: 'subscription_exists' } })
})

test('asked for twice with one token, at once or by a second click, it is one subscription and one answer', async () => {
  const ada = await over('basic')
  const { stripe } = installation.deps.provider
  // 4.00 of it are taken from the balance: that they are gone is no reason to refuse the second one.
  await stripe.customers.update((await ada.atStripe()).customer.id, { balance: -400 })
  const { body: shown } = await ada.preview({})
  simulator.control.fail({ kind: 'error_500', method: 'POST', path: '/v1/subscriptions', times: 6 })
  const asked = Array.from({ length: 3 }, () => ada.reactivate({ preview: shown.token }))
  const failed = async () =>
    (await installation.ask('GET', '/v1/registrations?state=failed')).body.data as { id: string }[]
  await expect.poll(failed, { timeout: 60_000 }).toHaveLength(1)
  asked.push(ada.reactivate({ preview: shown.token }))
  const [{ id } = { id: '' }] = await failed()
  await installation.ask('POST', `/v1/registrations/${id}/resume`, {})
  const answers = await Promise.all(asked)
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201])
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
  expect((await ada.atStripe()).subscriptions).toHaveLength(2)
  // Once it has begun, it is another wish.
  expect((await ada.reactivate({ preview: shown.token })).body.code).toBe('subscription_exists')
})
