import { describe, expect, test } from 'vitest'
import { transaction } from '../src/postgres/transaction.ts'
import { wakeWorkflow } from '../src/store/workflows.ts'
import { lookAt } from '../src/workflow/look.ts'
import { purchaseCatalog } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'

// Who has to do something first: the bank's question (3-D Secure), and a page for the payment method.
// Cards: https://docs.stripe.com/testing#regulatory-cards

const ASKS = 'pm_card_authenticationRequired'
const PAGE = { returnUrl: 'https://app.example/welcome', cancelUrl: 'https://app.example/pricing' }

const { simulator, installation } = await sharedInstallation(purchaseCatalog)

interface Shown {
  readonly id: string
  readonly state: string
  readonly customer: string
  readonly action: { readonly type: string; readonly url: string; readonly expiresAt: string } | null
}

let count = 0
async function register(body: object): Promise<{ status: number; body: Shown }> {
  count += 1
  const wanted = { externalId: `user_${count}`, plan: 'team', ...body }
  const { status, body: shown } = await installation.ask('POST', '/v1/registrations', wanted)
  return { status, body: shown as unknown as Shown }
}
const resume = (id: string) => installation.ask('POST', `/v1/registrations/${id}/resume`, {})
const read = (id: string) => installation.ask('GET', `/v1/registrations/${id}`)

/** Everything that Stripe has of a customer, on whatever clock. */
async function atStripe({ customer }: Shown) {
  const { stripe } = installation.deps.provider
  const known = await installation.ask('GET', `/v1/customers/${customer}`)
  const id = String(known.body.providerId)
  const { data: subscriptions } = await stripe.subscriptions.list({ customer: id, status: 'all' })
  const { data: invoices } = await stripe.invoices.list({ customer: id })
  const { data: sessions } = await stripe.checkout.sessions.list({ customer: id })
  const { data: intents } = await stripe.paymentIntents.list({ customer: id })
  return { id, subscriptions, invoices, sessions, intents }
}

async function onClock() {
  const clock = await installation.ask('POST', '/v1/test-clocks', { frozenTime: '2026-01-31T09:30:00Z' })
  return {
    testClock: String(clock.body.id),
    async turn(to: string) {
      await installation.ask('POST', `/v1/test-clocks/${clock.body.id}/advance`, { frozenTime: to })
      const ready = async () =>
        (await installation.ask('GET', `/v1/test-clocks/${clock.body.id}`)).body.status
      await expect.poll(ready, { timeout: 60_000 }).toBe('ready')
    },
  }
}

describe('the bank asks the customer', () => {
  test('confirmed, the registration is completed by whoever tells first, and paid once', async () => {
    const asked = await register({ paymentMethod: ASKS })
    expect(asked).toMatchObject({
      status: 202,
      body: { state: 'requiresAction', stage: 'confirm payment', action: { type: 'confirmPayment' } },
    })
    expect(asked.body.action?.url).toMatch(/^http/)
    // Looked at too early, it waits on.
    expect((await resume(asked.body.id)).body).toMatchObject({ state: 'requiresAction' })

    const { intents, subscriptions } = await atStripe(asked.body)
    expect(subscriptions.map(({ status }) => status)).toEqual(['incomplete'])
    // It was woken, and nobody has looked yet whether the bank was answered.
    const workflow = await workflowOf(asked.body.id)
    await transaction(installation.deps.db, (trx) => wakeWorkflow(trx, workflow))
    const { action } = asked.body
    expect((await read(asked.body.id)).body).toMatchObject({ state: 'requiresAction', action })
    for (const [state, count] of [
      ['requiresAction', 1],
      ['running', 0],
    ] as const) {
      const query = `customer=${asked.body.customer}&state=${state}`
      const { body } = await installation.ask('GET', `/v1/registrations?${query}`)
      expect(body.data).toHaveLength(count)
    }
    simulator.control.authenticate(
      intents.find(({ status }) => status === 'requires_action')?.id ?? '',
      'succeed',
    )
    // The event and the customer's return, at the same moment.
    await Promise.all([
      lookAt(installation.deps, { type: 'subscription', id: subscriptions[0]?.id ?? '' }).then(() =>
        installation.workflows.resumeDue(),
      ),
      resume(asked.body.id),
    ])
    await installation.workflows.settled(await workflowOf(asked.body.id), 5)
    expect((await read(asked.body.id)).body).toMatchObject({
      state: 'completed',
      action: null,
      problem: null,
    })
    const after = await atStripe(asked.body)
    expect(after.subscriptions.map(({ status }) => status)).toEqual(['active'])
    expect(after.invoices.map(({ status, amount_paid: paid }) => [status, paid])).toEqual([['paid', 900]])
  })

  test.each([
    ['fails', 'succeed', 'pm_card_threeDSecureRequiredChargeDeclined', 'card_declined', 'declined'],
    ['is refused', 'fail', ASKS, 'payment_not_confirmed', 'authentication'],
  ] as const)('where it %s, nothing is left to be paid', async (_, answer, card, code, cause) => {
    const asked = await register({ paymentMethod: card })
    expect(asked.body.state).toBe('requiresAction')
    const { intents } = await atStripe(asked.body)
    const asking = intents.find(({ status }) => status === 'requires_action')?.id ?? ''
    const give = () => simulator.control.authenticate(asking, answer)
    if (cause === 'declined') expect(give).toThrow('declined')
    else give()
    expect((await resume(asked.body.id)).body).toMatchObject({
      state: 'rolledBack',
      cause,
      problem: { code },
      remains: ['user', 'providerCustomer', 'customer', 'paymentMethod'],
    })
    const { subscriptions, invoices } = await atStripe(asked.body)
    expect(subscriptions.every(({ status }) => ['canceled', 'incomplete_expired'].includes(status))).toBe(
      true,
    )
    expect(invoices.map(({ status }) => status)).toEqual(['void'])
    const next = await installation.ask('POST', '/v1/registrations', {
      externalId: `user_${count}`,
      plan: 'team',
      paymentMethod: 'pm_card_visa',
    })
    expect(next.status).toBe(201)
  })

  test('not answered within 22 hours of the customer’s time, it is undone', async () => {
    const { testClock, turn } = await onClock()
    const asked = await register({ paymentMethod: ASKS, testClock })
    expect(asked.body.action?.expiresAt).toBe('2026-02-01T07:30:00Z')
    await turn('2026-02-01T07:29:00Z')
    expect((await read(asked.body.id)).body).toMatchObject({ state: 'requiresAction' })
    await turn('2026-02-01T07:31:00Z')
    expect((await read(asked.body.id)).body).toMatchObject({ state: 'rolledBack', cause: 'abandoned' })
    const { subscriptions, invoices } = await atStripe(asked.body)
    expect(subscriptions.every(({ status }) => ['canceled', 'incomplete_expired'].includes(status))).toBe(
      true,
    )
    expect(invoices.map(({ status }) => status)).toEqual(['void'])
  })
})

describe('the customer has done it, and nobody told us', () => {
  /** As for a webhook that is late: the customer confirms, and we hear nothing of it. */
  async function confirm(asked: { body: Shown }): Promise<void> {
    const { intents } = await atStripe(asked.body)
    const asking = intents.find(({ status }) => status === 'requires_action')?.id ?? ''
    simulator.control.authenticate(asking, 'succeed')
  }

  test('the deadline looks first: what was paid in time is completed, not undone', async () => {
    const { testClock, turn } = await onClock()
    const asked = await register({ paymentMethod: ASKS, testClock })
    await confirm(asked)
    await turn('2026-02-01T07:31:00Z')
    expect((await read(asked.body.id)).body).toMatchObject({ state: 'completed', cause: null })
  })

  test('there is nothing to cancel any more', async () => {
    const asked = await register({ paymentMethod: ASKS })
    await confirm(asked)
    const canceled = await installation.ask('POST', `/v1/registrations/${asked.body.id}/cancel`, {})
    expect(canceled).toMatchObject({ status: 409, body: { code: 'registration_ended' } })
    expect((await read(asked.body.id)).body).toMatchObject({ state: 'completed', cause: null })
    expect((await atStripe(asked.body)).subscriptions.map(({ status }) => status)).toEqual(['active'])
  })

  test('canceled while Stripe cannot be reached, it is said what is not undone yet and when that is tried again', async () => {
    const asked = await register({ paymentMethod: ASKS })
    simulator.control.fail({ kind: 'error_500', method: 'POST', path: '/v1/invoices/*/void', times: 6 })
    await installation.ask('POST', `/v1/registrations/${asked.body.id}/cancel`, {})
    const stuck = async () => (await read(asked.body.id)).body
    await expect.poll(async () => (await stuck()).problem).not.toBeNull()
    expect(await stuck()).toMatchObject({
      ...{ state: 'compensating', stage: 'confirm payment' },
      problem: { detail: expect.stringMatching(/^The step 'start subscription' is not undone: /) },
      nextAttemptAt: expect.any(String),
    })
    simulator.control.clearFaults()
    expect((await resume(asked.body.id)).body).toMatchObject({
      ...{ state: 'rolledBack', stage: 'confirm payment', cause: 'canceled', nextAttemptAt: null },
      problem: { code: 'registration_canceled' },
    })
  })
})

describe('a page for the payment method', () => {
  test('left with one, the registration goes on once, by return or by event', async () => {
    const asked = await register({ paymentPage: PAGE })
    expect(asked).toMatchObject({
      status: 202,
      body: { state: 'requiresAction', action: { type: 'providePaymentMethod' } },
    })
    const { sessions, subscriptions } = await atStripe(asked.body)
    expect(subscriptions).toEqual([])
    const page = sessions[0]?.id ?? ''
    expect(sessions[0]).toMatchObject({
      mode: 'setup',
      url: asked.body.action?.url,
      success_url: PAGE.returnUrl,
    })
    simulator.control.completeCheckout(page, { card: 'pm_card_visa' })
    await Promise.all([
      lookAt(installation.deps, { type: 'checkout_session', id: page }).then(() =>
        installation.workflows.resumeDue(),
      ),
      resume(asked.body.id),
    ])
    await installation.workflows.settled(await workflowOf(asked.body.id), 5)
    expect((await read(asked.body.id)).body).toMatchObject({ state: 'completed' })
    const after = await atStripe(asked.body)
    expect(after.subscriptions.map(({ status }) => status)).toEqual(['active'])
    expect(after.invoices.map(({ amount_paid: paid }) => paid)).toEqual([900])
  })

  test('given up, it is closed', async () => {
    const asked = await register({ paymentPage: PAGE })
    const canceled = await installation.ask('POST', `/v1/registrations/${asked.body.id}/cancel`, {})
    expect(canceled).toMatchObject({ status: 200, body: { state: 'rolledBack', cause: 'canceled' } })
    expect((await atStripe(asked.body)).sessions.map(({ status }) => status)).toEqual(['expired'])
  })

  test('left with a card and given up before anybody heard of it, it buys nothing', async () => {
    const asked = await register({ paymentPage: PAGE })
    const { sessions } = await atStripe(asked.body)
    simulator.control.completeCheckout(sessions[0]?.id ?? '', { card: 'pm_card_visa' })
    const canceled = await installation.ask('POST', `/v1/registrations/${asked.body.id}/cancel`, {})
    expect(canceled).toMatchObject({ status: 200, body: { state: 'rolledBack', cause: 'canceled' } })
    const { subscriptions, intents } = await atStripe(asked.body)
    expect([subscriptions, intents]).toEqual([[], []])
  })

  test('closed by the customer, it is undone in the customer’s time', async () => {
    const { testClock, turn } = await onClock()
    const asked = await register({ paymentPage: PAGE, testClock })
    await turn('2026-02-01T08:00:00Z')
    expect((await read(asked.body.id)).body).toMatchObject({
      state: 'rolledBack',
      cause: 'abandoned',
      problem: { code: 'registration_abandoned' },
      remains: ['user', 'providerCustomer', 'customer'],
    })
    expect((await atStripe(asked.body)).sessions.map(({ status }) => status)).toEqual(['expired'])
  })

  test('is not asked for beside a payment method', async () => {
    expect(await register({ paymentPage: PAGE, paymentMethod: 'pm_card_visa' })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '#/paymentPage' }] },
    })
  })
})

describe('of one who has something already', () => {
  const ANOTHER = { plan: 'team', slot: 'second' }
  const has = (externalId: string) =>
    register({ externalId, plan: 'free', paymentMethod: 'pm_card_mastercard' })

  /** What is charged for what: by the customer's default, and by the subscription's own. */
  async function charged(shown: Shown) {
    const { stripe } = installation.deps.provider
    const { id, subscriptions } = await atStripe(shown)
    const customer = await stripe.customers.retrieve(id, {
      expand: ['invoice_settings.default_payment_method'],
    })
    const method = customer.deleted ? null : customer.invoice_settings.default_payment_method
    const own = subscriptions
      .filter(({ status }) => status !== 'canceled')
      .map((one) => one.default_payment_method)
    return { customer: typeof method === 'object' ? method?.card?.brand : method, own }
  }

  test('the card before is charged until the bank has its answer, and the new one afterwards', async () => {
    await has('patient')
    const asked = await register({ externalId: 'patient', ...ANOTHER, paymentMethod: ASKS })
    expect(asked.body.state).toBe('requiresAction')
    expect(await charged(asked.body)).toMatchObject({
      customer: 'mastercard',
      own: [expect.any(String), null],
    })

    const { intents } = await atStripe(asked.body)
    const asking = intents.find(({ status }) => status === 'requires_action')?.id ?? ''
    simulator.control.authenticate(asking, 'succeed')
    expect((await resume(asked.body.id)).body).toMatchObject({ state: 'completed' })
    expect(await charged(asked.body)).toEqual({ customer: 'visa', own: [null, null] })
  })

  test('the card before is never touched, where the bank says no', async () => {
    await has('unlucky')
    const asked = await register({ externalId: 'unlucky', ...ANOTHER, paymentMethod: ASKS })
    const { intents } = await atStripe(asked.body)
    simulator.control.clearRequests()
    const asking = intents.find(({ status }) => status === 'requires_action')?.id ?? ''
    simulator.control.authenticate(asking, 'fail')
    expect((await resume(asked.body.id)).body).toMatchObject({ state: 'rolledBack' })
    expect(await charged(asked.body)).toMatchObject({ customer: 'mastercard' })
    const { requests } = simulator.control.requests()
    expect(requests.filter(({ method, path }) => method === 'POST' && path.includes('/customers/'))).toEqual(
      [],
    )
  })

  test('a ticket is paid with the card that was named for it', async () => {
    await has('guest')
    const bought = await register({ externalId: 'guest', plan: 'ticket', paymentMethod: 'pm_card_visa' })
    expect(bought).toMatchObject({ status: 201, body: { state: 'completed' } })
    const { stripe } = installation.deps.provider
    const { id } = await atStripe(bought.body)
    const { data } = await stripe.charges.list({ customer: id })
    expect(data.map(({ payment_method_details: paid }) => paid?.card?.brand)).toEqual(['visa'])
    expect(await charged(bought.body)).toEqual({ customer: 'visa', own: [null] })
  })

  test('a card that is left on a page pays, and is the default afterwards', async () => {
    await has('visitor')
    const asked = await register({ externalId: 'visitor', ...ANOTHER, paymentPage: PAGE })
    simulator.control.completeCheckout((await atStripe(asked.body)).sessions[0]?.id ?? '', {
      card: 'pm_card_visa',
    })
    expect(await charged(asked.body)).toMatchObject({ customer: 'mastercard' })
    expect((await resume(asked.body.id)).body).toMatchObject({ state: 'completed' })
    expect(await charged(asked.body)).toEqual({ customer: 'visa', own: [null, null] })
  })

  test('a card that was taken off meanwhile undoes nothing that was paid', async () => {
    await has('hasty')
    simulator.control.fail({ kind: 'error_500', method: 'POST', path: '/v1/customers/*', times: 12 })
    const paid = await register({ externalId: 'hasty', ...ANOTHER, paymentMethod: 'pm_card_visa' })
    expect(paid.body).toMatchObject({ state: 'failed', stage: 'make payment method default' })
    simulator.control.clearFaults()
    const { stripe } = installation.deps.provider
    const { id } = await atStripe(paid.body)
    const { data } = await stripe.customers.listPaymentMethods(id)
    await stripe.paymentMethods.detach(data.find(({ card }) => card?.brand === 'visa')?.id ?? '')
    expect((await resume(paid.body.id)).body).toMatchObject({ state: 'completed' })
    expect(await charged(paid.body)).toMatchObject({ customer: 'mastercard' })
  })
})

describe('in spite of faults', () => {
  const KINDS = ['timeout_after_commit', 'timeout_before_commit', 'error_500_stored', 'rate_limit'] as const
  test.each(KINDS)('%s: one page, one subscription that waits', async (kind) => {
    simulator.control.fail({ kind, method: 'POST', path: '/v1/checkout/sessions', times: 2 })
    const page = await register({ paymentPage: PAGE })
    expect(page.body.state).toBe('requiresAction')
    expect((await atStripe(page.body)).sessions).toHaveLength(1)

    simulator.control.fail({ kind, method: 'POST', path: '/v1/subscriptions', times: 2 })
    const asked = await register({ paymentMethod: ASKS })
    expect(asked.body.state).toBe('requiresAction')
    expect((await atStripe(asked.body)).subscriptions.map(({ status }) => status)).toEqual(['incomplete'])
    simulator.control.clearFaults()
  })
})

async function workflowOf(registration: string): Promise<string> {
  const { rows } = await installation.database.pool.query<{ id: string }>(
    'select workflow_id as id from registration where id = $1',
    [registration],
  )
  return rows[0]?.id ?? ''
}
