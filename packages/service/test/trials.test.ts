import { defineCatalog } from '@lockstep/core/catalog'
import { describe, expect, test } from 'vitest'
import { lookAt } from '../src/workflow/look.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'

// A customer tries a product once, whichever of its plans: docs/registrations.md.

const card = 'pm_card_visa'
const trial = { trialDays: 14 }
const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' }, desk: { name: 'Desk' }, start: { name: 'Start' } },
  plans: {
    basic: { ...flatPlan('Basic', '9.00'), ...trial },
    premium: { ...flatPlan('Premium', '19.00'), ...trial },
    paid: flatPlan('Paid', '7.00'),
    desk: { ...flatPlan('Desk', '5.00'), ...trial, product: 'desk' },
    pending: { ...flatPlan('Pending', '0'), ...trial, product: 'start', audience: 'admin' },
  },
  signUp: { plan: 'pending' },
})

let count = 0

const { installation } = await sharedInstallation(catalog)

function newCustomer() {
  count += 1
  const externalId = `user_${count}`
  const register = async (wanted: object, key?: string) => {
    const request = { method: 'POST', url: '/v1/registrations', payload: { externalId, ...wanted } } as const
    const { status, body } = await installation.call({ ...request, ...(key && { key }) })
    return { status, body: body as Record<string, unknown> }
  }
  const at = (id: unknown) => installation.ask('GET', `/v1/subscriptions/${id}`)
  /** Registers, and says how the subscription stands. */
  async function have(wanted: object) {
    const { status, body } = await register({ paymentMethod: card, ...wanted })
    expect([status, body.problem]).toEqual([201, null])
    return (await at(body.subscription)).body
  }
  /** In the dashboard. */
  async function end({ providerId }: Record<string, unknown>) {
    await installation.deps.provider.stripe.subscriptions.cancel(String(providerId))
    await lookAt(installation.deps, { type: 'subscription', id: String(providerId) })
  }
  return { register, have, end }
}

describe('who had a trial', () => {
  test('pays at once when they come back, with another address or on another plan of the product', async () => {
    const { have, end, register } = newCustomer()
    const first = await have({ plan: 'basic', paymentMethod: undefined })
    expect(first.status).toBe('trialing')
    await end(first)
    const back = { plan: 'basic', email: 'other@example.org' }
    // What a trial does not ask for.
    const { status, body } = await register(back)
    expect([status, body.code]).toEqual([402, 'payment_method_required'])
    const second = await have(back)
    expect(second).toMatchObject({ status: 'active', trial: null })
    await end(second)
    expect(await have({ plan: 'premium' })).toMatchObject({ status: 'active', trial: null })
  })

  test('has none in another place, and one of another product', async () => {
    const { have } = newCustomer()
    expect(await have({ plan: 'basic' })).toMatchObject({ status: 'trialing' })
    expect(await have({ plan: 'basic', slot: 'second' })).toMatchObject({ status: 'active' })
    expect(await have({ plan: 'desk', slot: 'third' })).toMatchObject({ status: 'trialing' })
  })

  test('had it also where it was changed to another product’s plan meanwhile, or paid before', async () => {
    const ada = newCustomer()
    const trying = await ada.have({ plan: 'basic' })
    await installation.ask('PATCH', `/v1/subscriptions/${trying.id}`, { plan: 'desk' })
    expect(await ada.have({ plan: 'desk', slot: 'second' })).toMatchObject({ status: 'active' })
    expect(await ada.have({ plan: 'premium', slot: 'third' })).toMatchObject({ status: 'active' })
    const bob = newCustomer()
    expect(await bob.have({ plan: 'paid' })).toMatchObject({ status: 'active' })
    expect(await bob.have({ plan: 'basic', slot: 'second' })).toMatchObject({ status: 'trialing' })
  })

  test('has another by the word of who administers, and not by another key', async () => {
    const { have, end, register } = newCustomer()
    await end(await have({ plan: 'basic' }))
    const scopes = ['subscriptions:read', 'subscriptions:write', 'customers:write']
    const made = await installation.ask('POST', '/v1/api-keys', { name: 'application', scopes })
    const again = { plan: 'basic', trial: 'again' }
    const refused = await register(again, String(made.body.secret ?? made.body.key))
    expect(refused).toMatchObject({
      status: 403,
      body: { code: 'forbidden', errors: [{ pointer: '#/trial' }] },
    })
    expect(await have(again)).toMatchObject({ status: 'trialing' })
  })

  test('does not sign up for one without choosing', async () => {
    const { have, end, register } = newCustomer()
    const pending = await have({ paymentMethod: undefined })
    expect(pending).toMatchObject({ plan: 'pending', status: 'trialing' })
    await end(pending)
    for (const wanted of [{}, { plan: 'pending' }])
      expect(await register(wanted)).toMatchObject({
        status: 409,
        body: { code: 'trial_used', errors: [{ pointer: '#/plan' }] },
      })
    expect(await have({ plan: 'basic' })).toMatchObject({ status: 'trialing' })
  })
})

test('of two that begin at once, in two places, one is a trial', async () => {
  for (let round = 0; round < 5; round += 1) {
    const { have } = newCustomer()
    const both = await Promise.all([have({ plan: 'basic', slot: 'a' }), have({ plan: 'premium', slot: 'b' })])
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set(['active', 'trialing']))
  }
})
