import { defineCatalog } from '@lockstep/core/catalog'
import type { ContractDocument } from '@lockstep/core/contract'
import { describe, expect, test } from 'vitest'
import { printed } from '../src/contract/printed.ts'
import { contractToApi } from '../src/http/routes/contract-to-api.ts'
import { listContracts } from '../src/store/contracts.ts'
import { listHistory } from '../src/store/subscription-history.ts'
import { membership } from '../src/workflow/purchase/membership.ts'
import { purchaseStrategies } from '../src/workflow/purchase/strategies.ts'
import type { PurchaseStrategy } from '../src/workflow/purchase/strategy.ts'
import { onDatabase } from './support/installation.ts'
import { sentLongAgo } from './support/sent-long-ago.ts'
import { sharedInstallation } from './support/shared.ts'

// The ways to buy: a membership, an event ticket, a course, and one of somebody else's.

const flat = (amount: string) => ({
  fee: { kind: 'recurring' as const, model: 'flat' as const, amount },
})
const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' }, evening: { name: 'An evening' } },
  coupons: {
    // Two that overlap: a fifth for ever, and 5.00 off for two months.
    fifth: { name: 'A fifth off', percentOff: '20', duration: 'forever' },
    welcome: { name: 'Welcome', amountOff: '5.00', duration: 'repeating', durationInMonths: 2 },
    gift: { name: 'For nothing', percentOff: '100', duration: 'once' },
    gone: { name: 'Gone', percentOff: '50', duration: 'once', redeemBy: '2026-01-01T00:00:00Z' },
    single: { name: 'First come', percentOff: '50', duration: 'once', maxRedemptions: 1 },
    euros: { name: 'Euros', amountOff: '5.00', currency: 'eur', duration: 'once' },
  },
  plans: {
    team: { name: 'Team', product: 'app', interval: 'month', prices: flat('30.00') },
    concert: {
      name: 'Concert',
      product: 'evening',
      interval: 'month',
      purchase: 'event_ticket',
      prices: { seat: { kind: 'recurring', model: 'perUnit', unitAmount: '12.50' } },
    },
    lessons: {
      name: 'Lessons',
      product: 'evening',
      interval: 'month',
      purchase: 'course',
      payments: 3,
      prices: flat('40.00'),
    },
    endless: {
      name: 'Endless',
      product: 'evening',
      interval: 'month',
      purchase: 'course',
      prices: flat('1.00'),
    },
    nothing: { name: 'Nothing', product: 'app', interval: 'month', prices: flat('0') },
    raffle: { name: 'Raffle', product: 'evening', interval: 'month', purchase: 'raffle', prices: flat('0') },
  },
})

const { simulator, installation } = await sharedInstallation(catalog)

let count = 0
function register(body: object) {
  count += 1
  const wanted = { externalId: `user_${count}`, paymentMethod: 'pm_card_visa', ...body }
  return installation.ask('POST', '/v1/registrations', wanted)
}

async function onClock() {
  const clock = await installation.ask('POST', '/v1/test-clocks', { frozenTime: '2026-01-31T09:30:00Z' })
  const at = `/v1/test-clocks/${clock.body.id}`
  return {
    testClock: String(clock.body.id),
    async turn(to: string) {
      await installation.ask('POST', `${at}/advance`, { frozenTime: to })
      const ready = async () => (await installation.ask('GET', at)).body.status
      await expect.poll(ready, { timeout: 60_000 }).toBe('ready')
    },
  }
}

async function atStripe(customer: unknown) {
  const { stripe } = installation.deps.provider
  const known = await installation.ask('GET', `/v1/customers/${customer}`)
  const id = String(known.body.providerId)
  const { data: subscriptions } = await stripe.subscriptions.list({ customer: id, status: 'all' })
  const { data: invoices } = await stripe.invoices.list({ customer: id })
  return { subscriptions, paid: invoices.map(({ amount_paid: paid }) => paid).toReversed(), invoices }
}

describe('an event ticket', () => {
  test('given up before Stripe had heard that it be paid is never paid', async () => {
    simulator.control.fail({
      kind: 'timeout_before_commit',
      method: 'POST',
      path: '/v1/invoices/*/pay',
      times: 6,
    })
    const asked = register({ plan: 'concert' })
    const failed = async () =>
      (await installation.ask('GET', '/v1/registrations?state=failed')).body.data as { id: string }[]
    await expect.poll(failed, { timeout: 60_000 }).toHaveLength(1)
    const id = (await failed())[0]?.id
    await sentLongAgo(installation.database, 'invoice.pay')
    const canceled = await installation.ask('POST', `/v1/registrations/${id}/cancel`, {})
    expect(canceled).toMatchObject({ status: 200, body: { state: 'rolledBack', cause: 'canceled' } })
    expect((await asked).status).toBe(409)
    const { invoices } = await atStripe(canceled.body.customer)
    expect(invoices.map(({ status, amount_paid: paid }) => [status, paid])).toEqual([['void', 0]])
  })

  test('is charged once, by an invoice, and leaves no subscription', async () => {
    const { status, body } = await register({ plan: 'concert', quantity: 2, requestOrigin: 'box office' })
    expect(status).toBe(201)
    expect(body).toMatchObject({ purchase: 'event_ticket', subscription: null, state: 'completed' })
    expect((body.steps as { name: string }[]).map(({ name }) => name).slice(-4)).toEqual([
      'make invoice',
      'pay invoice',
      'record purchase',
      'conclude contract',
    ])
    const { subscriptions, invoices } = await atStripe(body.customer)
    expect(subscriptions).toEqual([])
    // Two seats of 12.50.
    expect(invoices).toMatchObject([
      { status: 'paid', amount_paid: 2500, metadata: { lockstep_origin: 'box office' } },
    ])
    const listed = await installation.ask('GET', `/v1/invoices?customer=${body.customer}`)
    expect([200, 404]).toContain(listed.status)
  })

  test('asked for forty times at once it is one; afterwards another may be bought', async () => {
    const wanted = { externalId: 'eve', plan: 'concert', paymentMethod: 'pm_card_visa' }
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => installation.ask('POST', '/v1/registrations', wanted)),
    )
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect((await atStripe(answers[0]?.body.customer)).paid).toEqual([1250])
    expect((await installation.ask('POST', '/v1/registrations', wanted)).status).toBe(201)
    expect((await atStripe(answers[0]?.body.customer)).paid).toEqual([1250, 1250])
  })

  test('a card that is declined leaves nothing to be paid', async () => {
    const answer = await register({ plan: 'concert', paymentMethod: 'pm_card_chargeCustomerFail' })
    expect(answer).toMatchObject({ status: 402, body: { code: 'card_declined' } })
    const listed = await installation.ask('GET', '/v1/registrations?state=rolledBack&plan=concert')
    const [registration] = listed.body.data as { customer: string }[]
    expect((await atStripe(registration?.customer)).invoices.map(({ status }) => status)).toEqual(['void'])
  })

  test('whose bank asks waits for the customer, and is completed when it is paid', async () => {
    const { body } = await register({ plan: 'concert', paymentMethod: 'pm_card_authenticationRequired' })
    expect(body).toMatchObject({ state: 'requiresAction', stage: 'pay invoice' })
    const { stripe } = installation.deps.provider
    const { data } = await stripe.paymentIntents.list({ limit: 100 })
    const asking = data.find(({ status }) => status === 'requires_action')?.id ?? ''
    simulator.control.authenticate(asking, 'succeed')
    const resumed = await installation.ask('POST', `/v1/registrations/${body.id}/resume`, {})
    expect(resumed.body).toMatchObject({ state: 'completed' })
    expect((await atStripe(body.customer)).paid).toEqual([1250])
  })

  test('given up while the bank asks, it cannot be paid any more', async () => {
    const { body } = await register({ plan: 'concert', paymentMethod: 'pm_card_authenticationRequired' })
    const canceled = await installation.ask('POST', `/v1/registrations/${body.id}/cancel`, {})
    expect(canceled).toMatchObject({ status: 200, body: { state: 'rolledBack', cause: 'canceled' } })
    expect((await atStripe(body.customer)).invoices.map(({ status }) => status)).toEqual(['void'])
  })

  test.each(['timeout_after_commit', 'error_500_stored'] as const)(
    '%s at any call: charged once',
    async (kind) => {
      for (const path of [
        '/v1/invoices',
        '/v1/invoiceitems',
        '/v1/invoices/*/finalize',
        '/v1/invoices/*/pay',
      ]) {
        simulator.control.fail({ kind, method: 'POST', path, times: 2 })
        const { status, body } = await register({ plan: 'concert' })
        expect([path, status]).toEqual([path, 201])
        expect([path, (await atStripe(body.customer)).paid]).toEqual([path, [1250]])
        simulator.control.clearFaults()
      }
    },
  )
})

describe('a course', () => {
  test('is paid as often as the plan says, and is over by itself', async () => {
    const { testClock, turn } = await onClock()
    const { status, body } = await register({ plan: 'lessons', testClock })
    expect(status).toBe(201)
    await turn('2026-03-31T12:00:00Z')
    expect((await atStripe(body.customer)).paid).toEqual([4000, 4000, 4000])
    await turn('2026-05-31T12:00:00Z')
    const { paid, subscriptions } = await atStripe(body.customer)
    expect(paid).toEqual([4000, 4000, 4000])
    expect(subscriptions.map((subscription) => subscription.status)).toEqual(['canceled'])
    const [last] = await listHistory(installation.deps.db, String(body.subscription), { limit: 1 })
    expect(last).toMatchObject({ status: 'canceled', cause: 'plannedEnd' })
    // Its place is free again.
    expect((await register({ externalId: body.externalId, plan: 'lessons', testClock })).status).toBe(201)
  })

  test('has a fixed number of payments', async () => {
    expect(await register({ plan: 'endless' })).toMatchObject({
      status: 422,
      body: { code: 'purchase_not_offered', errors: [{ pointer: '#/purchase' }] },
    })
  })
})

test.each([
  ['a membership', 'team', 'every month, in USD', 'each period, in advance', undefined, 1],
  ['a course', 'lessons', 'every month, 3 times; then it is over, in USD', 'each period, in advance', 3, 4],
  ['a ticket', 'concert', 'once, at the beginning, in USD', 'once, in advance', 1, 4],
])('the contract of %s says when it is over', async (_, plan, billed, priced, payments, format) => {
  const { body } = await register({ plan })
  const [contract] = await listContracts(installation.deps.db, { customer: String(body.customer), limit: 1 })
  if (!contract) throw new Error('there is one')
  const { agreement, format: said } = JSON.parse(contract.document) as ContractDocument
  expect([agreement.payments, said]).toEqual([payments, `lockstep-contract-${format}`])
  expect(contractToApi(contract).agreement.payments).toBe(payments)
  const rows = new Map(printed(contract).sections.flatMap((section) => section.rows))
  expect(rows.get('Billed')).toEqual([billed])
  expect([...rows.values()].flat()).toContain(priced)
})

describe('coupons', () => {
  test('two that overlap both apply, and each ends by its own duration', async () => {
    const { testClock, turn } = await onClock()
    const { status, body } = await register({ plan: 'team', coupons: ['fifth', 'welcome'], testClock })
    expect(status).toBe(201)
    const contracts = await installation.database.pool.query<{ document: string }>(
      'select document::text as document from contract where customer_id = $1',
      [body.customer],
    )
    expect(JSON.parse(contracts.rows[0]?.document ?? '{}').agreement.discounts).toMatchObject([
      { coupon: 'fifth', off: { kind: 'percent', percent: '20' }, end: null },
      { coupon: 'welcome', start: '2026-01-31T09:30:00Z', end: '2026-03-31T09:30:00Z' },
    ])
    await turn('2026-04-01T12:00:00Z')
    // 30.00 less a fifth is 24.00; less 5.00 is 19.00, on the first two invoices.
    expect((await atStripe(body.customer)).paid).toEqual([1900, 1900, 2400])
  })

  test('one that takes all asks for no payment method', async () => {
    const { status, body } = await register({ plan: 'team', coupons: ['gift'], paymentMethod: undefined })
    expect(status).toBe(201)
    expect((await atStripe(body.customer)).paid).toEqual([0])
  })

  test.each([
    ['gone', 'coupon_expired'],
    ['nothing', 'coupon_unknown'],
    ['euros', 'currency_mismatch'],
  ])('%s is refused before anything is written: %s', async (coupon, code) => {
    simulator.control.clearRequests()
    const externalId = `refused_${coupon}`
    expect(await register({ externalId, plan: 'team', coupons: ['fifth', coupon] })).toMatchObject({
      status: 422,
      body: { code, errors: [{ pointer: '#/coupons/1', code }] },
    })
    expect(simulator.control.requests().total).toBe(0)
    const known = await installation.ask('GET', `/v1/customers?externalId=${externalId}`)
    expect(known.body.data).toEqual([])
  })

  // "Unix timestamp representing a date and time in the future": Stripe refuses another `redeem_by`, and the catalogue with it.
  // https://docs.stripe.com/api/coupons/create#create_coupon-redeem_by
  test('one whose last day is over is not made at Stripe, and the rest of the catalogue is', async () => {
    const { data } = await installation.deps.provider.stripe.coupons.list({ limit: 100 })
    const made = data.map(({ metadata }) => String(metadata?.lockstep_coupon)).sort()
    expect(made).toEqual(['euros', 'fifth', 'gift', 'single', 'welcome'])
  })

  test('one that ran out between the check and the subscription undoes the registration', async () => {
    expect((await register({ plan: 'team', coupons: ['single'] })).status).toBe(201)
    const late = await register({ plan: 'team', coupons: ['single'] })
    expect(late).toMatchObject({ status: 422, body: { code: 'coupon_expired' } })
    expect(late.body.detail).toContain("undone at the step 'start subscription'")
  })
})

test('a fourth way to buy is one file: the registration does not know it', async () => {
  const raffle: PurchaseStrategy = {
    ...membership,
    type: 'raffle',
    slotOf: () => 'raffle',
    async activate(deps, step, purchase, bought, conclude) {
      await step('draw the lot', async () => ({ number: 7 }))
      await membership.activate(deps, step, purchase, bought, conclude)
    },
  }
  const unknown = await register({ plan: 'raffle' })
  expect(unknown).toMatchObject({ status: 422, body: { code: 'purchase_unknown' } })
  expect(unknown.body.detail).toContain('membership, event_ticket, course')

  const deps = { ...installation.deps, purchases: [...purchaseStrategies, raffle] }
  const extended = await onDatabase(installation.database, deps)
  const wanted = { externalId: 'lucky', plan: 'raffle' }
  const { status, body } = await extended.ask('POST', '/v1/registrations', wanted)
  expect(status).toBe(201)
  expect(body).toMatchObject({ purchase: 'raffle', slot: 'raffle' })
  expect((body.steps as { name: string }[]).map(({ name }) => name)).toContain('draw the lot')
})

// docs/registrations.md#calls-to-stripe says the same.
test.each<
  [
    what: string,
    body: { plan: string; paymentMethod?: undefined; name?: string; isKnown?: boolean },
    posts: number,
    gets: number,
  ]
>([
  ['a free plan', { plan: 'nothing', paymentMethod: undefined }, 2, 0],
  ['a membership with a card', { plan: 'team' }, 2, 0],
  ['a membership with a card and a name', { plan: 'team', name: 'Ada' }, 3, 0],
  ['a course with a card', { plan: 'lessons' }, 4, 1],
  ['a ticket with a card', { plan: 'concert' }, 5, 1],
  ['a membership with another card, of one whom Stripe knows', { plan: 'team', isKnown: true }, 4, 2],
  ['a ticket with another card, of one whom Stripe knows', { plan: 'concert', isKnown: true }, 6, 2],
])('%s takes no more calls than it needs', async (what, { isKnown, ...body }, posts, gets) => {
  const externalId = what.replaceAll(' ', '_')
  if (isKnown) await register({ externalId, plan: 'nothing', slot: 'before' })
  simulator.control.clearRequests()
  expect((await register({ externalId, ...body })).status).toBe(201)
  const { requests } = simulator.control.requests()
  const made = (method: string) => requests.filter((request) => request.method === method).length
  expect([made('POST'), made('GET')]).toEqual([posts, gets])
})

test('a way to buy that the plan is not offered in is refused', async () => {
  expect(await register({ plan: 'team', purchase: 'course' })).toMatchObject({
    status: 422,
    body: { code: 'purchase_not_offered' },
  })
})
