import { defineCatalog } from '@lockstep/core/catalog'
import type { SignUpInput } from '@lockstep/core/catalog-input'
import { describe, expect, test, vi } from 'vitest'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { doDue } from '../src/workflow/due.ts'
import { sharedInstallation } from './support/shared.ts'

// Who signs up without choosing gets the sign-up plan at once; what follows its trial is in the catalogue.

const fee = (amount: string) => ({ fee: { kind: 'recurring' as const, model: 'flat' as const, amount } })
const catalogOf = (signUp: SignUpInput<'pending' | 'starter' | 'premium'>) =>
  defineCatalog({
    currency: 'usd',
    products: { app: { name: 'App' } },
    plans: {
      pending: {
        name: 'Pending',
        product: 'app',
        audience: 'admin',
        interval: 'month',
        trialDays: 31,
        prices: fee('0'),
      },
      starter: { name: 'Starter', product: 'app', interval: 'month', prices: fee('0') },
      premium: { name: 'Premium', product: 'app', interval: 'month', prices: fee('9.00') },
    },
    signUp,
  })

let count = 0

const { simulator, installation } = await sharedInstallation()
subscriptionDeedRoutes(installation.app, { ...installation.deps, workflows: installation.workflows })

async function signUpWith(signUp: SignUpInput<'pending' | 'starter' | 'premium'>) {
  await applyCatalog({ ...installation.deps, workflows: installation.workflows }, catalogOf(signUp))
  const clock = await installation.ask('POST', '/v1/test-clocks', { frozenTime: '2026-01-31T09:30:00Z' })
  const at = `/v1/test-clocks/${clock.body.id}`
  count += 1
  const wanted = { externalId: `user_${count}`, testClock: clock.body.id }
  const { status, body } = await installation.ask('POST', '/v1/registrations', wanted)
  const subscriptions = async () => {
    const listed = await installation.ask('GET', `/v1/subscriptions?customer=${body.customer}`)
    return (listed.body.data as { plan: string; status: string; trial: { end: string } | null }[])
      .toReversed()
      .map(({ plan, status: is, trial }) => [plan, is, trial?.end])
  }
  const dues = async () => {
    const { rows } = await installation.database.pool.query<{ outcome: string | null }>(
      `select outcome from due where customer_id = $1 and kind = 'trial-end' order by due_at`,
      [body.customer],
    )
    return rows.map(({ outcome }) => outcome)
  }
  return {
    status,
    body,
    subscriptions,
    dues,
    async turn(to: string) {
      await installation.ask('POST', `${at}/advance`, { frozenTime: to })
      const ready = async () => (await installation.ask('GET', at)).body.status
      await expect.poll(ready, { timeout: 60_000 }).toBe('ready')
    },
  }
}

test('the free plan, as on any other: no trial, nothing due', async () => {
  const { status, body, subscriptions, dues } = await signUpWith({ plan: 'starter' })
  expect([status, body.plan]).toEqual([201, 'starter'])
  expect(await subscriptions()).toEqual([['starter', 'active', undefined]])
  expect(await dues()).toEqual([])
})

describe('the pending plan', () => {
  test('gives 31 days without a payment method, and expires once', async () => {
    const { status, body, subscriptions, dues, turn } = await signUpWith({ plan: 'pending' })
    // 31 days from 31 January are 3 March, to the second.
    expect([status, body.plan]).toEqual([201, 'pending'])
    expect(await subscriptions()).toEqual([['pending', 'trialing', '2026-03-03T09:30:00Z']])
    await turn('2026-03-03T09:29:59Z')
    expect(await dues()).toEqual([null])
    await turn('2026-03-03T09:30:00Z')
    expect(await subscriptions()).toEqual([['pending', 'canceled', '2026-03-03T09:30:00Z']])
    await turn('2026-06-01T00:00:00Z')
    expect(await dues()).toEqual(['expired'])
  })

  test('goes on on the free plan, by a registration of its own', async () => {
    const { body, subscriptions, dues, turn } = await signUpWith({
      plan: 'pending',
      afterTrial: { moveTo: 'starter' },
    })
    await turn('2026-03-03T09:30:00Z')
    expect(await subscriptions()).toEqual([
      ['pending', 'canceled', '2026-03-03T09:30:00Z'],
      ['starter', 'active', undefined],
    ])
    const listed = await installation.ask('GET', `/v1/registrations?customer=${body.customer}`)
    expect(listed.body.data).toMatchObject([
      { plan: 'starter', state: 'completed', requestOrigin: 'lockstep/trial-end' },
      { plan: 'pending' },
    ])
    expect(await dues()).toEqual([expect.stringMatching(/^moved to starter by registration_/)])
  })

  test('is not told as moved where the registration on a plan that has to be paid comes to nothing', async () => {
    const { body, subscriptions, dues, turn } = await signUpWith({
      plan: 'pending',
      afterTrial: { moveTo: 'premium' },
    })
    await turn('2026-03-03T09:30:00Z')
    // Nobody gave a card.
    const listed = await installation.ask('GET', `/v1/registrations?customer=${body.customer}`)
    const [moving] = listed.body.data as { id: string; plan: string; state: string }[]
    expect(moving).toMatchObject({ plan: 'premium', state: 'rolledBack' })
    expect(await dues()).toEqual([`to premium by ${moving?.id}: rolledBack`])
    expect(await subscriptions()).toEqual([['pending', 'canceled', '2026-03-03T09:30:00Z']])
  })

  test('is prolonged once, and then expires', async () => {
    const { subscriptions, dues, turn } = await signUpWith({
      plan: 'pending',
      afterTrial: { extendDays: 10 },
    })
    await turn('2026-03-03T09:30:00Z')
    expect(await subscriptions()).toEqual([['pending', 'trialing', '2026-03-13T09:30:00Z']])
    await turn('2026-04-01T00:00:00Z')
    expect(await subscriptions()).toEqual([['pending', 'canceled', '2026-03-13T09:30:00Z']])
    expect(await dues()).toEqual(['extended by 10 days', 'expired'])
  })

  test('whose user ended it just before we did is left alone', async () => {
    const { body, dues, turn, subscriptions } = await signUpWith({
      plan: 'pending',
      afterTrial: { moveTo: 'starter' },
    })
    const subscription = await installation.ask('GET', `/v1/subscriptions/${body.subscription}`)
    const { stripe } = installation.deps.provider
    const cancel = stripe.subscriptions.cancel.bind(stripe.subscriptions)
    const own = vi.spyOn(stripe.subscriptions, 'cancel')
    own.mockImplementationOnce((async (...call: Parameters<typeof cancel>) => {
      await cancel(String(subscription.body.providerId))
      return cancel(...call)
    }) as never)
    await turn('2026-03-03T09:30:00Z')
    await installation.database.pool.query(
      'update due set attempts = 0, next_attempt_at = null, clock_stood_at = null where settled_at is null',
    )
    await turn('2026-03-03T09:31:00Z')
    expect(await dues()).toEqual(['a choice was made'])
    expect(await subscriptions()).toEqual([['pending', 'canceled', expect.any(String)]])
  })

  // Stripe heeds no idempotency key with DELETE: told again, it says that there is no such subscription any more.
  // https://docs.stripe.com/api/idempotent_requests
  test('goes on also where the answer to our ending it is lost, and the next is that it has ended', async () => {
    const { body, dues, turn, subscriptions } = await signUpWith({
      plan: 'pending',
      afterTrial: { moveTo: 'starter' },
    })
    const { body: subscription } = await installation.ask('GET', `/v1/subscriptions/${body.subscription}`)
    const path = `/v1/subscriptions/${subscription.providerId}`
    simulator.control.fail({ kind: 'timeout_after_commit', method: 'DELETE', path })
    await turn('2026-03-03T09:30:00Z')
    await installation.database.pool.query(
      'update due set attempts = 0, next_attempt_at = null, clock_stood_at = null where settled_at is null',
    )
    await turn('2026-03-03T09:31:00Z')
    expect(await dues()).toEqual([expect.stringMatching(/^moved to starter by /)])
    expect((await subscriptions()).map(([plan, status]) => [plan, status])).toEqual([
      ['pending', 'canceled'],
      ['starter', 'active'],
    ])
  })

  test('whose user ended it while our ending it never arrived is left alone', async () => {
    const { body, dues, turn, subscriptions } = await signUpWith({
      plan: 'pending',
      afterTrial: { moveTo: 'starter' },
    })
    const at = `/v1/subscriptions/${body.subscription}`
    const { body: subscription } = await installation.ask('GET', at)
    const path = `/v1/subscriptions/${subscription.providerId}`
    simulator.control.fail({ kind: 'timeout_before_commit', method: 'DELETE', path, times: 100 })
    await turn('2026-03-03T09:30:00Z')
    simulator.control.clearFaults()
    expect(await installation.ask('POST', `${at}/cancel`, { when: 'now' })).toMatchObject({ status: 200 })
    await installation.database.pool.query(
      'update due set attempts = 0, next_attempt_at = null, clock_stood_at = null where settled_at is null',
    )
    await turn('2026-03-03T09:31:00Z')
    expect(await dues()).toEqual(['a choice was made'])
    expect((await subscriptions()).map(([plan, status]) => [plan, status])).toEqual([['pending', 'canceled']])
  })

  test.each([{ moveTo: 'starter' as const }, { extendDays: 10 }])(
    'whose user planned its end is left alone, also where Stripe has not ended it yet: %o',
    async (afterTrial) => {
      const { body, dues, subscriptions } = await signUpWith({ plan: 'pending', afterTrial })
      const at = `/v1/subscriptions/${body.subscription}`
      await installation.ask('POST', `${at}/cancel`, { when: 'periodEnd' })
      const { pool } = installation.database
      await pool.query(
        `update due set due_at = '2026-01-31T09:30:00Z' where customer_id = $1 and kind = 'trial-end'`,
        [body.customer],
      )
      await doDue({ ...installation.deps, workflows: installation.workflows, requestSync: async () => {} })
      expect(await dues()).toEqual(['a choice was made'])
      expect(await subscriptions()).toEqual([['pending', 'trialing', '2026-03-03T09:30:00Z']])
    },
  )

  test('whose user ended it before is left alone', async () => {
    const { body, dues, turn, subscriptions } = await signUpWith({
      plan: 'pending',
      afterTrial: { moveTo: 'starter' },
    })
    const subscription = await installation.ask('GET', `/v1/subscriptions/${body.subscription}`)
    await installation.deps.provider.stripe.subscriptions.cancel(String(subscription.body.providerId))
    await turn('2026-03-04T00:00:00Z')
    expect(await dues()).toEqual(['a choice was made'])
    expect(await subscriptions()).toEqual([['pending', 'canceled', '2026-03-03T09:30:00Z']])
  })
})

test('without a plan for signing up, one has to be chosen', async () => {
  const { signUp: _, ...rest } = catalogOf({ plan: 'starter' })
  await applyCatalog({ ...installation.deps, workflows: installation.workflows }, { ...rest, signUp: null })
  expect(await installation.ask('POST', '/v1/registrations', { externalId: 'nobody' })).toMatchObject({
    status: 422,
    body: { code: 'plan_unknown', errors: [{ pointer: '#/plan' }] },
  })
})
