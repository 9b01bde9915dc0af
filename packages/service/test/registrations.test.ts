import { defineCatalog } from '@lockstep/core/catalog'
import { afterEach, describe, expect, test } from 'vitest'
import { newId } from '../src/ids.ts'
import { customerOperation } from '../src/provider/stripe/customers.ts'
import { idOf } from '../src/provider/stripe/field.ts'
import { beginRegistration } from '../src/workflow/begin-registration.ts'
import { linkByHand } from '../src/workflow/link-by-hand.ts'
import { lookAt } from '../src/workflow/look.ts'
import { atStripe } from './support/installation.ts'
import { sentLongAgo } from './support/sent-long-ago.ts'
import { sharedInstallation } from './support/shared.ts'
import { standingCall } from './support/standing-call.ts'

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  meters: { calls: { name: 'Calls', unitLabel: 'call', aggregation: 'count' } },
  plans: {
    free: {
      name: 'Free',
      product: 'app',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '0' } },
    },
    team: {
      name: 'Team',
      product: 'app',
      interval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '9.00' },
        seats: { kind: 'recurring', model: 'perUnit', unitAmount: '2.00' },
        calls: { meter: 'calls', model: 'perUnit', unitAmount: '0.001' },
      },
    },
    trial: {
      name: 'Trial',
      product: 'app',
      interval: 'month',
      trialDays: 14,
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '9.00' } },
    },
    yen: {
      name: 'Yen',
      product: 'app',
      currency: 'jpy',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '500' } },
    },
    dinar: {
      name: 'Dinar',
      product: 'app',
      currency: 'kwd',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '5.120' } },
    },
    given: {
      name: 'Given',
      product: 'app',
      audience: 'admin',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '0' } },
    },
    old: {
      name: 'Old',
      product: 'app',
      audience: 'legacy',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '6.00' } },
    },
  },
})

const { simulator, installation } = await sharedInstallation(catalog)
afterEach(() => simulator.control.clearFaults())

/** Ways in which a call of ours goes wrong at Stripe. */
const KINDS = [
  'timeout_after_commit',
  'timeout_before_commit',
  'truncated',
  'error_500',
  'error_500_stored',
  'rate_limit',
] as const

let count = 0
function newUser(): string {
  count += 1
  return `user_${count}`
}

const register = (body: object, key?: string) => installation.ask('POST', '/v1/registrations', body, key)

async function ofUser(externalId: string) {
  const { body } = await installation.ask('GET', `/v1/customers?externalId=${externalId}`)
  const [customer] = body.data as Record<string, unknown>[]
  const { customers, subscriptions } = await atStripe(installation)
  const own = <T extends { metadata: Record<string, string> }>({ metadata }: T) =>
    metadata.lockstep_customer === customer?.id
  return { customer, customers: customers.filter(own), subscriptions: subscriptions.filter(own) }
}

test('a customer is registered: recorded, made at Stripe, linked, subscribed', async () => {
  const externalId = newUser()
  const { status, body } = await register({
    externalId,
    name: 'Ada Lovelace',
    email: 'ada@example.org',
    plan: 'team',
    quantity: 3,
    paymentMethod: 'pm_card_visa',
    requestOrigin: 'web/pricing',
    metadata: { source: 'advert' },
  })
  expect(status).toBe(201)
  expect(body).toMatchObject({
    externalId,
    plan: 'team',
    planVersion: 1,
    purchase: 'membership',
    requestOrigin: 'web/pricing',
    slot: 'default',
    state: 'completed',
    problem: null,
    cause: null,
    remains: [],
  })
  expect((body.steps as { name: string }[]).map(({ name }) => name)).toEqual([
    'record user',
    'reserve membership',
    'create customer at provider',
    'link customer',
    'update customer at provider',
    'attach payment method',
    'configure subscription',
    'start subscription',
    'record subscription',
    'conclude contract',
  ])
  expect((body.steps as object[])[7]).toMatchObject({
    state: 'done',
    needs: ['configuration'],
    handsOn: ['subscription'],
    startedAt: expect.any(String),
    endedAt: expect.any(String),
  })

  const { customer, customers, subscriptions } = await ofUser(externalId)
  expect(customer).toMatchObject({ name: 'Ada Lovelace', currency: 'usd', providerId: customers[0]?.id })
  expect(customers).toHaveLength(1)
  expect(customers[0]).toMatchObject({ name: 'Ada Lovelace', email: 'ada@example.org' })
  expect(subscriptions).toHaveLength(1)
  expect(subscriptions[0]).toMatchObject({
    status: 'active',
    billing_mode: { type: 'flexible' },
    metadata: {
      source: 'advert',
      lockstep_subscription: body.subscription,
      lockstep_origin: 'web/pricing',
      lockstep_purchase: 'membership',
    },
  })
  // The flat fee is the same for any number of seats.
  expect(subscriptions[0]?.items.data.map((item) => [item.price.unit_amount, item.quantity])).toEqual([
    [900, 1],
    [200, 3],
  ])

  const subscription = await installation.ask('GET', `/v1/subscriptions/${body.subscription}`)
  expect(subscription.body).toMatchObject({
    status: 'active',
    access: 'full',
    quantity: 3,
    externalId,
    providerId: subscriptions[0]?.id,
  })
  const again = await installation.ask('GET', `/v1/registrations/${body.id}`)
  expect(again.body).toEqual(body)
})

describe('asked twice', () => {
  test('with one key it is one registration and one answer', async () => {
    const wanted = { externalId: newUser(), plan: 'free' }
    const first = await register(wanted, 'key-1')
    const second = await register(wanted, 'key-1')
    expect(second).toEqual(first)
  })

  test('fifty times at the same moment it is one subscription, and all get the same answer', async () => {
    const externalId = newUser()
    const wanted = { externalId, plan: 'team', paymentMethod: 'pm_card_visa' }
    const answers = await Promise.all(Array.from({ length: 50 }, () => register(wanted)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    const { customers, subscriptions } = await ofUser(externalId)
    expect([customers.length, subscriptions.length]).toEqual([1, 1])
  })

  test('from two tabs, in other words for the same, it is one as well', async () => {
    const wanted = { externalId: newUser(), plan: 'team', paymentMethod: 'pm_card_visa' }
    const [one, other] = await Promise.all([
      register({ ...wanted, requestOrigin: 'web/a', acceptance: { userAgent: 'A', ipAddress: '192.0.2.1' } }),
      register({ ...wanted, slot: 'default', quantity: 1, metadata: { tab: 'b' }, purchase: 'membership' }),
    ])
    expect([one.status, other.status]).toEqual([201, 201])
    expect(one.body.id).toBe(other.body.id)
  })

  test('afterwards the slot is taken', async () => {
    const wanted = { externalId: newUser(), plan: 'free' }
    await register(wanted)
    expect(await register(wanted)).toMatchObject({ status: 409, body: { code: 'subscription_exists' } })
  })

  test('another slot has its own subscription, of the same customer at Stripe', async () => {
    const externalId = newUser()
    const answers = await Promise.all(
      ['default', 'second', 'third'].map((slot) => register({ externalId, plan: 'free', slot })),
    )
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
    const { customers, subscriptions } = await ofUser(externalId)
    expect([customers.length, subscriptions.length]).toEqual([1, 3])
  })

  test('other words while it runs are refused, not mixed', async () => {
    const externalId = newUser()
    const answers = await Promise.all([
      register({ externalId, plan: 'free' }),
      register({ externalId, plan: 'team', paymentMethod: 'pm_card_visa' }),
    ])
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]))
    expect((await ofUser(externalId)).subscriptions).toHaveLength(1)
  })
})

describe('refused by the bank', () => {
  test('the failing step is named, the customer stays, and the next try works', async () => {
    const externalId = newUser()
    const declined = await register({ externalId, plan: 'team', paymentMethod: 'pm_card_chargeDeclined' })
    expect(declined).toMatchObject({
      status: 402,
      body: { code: 'card_declined', errors: [{ pointer: '#/paymentMethod', code: 'card_declined' }] },
    })
    expect(declined.body.detail).toMatch(/registration_\w+ was undone at the step 'attach payment method'/)
    const listed = await installation.ask('GET', '/v1/registrations?state=rolledBack')
    expect((listed.body.data as object[])[0]).toMatchObject({
      externalId,
      stage: 'attach payment method',
      cause: 'declined',
      remains: ['user', 'providerCustomer', 'customer'],
    })

    const again = await register({ externalId, plan: 'team', paymentMethod: 'pm_card_visa' })
    expect(again.status).toBe(201)
    const { customers, subscriptions } = await ofUser(externalId)
    expect([customers.length, subscriptions.length]).toEqual([1, 1])
  })

  test('a card that attaches and then does not pay leaves no subscription behind', async () => {
    const externalId = newUser()
    const declined = await register({ externalId, plan: 'team', paymentMethod: 'pm_card_chargeCustomerFail' })
    expect(declined).toMatchObject({ status: 402, body: { code: 'card_declined' } })
    expect((await ofUser(externalId)).subscriptions).toEqual([])
    // Nothing was bought, so another currency may be.
    expect((await register({ externalId, plan: 'yen', paymentMethod: 'pm_card_visa' })).status).toBe(201)
  })

  test('with one key the same refusal again, and nothing is tried', async () => {
    const wanted = { externalId: newUser(), plan: 'team', paymentMethod: 'pm_card_chargeDeclined' }
    const first = await register(wanted, 'declined-1')
    simulator.control.clearRequests()
    expect(await register(wanted, 'declined-1')).toEqual(first)
    expect(simulator.control.requests().total).toBe(0)
  })
})

describe('the card of one who is new', () => {
  test('is what everything is charged to, also where Stripe has its id', async () => {
    const externalId = newUser()
    const { id: paymentMethod } = await installation.deps.provider.stripe.paymentMethods.create({
      type: 'card',
      card: { token: 'tok_mastercard' },
    })
    expect((await register({ externalId, plan: 'team', paymentMethod })).status).toBe(201)
    const { customers } = await ofUser(externalId)
    expect(customers[0]?.invoice_settings.default_payment_method).toBe(paymentMethod)
  })

  test('that is declined leaves one customer, without it', async () => {
    const externalId = newUser()
    simulator.control.clearRequests()
    const declined = await register({ externalId, plan: 'team', paymentMethod: 'pm_card_chargeDeclined' })
    expect(declined).toMatchObject({ status: 402, body: { code: 'card_declined' } })
    expect(simulator.control.requests().requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/customers',
      'POST /v1/customers',
      'POST /v1/payment_methods/pm_card_chargeDeclined/attach',
    ])
    const { customers } = await ofUser(externalId)
    expect(customers.map(({ invoice_settings: { default_payment_method: method } }) => method)).toEqual([
      null,
    ])
  })

  const slots = [
    { slot: 'a', paymentMethod: 'pm_card_visa' },
    { slot: 'b', paymentMethod: 'pm_card_mastercard' },
    { slot: 'c', paymentMethod: 'pm_card_chargeDeclined' },
    { slot: 'd' },
  ]

  const MANY = [
    ...['pm_card_visa', 'pm_card_mastercard', 'pm_card_amex', undefined, undefined],
    ...['pm_card_chargeDeclined', 'pm_card_chargeDeclined', 'pm_card_chargeDeclinedInsufficientFunds'],
  ]
  test.each([null, ...KINDS])(
    'and other ones in other slots at the same moment: one customer, in spite of %s',
    async (kind) => {
      if (kind) simulator.control.fail({ kind, method: 'POST', path: '/v1/customers', skip: 1, times: 2 })
      const externalId = newUser()
      const wish = (paymentMethod: string | undefined, slot: number) =>
        register({ externalId, plan: 'free', slot: `slot-${slot}`, ...(paymentMethod && { paymentMethod }) })
      const answers = await Promise.all(MANY.map(wish))
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 402, 402, 402])
      const { customers, subscriptions } = await ofUser(externalId)
      expect([customers.length, subscriptions.length]).toEqual([1, 5])
      const { data } = await installation.deps.provider.stripe.customers.listPaymentMethods(
        customers[0]?.id ?? '',
      )
      expect(new Set(data.map(({ card }) => card?.brand))).toEqual(new Set(['visa', 'mastercard', 'amex']))
    },
  )

  test.each(slots)('$slot first, whose calls are lost: the others say what it said', async (first) => {
    const externalId = newUser()
    const path = '/v1/customers'
    simulator.control.fail({ kind: 'timeout_before_commit', method: 'POST', path, times: 6 })
    const asked = register({ externalId, plan: 'free', ...first })
    const failed = async () =>
      (await installation.ask('GET', '/v1/registrations?state=failed')).body.data as { id: string }[]
    await expect.poll(failed, { timeout: 60_000 }).toHaveLength(1)
    const others = slots.filter(({ slot }) => slot !== first.slot)
    const answers = await Promise.all(others.map((slot) => register({ externalId, plan: 'free', ...slot })))
    expect(answers.map(({ status }) => status)).toEqual(others.map(({ slot }) => (slot === 'c' ? 402 : 201)))
    await installation.ask('POST', `/v1/registrations/${(await failed())[0]?.id}/resume`, {})
    expect((await asked).status).toBe(first.slot === 'c' ? 402 : 201)
    const { customers, subscriptions } = await ofUser(externalId)
    expect([customers.length, subscriptions.length]).toEqual([1, 3])
  })
})

const defaultOf = async (customer: string | undefined) => {
  const { stripe } = installation.deps.provider
  const seen = await stripe.customers.retrieve(customer ?? '', {
    expand: ['invoice_settings.default_payment_method'],
  })
  if (seen.deleted) return undefined
  const method = seen.invoice_settings.default_payment_method
  return typeof method === 'object' ? method?.card?.brand : method
}

test('a customer whom somebody linked after our call was refused and our process died is not made a second time', async () => {
  const externalId = newUser()
  const { deps, workflows } = installation
  const wish = { externalId, plan: 'free', quantity: 1, slot: 'default', paymentMethod: 'pm_card_visa' }
  const asked = { operation: newId('operation'), mayGivePlans: false }
  const { registrationId, workflow } = await beginRegistration(deps, wish, asked)
  const { customer } = await ofUser(externalId)
  const entityId = String(customer?.id)
  await standingCall(deps.db, customerOperation(entityId), 'refused', deps.clock.now())
  const { id: providerId } = await deps.provider.stripe.customers.create({ name: 'Ada' })
  await linkByHand(deps, { entityType: 'customer', entityId, providerId })
  await deps.pool.query(
    `update workflow set lease_until = clock_timestamp() - interval '1 second' where id = $1`,
    [workflow?.id],
  )
  await workflows.resumeDue()
  expect(await installation.ask('GET', `/v1/registrations/${registrationId}`)).toMatchObject({
    body: { state: 'completed' },
  })
  const { customers, subscriptions } = await ofUser(externalId)
  expect(customers).toEqual([])
  expect(subscriptions.map(({ customer: payer }) => payer)).toEqual([providerId])
})

describe('the card of one who has something already', () => {
  const mastercard = { plan: 'free', paymentMethod: 'pm_card_mastercard' }

  test('is charged on, when a second registration with another one is refused', async () => {
    const externalId = newUser()
    await register({ externalId, ...mastercard })
    const second = { externalId, plan: 'team', slot: 'second', paymentMethod: 'pm_card_chargeCustomerFail' }
    expect(await register(second)).toMatchObject({ status: 402, body: { code: 'card_declined' } })
    const { customers } = await ofUser(externalId)
    expect(await defaultOf(customers[0]?.id)).toBe('mastercard')
  })

  test('is not taken for the new one, when Stripe does not say what became of that', async () => {
    const externalId = newUser()
    await register({ externalId, ...mastercard })
    const path = '/v1/payment_methods/*/attach'
    simulator.control.fail({ kind: 'error_500_stored', method: 'POST', path, times: 1 })
    const second = { externalId, plan: 'team', slot: 'second', paymentMethod: 'pm_card_visa' }
    expect((await register(second)).status).toBe(201)
    const { customers } = await ofUser(externalId)
    expect(await defaultOf(customers[0]?.id)).toBe('visa')
  })
})

describe('what is due at the start', () => {
  test('a paid plan needs a payment method, which is said before anything is made', async () => {
    const externalId = newUser()
    simulator.control.clearRequests()
    const answer = await register({ externalId, plan: 'team' })
    expect(answer).toMatchObject({
      status: 402,
      body: { code: 'payment_method_required', errors: [{ pointer: '#/paymentMethod' }] },
    })
    expect(simulator.control.requests().total).toBe(0)
  })

  test('a known customer without one is refused by Stripe, in the same words', async () => {
    const externalId = newUser()
    await register({ externalId, plan: 'free' })
    const answer = await register({ externalId, plan: 'team', slot: 'second' })
    expect(answer).toMatchObject({
      status: 402,
      body: { code: 'payment_method_required', errors: [{ pointer: '#/paymentMethod' }] },
    })
  })

  test('a second subscription that prices the same meter is refused: each event would be billed twice', async () => {
    const externalId = newUser()
    const paymentMethod = 'pm_card_visa'
    expect((await register({ externalId, plan: 'team', paymentMethod })).status).toBe(201)
    const answer = await register({ externalId, plan: 'team', slot: 'second', paymentMethod })
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'meter_billed_already', errors: [{ pointer: '#/plan' }] },
    })
    // What shares no meter is welcome, and the refused place is free for it.
    expect((await register({ externalId, plan: 'free', slot: 'second' })).status).toBe(201)
  })

  test('a trial needs none', async () => {
    const { status, body } = await register({ externalId: newUser(), plan: 'trial' })
    expect(status).toBe(201)
    const subscription = await installation.ask('GET', `/v1/subscriptions/${body.subscription}`)
    expect(subscription.body).toMatchObject({ status: 'trialing', access: 'full' })
    expect(subscription.body.trial).toEqual(subscription.body.currentPeriod)
  })

  test.each([
    ['yen', 500, 'jpy'],
    ['dinar', 5120, 'kwd'],
  ])('a plan in %s is charged in its own minor units', async (plan, amount, currency) => {
    const externalId = newUser()
    expect((await register({ externalId, plan, paymentMethod: 'pm_card_visa' })).status).toBe(201)
    const { subscriptions } = await ofUser(externalId)
    const invoice = await installation.deps.provider.stripe.invoices.retrieve(
      idOf(subscriptions[0]?.latest_invoice ?? ''),
    )
    expect(invoice).toMatchObject({ status: 'paid', amount_paid: amount, currency })
  })
})

describe('refused before anything is recorded', () => {
  test.each<[what: string, body: object, status: number, faults: [pointer: string, code: string][]]>([
    ['an unknown plan', { plan: 'nothing' }, 422, [['#/plan', 'plan_unknown']]],
    [
      'a plan that is no longer sold',
      { plan: 'old', paymentMethod: 'pm_card_visa' },
      403,
      [['#/plan', 'plan_not_allowed']],
    ],
    [
      'another currency than the plan has',
      { plan: 'free', currency: 'eur' },
      422,
      [['#/currency', 'currency_mismatch']],
    ],
    [
      'another contract than the plan has',
      {
        plan: 'team',
        quantity: 3,
        paymentMethod: 'pm_card_visa',
        agreed: { amount: '14.99', interval: 'year', product: 'app' },
      },
      422,
      [
        ['#/agreed/amount', 'agreed_terms_differ'],
        ['#/agreed/interval', 'agreed_terms_differ'],
      ],
    ],
    [
      'a number where nothing is counted',
      { plan: 'free', quantity: 2 },
      422,
      [['#/quantity', 'quantity_invalid']],
    ],
    [
      'an unknown test clock',
      { plan: 'free', testClock: 'test_clock_0' },
      400,
      [['#/testClock', 'test_clock_not_found']],
    ],
    [
      'everything at once',
      { plan: 'team', currency: 'eur', testClock: 'test_clock_0' },
      422,
      [
        ['#/currency', 'currency_mismatch'],
        ['#/paymentMethod', 'payment_method_required'],
        ['#/testClock', 'test_clock_not_found'],
      ],
    ],
  ])('%s', async (_, body, status, faults) => {
    const externalId = newUser()
    const answer = await register({ externalId, ...body })
    expect(answer.status).toBe(status)
    const errors = answer.body.errors as { pointer: string; code: string }[]
    expect(errors.map(({ pointer, code }) => [pointer, code])).toEqual(faults)
    expect((await ofUser(externalId)).customer).toBeUndefined()
  })

  test('a customer pays in one currency', async () => {
    const externalId = newUser()
    await register({ externalId, plan: 'free' })
    const answer = await register({ externalId, plan: 'yen', slot: 'second', paymentMethod: 'pm_card_visa' })
    expect(answer).toMatchObject({ status: 422, body: { code: 'currency_mismatch' } })
  })

  test('a plan that Stripe does not know yet', async () => {
    await installation.database.pool.query(
      `update mapping set entity_id = entity_id || '?' where entity_type = 'price' and entity_id in
        (select p.id from price p join plan_version v on v.id = p.plan_version_id where v.plan_key = 'given')`,
    )
    const answer = await register({ externalId: newUser(), plan: 'given' })
    expect(answer).toMatchObject({ status: 422, body: { code: 'plan_not_published' } })
  })
})

test('a known customer with a new name is told to Stripe', async () => {
  const externalId = newUser()
  await register({ externalId, plan: 'free', name: 'Ada' })
  await register({ externalId, plan: 'free', slot: 'second', name: 'Ada King' })
  expect((await ofUser(externalId)).customers.map(({ name }) => name)).toEqual(['Ada King'])
})

test('one that was parked goes on when a person says so', async () => {
  const externalId = newUser()
  simulator.control.fail({ kind: 'error_500', method: 'POST', path: '/v1/subscriptions', times: 6 })
  const asked = register({ externalId, plan: 'free' })
  const { pool } = installation.database
  const waiting = () =>
    pool.query<{ id: string }>(
      `select r.id from registration r join workflow w on w.id = r.workflow_id
       where w.problem is not null and w.ended_at is null and w.lease_until is null`,
    )
  await expect.poll(async () => (await waiting()).rows).toHaveLength(1)
  const id = (await waiting()).rows[0]?.id
  await pool.query(
    `update workflow set state = 'parked', ended_at = clock_timestamp() where id = (select workflow_id from registration where id = $1)`,
    [id],
  )
  expect(await asked).toMatchObject({
    status: 202,
    body: { id, state: 'parked', stage: 'start subscription' },
  })
  expect(await installation.ask('POST', `/v1/registrations/${id}/resume`, {})).toMatchObject({
    status: 200,
    body: { state: 'completed', problem: null },
  })
  expect((await ofUser(externalId)).subscriptions).toHaveLength(1)
  // Of one that is completed nothing is left to do.
  expect(await installation.ask('POST', `/v1/registrations/${id}/resume`, {})).toMatchObject({ status: 200 })
})

describe('given up', () => {
  test('while Stripe is away: what may have been done is found out first, and taken back', async () => {
    const externalId = newUser()
    simulator.control.fail({
      kind: 'timeout_after_commit',
      method: 'POST',
      path: '/v1/subscriptions',
      times: 6,
    })
    const asked = register({ externalId, plan: 'free' })
    const failed = async () =>
      (await installation.ask('GET', '/v1/registrations?state=failed')).body.data as { id: string }[]
    await expect.poll(failed, { timeout: 60_000 }).toHaveLength(1)
    const id = (await failed())[0]?.id
    // An event tells of it before we know what became of our own call: it runs.
    const [made] = (await ofUser(externalId)).subscriptions
    await lookAt(installation.deps, { type: 'subscription', id: made?.id ?? '' })
    const here = `/v1/subscriptions/${made?.metadata.lockstep_subscription}`
    expect((await installation.ask('GET', here)).body).toMatchObject({ status: 'active', access: 'full' })
    const canceled = await installation.ask('POST', `/v1/registrations/${id}/cancel`, {})
    expect(canceled).toMatchObject({
      status: 200,
      body: {
        state: 'rolledBack',
        cause: 'canceled',
        problem: { code: 'registration_canceled' },
        remains: ['user', 'providerCustomer', 'customer'],
      },
    })
    expect(await asked).toMatchObject({ status: 409, body: { code: 'registration_canceled' } })
    expect((await ofUser(externalId)).subscriptions.map(({ status }) => status)).toEqual(['canceled'])
    // It grants nothing from then on, whenever its event comes.
    expect((await installation.ask('GET', here)).body).toMatchObject({ status: 'canceled', access: 'ended' })
    // Once more is harmless, and the place is free.
    expect((await installation.ask('POST', `/v1/registrations/${id}/cancel`, {})).status).toBe(200)
    expect((await register({ externalId, plan: 'free' })).status).toBe(201)
  })

  test('before Stripe had heard of it: it is never sent, and nobody is charged', async () => {
    const externalId = newUser()
    simulator.control.fail({
      kind: 'timeout_before_commit',
      method: 'POST',
      path: '/v1/subscriptions',
      times: 6,
    })
    const asked = register({ externalId, plan: 'team', paymentMethod: 'pm_card_visa' })
    const failed = async () =>
      (await installation.ask('GET', '/v1/registrations?state=failed')).body.data as { id: string }[]
    await expect.poll(failed, { timeout: 60_000 }).toHaveLength(1)
    simulator.control.clearRequests()
    const id = (await failed())[0]?.id
    await sentLongAgo(installation.database, 'subscription.create')
    expect(await installation.ask('POST', `/v1/registrations/${id}/cancel`, {})).toMatchObject({
      status: 200,
      body: { state: 'rolledBack', cause: 'canceled' },
    })
    expect((await asked).status).toBe(409)
    const posts = simulator.control.requests().requests.filter(({ method }) => method === 'POST')
    expect(posts.map(({ path }) => path)).toEqual([])
    expect((await ofUser(externalId)).subscriptions).toEqual([])
  })

  test('a completed one is not, also where it was completed by its last step meanwhile', async () => {
    const { body } = await register({ externalId: newUser(), plan: 'free' })
    const cancel = () => installation.ask('POST', `/v1/registrations/${body.id}/cancel`, {})
    const ended = { status: 409, body: { code: 'registration_ended' } }
    expect(await cancel()).toMatchObject(ended)
    const { rowCount } = await installation.database.pool.query(
      `update workflow set withdrawal = '{"code": "registration_canceled", "detail": "Too late."}'
       where id = (select workflow_id from registration where id = $1)`,
      [body.id],
    )
    expect(rowCount).toBe(1)
    expect(await cancel()).toMatchObject(ended)
  })
})

test('a way to buy that nobody knows is refused with the list of those that are known', async () => {
  const answer = await register({ externalId: newUser(), plan: 'free', purchase: 'ct' })
  expect(answer).toMatchObject({
    status: 422,
    body: { code: 'purchase_unknown', errors: [{ pointer: '#/purchase' }] },
  })
  expect(answer.body.detail).toContain('membership')
})

test('registrations are listed newest first, page by page', async () => {
  const { body } = await installation.ask('GET', '/v1/registrations?limit=3')
  expect(body).toMatchObject({ hasMore: true })
  const ids = (body.data as { id: string }[]).map(({ id }) => id)
  expect(ids).toEqual(ids.toSorted().toReversed())
  const next = await installation.ask('GET', `/v1/registrations?limit=3&after=${body.nextCursor}`)
  expect((next.body.data as { id: string }[]).every(({ id }) => id < (ids[2] ?? ''))).toBe(true)
})

describe('in spite of faults', () => {
  const CALLS = [
    ['nobody knew', '/v1/customers'],
    ['nobody knew', '/v1/subscriptions'],
    ['Stripe knows', '/v1/payment_methods/*/attach'],
    ['Stripe knows', '/v1/subscriptions'],
    ['Stripe knows', '/v1/customers/cus_*'],
    ['Stripe knows', '/v1/subscriptions/sub_*'],
  ] as const
  test.each(CALLS.flatMap(([whom, path]) => KINDS.map((kind) => [kind, path, whom] as const)))(
    '%s at %s, of one whom %s',
    async (kind, path, whom) => {
      const externalId = newUser()
      const isKnown = whom === 'Stripe knows'
      if (isKnown)
        await register({ externalId, plan: 'free', slot: 'before', paymentMethod: 'pm_card_mastercard' })
      simulator.control.fail({ kind, method: 'POST', path, times: 2 })
      const answer = await register({ externalId, plan: 'team', paymentMethod: 'pm_card_visa' })
      expect(answer.status).toBe(201)
      expect(simulator.control.faults()).toEqual([])
      const { customers, subscriptions } = await ofUser(externalId)
      expect([customers.length, subscriptions.length]).toEqual([1, isKnown ? 2 : 1])
      expect(await defaultOf(customers[0]?.id)).toBe('visa')
      const { data } = await installation.deps.provider.stripe.invoices.list({
        customer: customers[0]?.id ?? '',
      })
      expect(data.map(({ amount_paid: paid }) => paid)).toEqual(isKnown ? [1100, 0] : [1100])
    },
  )
})
