import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { invoiceRoutes } from '../src/http/routes/invoices.ts'
import { subscriptionStatsRoutes } from '../src/http/routes/subscription-stats.ts'
import { lookAt } from '../src/workflow/look.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { type Body, newSubscriber } from './support/subscriber.ts'

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  coupons: {
    half: { name: 'Half', percentOff: '50', duration: 'forever' },
    tenth: { name: 'Tenth', percentOff: '10', duration: 'repeating', durationInMonths: 3 },
    hello: { name: 'Hello', percentOff: '20', duration: 'once' },
    short: { name: 'Short', percentOff: '10', duration: 'repeating', durationInMonths: 1 },
    // Of somebody else.
    other: { name: 'Other', percentOff: '5', duration: 'forever' },
  },
  plans: { basic: flatPlan('Basic', '10.00'), premium: flatPlan('Premium', '25.00') },
})

const { simulator, installation } = await sharedInstallation(catalog)
invoiceRoutes(installation.app, installation.deps)
subscriptionStatsRoutes(installation.app, installation.deps)

const stripe = () => installation.deps.provider.stripe

async function subscriber(coupons: readonly string[]) {
  const ada = await newSubscriber(installation, 'basic', { coupons })
  const providerId = String((await ada.read()).providerId)
  return {
    ...ada,
    providerId,
    /** Names of the coupons at Stripe. */
    async standing() {
      const { discounts } = await stripe().subscriptions.retrieve(providerId, {
        expand: ['discounts.source.coupon'],
      })
      return discounts.map((one) => typeof one === 'object' && (one.source.coupon as { name: string }).name)
    },
    /** Keys of the coupons in the contract in force. */
    async agreed() {
      const [contract] = await ada.contracts()
      const { body } = await installation.ask('GET', `/v1/contracts/${contract?.id}`)
      const { discounts } = body.agreement as { discounts: Body[] }
      return discounts.map(({ coupon }) => coupon)
    },
    /** How often Stripe was told to change it. */
    async told() {
      const { rows } = await installation.deps.pool.query(
        `select 1 from operation where subject_id = $1 and kind = 'subscription.change'`,
        [ada.id],
      )
      return rows.length
    },
    async current() {
      const { body } = await installation.ask('GET', `/v1/invoices?subscription=${ada.id}&status=current`)
      const [{ id }] = body.data as [{ id: string }]
      return (await installation.ask('GET', `/v1/invoices/${id}`)).body
    },
  }
}

async function giveAtStripe(providerId: string, key: string) {
  const { rows } = await installation.deps.pool.query(
    `select provider_id from mapping where entity_type = 'coupon' and entity_id = $1`,
    [key],
  )
  const { discounts } = await stripe().subscriptions.retrieve(providerId)
  const kept = discounts.map((discount) => ({ discount: discount as string }))
  await stripe().subscriptions.update(providerId, { discounts: [...kept, { coupon: rows[0].provider_id }] })
}

const revenue = async () =>
  JSON.stringify((await installation.ask('GET', '/v1/subscription-stats')).body.revenue)

test('a coupon is shown to go, goes, and is agreed on to be gone; all that follows says so', async () => {
  const ada = await subscriber(['half', 'tenth'])
  const { path } = ada
  const before = await revenue()
  const history = await installation.ask('GET', `${path}/history`)
  const wish = { withoutCoupons: ['half'] }
  const shown = await ada.preview(wish)
  // 10.00 less a tenth: no invoice is made at once.
  expect(shown).toMatchObject({
    status: 200,
    body: {
      ...{ direction: 'level', takesEffect: 'now', dueNow: null, nextInvoice: { total: { minor: '900' } } },
      contractChanges: [expect.stringContaining('discounts/Half')],
    },
  })
  const done = await ada.change({ ...wish, preview: shown.body.token })
  expect(done).toMatchObject({
    status: 200,
    body: { change: { state: 'effective', coupons: [], withoutCoupons: ['half'], direction: 'level' } },
  })
  const contracts = await ada.contracts()
  expect(contracts).toHaveLength(2)
  expect((done.body.change as Body).contract).toBe(contracts[0]?.id)
  expect(contracts[0]).toMatchObject({ supersedes: contracts[1]?.id })
  expect(await ada.agreed()).toEqual(['tenth'])
  expect(await ada.standing()).toEqual(['Tenth'])
  expect(await ada.told()).toBe(1)
  // Nothing was billed, and discounts are in no figure of revenue.
  expect(await ada.invoices()).toEqual(['subscription_create 450 paid'])
  expect(await revenue()).toBe(before)
  expect((await installation.ask('GET', `${path}/history`)).body).toEqual(history.body)
  expect(await ada.current()).toMatchObject({ discounts: [{ coupon: 'tenth' }], total: { minor: '900' } })
  await ada.turn('2026-02-01T02:00:00Z')
  expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 900 paid')
})

test('the last one goes too, and what is gone already is answered alike, without a word to Stripe', async () => {
  const ada = await subscriber(['half'])
  const shown = await ada.preview({ withoutCoupons: ['half'] })
  expect(shown.body).toMatchObject({ nextInvoice: { total: { minor: '1000' } } })
  const both = await Promise.all([
    ada.change({ withoutCoupons: ['half'] }),
    ada.change({ withoutCoupons: ['half'] }),
  ])
  expect(both.map(({ status }) => status)).toEqual([200, 200])
  expect(await ada.standing()).toEqual([])
  const again = await ada.change({ withoutCoupons: ['half'] }, 'a-key-of-coupons')
  expect(again).toMatchObject({
    status: 200,
    body: {
      subscription: { id: ada.id },
      change: { state: 'effective', withoutCoupons: [], contract: null },
    },
  })
  expect(await ada.change({ withoutCoupons: ['half'] }, 'a-key-of-coupons')).toEqual(again)
  expect(await ada.told()).toBe(1)
  expect(await ada.agreed()).toEqual([])
  expect(await ada.contracts()).toHaveLength(2)
})

test('what has run out is gone, though Stripe shows it until the next invoice, also while something is scheduled', async () => {
  const ada = await subscriber([])
  await ada.turn('2026-01-10T00:00:00Z')
  expect(await ada.change({ plan: 'premium', coupons: ['short'] })).toMatchObject({ status: 200 })
  await ada.turn('2026-02-12T00:00:00Z')
  // Until 10 February.
  expect(await ada.standing()).toEqual(['Short'])
  expect(await ada.change({ plan: 'basic' })).toMatchObject({ status: 200 })
  const told = await ada.told()
  expect(await ada.change({ withoutCoupons: ['short'] })).toMatchObject({
    status: 200,
    body: { change: { state: 'effective', withoutCoupons: [] } },
  })
  expect(await ada.told()).toBe(told)
  expect(await ada.read()).toMatchObject({ plan: 'premium', scheduledChange: { plan: 'basic' } })
})

test('what it never had is as unknown as what there is not', async () => {
  const ada = await subscriber(['half'])
  await subscriber(['other'])
  const [other, nothing] = [
    await ada.change({ withoutCoupons: ['half', 'other'] }),
    await ada.change({ withoutCoupons: ['half', 'nothing'] }),
  ]
  expect(other).toMatchObject({
    status: 422,
    body: { code: 'coupon_unknown', errors: [{ pointer: '#/withoutCoupons/1' }] },
  })
  expect(JSON.stringify(other.body).replaceAll('other', 'nothing')).toBe(JSON.stringify(nothing.body))
  expect(await ada.standing()).toEqual(['Half'])
  expect(await ada.change({ withoutCoupons: [] })).toMatchObject({
    status: 400,
    body: { code: 'empty_change' },
  })
  expect(await ada.change({ coupons: ['half'], withoutCoupons: ['half'] })).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '#/withoutCoupons/0' }] },
  })
})

test('what one invoice has used up is gone, and stays as it was agreed', async () => {
  const ada = await subscriber(['hello'])
  expect(await ada.standing()).toEqual([])
  expect(await ada.change({ withoutCoupons: ['hello'] })).toMatchObject({
    status: 200,
    body: { change: { withoutCoupons: [] } },
  })
  expect(await ada.contracts()).toHaveLength(1)
  expect(await ada.agreed()).toEqual(['hello'])
})

test('one for another, and another plan, all at once', async () => {
  const ada = await subscriber(['half'])
  await ada.turn('2026-01-17T00:00:00Z')
  const wish = { plan: 'premium', coupons: ['tenth'], withoutCoupons: ['half'] }
  const shown = await ada.preview(wish)
  // 15 of 31 days: 5.00 was paid, 22.50 is the new price. -2.42 + 10.89.
  expect(shown.body).toMatchObject({ dueNow: { total: { minor: '847' } } })
  expect(await ada.change({ ...wish, preview: shown.body.token })).toMatchObject({ status: 200 })
  expect((await ada.invoices()).at(-1)).toBe('subscription_update 847 paid')
  expect([await ada.standing(), await ada.agreed()]).toEqual([['Tenth'], ['tenth']])
})

test('not for the end of the period, and not beside what is scheduled', async () => {
  const ada = await subscriber(['half'])
  expect(await ada.change({ withoutCoupons: ['half'], when: 'periodEnd' })).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '#/withoutCoupons' }] },
  })
  expect(await ada.standing()).toEqual(['Half'])
})

test('what the dashboard gave a moment ago stays, whether or not we heard of it', async () => {
  const ada = await subscriber(['half'])
  await giveAtStripe(ada.providerId, 'tenth')
  expect(await ada.change({ withoutCoupons: ['half'] })).toMatchObject({ status: 200 })
  expect([await ada.standing(), await ada.agreed()]).toEqual([['Tenth'], ['tenth']])

  const ben = await subscriber([])
  await giveAtStripe(ben.providerId, 'tenth')
  expect(await ben.change({ coupons: ['half'] })).toMatchObject({ status: 200 })
  expect([await ben.standing(), await ben.agreed()]).toEqual([
    ['Tenth', 'Half'],
    ['tenth', 'half'],
  ])
  expect(await ben.change({ withoutCoupons: ['tenth'] })).toMatchObject({ status: 200 })
  expect([await ben.standing(), await ben.agreed()]).toEqual([['Half'], ['half']])
})

test('without any of its own it has the customer’s, which the preview shows', async () => {
  const ada = await subscriber(['half'])
  const { customer } = await ada.atStripe()
  const { rows } = await installation.deps.pool.query(
    `select provider_id from mapping where entity_type = 'coupon' and entity_id = 'other'`,
  )
  simulator.control.discountCustomer(customer.id, rows[0].provider_id)
  await lookAt(installation.deps, { type: 'customer', id: customer.id })
  const wish = { withoutCoupons: ['half'] }
  const shown = await ada.preview(wish)
  expect(shown.body).toMatchObject({ nextInvoice: { total: { minor: '950' } } })
  expect(await ada.change({ ...wish, preview: shown.body.token })).toMatchObject({ status: 200 })
  await ada.turn('2026-02-01T02:00:00Z')
  expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 950 paid')
})

test('what is taken off now is shown with a subscription where that is asked for', async () => {
  const ada = await subscriber(['half', 'short'])
  const shown = async (url = `${ada.path}?expand=discounts`) => {
    const { body } = await installation.ask('GET', url)
    return (body.data ? (body.data as Body[])[0] : body)?.discounts
  }
  const half = {
    ...{ name: 'Half', coupon: 'half', off: { kind: 'percent', percent: '50' } },
    ...{ duration: 'forever', months: null, start: '2026-01-01T00:00:00Z', end: null },
    source: 'subscription',
  }
  const short = {
    ...{ name: 'Short', coupon: 'short', off: { kind: 'percent', percent: '10' } },
    ...{ duration: 'repeating', months: 1, start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' },
    source: 'subscription',
  }
  await lookAt(installation.deps, { type: 'subscription', id: ada.providerId })
  expect(await shown()).toEqual([half, short])
  expect(await shown(`/v1/subscriptions?customer=${ada.customer}&expand=discounts`)).toEqual([half, short])
  expect(await ada.read()).not.toHaveProperty('discounts')
  await ada.turn('2026-02-01T00:00:00Z')
  expect(await shown()).toEqual([half])

  // Given to all that the customer has: it goes for what has none of its own.
  const { customer } = await ada.atStripe()
  const coupon = await stripe().coupons.create({ name: 'Sorry', amount_off: 100, currency: 'usd' })
  simulator.control.discountCustomer(customer.id, coupon.id)
  await lookAt(installation.deps, { type: 'customer', id: customer.id })
  expect(await shown()).toEqual([half])
  await ada.change({ withoutCoupons: ['half'] })
  const sorry = { off: { kind: 'amount', amount: { amount: '1.00', minor: '100', currency: 'usd' } } }
  expect(await shown()).toMatchObject([{ name: 'Sorry', source: 'customer', ...sorry }])

  await stripe().subscriptions.cancel(ada.providerId)
  await lookAt(installation.deps, { type: 'subscription', id: ada.providerId })
  expect(await shown()).toEqual([])
})
