import { defineCatalog } from '@lockstep/core/catalog'
import { describe, expect, test } from 'vitest'
import { drainInbox } from '../src/inbox/process.ts'
import { makeEvents } from '../src/outbox/make-events.ts'
import { idOf } from '../src/provider/stripe/field.ts'
import { lookAt } from '../src/workflow/look.ts'
import { flatPlan } from './support/catalogs.ts'
import { receiveListed } from './support/receive-listed.ts'
import { sharedInstallation } from './support/shared.ts'
import { type Body, newSubscriber } from './support/subscriber.ts'

// How a change is paid: without a card first, with the bank's question, in a trial.
// Cards: https://docs.stripe.com/testing#regulatory-cards

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  coupons: { half: { name: 'Half', percentOff: '50', duration: 'forever' } },
  plans: {
    starter: flatPlan('Starter', '0'),
    basic: flatPlan('Basic', '10.00'),
    premium: flatPlan('Premium', '25.00'),
    pending: { ...flatPlan('Pending', '0'), audience: 'admin', trialDays: 31 },
  },
  signUp: { plan: 'pending', afterTrial: { moveTo: 'starter' } },
})

const ASKS = 'pm_card_authenticationRequired'
const PAGE = { returnUrl: 'https://app.example/billing', cancelUrl: 'https://app.example/pricing' }

const { simulator, installation } = await sharedInstallation(catalog)

const subscriber = (key: string, more?: Parameters<typeof newSubscriber>[2]) =>
  newSubscriber(installation, key, more)
/** A change with its address for an id. */
const changeOf = ({ body }: { body: Body }) => {
  const change = body.change as Body & { action: { url: string } }
  return { ...change, id: `/v1/subscriptions/${change.subscription}/changes/${change.id}` }
}
const resume = (id: string) => installation.ask('POST', `${id}/resume`, {})
const readChange = async (id: string) => (await installation.ask('GET', id)).body

/** What happened is told by an event and by the customer's return, at the same moment. */
async function toldTwice(object: { type: 'checkout_session' | 'subscription'; id: string }, change: string) {
  const { deps, workflows } = installation
  await Promise.all([lookAt(deps, object).then(() => workflows.resumeDue()), resume(change)])
  await expect.poll(async () => (await readChange(change)).state, { timeout: 60_000 }).not.toBe('applying')
}

describe('without a card', () => {
  test('a paid plan takes one, and says how', async () => {
    const ada = await subscriber('starter', { card: '' })
    expect(await ada.change({ plan: 'premium' })).toMatchObject({
      status: 402,
      body: { code: 'payment_method_required', errors: [{ pointer: '#/paymentPage' }] },
    })
    expect((await ada.preview({ plan: 'premium', paymentPage: PAGE })).body).toMatchObject({
      needsPaymentPage: true,
      dueNow: { total: { minor: '2500' } },
    })
  })

  test('the customer leaves one on a page; then it is kept and the plan is changed, once', async () => {
    const ada = await subscriber('starter', { card: '' })
    const asked = await ada.change({ plan: 'premium', paymentPage: PAGE, email: 'ada@example.org' })
    expect(asked).toMatchObject({
      status: 202,
      body: {
        subscription: { plan: 'starter' },
        change: { state: 'requiresAction', action: { type: 'providePaymentMethod' } },
      },
    })
    const { id, action } = changeOf(asked)
    const { sessions } = await ada.atStripe()
    expect(sessions).toMatchObject([{ mode: 'setup', url: action.url, success_url: PAGE.returnUrl }])
    // Looked at too early, it waits on; asked for again meanwhile, it is the same or has to wait.
    expect((await resume(id)).body).toMatchObject({ state: 'requiresAction' })
    expect(
      changeOf(await ada.change({ plan: 'premium', paymentPage: PAGE, email: 'ada@example.org' })).id,
    ).toBe(id)
    expect(await ada.change({ plan: 'basic', paymentPage: PAGE })).toMatchObject({
      status: 409,
      body: { code: 'plan_change_in_progress' },
    })

    const page = sessions[0]?.id ?? ''
    simulator.control.completeCheckout(page, { card: 'pm_card_visa' })
    await toldTwice({ type: 'checkout_session', id: page }, id)
    expect(await readChange(id)).toMatchObject({ state: 'effective', action: null })
    expect(await ada.read()).toMatchObject({ plan: 'premium', status: 'active' })
    expect(await ada.invoices()).toEqual(['subscription_create 0 paid', 'subscription_update 2500 paid'])
    expect(await ada.contracts()).toHaveLength(2)
    expect((await installation.ask('GET', `/v1/customers/${ada.customer}`)).body.email).toBe(
      'ada@example.org',
    )
    // With one on file the next change needs no page.
    expect(await ada.change({ plan: 'basic', when: 'now', paymentPage: PAGE })).toMatchObject({ status: 200 })
  })

  test('a card that does not pay leaves neither the plan nor itself', async () => {
    const ada = await subscriber('starter', { card: '' })
    const { id } = changeOf(await ada.change({ plan: 'premium', paymentPage: PAGE }))
    const { sessions } = await ada.atStripe()
    simulator.control.completeCheckout(sessions[0]?.id ?? '', { card: 'pm_card_chargeCustomerFail' })
    await resume(id)
    expect(await readChange(id)).toMatchObject({ state: 'refused', problem: { code: 'card_declined' } })
    expect(await ada.read()).toMatchObject({ plan: 'starter', status: 'active' })
    expect(await ada.contracts()).toHaveLength(1)
  })

  test('given up or not come back to, nothing is changed and the page is closed', async () => {
    const ada = await subscriber('starter', { card: '' })
    const first = changeOf(await ada.change({ plan: 'premium', paymentPage: PAGE }))
    const canceled = await installation.ask('POST', `${first.id}/cancel`)
    expect(canceled).toMatchObject({
      status: 200,
      body: { state: 'refused', problem: { code: 'plan_change_canceled' } },
    })
    // Whoever got no answer asks once more.
    expect(await installation.ask('POST', `${first.id}/cancel`)).toEqual(canceled)
    const second = changeOf(await ada.change({ plan: 'premium', paymentPage: PAGE }))
    await ada.turn('2026-01-01T22:30:00Z')
    expect(await readChange(second.id)).toMatchObject({
      state: 'refused',
      problem: { code: 'plan_change_abandoned' },
    })
    const { sessions } = await ada.atStripe()
    expect(sessions.map(({ status }) => status)).toEqual(['expired', 'expired'])
    expect(await ada.read()).toMatchObject({ plan: 'starter' })
  })

  test('a page alone is for another card', async () => {
    const ada = await subscriber('basic')
    const { id } = changeOf(await ada.change({ paymentPage: PAGE }))
    const { sessions } = await ada.atStripe()
    simulator.control.completeCheckout(sessions[0]?.id ?? '', { card: 'pm_card_mastercard' })
    await resume(id)
    expect(await readChange(id)).toMatchObject({ state: 'effective', direction: 'level', contract: null })
    const { customer } = await ada.atStripe()
    expect(customer).toMatchObject({
      invoice_settings: { default_payment_method: expect.stringMatching(/^pm_/) },
    })
  })
})

test('a method that the provider does not know, or that is somebody else’s, is pointed at, in the preview too', async () => {
  const [ada, bob] = [await subscriber('basic'), await subscriber('basic')]
  const { customer } = await bob.atStripe()
  const settings = 'invoice_settings' in customer ? customer.invoice_settings : null
  const ofBob = idOf(settings?.default_payment_method ?? '')
  expect(ofBob).toMatch(/^pm_/)
  for (const paymentMethod of ['pm_nobody', ofBob]) {
    const wish = { plan: 'premium', paymentMethod }
    for (const refused of [await ada.preview(wish), await ada.change(wish)])
      expect(refused).toMatchObject({
        status: 422,
        body: {
          code: 'provider_refused',
          errors: [{ pointer: '#/paymentMethod', code: 'provider_refused' }],
        },
      })
  }
  expect(await ada.read()).toMatchObject({ plan: 'basic', status: 'active' })
})

test('a method that is nobody’s yet, or the customer’s, is shown with what it would pay', async () => {
  const ada = await subscriber('basic')
  const { stripe } = installation.deps.provider
  const { id: paymentMethod } = await stripe.paymentMethods.create({
    type: 'card',
    card: { token: 'tok_visa' },
  })
  const shown = { status: 200, body: { dueNow: { total: { minor: '1500' } } } }
  expect(await ada.preview({ plan: 'premium', paymentMethod })).toMatchObject(shown)
  await stripe.paymentMethods.attach(paymentMethod, { customer: (await ada.atStripe()).customer.id })
  expect(await ada.preview({ plan: 'premium', paymentMethod })).toMatchObject(shown)
  expect(await ada.preview({ plan: 'premium', paymentMethod: 'pm_card_visa' })).toMatchObject(shown)
})

describe('the bank asks the customer', () => {
  test('and everything is as it was until the answer; then it is changed and paid once', async () => {
    const ada = await subscriber('basic')
    const asked = await ada.change({ plan: 'premium', paymentMethod: ASKS })
    expect(asked).toMatchObject({
      status: 202,
      body: {
        subscription: { plan: 'basic' },
        change: { state: 'requiresAction', action: { type: 'confirmPayment' } },
      },
    })
    const { id, action } = changeOf(asked)
    expect(action.url).toMatch(/^http/)
    expect((await resume(id)).body).toMatchObject({ state: 'requiresAction' })
    const { intents, subscriptions } = await ada.atStripe()
    // An event of it came, and nobody has looked yet whether it is the answer.
    await lookAt(installation.deps, { type: 'subscription', id: subscriptions[0]?.id ?? '' })
    expect(await readChange(id)).toMatchObject({ state: 'requiresAction', action })
    simulator.control.authenticate(
      intents.find(({ status }) => status === 'requires_action')?.id ?? '',
      'succeed',
    )
    await toldTwice({ type: 'subscription', id: subscriptions[0]?.id ?? '' }, id)
    expect(await readChange(id)).toMatchObject({ state: 'effective', action: null, problem: null })
    expect(await ada.read()).toMatchObject({ plan: 'premium', status: 'active' })
    // At the very start of the period the whole difference is due.
    expect(await ada.invoices()).toEqual(['subscription_create 1000 paid', 'subscription_update 1500 paid'])
    expect(await ada.contracts()).toHaveLength(2)
  })

  test('and the application is told of it once, however often somebody looks', async () => {
    const ada = await subscriber('basic')
    const { pool } = installation.deps
    await pool.query(
      `insert into webhook_endpoint (id, url, secrets, created_at) values ('endpoint_1', 'https://app.example', '[]', now())`,
    )
    const told = async () => {
      await makeEvents(installation.deps)
      const { rows } = await pool.query<{ type: string; action: { type: string } | null }>(
        `select type, data -> 'action' as action from outgoing_event where type like 'plan_change.%' order by sequence`,
      )
      return rows.map(({ type, action }) => `${type} ${action?.type ?? '-'}`)
    }
    const { id } = changeOf(await ada.change({ plan: 'premium', paymentMethod: ASKS }))
    const asked = 'plan_change.requires_action confirmPayment'
    expect(await told()).toEqual([asked])
    for (let times = 0; times < 3; times += 1)
      expect((await resume(id)).body).toMatchObject({ state: 'requiresAction' })
    expect(await told()).toEqual([asked])
    await pool.query('delete from webhook_endpoint')
  })

  test('and is answered with no: nothing is left to be paid', async () => {
    const ada = await subscriber('basic')
    const { id } = changeOf(await ada.change({ plan: 'premium', paymentMethod: ASKS }))
    const { intents } = await ada.atStripe()
    simulator.control.authenticate(
      intents.find(({ status }) => status === 'requires_action')?.id ?? '',
      'fail',
    )
    await resume(id)
    expect(await readChange(id)).toMatchObject({
      state: 'refused',
      problem: { code: 'payment_not_confirmed' },
    })
    expect(await ada.read()).toMatchObject({ plan: 'basic', status: 'active' })
    expect((await ada.invoices()).filter((line) => line.endsWith('open'))).toEqual([])
    // The card before pays for it again.
    const { subscriptions } = await ada.atStripe()
    expect(subscriptions[0]?.default_payment_method).toBeNull()
    expect(await ada.change({ plan: 'premium' })).toMatchObject({ status: 200 })
  })

  test('and is answered with no, which an event alone tells: its invoice looks as before', async () => {
    const ada = await subscriber('basic')
    const { id } = changeOf(await ada.change({ plan: 'premium', paymentMethod: ASKS }))
    const { deps, workflows } = installation
    const hear = async () => {
      await receiveListed(deps)
      await drainInbox(deps)
      await workflows.resumeDue()
    }
    await hear()
    const { intents } = await ada.atStripe()
    simulator.control.authenticate(
      intents.find(({ status }) => status === 'requires_action')?.id ?? '',
      'fail',
    )
    await hear()
    await expect.poll(async () => (await readChange(id)).state, { timeout: 60_000 }).toBe('refused')
    expect((await ada.invoices()).filter((line) => line.endsWith('open'))).toEqual([])
  })

  test('and is not answered: it is undone in the customer’s time', async () => {
    const ada = await subscriber('basic')
    const { id } = changeOf(await ada.change({ plan: 'premium', paymentMethod: ASKS }))
    await ada.turn('2026-01-01T23:30:00Z')
    expect(await readChange(id)).toMatchObject({ state: 'refused' })
    expect(await ada.read()).toMatchObject({ plan: 'basic', status: 'active' })
    expect((await ada.invoices()).filter((line) => line.endsWith('open'))).toEqual([])
  })
})

describe('the bank asks, and what waits for the answer is refused by Stripe', () => {
  /** The change is told with a card that the bank asks about, and no answer comes. */
  async function untold() {
    const ada = await subscriber('basic')
    const providerId = String((await ada.read()).providerId)
    // The first two are answered: nobody is there to be asked, and the card that is to pay for it.
    const fault = { kind: 'timeout_before_commit', method: 'POST', skip: 2, times: 100 } as const
    simulator.control.fail({ ...fault, path: `/v1/subscriptions/${providerId}` })
    const { id } = changeOf(await ada.change({ plan: 'premium', paymentMethod: ASKS }))
    simulator.control.clearFaults()
    const card = async () =>
      (await installation.deps.provider.stripe.subscriptions.retrieve(providerId)).default_payment_method
    expect(await card()).toMatch(/^pm_/)
    return { ...ada, change: id, providerId, card }
  }

  test('because somebody ended it meanwhile: the card before pays for it', async () => {
    const ada = await untold()
    const { stripe } = installation.deps.provider
    await stripe.subscriptions.update(ada.providerId, { cancel_at_period_end: true })
    await resume(ada.change)
    await expect.poll(async () => (await readChange(ada.change)).state, { timeout: 60_000 }).toBe('refused')
    expect(await ada.card()).toBeNull()
  })

  test('because it is given up: the same', async () => {
    const ada = await untold()
    expect(await installation.ask('POST', `${ada.change}/cancel`)).toMatchObject({
      body: { state: 'refused', problem: { code: 'plan_change_canceled' } },
    })
    expect(await ada.card()).toBeNull()
  })

  test('and another card that somebody chose meanwhile stays', async () => {
    const ada = await untold()
    const { stripe } = installation.deps.provider
    const { customer } = await stripe.subscriptions.retrieve(ada.providerId)
    const other = await stripe.paymentMethods.attach('pm_card_mastercard', { customer: idOf(customer) })
    await stripe.subscriptions.update(ada.providerId, { default_payment_method: other.id })
    await installation.ask('POST', `${ada.change}/cancel`)
    expect(await ada.card()).toBe(other.id)
  })
})

describe('in a trial', () => {
  test('the end stays where it was, nothing is due before, and nobody moves who has chosen', async () => {
    const ada = await subscriber('pending', { card: '', at: '2026-01-31T09:30:00Z' })
    await ada.turn('2026-02-10T00:00:00Z')
    const shown = await ada.preview({ plan: 'premium', paymentMethod: 'pm_card_visa' })
    expect(shown.body).toMatchObject({
      takesEffect: 'now',
      startsPeriod: false,
      dueNow: null,
      nextInvoice: { at: '2026-03-03T09:30:00Z', total: { minor: '2500' } },
    })
    const done = await ada.change({
      plan: 'premium',
      paymentMethod: 'pm_card_visa',
      preview: shown.body.token,
    })
    expect(done).toMatchObject({
      status: 200,
      body: { subscription: { plan: 'premium', status: 'trialing', trial: { end: '2026-03-03T09:30:00Z' } } },
    })
    await ada.turn('2026-03-03T11:00:00Z')
    expect(await ada.read()).toMatchObject({ plan: 'premium', status: 'active' })
    expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 2500 paid')
  })

  test('it is ended by saying so, and paid from then on', async () => {
    const ada = await subscriber('pending', { at: '2026-01-31T09:30:00Z' })
    await ada.turn('2026-02-10T00:00:00Z')
    const shown = await ada.preview({ plan: 'premium', trial: 'end' })
    expect(shown.body).toMatchObject({ startsPeriod: true, dueNow: { total: { minor: '2500' } } })
    const done = await ada.change({ plan: 'premium', trial: 'end', preview: shown.body.token })
    expect(done.body.subscription).toMatchObject({
      plan: 'premium',
      status: 'active',
      currentPeriod: { start: '2026-02-10T00:00:00Z', end: '2026-03-10T00:00:00Z' },
    })
    expect((await ada.invoices()).at(-1)).toBe('subscription_update 2500 paid')
  })

  test('another end is set by who may', async () => {
    const ada = await subscriber('pending', { card: '', at: '2026-01-31T09:30:00Z' })
    expect(await ada.change({ trialEnd: '2026-04-30T00:00:00Z' })).toMatchObject({
      status: 200,
      body: { subscription: { trial: { end: '2026-04-30T00:00:00Z' } } },
    })
  })
})

test('a coupon is previewed, redeemed and agreed on with the change', async () => {
  const ada = await subscriber('starter')
  const wish = { plan: 'premium', coupons: ['half'] }
  const shown = await ada.preview(wish)
  expect(shown.body).toMatchObject({ dueNow: { total: { minor: '1250' } }, secondOpinion: 'notAsked' })
  expect(await ada.change({ ...wish, preview: shown.body.token })).toMatchObject({ status: 200 })
  expect((await ada.invoices()).at(-1)).toBe('subscription_update 1250 paid')
  const [contract] = await ada.contracts()
  const { body } = await installation.ask('GET', `/v1/contracts/${contract?.id}`)
  expect(JSON.stringify(body)).toContain('"coupon":"half"')
  await ada.turn('2026-02-01T02:00:00Z')
  expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 1250 paid')
})
