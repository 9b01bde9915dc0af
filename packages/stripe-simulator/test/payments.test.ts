// docs.stripe.com/testing and .../payments/paymentintents/lifecycle
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, NO_REDIRECTS, refusal } from './world.ts'

const world = await sharedWorld()

test.each([
  ['pm_card_visa', 'visa', '4242', 'credit'],
  ['pm_card_mastercard', 'mastercard', '4444', 'credit'],
  ['pm_card_amex', 'amex', '0005', 'credit'],
  ['pm_card_discover', 'discover', '1117', 'credit'],
  ['pm_card_visa_debit', 'visa', '5556', 'debit'],
  ['pm_card_mastercard_prepaid', 'mastercard', '5100', 'prepaid'],
  ['pm_card_chargeCustomerFail', 'visa', '0341', 'credit'],
])('%s attaches', async (token, brand, last4, funding) => {
  const { id } = await world.customer({ card: null })
  const method = await world.stripe.paymentMethods.attach(token, { customer: id })
  expect(method.card).toMatchObject({ brand, last4, funding })
  expect(method.customer).toBe(id)
})

test.each([
  ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
  ['pm_card_visa_chargeDeclined', 'card_declined', 'generic_decline'],
  ['pm_card_visa_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
  ['pm_card_visa_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
  ['pm_card_visa_chargeDeclinedStolenCard', 'card_declined', 'stolen_card'],
  ['pm_card_chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
  ['pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', 'incorrect_cvc'],
  ['pm_card_chargeDeclinedProcessingError', 'processing_error', 'processing_error'],
  ['pm_card_visa_chargeDeclinedVelocityLimitExceeded', 'card_declined', 'card_velocity_exceeded'],
])('%s cannot be attached', async (token, code, declineCode) => {
  const { id } = await world.customer({ card: null })
  const error = await refusal(world.stripe.paymentMethods.attach(token, { customer: id }))
  expect(error).toMatchObject({
    statusCode: 402,
    type: 'StripeCardError',
    code,
    decline_code: declineCode,
    param: '',
  })
  expect((await world.stripe.customers.listPaymentMethods(id)).data).toEqual([])
})

// https://docs.stripe.com/invoicing/customize creates its customer so.
test('a token that a new customer has as its method and as its default is one method', async () => {
  const { stripe } = world
  const made = await stripe.customers.create({
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  })
  const { data } = await stripe.customers.listPaymentMethods(made.id)
  expect(data).toMatchObject([{ card: { last4: '4242' }, customer: made.id }])
  expect(made.invoice_settings.default_payment_method).toBe(data[0]?.id)
  const another = await refusal(
    stripe.customers.create({
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_mastercard' },
    }),
  )
  expect(another).toMatchObject({
    code: 'resource_missing',
    param: 'invoice_settings[default_payment_method]',
  })
})

test('an unknown method, one of another customer, and a detached one', async () => {
  const { stripe } = world
  const [ada, ben] = [await world.customer(), await world.customer()]
  const [method] = (await stripe.customers.listPaymentMethods(ada.id)).data
  const foreign = await refusal(
    stripe.customers.update(ben.id, { invoice_settings: { default_payment_method: method?.id as string } }),
  )
  expect(foreign).toMatchObject({
    statusCode: 400,
    code: 'resource_missing',
    param: 'invoice_settings[default_payment_method]',
  })
  await stripe.paymentMethods.detach(method?.id as string)
  expect(await stripe.customers.retrieve(ada.id)).toMatchObject({
    invoice_settings: { default_payment_method: null },
  })
  expect(
    (await refusal(stripe.paymentMethods.attach(method?.id as string, { customer: ada.id }))).statusCode,
  ).toBe(400)
})

test('without a method a charge is refused whole; error_if_incomplete creates nothing', async () => {
  const { stripe } = world
  const price = await world.price(1000)
  const { id } = await world.customer({ card: null })
  const none = await refusal(stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] }))
  expect(none).toMatchObject({ statusCode: 400, code: 'resource_missing' })
  expect(none.message).toMatch(/^This customer has no attached payment source or default payment method\./)
  await world.setCard(id, 'pm_card_chargeCustomerFail')
  const types = await world.typesDuring(async () => {
    const declined = await refusal(
      stripe.subscriptions.create({
        customer: id,
        items: [{ price: price.id }],
        payment_behavior: 'error_if_incomplete',
      }),
    )
    expect(declined).toMatchObject({ statusCode: 402, code: 'card_declined' })
  })
  expect(types).toEqual([])
  expect((await stripe.subscriptions.list({ customer: id, status: 'all' })).data).toEqual([])
  expect((await stripe.invoices.list({ customer: id })).data).toEqual([])
})

test('default_incomplete waits for the client to confirm the secret of the invoice', async () => {
  const { stripe } = world
  const price = await world.price(1000)
  const { id } = await world.customer({ card: null })
  const subscription = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
    payment_behavior: 'default_incomplete',
    payment_settings: { save_default_payment_method: 'on_subscription' },
    expand: ['latest_invoice.confirmation_secret', 'latest_invoice.payments'],
  })
  expect(subscription.status).toBe('incomplete')
  const invoice = subscription.latest_invoice as Stripe.Invoice
  const intent = invoice.payments?.data[0]?.payment.payment_intent as string
  expect(invoice.confirmation_secret?.client_secret).toMatch(new RegExp(`^${intent}_secret_`))
  await stripe.paymentIntents.confirm(intent, {
    payment_method: 'pm_card_visa',
    return_url: 'https://example.com/done',
  })
  const active = await stripe.subscriptions.retrieve(subscription.id)
  expect(active.status).toBe('active')
  const [method] = (await stripe.customers.listPaymentMethods(id)).data
  expect(active.default_payment_method).toBe(method?.id)
})

test('a card that asks for its holder leaves the first invoice open until the challenge is passed', async () => {
  const { stripe, simulator } = world
  const price = await world.price(1000)
  const { id } = await world.customer({ card: 'pm_card_authenticationRequired' })
  const subscription = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
    expand: ['latest_invoice.payments'],
  })
  expect(subscription.status).toBe('incomplete')
  const invoice = subscription.latest_invoice as Stripe.Invoice
  const intent = invoice.payments?.data[0]?.payment.payment_intent as string
  expect((await stripe.paymentIntents.retrieve(intent)).status).toBe('requires_action')
  simulator.control.authenticate(intent, 'succeed')
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
  expect((await stripe.invoices.retrieve(invoice.id)).status).toBe('paid')
})

test('a failed challenge gives the intent back, and fails no other way', async () => {
  const { stripe, simulator } = world
  const intent = await stripe.paymentIntents.create({
    amount: 1000,
    currency: 'usd',
    payment_method: 'pm_card_threeDSecure2Required',
    confirm: true,
    ...NO_REDIRECTS,
  })
  expect(intent.status).toBe('requires_action')
  simulator.control.authenticate(intent.id, 'fail')
  const failed = await stripe.paymentIntents.retrieve(intent.id)
  expect(failed.status).toBe('requires_payment_method')
  expect(failed.last_payment_error?.code).toBe('payment_intent_authentication_failure')
})

test('off-session: authentication_required unless the card was set up', async () => {
  const { stripe, simulator } = world
  const { id } = await world.customer({ card: null })
  const setup = await stripe.setupIntents.create({
    customer: id,
    payment_method: 'pm_card_authenticationRequiredOnSetup',
    confirm: true,
    ...NO_REDIRECTS,
  })
  expect(setup.status).toBe('requires_action')
  simulator.control.authenticate(setup.id, 'succeed')
  const method = (await stripe.setupIntents.retrieve(setup.id)).payment_method as string
  const paid = await stripe.paymentIntents.create({
    amount: 500,
    currency: 'usd',
    customer: id,
    payment_method: method,
    confirm: true,
    off_session: true,
  })
  expect(paid.status).toBe('succeeded')
  const always = await stripe.paymentMethods.attach('pm_card_authenticationRequired', { customer: id })
  const asked = await refusal(
    stripe.paymentIntents.create({
      amount: 500,
      currency: 'usd',
      customer: id,
      payment_method: always.id,
      confirm: true,
      off_session: true,
    }),
  )
  expect(asked).toMatchObject({ statusCode: 402, code: 'authentication_required' })
})

test('amounts under the minimum: refused for an intent, moved to the balance for an invoice', async () => {
  const { stripe } = world
  expect(await refusal(stripe.paymentIntents.create({ amount: 49, currency: 'usd' }))).toMatchObject({
    statusCode: 400,
    code: 'amount_too_small',
    param: 'amount',
  })
  const { id } = await world.customer()
  await stripe.invoiceItems.create({ customer: id, amount: 20, currency: 'usd' })
  const invoice = await stripe.invoices.create({ customer: id, pending_invoice_items_behavior: 'include' })
  const paid = await stripe.invoices.pay(invoice.id)
  expect(paid).toMatchObject({
    status: 'paid',
    total: 20,
    amount_due: 0,
    starting_balance: 0,
    ending_balance: 20,
  })
  const ledger = await stripe.customers.listBalanceTransactions(id)
  expect(ledger.data).toMatchObject([{ type: 'invoice_too_small', amount: 20, ending_balance: 20 }])
  // The debit is on the next invoice.
  await stripe.invoiceItems.create({ customer: id, amount: 1000, currency: 'usd' })
  const next = await stripe.invoices.create({ customer: id, pending_invoice_items_behavior: 'include' })
  expect(await stripe.invoices.pay(next.id)).toMatchObject({
    amount_due: 1020,
    amount_paid: 1020,
    ending_balance: 0,
  })
})

test('a decline can be asked for, whatever the card', async () => {
  const { simulator, stripe } = world
  const price = await world.price(1000)
  const { id, clock } = await world.customer()
  const subscription = await stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
  simulator.control.declineNext('insufficient_funds')
  await world.advance(clock, JAN_1 + 31 * DAY + HOUR)
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('past_due')
  const [charge] = (await stripe.charges.list({ customer: id, limit: 1 })).data
  expect(charge).toMatchObject({ status: 'failed', failure_code: 'card_declined' })
  expect(charge?.outcome?.reason).toBe('insufficient_funds')
})

test('a charge is refunded in parts, and once', async () => {
  const { stripe } = world
  const intent = await stripe.paymentIntents.create({
    amount: 1000,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    confirm: true,
    ...NO_REDIRECTS,
  })
  const types = await world.typesDuring(() =>
    stripe.refunds.create({ payment_intent: intent.id, amount: 400, reason: 'requested_by_customer' }),
  )
  expect(types).toEqual(['refund.created', 'charge.refunded'])
  expect((await refusal(stripe.refunds.create({ payment_intent: intent.id, amount: 601 }))).message).toBe(
    'Refund amount ($6.01) is greater than unrefunded amount on charge ($6.00)',
  )
  await stripe.refunds.create({ charge: intent.latest_charge as string })
  const charge = await stripe.charges.retrieve(intent.latest_charge as string, { expand: ['refunds'] })
  expect(charge).toMatchObject({ amount_refunded: 1000, refunded: true })
  expect(charge.refunds?.data.map((refund) => refund.amount)).toEqual([600, 400])
  expect((await refusal(stripe.refunds.create({ charge: charge.id }))).code).toBe('charge_already_refunded')
})

test('voiding the first invoice does not activate, voiding the latest one ends past due', async () => {
  const { stripe } = world
  const price = await world.price(1000)
  const failing = await world.customer({ card: 'pm_card_chargeCustomerFail' })
  const stuck = await stripe.subscriptions.create({ customer: failing.id, items: [{ price: price.id }] })
  await stripe.invoices.voidInvoice(stuck.latest_invoice as string)
  expect((await stripe.subscriptions.retrieve(stuck.id)).status).toBe('incomplete')

  const { id, clock } = await world.customer()
  const running = await stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
  await world.setCard(id, 'pm_card_chargeCustomerFail')
  await world.advance(clock, JAN_1 + 31 * DAY + HOUR)
  const late = await stripe.subscriptions.retrieve(running.id)
  expect(late.status).toBe('past_due')
  await stripe.invoices.voidInvoice(late.latest_invoice as string)
  expect((await stripe.subscriptions.retrieve(running.id)).status).toBe('active')
})

test('a method that is not the default any more stays with its customer', async () => {
  const { stripe } = world
  const { id } = await world.customer()
  const { data } = await stripe.customers.listPaymentMethods(id)
  const update = { invoice_settings: { default_payment_method: '' } }
  expect((await stripe.customers.update(id, update)).invoice_settings.default_payment_method).toBeNull()
  expect((await stripe.customers.listPaymentMethods(id)).data).toEqual(data)
})

test('a detached method pays nothing any more', async () => {
  const { stripe } = world
  const { id } = await stripe.customers.create({})
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: id })
  await stripe.paymentMethods.detach(card.id)
  const intent = { customer: id, payment_method: card.id }
  const refused = { statusCode: 400, message: expect.stringContaining('It may not be used again.') }
  expect(
    await refusal(stripe.paymentIntents.create({ ...intent, amount: 500, currency: 'usd' })),
  ).toMatchObject(refused)
  expect(await refusal(stripe.setupIntents.create(intent))).toMatchObject(refused)
})

test('a declined payment tells its intent and its method whole, in the shape of the version that asks', async () => {
  // docs.stripe.com/api/errors: "The PaymentIntent object for errors returned on a request involving a PaymentIntent"
  const { stripe } = world
  const ada = await world.customer({ card: 'pm_card_chargeCustomerFail' })
  const [method] = (await stripe.customers.listPaymentMethods(ada.id)).data
  const asked = { amount: 2000, currency: 'usd', customer: ada.id, payment_method: method?.id ?? '' }
  const { payment_intent: told, ...error } = await refusal(
    stripe.paymentIntents.create({ ...asked, confirm: true, ...NO_REDIRECTS }),
  )
  expect(error).toMatchObject({
    code: 'card_declined',
    payment_method: { id: method?.id, object: 'payment_method' },
  })
  expect(told).toEqual(JSON.parse(JSON.stringify(await stripe.paymentIntents.retrieve(told?.id ?? ''))))
  expect(told).toMatchObject({
    status: 'requires_payment_method',
    client_secret: expect.any(String) as string,
  })
  // Charges were a list of the intent before 2022-11-15.
  const older = await refusal(
    stripe.paymentIntents.create({ ...asked, confirm: true, ...NO_REDIRECTS }, { apiVersion: '2022-08-01' }),
  )
  expect(older.payment_intent).toMatchObject({ charges: { object: 'list', data: [{ status: 'failed' }] } })
})

test('an invoice that is not paid tells the intent that failed', async () => {
  const { stripe } = world
  const { id: customer } = await world.customer({ card: 'pm_card_chargeCustomerFail' })
  const draft = await stripe.invoices.create({ customer })
  await stripe.invoiceItems.create({ customer, invoice: draft.id, amount: 2000, currency: 'usd' })
  const error = await refusal(stripe.invoices.pay(draft.id))
  expect(error).toMatchObject({
    statusCode: 402,
    payment_intent: {
      amount: 2000,
      status: 'requires_payment_method',
      last_payment_error: { code: 'card_declined' },
    },
    payment_method: { card: { last4: '0341' } },
  })
})
