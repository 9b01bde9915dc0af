import { defineCatalog } from '@lockstep/core/catalog'
import { describe, expect, test } from 'vitest'
import { idOf } from '../src/provider/stripe/field.ts'
import { listHistory } from '../src/store/subscription-history.ts'
import { lookAt } from '../src/workflow/look.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { type Body, newSubscriber } from './support/subscriber.ts'

// Plans in one currency with figures that are easy to check by hand.

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  coupons: {
    half: { name: 'Half', percentOff: '50', duration: 'forever' },
    most: { name: 'Most', percentOff: '90', duration: 'forever' },
  },
  plans: {
    starter: flatPlan('Starter', '0'),
    basic: flatPlan('Basic', '10.00'),
    premium: flatPlan('Premium', '25.00'),
    yearly: { ...flatPlan('Yearly', '240.00'), interval: 'year' },
    team: {
      ...flatPlan('Team', '0'),
      prices: { seat: { kind: 'recurring', model: 'perUnit', unitAmount: '29.99' } },
    },
    gift: { ...flatPlan('Gift', '0'), audience: 'admin' },
    old: { ...flatPlan('Old', '6.00'), audience: 'legacy' },
    euro: { ...flatPlan('Euro', '9.00'), currency: 'eur' },
    pending: { ...flatPlan('Pending', '0'), audience: 'admin', trialDays: 31 },
  },
})

const { installation } = await sharedInstallation(catalog)

const subscriber = (planKey: string, more?: Parameters<typeof newSubscriber>[2]) =>
  newSubscriber(installation, planKey, more)

describe('an upgrade', () => {
  test('is shown, confirmed, and then done exactly as shown', async () => {
    const ada = await subscriber('basic')
    await ada.turn('2026-01-17T00:00:00Z')
    const shown = await ada.preview({ plan: 'premium' })
    expect(shown.status).toBe(200)
    // 10.00 → 25.00 with 15 of 31 days left: -4.84 + 12.10.
    expect(shown.body).toMatchObject({
      direction: 'upgrade',
      takesEffect: 'now',
      takesEffectAt: '2026-01-17T00:00:00Z',
      dueNow: {
        lines: [
          { amount: { minor: '-484' }, isProration: true },
          { amount: { minor: '1210' }, isProration: true },
        ],
        total: { minor: '726' },
        amountDue: { minor: '726' },
      },
      recurring: { amount: '25.00' },
      secondOpinion: 'agrees',
      warnings: [],
    })
    expect(shown.body.contractChanges).toContain('plan: basic → premium')
    const done = await ada.change({ plan: 'premium', preview: shown.body.token })
    expect([done.status, done.body]).toMatchObject([
      200,
      {
        subscription: { plan: 'premium', status: 'active', quantity: 1 },
        change: { state: 'effective', effectiveAt: '2026-01-17T00:00:00Z', to: { plan: 'premium' } },
      },
    ])
    expect(await ada.invoices()).toEqual(['subscription_create 1000 paid', 'subscription_update 726 paid'])
    const [second, first] = await ada.contracts()
    expect(second).toMatchObject({ supersedes: first?.id })
    expect((done.body.change as Body).contract).toBe(second?.id)
  })

  test('twice at once is one change, and the key is answered again', async () => {
    const ada = await subscriber('basic')
    const both = await Promise.all([ada.change({ plan: 'premium' }), ada.change({ plan: 'premium' })])
    expect(both.map(({ status }) => status)).toEqual([200, 200])
    const ids = both.map(({ body }) => (body.change as Body).id)
    expect(new Set(ids).size).toBe(1)
    const first = await ada.change({ plan: 'basic', when: 'now' }, 'a-key')
    const again = await ada.change({ plan: 'basic', when: 'now' }, 'a-key')
    expect(again).toEqual(first)
    expect(await ada.changes()).toHaveLength(2)
    expect(await ada.contracts()).toHaveLength(3)
  })

  test('from free to paid begins a whole period, wherever in the free one', async () => {
    const ada = await subscriber('starter', { at: '2026-01-31T09:30:00Z' })
    await ada.turn('2026-02-10T12:00:00Z')
    const shown = await ada.preview({ plan: 'premium' })
    expect(shown.body).toMatchObject({
      startsPeriod: true,
      dueNow: { total: { minor: '2500' } },
      secondOpinion: 'agrees',
    })
    const { body } = await ada.change({ plan: 'premium', preview: shown.body.token })
    expect(body.subscription).toMatchObject({
      plan: 'premium',
      billingCycleAnchor: '2026-02-10T12:00:00Z',
      currentPeriod: { start: '2026-02-10T12:00:00Z', end: '2026-03-10T12:00:00Z' },
    })
    expect(await ada.invoices()).toEqual(['subscription_create 0 paid', 'subscription_update 2500 paid'])
  })

  test('to a longer rhythm begins anew: the rest of the month is credited, the year is paid', async () => {
    const ada = await subscriber('basic')
    await ada.turn('2026-01-17T00:00:00Z')
    const shown = await ada.preview({ plan: 'yearly' })
    // 240.00 less 15/31 of 10.00.
    expect(shown.body).toMatchObject({
      startsPeriod: true,
      dueNow: { total: { minor: '23516' } },
      secondOpinion: 'agrees',
    })
    const { body } = await ada.change({ plan: 'yearly', preview: shown.body.token })
    expect(body.subscription).toMatchObject({ currentPeriod: { end: '2027-01-17T00:00:00Z' } })
  })

  test('of seats sends the number, and a flat price has none', async () => {
    const ada = await subscriber('team', { at: '2026-02-01T00:00:00Z', quantity: 5 })
    await ada.turn('2026-02-11T12:30:00Z')
    const shown = await ada.preview({ quantity: 8 })
    // 29.99 for 17 days and 11.5 hours of 28 days: the table of Stripe's facts says -93.61 + 149.77.
    expect(shown.body).toMatchObject({
      direction: 'upgrade',
      dueNow: { total: { minor: '5616' } },
      secondOpinion: 'agrees',
    })
    const done = await ada.change({ quantity: 8, preview: shown.body.token })
    expect(done.body.subscription).toMatchObject({ plan: 'team', quantity: 8 })
    const flat = await subscriber('basic')
    expect(await flat.change({ quantity: 2 })).toMatchObject({
      status: 422,
      body: { code: 'quantity_invalid' },
    })
  })

  test('from seats to a plan that is had once is to one of it', async () => {
    const ada = await subscriber('team', { quantity: 5 })
    // 149.95 are paid; in the same second all of it comes back, and 10.00 are billed.
    const shown = await ada.preview({ plan: 'basic', when: 'now' })
    expect(shown.body).toMatchObject({ direction: 'downgrade', dueNow: { total: { minor: '-13995' } } })
    const done = await ada.change({ plan: 'basic', when: 'now', preview: shown.body.token })
    expect(done.body.subscription).toMatchObject({ plan: 'basic', quantity: 1 })
    // And at the period's end as well.
    const eve = await subscriber('team', { quantity: 5 })
    expect(await eve.change({ plan: 'basic' })).toMatchObject({ status: 200 })
    expect(await eve.read()).toMatchObject({ quantity: 5, scheduledChange: { plan: 'basic', quantity: 1 } })
  })

  test('whose card is declined changes nothing', async () => {
    const ada = await subscriber('basic')
    const refused = await ada.change({
      plan: 'premium',
      paymentMethod: 'pm_card_chargeCustomerFail',
      email: 'new@example.org',
    })
    expect(refused).toMatchObject({
      status: 402,
      body: { code: 'card_declined', errors: [{ pointer: '#/paymentMethod' }] },
    })
    expect(await ada.read()).toMatchObject({ plan: 'basic', status: 'active' })
    expect(await ada.contracts()).toHaveLength(1)
    expect((await installation.ask('GET', `/v1/customers/${ada.customer}`)).body.email).toBeNull()
    expect((await ada.changes())[0]).toMatchObject({ state: 'refused', problem: { code: 'card_declined' } })
    // The card before is charged, as before.
    expect(await ada.change({ plan: 'premium' })).toMatchObject({ status: 200 })
  })
})

describe('while collection is paused', () => {
  // An invoice of a change would be kept as a draft or voided like all others, and the change had for nothing.
  // https://docs.stripe.com/billing/subscriptions/pause-payment
  test('nothing that is billed at once changes; what waits for the end of the period does, and a trial', async () => {
    const [ada, bob] = [await subscriber('basic'), await subscriber('pending')]
    const { stripe } = installation.deps.provider
    for (const { read } of [ada, bob]) {
      const id = String((await read()).providerId)
      await stripe.subscriptions.update(id, { pause_collection: { behavior: 'void' } })
      await lookAt(installation.deps, { type: 'subscription', id })
    }
    for (const ask of [ada.preview, ada.change])
      expect(await ask({ plan: 'premium' })).toMatchObject({
        status: 409,
        body: { code: 'subscription_not_changeable' },
      })
    expect(await ada.invoices()).toEqual(['subscription_create 1000 paid'])
    expect(await ada.change({ plan: 'premium', when: 'periodEnd' })).toMatchObject({
      status: 200,
      body: { subscription: { plan: 'basic' }, change: { state: 'scheduled' } },
    })
    expect(await bob.change({ plan: 'premium', trial: 'end' })).toMatchObject({ status: 409 })
    expect(await bob.change({ plan: 'premium' })).toMatchObject({
      status: 200,
      body: { subscription: { plan: 'premium', status: 'trialing' } },
    })
  })
})

describe('a preview', () => {
  test('that is not true any more is answered with a new one', async () => {
    const ada = await subscriber('basic')
    const { body: shown } = await ada.preview({ plan: 'premium' })
    await ada.change({ plan: 'yearly' })
    const stale = await ada.change({ plan: 'premium', when: 'now', preview: shown.token })
    expect(stale).toMatchObject({
      status: 409,
      body: { code: 'preview_stale', preview: { to: { plan: 'premium' } } },
    })
    const { token } = (stale.body as { preview: Body }).preview
    expect(await ada.change({ plan: 'premium', when: 'now', preview: token })).toMatchObject({ status: 200 })
  })

  test('is kept to the second for an hour, and not beyond', async () => {
    const ada = await subscriber('basic')
    await ada.turn('2026-01-17T00:00:00Z')
    const { body: shown } = await ada.preview({ plan: 'premium' })
    await ada.turn('2026-01-17T00:59:00Z')
    const { body: late } = await ada.preview({ plan: 'premium' })
    await ada.turn('2026-01-17T01:00:01Z')
    expect(await ada.change({ plan: 'premium', preview: shown.token })).toMatchObject({ status: 409 })
    const { total } = late.dueNow as { total: { minor: string } }
    await ada.change({ plan: 'premium', preview: late.token })
    expect((await ada.invoices()).at(-1)).toBe(`subscription_update ${total.minor} paid`)
  })

  test('of something else, and one that was written by hand, promise nothing', async () => {
    const ada = await subscriber('basic')
    const { body } = await ada.preview({ plan: 'premium' })
    const token = body.token as string
    const [version, payload = '', signature] = token.split('.')
    const promise = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...promise, prorationDate: 1_769_900_000 })).toString(
      'base64url',
    )
    for (const one of [`${version}.${forged}.${signature}`, token.slice(0, -2), 'nonsense', ''])
      expect(await ada.change({ plan: 'premium', preview: one })).toMatchObject({ status: 409 })
    expect(await ada.change({ plan: 'yearly', preview: token })).toMatchObject({ status: 409 })
    expect(await ada.read()).toMatchObject({ plan: 'basic' })
  })
})

describe('a downgrade', () => {
  test('comes when the period is over, is seen until then, and has its contract then', async () => {
    const ada = await subscriber('premium', { at: '2026-01-31T09:30:00Z' })
    const shown = await ada.preview({ plan: 'basic' })
    expect(shown.body).toMatchObject({
      direction: 'downgrade',
      takesEffect: 'periodEnd',
      takesEffectAt: '2026-02-28T09:30:00Z',
      dueNow: null,
      nextInvoice: { total: { minor: '1000' } },
    })
    const { status, body } = await ada.change({ plan: 'basic', preview: shown.body.token })
    expect([status, body]).toMatchObject([
      200,
      {
        subscription: {
          plan: 'premium',
          scheduledChange: { plan: 'basic', takesEffectAt: '2026-02-28T09:30:00Z' },
        },
        change: { state: 'scheduled', dueAt: '2026-02-28T09:30:00Z', contract: null },
      },
    ])
    await ada.turn('2026-02-28T11:00:00Z')
    expect(await ada.read()).toMatchObject({ plan: 'basic', scheduledChange: null, status: 'active' })
    // Who asked for it, on whichever day it comes.
    const requestedBy = (body.change as Body).requestedBy
    expect(await listHistory(installation.deps.db, ada.id, { limit: 10 })).toMatchObject([
      { planKey: 'basic', cause: 'planChange', actor: requestedBy },
      { planKey: 'premium', cause: 'registration', actor: requestedBy },
    ])
    expect(requestedBy).toMatch(/^admin_/)
    expect(await ada.invoices()).toEqual(['subscription_create 2500 paid', 'subscription_cycle 1000 paid'])
    expect(await ada.changes()).toMatchObject([{ state: 'effective', effectiveAt: '2026-02-28T09:30:00Z' }])
    expect(await ada.contracts()).toHaveLength(2)
    // The schedule let go: what comes next is done at once.
    expect(await ada.change({ plan: 'premium' })).toMatchObject({
      status: 200,
      body: { change: { state: 'effective' } },
    })
    await ada.turn('2026-03-31T11:00:00Z')
    expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 2500 paid')
  })

  test('in the place of one that is scheduled is previewed as what it comes to, not as that', async () => {
    const ada = await subscriber('team', { quantity: 2, coupons: ['half'] })
    await ada.change({ plan: 'basic' })
    const shown = await ada.preview({ plan: 'premium' })
    expect(shown.body).toMatchObject({
      takesEffect: 'periodEnd',
      nextInvoice: { total: { minor: '1250' }, lines: [{ amount: { minor: '2500' } }] },
    })
    expect((await ada.read()).scheduledChange).toMatchObject({ plan: 'basic' })
    await ada.change({ plan: 'premium', preview: shown.body.token })
    await ada.turn('2026-02-01T02:00:00Z')
    // Half of two seats at 29.99, and of 25.00.
    expect(await ada.invoices()).toEqual(['subscription_create 2999 paid', 'subscription_cycle 1250 paid'])
  })

  test('is given up by changing back, and by an upgrade', async () => {
    const ada = await subscriber('premium')
    await ada.change({ plan: 'basic' })
    const back = await ada.change({ plan: 'premium' })
    expect(back).toMatchObject({
      status: 200,
      body: {
        subscription: { plan: 'premium', scheduledChange: null },
        change: { direction: 'level', state: 'effective' },
      },
    })
    await ada.change({ plan: 'starter' })
    // Another one takes its place.
    expect(await ada.change({ plan: 'basic' })).toMatchObject({
      body: { subscription: { scheduledChange: { plan: 'basic' } } },
    })
    const up = await ada.change({ plan: 'yearly' })
    expect(up).toMatchObject({
      status: 200,
      body: { subscription: { plan: 'yearly', scheduledChange: null } },
    })
    expect((await ada.changes()).map(({ state }) => state)).toEqual([
      'effective',
      'withdrawn',
      'withdrawn',
      'effective',
      'withdrawn',
    ])
    await ada.turn('2026-02-01T12:00:00Z')
    expect(await ada.read()).toMatchObject({ plan: 'yearly' })
  })

  test('is kept when the upgrade that would replace it is declined', async () => {
    const ada = await subscriber('basic')
    await ada.change({ plan: 'starter' })
    const refused = await ada.change({ plan: 'premium', paymentMethod: 'pm_card_chargeCustomerFail' })
    expect(refused.status).toBe(402)
    expect(await ada.read()).toMatchObject({ plan: 'basic', scheduledChange: { plan: 'starter' } })
  })

  test('does not come where the subscription is ended instead, or the schedule is gone', async () => {
    const ada = await subscriber('premium')
    await ada.change({ plan: 'basic' })
    const { stripe } = installation.deps.provider
    const { providerId } = await ada.read()
    const { schedule } = await stripe.subscriptions.retrieve(String(providerId))
    await stripe.subscriptionSchedules.release(idOf(schedule ?? ''))
    await lookAt(installation.deps, { type: 'subscription', id: String(providerId) })
    expect(await ada.read()).toMatchObject({ plan: 'premium', scheduledChange: null })
    expect(await ada.changes()).toMatchObject([{ state: 'withdrawn' }])
    await ada.change({ plan: 'basic' })
    await stripe.subscriptions.cancel(String(providerId))
    await lookAt(installation.deps, { type: 'subscription', id: String(providerId) })
    expect(await ada.read()).toMatchObject({ status: 'canceled', scheduledChange: null })
    for (const wish of [{ plan: 'starter' }, { paymentMethod: 'pm_card_visa' }])
      expect(await ada.change(wish)).toMatchObject({ status: 409, body: { code: 'subscription_over' } })
    // Who the customer is has not ended.
    expect(await ada.change({ email: 'ada@example.org' })).toMatchObject({ status: 200 })
  })

  test('is given up by name, once', async () => {
    const ada = await subscriber('premium')
    const { body } = await ada.change({ plan: 'basic' })
    const path = `${ada.path}/changes/${(body.change as Body).id}/cancel`
    expect(await installation.ask('POST', path)).toMatchObject({ status: 200, body: { state: 'withdrawn' } })
    expect(await installation.ask('POST', path)).toMatchObject({
      status: 409,
      body: { code: 'plan_change_ended' },
    })
    expect(await ada.read()).toMatchObject({ scheduledChange: null })
  })

  test('to a shorter rhythm begins its own when the longer one is over', async () => {
    const ada = await subscriber('yearly', { at: '2026-01-31T00:00:00Z' })
    const { body } = await ada.change({ plan: 'basic' })
    expect(body.change).toMatchObject({ state: 'scheduled', dueAt: '2027-01-31T00:00:00Z' })
    await ada.turn('2027-01-31T02:00:00Z')
    expect(await ada.read()).toMatchObject({
      plan: 'basic',
      currentPeriod: { start: '2027-01-31T00:00:00Z', end: '2027-02-28T00:00:00Z' },
    })
    expect(await ada.invoices()).toEqual(['subscription_create 24000 paid', 'subscription_cycle 1000 paid'])
  })

  test('now, where somebody may say so, is credited', async () => {
    const ada = await subscriber('premium')
    await ada.turn('2026-01-17T00:00:00Z')
    const shown = await ada.preview({ plan: 'basic', when: 'now' })
    expect(shown.body).toMatchObject({
      dueNow: { total: { minor: '-726' }, credited: { minor: '726' }, amountDue: { minor: '0' } },
    })
    await ada.change({ plan: 'basic', when: 'now', preview: shown.body.token })
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await ada.invoices()).toEqual([
      'subscription_create 2500 paid',
      'subscription_update -726 paid',
      'subscription_cycle 1000 paid',
    ])
  })
})

describe('time that nobody paid for', () => {
  // A renewal's invoice is a draft for an hour, and no more collected once the subscription ends, while Stripe
  // credits its time as paid: https://docs.stripe.com/billing/subscriptions/credit-proration-deferral
  test('is not given back: not in the hour before a renewal is paid', async () => {
    const ada = await subscriber('premium')
    await ada.turn('2026-02-01T00:10:00Z')
    for (const ask of [ada.preview, ada.change]) {
      const { status, body } = await ask({ plan: 'basic', when: 'now' })
      expect([status, body]).toMatchObject([409, { code: 'subscription_not_changeable' }])
      expect(body.detail).toContain('until 2026-03-01T00:00:00Z')
    }
    // More than before: nothing is left to be given back.
    expect(await ada.change({ plan: 'yearly' })).toMatchObject({ status: 200 })
    // That was paid, less the month; the month was not.
    expect(await ada.change({ plan: 'basic', when: 'now' })).toMatchObject({ status: 409 })
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await ada.change({ plan: 'basic', when: 'now' })).toMatchObject({ status: 200 })
  })

  test('nor of a period that was not collected at all, until it is over', async () => {
    const ada = await subscriber('premium')
    const { stripe } = installation.deps.provider
    const id = String((await ada.read()).providerId)
    await stripe.subscriptions.update(id, { pause_collection: { behavior: 'void' } })
    await ada.turn('2026-02-01T02:00:00Z')
    await stripe.subscriptions.update(id, { pause_collection: '' })
    await lookAt(installation.deps, { type: 'subscription', id })
    expect(await ada.invoices()).toEqual(['subscription_create 2500 paid', 'subscription_cycle 2500 void'])
    const less = { plan: 'basic', when: 'now' }
    expect(await ada.change(less)).toMatchObject({ status: 409 })
    await ada.turn('2026-03-01T02:00:00Z')
    expect(await ada.change(less)).toMatchObject({ status: 200 })
  })

  test('nor where a coupon makes more cost less', async () => {
    const ada = await subscriber('basic')
    await ada.turn('2026-02-01T00:10:00Z')
    const more = { plan: 'premium', coupons: ['most'] }
    expect(await ada.change(more)).toMatchObject({ status: 409 })
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await ada.change(more)).toMatchObject({ status: 200 })
  })

  const premiumLess = { plan: 'basic', when: 'now' }
  const balance = async (ada: { atStripe(): Promise<{ customer: object }> }) => {
    const { customer } = await ada.atStripe()
    return 'balance' in customer ? customer.balance : undefined
  }
  /** Its newest invoice, at Stripe. */
  const newest = async (ada: { read(): Promise<Body> }) => {
    const subscription = String((await ada.read()).providerId)
    const { data } = await installation.deps.provider.stripe.invoices.list({ subscription, limit: 1 })
    return data[0]?.id ?? ''
  }

  test('what was given back is not given back once more', async () => {
    const { stripe } = installation.deps.provider
    const ada = await subscriber('premium')
    await ada.turn('2026-01-12T00:00:00Z')
    const { data } = await stripe.invoicePayments.list({ invoice: await newest(ada) })
    const payment = idOf(data[0]?.payment.payment_intent ?? '')
    // 20 of 31 days are left: 16.13 of 25.00. While as much is kept, it is credited, against 6.45 of 10.00.
    await stripe.refunds.create({ payment_intent: payment, amount: 888 })
    expect(await ada.change(premiumLess)).toMatchObject({ status: 409 })
    await stripe.refunds.create({ payment_intent: payment })
    const { status, body } = await ada.change(premiumLess)
    expect([status, body.code]).toEqual([409, 'subscription_not_changeable'])
    expect(body.detail).toContain('16.13 usd would be given back')
    expect(body.detail).toContain('0.00 usd was paid')
    expect(await balance(ada)).toBe(0)

    const eve = await subscriber('premium')
    await eve.turn('2026-01-12T00:00:00Z')
    await stripe.creditNotes.create({ invoice: await newest(eve), amount: 887, credit_amount: 887 })
    // 16.13 are kept to the cent.
    expect(await eve.change(premiumLess)).toMatchObject({ status: 200 })
    expect(await balance(eve)).toBe(-887 - 1613 + 645)
    // Of which no more than basic's own 6.45 is left.
    expect(await eve.change({ plan: 'starter', when: 'now' })).toMatchObject({ status: 200 })
    expect(await balance(eve)).toBe(-2500)
  })

  test('nor what the bank took back', async () => {
    const ada = await subscriber('premium', { card: 'pm_card_createDispute' })
    await ada.turn('2026-01-12T00:00:00Z')
    expect(await ada.change(premiumLess)).toMatchObject({ status: 409 })
  })

  test('nor of an invoice that a credit note has paid', async () => {
    const { stripe } = installation.deps.provider
    const ada = await subscriber('premium')
    const { subscriptions } = await ada.atStripe()
    const id = subscriptions[0]?.id ?? ''
    const bad = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
      customer: idOf(subscriptions[0]?.customer ?? ''),
    })
    await stripe.subscriptions.update(id, { default_payment_method: bad.id })
    await ada.turn('2026-02-01T02:00:00Z')
    await stripe.creditNotes.create({ invoice: await newest(ada), amount: 2500 })
    await lookAt(installation.deps, { type: 'subscription', id })
    expect(await ada.invoices()).toEqual(['subscription_create 2500 paid', 'subscription_cycle 2500 paid'])
    expect(await ada.read()).toMatchObject({ status: 'active' })
    expect(await ada.change(premiumLess)).toMatchObject({ status: 409 })
    expect(await balance(ada)).toBe(0)
  })

  test('nor of a change that stands though its invoice was voided', async () => {
    const { stripe } = installation.deps.provider
    const ada = await subscriber('basic')
    const { subscriptions } = await ada.atStripe()
    const [{ id, customer, items } = { id: '', customer: '', items: { data: [] } }] = subscriptions
    const bad = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: idOf(customer) })
    const rich = await subscriber('premium')
    const price = (await rich.atStripe()).subscriptions[0]?.items.data[0]?.price.id ?? ''
    await stripe.subscriptions.update(id, {
      items: [{ id: items.data[0]?.id ?? '', price }],
      ...{ default_payment_method: bad.id, payment_behavior: 'allow_incomplete' },
      proration_behavior: 'always_invoice',
    })
    await stripe.invoices.voidInvoice(await newest(ada))
    await lookAt(installation.deps, { type: 'subscription', id })
    expect(await ada.invoices()).toEqual(['subscription_create 1000 paid', 'subscription_update 1500 void'])
    expect(await ada.read()).toMatchObject({ status: 'active', plan: 'premium' })
    expect(await ada.change(premiumLess)).toMatchObject({ status: 409 })
    expect(await balance(ada)).toBe(0)
  })

  test('a present buys a part of more, and is not given back of that', async () => {
    const { stripe } = installation.deps.provider
    const paid = await subscriber('premium')
    const given = await subscriber('premium')
    const id = String((await given.read()).providerId)
    await stripe.subscriptions.update(id, { pause_collection: { behavior: 'void' } })
    for (const ada of [paid, given]) await ada.turn('2026-02-01T02:00:00Z')
    await stripe.subscriptions.update(id, { pause_collection: '' })
    await lookAt(installation.deps, { type: 'subscription', id })
    for (const ada of [paid, given]) {
      expect(await ada.change({ plan: 'yearly' })).toMatchObject({ status: 200 })
      // 670 of February's 672 hours are left: 24.93 of 25.00.
      expect((await ada.invoices()).at(-1)).toBe('subscription_update 21507 paid')
      await ada.turn('2026-03-02T02:00:00Z')
    }
    // 336 of 365 days are left: 220.93 of 240.00. One has paid 240.07 of it, the other 215.07.
    expect(await given.change(premiumLess)).toMatchObject({ status: 409 })
    expect(await paid.change(premiumLess)).toMatchObject({ status: 200 })
  })

  test('what is left of a year pays for no month twice', async () => {
    const ada = await subscriber('yearly')
    // 240.00 back, 25.00 for January; that is over when February's invoice is a draft.
    expect(await ada.change({ plan: 'premium', when: 'now' })).toMatchObject({ status: 200 })
    expect((await ada.invoices()).at(-1)).toBe('subscription_update -21500 paid')
    await ada.turn('2026-02-01T00:30:00Z')
    expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 2500 draft')
    expect(await ada.change({ plan: 'basic', when: 'now' })).toMatchObject({ status: 409 })
    expect(await balance(ada)).toBe(-21500)
  })

  test('what was paid outside of Stripe was paid', async () => {
    const { stripe } = installation.deps.provider
    const ada = await subscriber('premium')
    const { subscriptions } = await ada.atStripe()
    const id = subscriptions[0]?.id ?? ''
    const bad = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
      customer: idOf(subscriptions[0]?.customer ?? ''),
    })
    await stripe.subscriptions.update(id, { default_payment_method: bad.id })
    await ada.turn('2026-02-01T02:00:00Z')
    await stripe.invoices.pay(await newest(ada), { paid_out_of_band: true })
    await lookAt(installation.deps, { type: 'subscription', id })
    // 670 of February's 672 hours are left: 24.93 of 25.00 against 9.97 of 10.00.
    expect(await ada.change(premiumLess)).toMatchObject({ status: 200 })
    expect(await balance(ada)).toBe(-1496)
  })
})

describe('what is not the caller’s to change', () => {
  const user = async () => {
    const made = await installation.ask('POST', '/v1/api-keys', {
      name: 'application',
      scopes: ['subscriptions:read', 'subscriptions:write'],
    })
    const key = (made.body as { secret?: string; key?: string }).secret ?? (made.body as { key?: string }).key
    return key as string
  }

  test('is named all at once, and nothing is done', async () => {
    const ada = await subscriber('basic')
    const refused = await ada.change({
      plan: 'premium',
      status: 'active',
      trialEnd: '2027-01-01T00:00:00Z',
      slot: 'x',
      currentPeriod: {},
    })
    expect(refused).toMatchObject({
      status: 403,
      body: {
        code: 'system_property_read_only',
        errors: [
          { pointer: '#/slot', code: 'read_only' },
          { pointer: '#/status', code: 'read_only' },
          { pointer: '#/currentPeriod', code: 'read_only' },
        ],
      },
    })
    expect(await ada.read()).toMatchObject({ plan: 'basic' })
    expect(await ada.changes()).toEqual([])
    expect(await ada.change({ colour: 'red' })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    })
  })

  test.for([
    [{}, 400, 'empty_change'],
    [{ plan: 'basic' }, 400, 'empty_change'],
    [{ plan: 'nonsense' }, 422, 'plan_unknown'],
    [{ plan: 'old' }, 403, 'plan_not_allowed'],
    [{ plan: 'euro' }, 422, 'currency_mismatch'],
    [{ plan: 'premium', coupons: ['nothing'] }, 422, 'coupon_unknown'],
    [{ trial: 'end' }, 400, 'invalid_request'],
  ] as const)('%j is refused', async ([wish, status, code]) => {
    const ada = await subscriber('basic')
    expect(await ada.change(wish)).toMatchObject({ status, body: { code } })
    expect(await ada.preview(wish)).toMatchObject({ status, body: { code } })
    expect(await ada.changes()).toEqual([])
  })

  test('a coupon is redeemed once for a subscription, however often its holder asks', async () => {
    const ada = await subscriber('basic')
    const headers = { authorization: `Bearer ${await user()}` }
    const ask = async (payload: object) => {
      const { server } = installation.app
      const request = { method: 'PATCH', url: ada.path, headers, payload } as const
      const answer = await server.inject(request)
      return { status: answer.statusCode, body: answer.json() as Body }
    }
    const redeem = () => ask({ coupons: ['half'] })
    expect(await redeem()).toMatchObject({ status: 200 })
    expect(await redeem()).toMatchObject({
      status: 422,
      body: { code: 'coupon_expired', errors: [{ pointer: '#/coupons/0' }] },
    })
    // Nor does it begin anew by being taken off.
    expect(await ask({ withoutCoupons: ['half'] })).toMatchObject({ status: 200 })
    expect(await redeem()).toMatchObject({ status: 422, body: { code: 'coupon_expired' } })
  })

  test('plans for the operator to give are not for others', async () => {
    const ada = await subscriber('basic')
    const key = await user()
    const as = async (wish: object) => {
      const { app } = installation
      const headers = { authorization: `Bearer ${key}` }
      const answer = await app.server.inject({ method: 'PATCH', url: ada.path, headers, payload: wish })
      return { status: answer.statusCode, body: answer.json() as Body }
    }
    expect(await as({ plan: 'gift' })).toMatchObject({ status: 403, body: { code: 'plan_not_allowed' } })
    expect(await as({ plan: 'premium', when: 'periodEnd' })).toMatchObject({
      status: 403,
      body: { code: 'system_property_read_only', errors: [{ pointer: '#/when', code: 'admin_only' }] },
    })
    expect(await as({ plan: 'premium' })).toMatchObject({ status: 200 })
    expect(await ada.change({ plan: 'gift' })).toMatchObject({ status: 200 })
  })
})
