// What Stripe answered in 2026-08-26.dahlia to what cannot be, word for word as recorded.
import type Stripe from 'stripe'
import { afterAll, expect, test } from 'vitest'
import { NO_REDIRECTS, newWorld } from './world.ts'

const world = await newWorld()
const { stripe } = world
afterAll(world.close)

async function pay(more: Partial<Stripe.PaymentIntentCreateParams> = {}) {
  return stripe.paymentIntents.create({
    ...{ amount: 5000, currency: 'usd', payment_method: 'pm_card_visa', confirm: true, off_session: true },
    ...more,
  })
}

const refusal = async (asked: Promise<unknown>) => {
  const { statusCode, code, param, message, raw } = await asked.then(
    () => expect.unreachable(),
    (error: Stripe.errors.StripeError) => error,
  )
  return { statusCode, code, param, message, raw: raw as Record<string, { id: string; status: string }> }
}

test.each([
  ['payment_intent', 'intent', () => stripe.paymentIntents.retrieve('pi_nope'), 'pi_nope'],
  ['setupintent', 'intent', () => stripe.setupIntents.retrieve('seti_nope'), 'seti_nope'],
  ['dispute', 'dispute', () => stripe.disputes.retrieve('du_nope'), 'du_nope'],
  ['invoice', 'invoice', () => stripe.invoices.retrieve('in_nope'), 'in_nope'],
  ['invoice', 'invoice', () => stripe.invoices.del('in_nope'), 'in_nope'],
  ['invoice', 'invoice', () => stripe.invoices.sendInvoice('in_nope'), 'in_nope'],
  ['invoice', 'id', () => stripe.invoices.pay('in_nope'), 'in_nope'],
  ['invoice', 'id', () => stripe.invoices.voidInvoice('in_nope'), 'in_nope'],
  ['charge', 'id', () => stripe.refunds.create({ charge: 'ch_nope' }), 'ch_nope'],
] as const)('no such %s, by %s', async (noun, param, ask, id) => {
  expect(await refusal(ask())).toMatchObject({
    ...{ statusCode: 404, code: 'resource_missing', param, message: `No such ${noun}: '${id}'` },
  })
})

test('an item of a subscription that is not there is told of in words of its own', async () => {
  expect(await refusal(stripe.subscriptionItems.retrieve('si_nope'))).toMatchObject({
    ...{ statusCode: 404, code: undefined, param: undefined },
    message: 'Invalid subscription_item id: si_nope',
  })
})

test.each([
  [
    () => stripe.refunds.create({ charge: 'ch_x', reason: 'fraud' as 'fraudulent' }),
    'Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer',
  ],
  [
    () => stripe.invoices.list({ status: 'bogus' as 'open' }),
    'Invalid status: must be one of draft, open, void, paid, or uncollectible',
  ],
])('choices are named with the last one apart', async (ask, message) => {
  expect(await refusal(ask())).toMatchObject({ statusCode: 400, message })
})

test('refunds: of what is only held, of what was declined, and taken back', async () => {
  const held = await pay({ capture_method: 'manual' })
  const uncaptured = await refusal(stripe.refunds.create({ charge: held.latest_charge as string }))
  expect(uncaptured).toMatchObject({ statusCode: 400, code: undefined })
  expect(uncaptured.message).toBe(
    `This uncaptured Charge was created by a PaymentIntent (${held.id}). You must cancel the PaymentIntent to reverse the authorization instead of refunding the Charge directly. For more information, see https://stripe.com/docs/payments/place-a-hold-on-a-payment-method`,
  )
  const { id: customer } = await world.customer({ card: 'pm_card_chargeCustomerFail' })
  const declined = await refusal(pay({ customer, payment_method: 'pm_card_chargeCustomerFail' }))
  const failed = declined.raw.payment_intent?.id as string
  expect((await refusal(stripe.refunds.create({ payment_intent: failed }))).message).toBe(
    `This PaymentIntent (${failed}) does not have a successful charge to refund.`,
  )
  const { id } = await pay()
  const refund = await stripe.refunds.create({ payment_intent: id })
  expect((await refusal(stripe.refunds.cancel(refund.id))).message).toBe(
    'Canceling this refund is unsupported.',
  )
})

test('a payment that is over is not canceled or captured; the refusal carries it whole', async () => {
  const { id } = await pay()
  const code = 'payment_intent_unexpected_state'
  const canceled = await refusal(stripe.paymentIntents.cancel(id))
  expect(canceled).toMatchObject({
    ...{ statusCode: 400, code, raw: { payment_intent: { id, status: 'succeeded' } } },
    message:
      'You cannot cancel this PaymentIntent because it has a status of succeeded. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_reauthorization, requires_confirmation, requires_action, expired, processing.',
  })
  const captured = await refusal(stripe.paymentIntents.capture(id))
  expect(captured).toMatchObject({ code, raw: { payment_intent: { id, status: 'succeeded' } } })
})

test('setting up: nothing to confirm, confirmed and canceled already', async () => {
  const code = 'setup_intent_unexpected_state'
  const missing =
    "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the SetupIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken."
  const { id } = await stripe.setupIntents.create({})
  expect(await refusal(stripe.setupIntents.confirm(id))).toMatchObject({
    ...{ statusCode: 400, code, message: missing },
    raw: { setup_intent: { id, status: 'requires_payment_method' } },
  })
  await stripe.setupIntents.cancel(id)
  expect(await refusal(stripe.setupIntents.cancel(id))).toMatchObject({
    ...{ code, message: 'You cannot cancel this SetupIntent because it is already canceled.' },
    raw: { setup_intent: { id, status: 'canceled' } },
  })
  expect((await refusal(stripe.setupIntents.confirm(id))).message).toBe(missing)

  const done = await stripe.setupIntents.create({
    payment_method: 'pm_card_visa',
    confirm: true,
    ...NO_REDIRECTS,
  })
  const status = { setup_intent: { id: done.id, status: 'succeeded' } }
  expect(await refusal(stripe.setupIntents.confirm(done.id))).toMatchObject({
    ...{ code, raw: status },
    message: 'You cannot confirm this SetupIntent because it has already succeeded.',
  })
  expect(await refusal(stripe.setupIntents.cancel(done.id))).toMatchObject({
    ...{ code, raw: status },
    message:
      'You cannot cancel this SetupIntent because it has a status of succeeded. Only a SetupIntent with one of the following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, or `requires_action`.',
  })
  const other = stripe.setupIntents.update(done.id, { payment_method: 'pm_card_mastercard' })
  expect((await refusal(other)).message).toBe(
    'You cannot update this SetupIntent because it has already succeeded.',
  )
  expect((await stripe.setupIntents.update(done.id, { description: 'kept' })).description).toBe('kept')
})

test('a card that is declined when it is set up is told of whole, and that it is expired by its field', async () => {
  const method = await stripe.paymentMethods.create({
    type: 'card',
    card: { token: 'tok_chargeDeclinedExpiredCard' },
  })
  const declined = await refusal(
    stripe.setupIntents.create({ payment_method: method.id, confirm: true, ...NO_REDIRECTS }),
  )
  expect(declined).toMatchObject({
    ...{ statusCode: 402, code: 'expired_card', param: 'exp_month' },
    raw: { payment_method: { id: method.id }, setup_intent: { status: 'requires_payment_method' } },
  })
  const intent = await stripe.setupIntents.retrieve(declined.raw.setup_intent?.id as string)
  expect(intent).toMatchObject({
    payment_method: null,
    last_setup_error: {
      ...{ type: 'card_error', code: 'expired_card', decline_code: 'expired_card' },
      payment_method: { id: method.id, object: 'payment_method' },
    },
  })
})

test('a dispute that is over is closed, whichever way one asks', async () => {
  const method = await stripe.paymentMethods.create({
    type: 'card',
    card: { token: 'tok_visa_createDispute' },
  })
  const { id } = await pay({ payment_method: method.id })
  const [dispute] = (await stripe.disputes.list({ payment_intent: id })).data
  await stripe.disputes.close(dispute?.id as string)
  const message = 'This dispute is already closed'
  expect((await refusal(stripe.disputes.close(dispute?.id as string))).message).toBe(message)
  const late = stripe.disputes.update(dispute?.id as string, { metadata: { a: 'b' } })
  expect((await refusal(late)).message).toBe(message)
})
