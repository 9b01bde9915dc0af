// docs.stripe.com/payments/ach-direct-debit, docs.stripe.com/payments/payment-methods#payment-notification and
// docs.stripe.com/payments/checkout/fulfill-orders
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, NO_REDIRECTS, refusal } from './world.ts'

const world = await sharedWorld()

const GOOD = 'pm_usBankAccount_success'
const POOR = 'pm_usBankAccount_insufficientFunds'

test('a debit is processing for days, then paid', async () => {
  const { stripe } = world
  const ada = await world.customer({ card: null })
  const types = await world.typesDuring(async () => {
    const given = {
      amount: 5000,
      currency: 'usd',
      customer: ada.id,
      payment_method: GOOD,
      confirm: true,
      ...NO_REDIRECTS,
    }
    expect((await stripe.paymentIntents.create(given)).status).toBe('processing')
  })
  expect(types).toEqual(['payment_intent.created', 'charge.pending', 'payment_intent.processing'])
  const [charge] = (await stripe.charges.list({ customer: ada.id })).data
  expect(charge).toMatchObject({
    status: 'pending',
    paid: false,
    payment_method_details: { type: 'us_bank_account', us_bank_account: { last4: '6789' } },
  })
  expect(await refusal(stripe.refunds.create({ charge: charge?.id as string }))).toMatchObject({
    statusCode: 400,
  })
  await world.advance(ada.clock, JAN_1 + 4 * DAY - 1)
  expect((await stripe.paymentIntents.list({ customer: ada.id })).data[0]?.status).toBe('processing')
  const settled = await world.typesDuring(() => world.advance(ada.clock, JAN_1 + 4 * DAY))
  expect(settled).toEqual(expect.arrayContaining(['charge.succeeded', 'payment_intent.succeeded']))
  expect((await stripe.paymentIntents.list({ customer: ada.id })).data[0]).toMatchObject({
    status: 'succeeded',
    amount_received: 5000,
  })
})

test.each([
  ['pm_usBankAccount_accountClosed', 'account_closed'],
  ['pm_usBankAccount_noAccount', 'no_account'],
  [POOR, 'insufficient_funds'],
  ['pm_usBankAccount_debitNotAuthorized', 'debit_not_authorized'],
])('%s comes back: %s', async (payment_method, code) => {
  const { stripe } = world
  const ada = await world.customer({ card: null })
  const given = {
    amount: 5000,
    currency: 'usd',
    customer: ada.id,
    payment_method,
    confirm: true,
    ...NO_REDIRECTS,
  }
  const { id } = await stripe.paymentIntents.create(given)
  await world.advance(ada.clock, JAN_1 + 4 * DAY)
  expect(await stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] })).toMatchObject({
    status: 'requires_payment_method',
    last_payment_error: { code },
    latest_charge: { status: 'failed', failure_code: code },
  })
})

test('the first invoice of a subscription waits for its debit, longer than 23 hours', async () => {
  const { stripe } = world
  const ada = await world.customer({ card: GOOD })
  const price = (await world.price(1000)).id
  const subscription = await stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  expect(subscription.status).toBe('incomplete')
  const invoice = subscription.latest_invoice as string
  // Paying it meanwhile changes nothing, and it cannot be voided.
  expect(await stripe.invoices.pay(invoice)).toMatchObject({ status: 'open', amount_paid: 0 })
  expect((await refusal(stripe.invoices.voidInvoice(invoice))).message).toContain('processing')
  await world.advance(ada.clock, JAN_1 + 2 * DAY)
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('incomplete')
  await world.advance(ada.clock, JAN_1 + 4 * DAY)
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
  expect((await stripe.invoices.retrieve(invoice)).status).toBe('paid')
})

test('a renewal stays open until the debit comes back, and is then chased', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const price = (await world.price(1000)).id
  const { id } = await stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  await world.setCard(ada.id, POOR)
  const renewal = JAN_1 + 31 * DAY + HOUR
  await world.advance(ada.clock, renewal + DAY)
  expect((await stripe.subscriptions.retrieve(id)).status).toBe('active')
  const [, open] = await world.invoices(id)
  expect(open).toMatchObject({ status: 'open', attempt_count: 1, next_payment_attempt: null })
  const types = await world.typesDuring(() => world.advance(ada.clock, renewal + 4 * DAY))
  expect(types).toEqual(expect.arrayContaining(['invoice.payment_failed', 'customer.subscription.updated']))
  expect((await stripe.subscriptions.retrieve(id)).status).toBe('past_due')
  const [, late] = await world.invoices(id)
  // The first retry is three days after the failure.
  expect(late?.next_payment_attempt).toBe(renewal + 7 * DAY)
})

test.each([
  [GOOD, 'paid', 'checkout.session.async_payment_succeeded'],
  [POOR, 'unpaid', 'checkout.session.async_payment_failed'],
])('a session completed with %s is not paid yet', async (card, status, event) => {
  const { stripe, simulator } = world
  const ada = await world.customer({ card: null })
  const price = (await world.price(1000)).id
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: ada.id,
    success_url: 'https://example.com/done',
    line_items: [{ price, quantity: 1 }],
    allowed_payment_method_types: ['card', 'us_bank_account'],
  })
  simulator.control.completeCheckout(session.id, { card })
  expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
    status: 'complete',
    payment_status: 'unpaid',
  })
  const types = await world.typesDuring(() => world.advance(ada.clock, JAN_1 + 4 * DAY))
  expect(types.filter((type) => type.startsWith('checkout.'))).toEqual([event])
  expect((await stripe.checkout.sessions.retrieve(session.id)).payment_status).toBe(status)
})

test('an account is kept by a set-up, and listed by its type', async () => {
  const { stripe } = world
  const { id } = await world.customer()
  const setup = { customer: id, payment_method: GOOD, confirm: true, ...NO_REDIRECTS }
  expect((await stripe.setupIntents.create(setup)).status).toBe('succeeded')
  const { data } = await stripe.customers.listPaymentMethods(id, { type: 'us_bank_account' })
  expect(data).toMatchObject([{ type: 'us_bank_account', us_bank_account: { routing_number: '110000000' } }])
  const other = {
    amount: 5000,
    currency: 'eur',
    payment_method: 'pm_sepa_debit',
    confirm: true,
    ...NO_REDIRECTS,
  }
  expect(await refusal(stripe.paymentIntents.create(other))).toMatchObject({ code: 'resource_missing' })
  const euros = { ...other, payment_method: GOOD }
  expect(await refusal(stripe.paymentIntents.create(euros))).toMatchObject({ param: 'payment_method' })
})
