// docs.stripe.com/testing#authentication-and-setup and docs.stripe.com/billing/subscriptions/overview#requires-action
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, NO_REDIRECTS } from './world.ts'

const world = await sharedWorld()

const RENEWAL = JAN_1 + 31 * DAY + HOUR

async function subscribed(card: string) {
  const { stripe } = world
  const ada = await world.customer({ card })
  const price = (await world.price(1000)).id
  const subscription = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price }],
    expand: ['latest_invoice.payments'],
  })
  const invoice = subscription.latest_invoice as Stripe.Invoice
  return { ada, id: subscription.id, status: subscription.status, invoice, intent: intentOf(invoice) }
}

function intentOf(invoice: Stripe.Invoice | undefined) {
  return invoice?.payments?.data[0]?.payment.payment_intent as string
}

const statusOf = async (id: string) => (await world.stripe.subscriptions.retrieve(id)).status

test('a card that always asks: at sign-up and again at renewal', async () => {
  const { stripe, simulator } = world
  const { ada, id, status, intent } = await subscribed('pm_card_authenticationRequired')
  expect(status).toBe('incomplete')
  simulator.control.authenticate(intent, 'succeed')
  expect(await statusOf(id)).toBe('active')
  const types = await world.typesDuring(() => world.advance(ada.clock, RENEWAL))
  expect(types).toEqual(
    expect.arrayContaining(['payment_intent.requires_action', 'invoice.payment_action_required']),
  )
  expect(await statusOf(id)).toBe('past_due')
  const [open] = (await stripe.invoices.list({ subscription: id, status: 'open', expand: ['data.payments'] }))
    .data
  simulator.control.authenticate(intentOf(open), 'succeed')
  expect(await statusOf(id)).toBe('active')
  expect((await stripe.invoices.retrieve(open?.id as string)).status).toBe('paid')
})

test('a card that was set up for later is charged off-session without a question', async () => {
  const { stripe, simulator } = world
  const ada = await world.customer({ card: null })
  const setup = await stripe.setupIntents.create({
    customer: ada.id,
    payment_method: 'pm_card_authenticationRequiredOnSetup',
    confirm: true,
    ...NO_REDIRECTS,
  })
  simulator.control.authenticate(setup.id, 'succeed')
  const method = (await stripe.setupIntents.retrieve(setup.id)).payment_method as string
  const price = (await world.price(1000)).id
  const subscription = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price }],
    default_payment_method: method,
    off_session: true,
  })
  expect(subscription.status).toBe('active')
  await world.advance(ada.clock, RENEWAL)
  expect(await statusOf(subscription.id)).toBe('active')
})

test('a card that is known asks on-session only', async () => {
  const { ada, id, status, intent } = await subscribed('pm_card_authenticationRequiredSetupForOffSession')
  expect(status).toBe('incomplete')
  world.simulator.control.authenticate(intent, 'succeed')
  await world.advance(ada.clock, RENEWAL)
  expect(await statusOf(id)).toBe('active')
})

test('a challenge that is failed leaves the subscription to another card', async () => {
  const { stripe, simulator } = world
  const { ada, id, invoice, intent } = await subscribed('pm_card_threeDSecure2Required')
  simulator.control.authenticate(intent, 'fail')
  expect(await stripe.paymentIntents.retrieve(intent)).toMatchObject({
    status: 'requires_payment_method',
    last_payment_error: { code: 'payment_intent_authentication_failure' },
  })
  expect(await statusOf(id)).toBe('incomplete')
  await world.setCard(ada.id, 'pm_card_visa')
  expect((await stripe.invoices.pay(invoice.id)).status).toBe('paid')
  expect(await statusOf(id)).toBe('active')
})

test.each([
  ['pm_card_authenticationRequiredChargeDeclinedInsufficientFunds', 'insufficient_funds'],
  ['pm_card_threeDSecureRequiredChargeDeclined', 'generic_decline'],
])('%s passes the challenge and is declined: %s', async (card, declineCode) => {
  const { stripe, simulator } = world
  const { id, intent } = await subscribed(card)
  expect(() => simulator.control.authenticate(intent, 'succeed')).toThrow(/card/)
  expect(await stripe.paymentIntents.retrieve(intent)).toMatchObject({
    status: 'requires_payment_method',
    last_payment_error: { code: 'card_declined', decline_code: declineCode },
  })
  expect(await statusOf(id)).toBe('incomplete')
})

test('a set-up whose challenge fails keeps nothing', async () => {
  const { stripe, simulator } = world
  const { id: customer } = await world.customer({ card: null })
  const payment_method = 'pm_card_authenticationRequired'
  const setup = await stripe.setupIntents.create({ customer, payment_method, confirm: true, ...NO_REDIRECTS })
  const types = await world.typesDuring(() =>
    Promise.resolve(simulator.control.authenticate(setup.id, 'fail')),
  )
  expect(types).toEqual(['setup_intent.setup_failed'])
  expect(await stripe.setupIntents.retrieve(setup.id)).toMatchObject({
    status: 'requires_payment_method',
    last_setup_error: { code: 'setup_intent_authentication_failure' },
  })
  expect((await stripe.customers.listPaymentMethods(customer)).data).toEqual([])
})

// docs.stripe.com/api/subscription_items/update#update_subscription_item-off_session
test('whether the customer is there while a changed item is paid, the request says', async () => {
  const { stripe } = world
  const intents = async (off_session: boolean) => {
    const ada = await world.customer()
    const price = (await world.price(1000)).id
    const { id, items } = await stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
    // Its holder is asked only where there is one.
    await world.setCard(ada.id, 'pm_card_authenticationRequiredSetupForOffSession')
    const change = { quantity: 2, proration_behavior: 'always_invoice' as const, off_session }
    await stripe.subscriptionItems.update(items.data[0]?.id as string, change)
    const { latest_invoice: invoice } = await stripe.subscriptions.retrieve(id)
    const { data } = await stripe.invoicePayments.list({
      invoice: invoice as string,
      expand: ['data.payment.payment_intent'],
    })
    return (data[0]?.payment.payment_intent as Stripe.PaymentIntent | undefined)?.status
  }
  expect(await intents(false)).toBe('requires_action')
  expect(await intents(true)).toBe('succeeded')
})
