import { defineCatalog } from '@lockstep/core/catalog'
import { describe, expect, test } from 'vitest'
import { lookAt } from '../src/workflow/look.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { type Body, newSubscriber } from './support/subscriber.ts'

// Add-ons in figures that are easy to check by hand.

const monthly = { product: 'more', interval: 'month' } as const
const each = (unitAmount: string) => ({ each: { kind: 'recurring', model: 'perUnit', unitAmount } }) as const
const flat = (amount: string) => ({ fee: { kind: 'recurring', model: 'flat', amount } }) as const
const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' }, more: { name: 'More' } },
  features: {
    restore: { name: 'Restore', kind: 'switch' },
    seats: { name: 'Seats', kind: 'limit', unitLabel: 'seat' },
  },
  plans: {
    starter: flatPlan('Starter', '0'),
    basic: { ...flatPlan('Basic', '10.00'), grants: { seats: { upTo: '5' } } },
    premium: flatPlan('Premium', '25.00'),
    yearly: { ...flatPlan('Yearly', '240.00'), interval: 'year' },
    trial: { ...flatPlan('Trial', '10.00'), trialDays: 14 },
    yen: { ...flatPlan('Yen', '1000'), currency: 'jpy' },
    course: { ...flatPlan('Course', '10.00'), purchase: 'course', payments: 3 },
  },
  addons: {
    backups: {
      ...{ ...monthly, name: 'Backups', prices: each('3.10') },
      grants: { restore: true, seats: { upTo: '2' } },
    },
    support: { ...monthly, name: 'Support', plans: ['basic', 'trial'], prices: flat('31.00') },
    rescue: { ...monthly, name: 'Rescue', audience: 'admin', prices: flat('1.00') },
    old: { ...monthly, name: 'Old', audience: 'legacy', prices: flat('1.00') },
    yearly: { ...monthly, name: 'For a year', interval: 'year', prices: flat('12.00') },
    sakura: { ...monthly, name: 'Sakura', currency: 'jpy', prices: each('100') },
  },
})

const { simulator, installation } = await sharedInstallation(catalog)

type Subscriber = Awaited<ReturnType<typeof newSubscriber>>
const subscriber = (plan: string, more?: Parameters<typeof newSubscriber>[2]) =>
  newSubscriber(installation, plan, more)
const backups = (quantity: number) => [{ addon: 'backups', quantity }]
const addonsOf = async ({ read }: Subscriber) =>
  ((await read()).addons as { addon: string; quantity: number }[]).map(
    (one) => `${one.addon} ${one.quantity}`,
  )
const faultsOf = (body: Body) =>
  (body.errors as { pointer: string; code: string }[]).map(({ pointer, code }) => `${pointer} ${code}`)

describe('attaching', () => {
  test('is shown, confirmed and then done exactly as shown, prorated to the second', async () => {
    const ada = await subscriber('basic')
    await ada.turn('2026-01-17T00:00:00Z')
    const shown = await ada.preview({ addons: backups(2) })
    // 2 × 3.10 = 6.20 with 15 of 31 days left: exactly 3.00.
    expect(shown).toMatchObject({
      status: 200,
      body: {
        from: { plan: 'basic', addons: [] },
        to: { plan: 'basic', addons: [{ addon: 'backups', version: 1, quantity: 2 }] },
        ...{ direction: 'upgrade', takesEffect: 'now', startsPeriod: false },
        dueNow: { lines: [{ amount: { minor: '300' }, isProration: true }], total: { minor: '300' } },
        recurring: { minor: '1620' },
        contractChanges: ['addons/backups: added, 2 × Backups'],
        secondOpinion: 'agrees',
      },
    })
    const done = await ada.change({ addons: backups(2), preview: shown.body.token })
    expect(done).toMatchObject({
      status: 200,
      body: {
        change: { state: 'effective', to: { addons: [{ addon: 'backups', version: 1, quantity: 2 }] } },
        subscription: { quantity: 1, addons: [{ addon: 'backups', version: 1, quantity: 2 }] },
      },
    })
    await ada.turn('2026-02-01T02:00:00Z')
    // 10.00 + 6.20 from now on.
    expect(await ada.invoices()).toEqual([
      'subscription_create 1000 paid',
      'subscription_update 300 paid',
      'subscription_cycle 1620 paid',
    ])
    const [contract] = await ada.contracts()
    const { body } = await installation.ask('GET', `/v1/contracts/${contract?.id}`)
    expect(body).toMatchObject({
      agreement: {
        quantity: 1,
        addons: [{ key: 'backups', quantity: 2, features: [{ feature: 'restore' }, {}] }],
      },
      changes: ['addons/backups: added, 2 × Backups'],
    })
    expect(JSON.parse(body.text as string).format).toBe('lockstep-contract-2')
  })

  test('grants what it grants beside the plan, by its number', async () => {
    const ada = await subscriber('basic')
    const entitlements = async () => {
      const { body } = await installation.ask('GET', `/v1/entitlements?customer=${ada.customer}`)
      const given = body.data as { feature: string; allowed: boolean; upTo: string; source: Body | null }[]
      return given.map(({ feature, allowed, upTo, source }) => [feature, allowed, upTo, source?.addons])
    }
    expect(await entitlements()).toEqual([
      ['restore', false, null, undefined],
      ['seats', true, '5', []],
    ])
    await ada.change({ addons: backups(3) })
    expect(await entitlements()).toEqual([
      ['restore', true, null, ['backups']],
      ['seats', true, '11', ['backups']],
    ])
  })

  test('makes it one of those that are found by it', async () => {
    const ada = await subscriber('basic')
    await ada.change({ addons: [{ addon: 'support', quantity: 1 }] })
    const found = async (addon: string) => {
      const { body } = await installation.ask(
        'GET',
        `/v1/subscriptions?customer=${ada.customer}&addon=${addon}`,
      )
      return (body.data as Body[]).map(({ id }) => id)
    }
    expect([await found('support'), await found('backups')]).toEqual([[ada.id], []])
  })

  test('in yen, where a coin is the smallest amount', async () => {
    const ada = await subscriber('yen')
    await ada.turn('2026-01-11T00:00:00Z')
    const wish = { addons: [{ addon: 'sakura', quantity: 3 }] }
    const { body } = await ada.preview(wish)
    // 300 with 21 of 31 days left: 203.2.
    expect(body).toMatchObject({ dueNow: { total: { minor: '203' } }, secondOpinion: 'agrees' })
    await ada.change({ ...wish, preview: body.token })
    expect(await ada.invoices()).toEqual(['subscription_create 1000 paid', 'subscription_update 203 paid'])
  })

  test('to a plan that costs nothing begins a period: the first payment is for a whole one', async () => {
    const ada = await subscriber('starter')
    await ada.turn('2026-01-17T00:00:00Z')
    const { body } = await ada.preview({ addons: backups(1) })
    expect(body).toMatchObject({ startsPeriod: true, dueNow: { total: { minor: '310' } } })
    await ada.change({ addons: backups(1), preview: body.token })
    expect((await ada.read()).currentPeriod).toEqual({
      start: '2026-01-17T00:00:00Z',
      end: '2026-02-17T00:00:00Z',
    })
  })

  test('in a trial costs nothing until the trial is over', async () => {
    const ada = await subscriber('trial')
    const { body } = await ada.preview({ addons: backups(1) })
    expect(body).toMatchObject({
      takesEffect: 'now',
      dueNow: null,
      nextInvoice: { total: { minor: '1310' } },
    })
    await ada.change({ addons: backups(1), preview: body.token })
    await ada.turn('2026-01-15T02:00:00Z')
    expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 1310 paid')
  })

  test('without anything to pay with is refused, and nothing is attached', async () => {
    const ada = await subscriber('starter', { card: '' })
    expect(await ada.change({ addons: backups(1) })).toMatchObject({
      body: { code: 'payment_method_required' },
    })
    expect(await addonsOf(ada)).toEqual([])
  })

  test('with a card that is declined changes nothing', async () => {
    const ada = await subscriber('basic')
    const wish = { addons: backups(1), paymentMethod: 'pm_card_chargeCustomerFail' }
    expect(await ada.change(wish)).toMatchObject({ body: { code: 'card_declined' } })
    expect(await addonsOf(ada)).toEqual([])
    expect(await ada.contracts()).toHaveLength(1)
  })
})

test('where the bank asks, the customer answers first; then it is attached and paid once', async () => {
  const ada = await subscriber('basic')
  const asked = await ada.change({ addons: backups(1), paymentMethod: 'pm_card_authenticationRequired' })
  const change = asked.body.change as Body
  expect([asked.status, change.state, await addonsOf(ada)]).toEqual([202, 'requiresAction', []])
  const { intents } = await ada.atStripe()
  const waiting = intents.find(({ status }) => status === 'requires_action')
  simulator.control.authenticate(waiting?.id ?? '', 'succeed')
  const path = `${ada.path}/changes/${change.id}`
  await installation.ask('POST', `${path}/resume`, {})
  const state = async () => (await installation.ask('GET', path)).body.state
  await expect.poll(state, { timeout: 60_000 }).toBe('effective')
  expect(await addonsOf(ada)).toEqual(['backups 1'])
  expect(await ada.invoices()).toEqual(['subscription_create 1000 paid', 'subscription_update 310 paid'])
})

describe('another number', () => {
  test('more is paid for at once, fewer at the end of the period', async () => {
    const ada = await subscriber('basic')
    await ada.change({ addons: backups(1) })
    await ada.turn('2026-01-17T00:00:00Z')
    // -3.10 × 15/31 + 9.30 × 15/31 = -1.50 + 4.50.
    expect((await ada.change({ addons: backups(3) })).status).toBe(200)
    expect((await ada.invoices()).at(-1)).toBe('subscription_update 300 paid')
    const fewer = await ada.change({ addons: backups(2) })
    expect(fewer.body.change).toMatchObject({ direction: 'downgrade', state: 'scheduled' })
    expect((await ada.read()).scheduledChange).toMatchObject({ addons: [{ addon: 'backups', quantity: 2 }] })
    expect(await addonsOf(ada)).toEqual(['backups 3'])
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await addonsOf(ada)).toEqual(['backups 2'])
    expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 1620 paid')
  })

  test('the same one is no change, and nor is detaching what is not attached', async () => {
    const ada = await subscriber('basic')
    await ada.change({ addons: backups(1) })
    for (const addons of [backups(1), [{ addon: 'support', quantity: 0 }], []])
      expect(await ada.change({ addons })).toMatchObject({ status: 400, body: { code: 'empty_change' } })
  })
})

describe('detaching', () => {
  test('takes effect at the end of the period; what is paid for is kept until then', async () => {
    const ada = await subscriber('basic')
    await ada.change({ addons: [...backups(1), { addon: 'support', quantity: 1 }] })
    await ada.turn('2026-01-17T00:00:00Z')
    const shown = await ada.preview({ addons: [{ addon: 'support', quantity: 0 }] })
    expect(shown.body).toMatchObject({
      ...{ direction: 'downgrade', takesEffect: 'periodEnd', dueNow: null },
      nextInvoice: { total: { minor: '1310' } },
      contractChanges: ['addons/support: removed, was 1 × Support'],
    })
    const done = await ada.change({ addons: [{ addon: 'support', quantity: 0 }], preview: shown.body.token })
    expect(done.body.change).toMatchObject({ state: 'scheduled', dueAt: '2026-02-01T00:00:00Z' })
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await addonsOf(ada)).toEqual(['backups 1'])
    expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 1310 paid')
    expect((await ada.contracts()).length).toBe(3)
  })

  test('that is scheduled is not given up unnamed by another change', async () => {
    const ada = await subscriber('basic')
    await ada.change({ addons: backups(2) })
    await ada.turn('2026-01-17T00:00:00Z')
    const { body } = await ada.change({ addons: backups(1) })
    const refused = {
      status: 409,
      body: { code: 'subscription_not_changeable', errors: [{ pointer: '#/addons', code: 'required' }] },
    }
    expect(await ada.preview({ plan: 'premium' })).toMatchObject(refused)
    expect(await ada.change({ plan: 'premium' })).toMatchObject(refused)
    expect((await ada.read()).scheduledChange).toMatchObject({ addons: [{ addon: 'backups', quantity: 1 }] })
    // Named, it is said; and what it gives up is shown before.
    const named = { plan: 'premium', addons: backups(1) }
    expect((await ada.preview(named)).body).toMatchObject({ withdraws: (body.change as Body).id })
    expect(await ada.change(named)).toMatchObject({ status: 200, body: { change: { state: 'effective' } } })
    expect(await addonsOf(ada)).toEqual(['backups 1'])
    expect((await ada.read()).scheduledChange).toBeNull()
  })

  test('that is scheduled is given up by naming the plan that runs', async () => {
    const ada = await subscriber('basic')
    await ada.change({ addons: backups(1) })
    await ada.change({ addons: backups(0) })
    expect(await ada.change({ plan: 'basic' })).toMatchObject({ status: 200 })
    expect((await ada.read()).scheduledChange).toBeNull()
    expect(await addonsOf(ada)).toEqual(['backups 1'])
  })

  test('at once gives unused time back, and says so to the cent', async () => {
    const ada = await subscriber('basic')
    await ada.change({ addons: [{ addon: 'support', quantity: 1 }] })
    await ada.turn('2026-01-17T00:00:00Z')
    const wish = { addons: [{ addon: 'support', quantity: 0 }], when: 'now' }
    const { body } = await ada.preview(wish)
    // 31.00 × 15/31 = 15.00.
    expect(body).toMatchObject({ dueNow: { total: { minor: '-1500' }, credited: { minor: '1500' } } })
    expect((await ada.change({ ...wish, preview: body.token })).body.change).toMatchObject({
      state: 'effective',
    })
    expect((await ada.invoices()).at(-1)).toBe('subscription_update -1500 paid')
    const last = (await ada.contracts())[0]
    const contract = await installation.ask('GET', `/v1/contracts/${last?.id}`)
    expect(JSON.parse(contract.body.text as string)).toMatchObject({ format: 'lockstep-contract-1' })
    expect(contract.body).toMatchObject({ agreement: { addons: [] } })
  })

  test('is given up by giving up the change', async () => {
    const ada = await subscriber('basic')
    await ada.change({ addons: backups(1) })
    const planned = (await ada.change({ addons: backups(0) })).body.change as { id: string }
    // Another add-on beside what is planned has to say what becomes of that.
    expect(await ada.change({ addons: [{ addon: 'support', quantity: 1 }] })).toMatchObject({
      body: { code: 'subscription_not_changeable' },
    })
    expect((await installation.ask('POST', `${ada.path}/changes/${planned.id}/cancel`)).status).toBe(200)
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await addonsOf(ada)).toEqual(['backups 1'])
  })
})

describe('what is wrong', () => {
  test.each<[string, object, string[]]>([
    ['there is none', { addons: [{ addon: 'gone', quantity: 1 }] }, ['#/addons/0/addon addon_unknown']],
    ['no longer sold', { addons: [{ addon: 'old', quantity: 1 }] }, ['#/addons/0 addon_not_allowed']],
    [
      'another rhythm, another currency',
      { addons: [...backups(1), { addon: 'yearly', quantity: 1 }, { addon: 'sakura', quantity: 1 }] },
      ['#/addons/1 addon_mismatch', '#/addons/2 addon_mismatch'],
    ],
    [
      'it does not go with the plan that is chosen',
      { plan: 'premium', addons: [{ addon: 'support', quantity: 1 }] },
      ['#/addons/0 addon_mismatch'],
    ],
    [
      'a number of what has no price by number',
      { addons: [{ addon: 'support', quantity: 2 }] },
      ['#/addons/0/quantity quantity_invalid'],
    ],
  ])('%s', async (_, wish, faults) => {
    const ada = await subscriber('basic')
    const { body } = await ada.preview(wish)
    expect(faultsOf(body)).toEqual(faults)
  })

  test('one add-on named twice in a request', async () => {
    const ada = await subscriber('basic')
    const { status, body } = await ada.change({ addons: [...backups(1), ...backups(2)] })
    expect([status, body.code]).toEqual([400, 'invalid_request'])
  })
})

describe('a change of plan', () => {
  test('keeps the add-ons that go with the new one', async () => {
    const ada = await subscriber('premium')
    await ada.change({ addons: backups(2) })
    await ada.change({ plan: 'basic' })
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await ada.read()).toMatchObject({ plan: 'basic', addons: [{ addon: 'backups', quantity: 2 }] })
    expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 1620 paid')
  })

  test('takes none away unnamed: what does not fit is detached in the same request', async () => {
    const ada = await subscriber('basic')
    await ada.change({ addons: [...backups(1), { addon: 'support', quantity: 1 }] })
    const toYearly = await ada.preview({ plan: 'yearly' })
    expect(faultsOf(toYearly.body)).toEqual(['#/plan addon_mismatch', '#/plan addon_mismatch'])
    // Nor is it kept by being named with another number.
    const named = await ada.preview({
      plan: 'yearly',
      addons: [...backups(2), { addon: 'support', quantity: 0 }],
    })
    expect(faultsOf(named.body)).toEqual(['#/addons/0 addon_mismatch'])
    const wish = { plan: 'premium', addons: [{ addon: 'support', quantity: 0 }], when: 'now' }
    expect((await ada.change(wish)).status).toBe(200)
    expect(await ada.read()).toMatchObject({ plan: 'premium', addons: [{ addon: 'backups', quantity: 1 }] })
  })
})

test('two who attach at once: one is done and the other is told, or both are one', async () => {
  const ada = await subscriber('basic')
  const support = [{ addon: 'support', quantity: 1 }]
  const [one, other] = await Promise.all([
    ada.change({ addons: backups(1) }),
    ada.change({ addons: support }),
  ])
  const codes = [one, other].map(({ status, body }) => (status === 200 ? 'done' : String(body.code))).sort()
  expect([
    ['done', 'done'],
    ['done', 'plan_change_in_progress'],
  ]).toContainEqual(codes)
  const attached = [
    ...(one.status === 200 ? ['backups 1'] : []),
    ...(other.status === 200 ? ['support 1'] : []),
  ]
  expect(await addonsOf(ada)).toEqual(attached)

  const bob = await subscriber('basic')
  const twice = await Promise.all([bob.change({ addons: backups(1) }), bob.change({ addons: backups(1) })])
  // A double click is one change; who comes when it has ended asks for what is so already.
  for (const { status, body } of twice)
    expect([200, 400]).toContain(status === 400 ? (body.code === 'empty_change' ? 400 : 0) : status)
  expect(await bob.changes()).toHaveLength(1)
  expect(await bob.invoices()).toEqual(['subscription_create 1000 paid', 'subscription_update 310 paid'])
})

test('what appears and disappears at Stripe is attached and detached here, with a contract', async () => {
  const ada = await subscriber('basic')
  const { stripe } = installation.deps.provider
  const providerId = String((await ada.read()).providerId)
  const prices = await stripe.prices.list({ limit: 100 })
  const price = prices.data.find(
    ({ unit_amount: amount, metadata }) => amount === 310 && metadata.lockstep_addon_version,
  )
  const item = await stripe.subscriptionItems.create({
    subscription: providerId,
    price: price?.id ?? '',
    quantity: 2,
  })
  await lookAt(installation.deps, { type: 'subscription', id: providerId })
  expect(await addonsOf(ada)).toEqual(['backups 2'])
  expect((await ada.contracts()).length).toBe(2)
  await stripe.subscriptionItems.del(item.id)
  await lookAt(installation.deps, { type: 'subscription', id: providerId })
  expect(await addonsOf(ada)).toEqual([])
  const [last] = await ada.contracts()
  const { body } = await installation.ask('GET', `/v1/contracts/${last?.id}`)
  expect(body).toMatchObject({
    requestOrigin: 'provider',
    changes: ['addons/backups: removed, was 2 × Backups'],
  })
})
