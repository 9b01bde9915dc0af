import { defineCatalog } from '@lockstep/core/catalog'
import { describe, expect, test } from 'vitest'
import { newId } from '../src/ids.ts'
import { lookAt } from '../src/workflow/look.ts'
import { beginChange } from '../src/workflow/plan-change/begin.ts'
import type { ChangeWish } from '../src/workflow/plan-change/wish.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { standingCall } from './support/standing-call.ts'
import { type Body, newSubscriber } from './support/subscriber.ts'

// Between what a change comes to is decided, or shown, and the provider is told, somebody gives or takes a discount there.

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  coupons: {
    half: { name: 'Half', percentOff: '50', duration: 'forever' },
    tenth: { name: 'Tenth', percentOff: '10', duration: 'forever' },
    hello: { name: 'Hello', percentOff: '20', duration: 'once' },
    // One customer may have it.
    only: { name: 'Only', percentOff: '20', duration: 'forever', maxRedemptions: 1 },
  },
  plans: {
    starter: flatPlan('Starter', '0'),
    basic: flatPlan('Basic', '10.00'),
    premium: flatPlan('Premium', '25.00'),
  },
})

const PAGE = { returnUrl: 'https://app.example/billing', cancelUrl: 'https://app.example/pricing' }

const { simulator, installation } = await sharedInstallation(catalog)

const stripe = () => installation.deps.provider.stripe

async function subscriber(plan: string, options: Parameters<typeof newSubscriber>[2] = {}) {
  const ada = await newSubscriber(installation, plan, options)
  const providerId = String((await ada.read()).providerId)
  const payer = String((await installation.ask('GET', `/v1/customers/${ada.customer}`)).body.providerId)
  return {
    ...ada,
    providerId,
    payer,
    /** Names of the coupons at Stripe. */
    async standing() {
      const { discounts } = await stripe().subscriptions.retrieve(providerId, {
        expand: ['discounts.source.coupon'],
      })
      return discounts.map((one) => typeof one === 'object' && (one.source.coupon as { name: string }).name)
    },
    /** Keys of the coupons in the contract in force. */
    async agreed() {
      const contracts = await ada.contracts()
      const superseded = new Set(contracts.map(({ supersedes }) => supersedes))
      const contract = contracts.find(({ id }) => !superseded.has(id))
      const { body } = await installation.ask('GET', `/v1/contracts/${contract?.id}`)
      const { discounts } = body.agreement as { discounts: Body[] }
      return discounts.map(({ coupon }) => coupon)
    },
    /** In the dashboard, beside those that run. */
    async giveAtStripe(key: string, { byCode = false } = {}) {
      const { rows } = await installation.deps.pool.query(
        `select provider_id from mapping where entity_type = 'coupon' and entity_id = $1`,
        [key],
      )
      const coupon = rows[0].provider_id
      const code = byCode && (await stripe().promotionCodes.create({ promotion: { type: 'coupon', coupon } }))
      const { discounts } = await stripe().subscriptions.retrieve(providerId)
      const kept = discounts.map((discount) => ({ discount: discount as string }))
      const given = code ? { promotion_code: code.id } : { coupon }
      await stripe().subscriptions.update(providerId, { discounts: [...kept, given] })
    },
    takeAllAtStripe: () => stripe().subscriptions.update(providerId, { discounts: '' }),
    hear: () => lookAt(installation.deps, { type: 'subscription', id: providerId }),
    /** Asks for a change that waits for a card; the answer leaves one and resolves with what becomes of the change. */
    async onPage(wish: object) {
      const asked = await ada.change({ ...wish, paymentPage: PAGE })
      expect(asked.status).toBe(202)
      const path = `${ada.path}/changes/${(asked.body.change as Body).id}`
      return async () => {
        const { sessions } = await ada.atStripe()
        simulator.control.completeCheckout(sessions[0]?.id ?? '', { card: 'pm_card_visa' })
        await installation.ask('POST', `${path}/resume`, {})
        return (await installation.ask('GET', path)).body
      }
    },
    /** Decides and records a change; the answer carries it out. */
    async decided(wish: ChangeWish) {
      const { deps, workflows } = installation
      const { workflowId, written } = await beginChange(deps, ada.id, wish, {
        ...{ operation: newId('operation'), requestedBy: 'test', mayGivePlans: false },
        ...{ requestOrigin: null, accepted: {} },
      })
      if (!written) throw new Error('It was begun before.')
      const carryOut = async () => {
        workflows.beginAs(written)
        return workflows.settled(workflowId, 60)
      }
      return Object.assign(carryOut, { call: `${workflowId}/change-at-provider` })
    },
  }
}

const told = [
  { how: 'and it is heard of', isHeard: true },
  { how: 'and nobody heard of it', isHeard: false },
]

describe('while a change waits', () => {
  test.for(told)('what the dashboard gives meanwhile stays, $how', async ({ isHeard }) => {
    const ada = await subscriber('starter', { card: '' })
    const finish = await ada.onPage({ plan: 'premium', coupons: ['hello'] })
    await ada.giveAtStripe('half')
    if (isHeard) await ada.hear()
    expect(await finish()).toMatchObject({ state: 'effective', coupons: ['hello'], problem: null })
    // 25.00, half of it, and a fifth less of that. What is good for once is used up by it.
    expect((await ada.invoices()).at(-1)).toBe('subscription_update 1000 paid')
    expect(await ada.standing()).toEqual(['Half'])
    expect(new Set(await ada.agreed())).toEqual(new Set(['half', 'hello']))
    await ada.turn('2026-02-01T02:00:00Z')
    expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 1250 paid')
  })

  test('what the dashboard takes meanwhile is not told again', async () => {
    const ada = await subscriber('starter', { card: '' })
    await ada.giveAtStripe('half')
    await ada.giveAtStripe('tenth')
    await ada.hear()
    const finish = await ada.onPage({ plan: 'premium', withoutCoupons: ['tenth'] })
    await ada.takeAllAtStripe()
    expect(await finish()).toMatchObject({ state: 'effective', problem: null })
    expect((await ada.invoices()).at(-1)).toBe('subscription_update 2500 paid')
    expect([await ada.standing(), await ada.agreed()]).toEqual([[], []])
  })

  test('and its worker died before it told anything, the same', async () => {
    const ada = await subscriber('basic', { coupons: ['tenth'] })
    const carryOut = await ada.decided({ withoutCoupons: ['tenth'] })
    await ada.giveAtStripe('half')
    expect(await carryOut()).toMatchObject({ state: 'completed' })
    expect([await ada.standing(), await ada.agreed()]).toEqual([['Half'], ['half']])
    await ada.turn('2026-02-01T02:00:00Z')
    expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 500 paid')
  })
})

describe('the dashboard gives the very coupon that a change is to redeem', () => {
  test.for([
    { key: 'half', byCode: false, isHeard: true, paid: 1250 },
    { key: 'half', byCode: true, isHeard: false, paid: 1250 },
    { key: 'only', byCode: false, isHeard: false, paid: 2000 },
  ])(
    '$key is had once, and the change says that it redeemed none',
    async ({ key, byCode, isHeard, paid }) => {
      const ada = await subscriber('starter', { card: '' })
      const finish = await ada.onPage({ plan: 'premium', coupons: [key] })
      await ada.giveAtStripe(key, { byCode })
      if (isHeard) await ada.hear()
      expect(await finish()).toMatchObject({ state: 'effective', coupons: [], problem: null })
      expect((await ada.invoices()).at(-1)).toBe(`subscription_update ${paid} paid`)
      expect(await ada.standing()).toHaveLength(1)
      expect(await ada.agreed()).toEqual([key])
    },
  )

  test('and a process had told it, was refused and died', async () => {
    const ada = await subscriber('basic')
    const carryOut = await ada.decided({ plan: 'premium', coupons: ['half'] })
    const { db, clock } = installation.deps
    await standingCall(db, carryOut.call, 'refused', clock.now())
    await ada.giveAtStripe('half')
    expect(await carryOut()).toMatchObject({ state: 'completed' })
    expect(await ada.changes()).toMatchObject([{ state: 'effective', coupons: [] }])
    expect(await ada.agreed()).toEqual(['half'])
  })

  test('and it was good for one invoice, which it is used up by', async () => {
    const ada = await subscriber('basic')
    const carryOut = await ada.decided({ plan: 'premium', coupons: ['hello'] })
    await ada.giveAtStripe('hello')
    await ada.hear()
    const [item] = (await stripe().subscriptions.retrieve(ada.providerId)).items.data
    // A fee for once: 10.00 less a fifth.
    await stripe().invoiceItems.create({
      ...{ customer: ada.payer, subscription: ada.providerId, amount: 1000, currency: 'usd' },
    })
    const { id } = await stripe().invoices.create({ customer: ada.payer, subscription: ada.providerId })
    expect((await stripe().invoices.pay(id ?? '')).total).toBe(800)
    expect([item?.quantity, await ada.standing()]).toEqual([1, []])
    expect(await carryOut()).toMatchObject({ state: 'completed' })
    expect(await ada.changes()).toMatchObject([{ state: 'effective', coupons: [] }])
    // 25.00 less 10.00, without another fifth.
    expect((await ada.invoices()).at(-1)).toBe('subscription_update 1500 paid')
    expect(await ada.agreed()).toEqual(['hello'])
  })

  test('before it is asked for: an administrator is told so, and nothing is told to Stripe', async () => {
    const ada = await subscriber('basic')
    await ada.giveAtStripe('half')
    await ada.hear()
    const shown = await ada.preview({ coupons: ['half'] })
    expect(shown.body).toMatchObject({ warnings: [expect.stringContaining('half runs already')] })
    expect(await ada.change({ coupons: ['half'] })).toMatchObject({
      ...{ status: 200, body: { change: { state: 'effective', coupons: [], contract: null } } },
    })
    expect([await ada.standing(), await ada.agreed()]).toEqual([['Half'], ['half']])
  })
})

describe('the customer’s own', () => {
  /** Half off everything, which the subscription inherits. */
  async function loyal(options: { coupons?: readonly string[]; off?: number } = {}) {
    const ada = await subscriber('basic', { coupons: options.coupons ?? [] })
    const coupon = await stripe().coupons.create({
      percent_off: options.off ?? 50,
      duration: 'forever',
      name: 'Loyal',
    })
    simulator.control.discountCustomer(ada.payer, coupon.id)
    return { ...ada, take: () => simulator.control.discountCustomer(ada.payer, null) }
  }
  const hear = (customer: string) => lookAt(installation.deps, { type: 'customer', id: customer })

  test.for(told)(
    'is taken after it was shown, $how: nothing is done, and it is shown anew',
    async ({ isHeard }) => {
      const ada = await loyal()
      await hear(ada.payer)
      await ada.turn('2026-01-12T00:00:00Z')
      const shown = await ada.preview({ plan: 'premium' })
      // 20 of 31 days: 16.13 less half, less the 6.45 that were paid without it.
      expect(shown.body).toMatchObject({ dueNow: { total: { minor: '161' } } })
      ada.take()
      if (isHeard) await hear(ada.payer)
      const refused = await ada.change({ plan: 'premium', preview: shown.body.token })
      expect(refused).toMatchObject({
        status: 409,
        body: { code: 'preview_stale', preview: { dueNow: { total: { minor: '968' } } } },
      })
      expect(await ada.invoices()).toEqual(['subscription_create 1000 paid'])
      const { token } = refused.body.preview as Body
      expect(await ada.change({ plan: 'premium', preview: token })).toMatchObject({ status: 200 })
      expect((await ada.invoices()).at(-1)).toBe('subscription_update 968 paid')
    },
  )

  test('is shown though nobody heard of it, where the subscription is to have it', async () => {
    const ada = await loyal({ coupons: ['half'], off: 20 })
    const wish = { withoutCoupons: ['half'] }
    const shown = await ada.preview(wish)
    expect(shown.body).toMatchObject({ nextInvoice: { total: { minor: '800' } } })
    expect(await ada.change({ ...wish, preview: shown.body.token })).toMatchObject({ status: 200 })
    await ada.turn('2026-02-01T02:00:00Z')
    expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 800 paid')
  })

  test('balance that was shown to pay is gone: it is shown anew', async () => {
    const ada = await subscriber('basic')
    await ada.turn('2026-01-12T00:00:00Z')
    await stripe().customers.createBalanceTransaction(ada.payer, { amount: -500, currency: 'usd' })
    const shown = await ada.preview({ plan: 'premium' })
    // 16.13 less 6.45, of which 5.00 are paid from the balance.
    expect(shown.body).toMatchObject({ dueNow: { total: { minor: '968' }, amountDue: { minor: '468' } } })
    await stripe().customers.createBalanceTransaction(ada.payer, { amount: 500, currency: 'usd' })
    expect(await ada.change({ plan: 'premium', preview: shown.body.token })).toMatchObject({
      status: 409,
      body: { code: 'preview_stale', preview: { dueNow: { amountDue: { minor: '968' } } } },
    })
  })
})
