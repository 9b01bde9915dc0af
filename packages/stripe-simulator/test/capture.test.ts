// docs.stripe.com/payments/place-a-hold-on-a-payment-method and docs.stripe.com/api/payment_intents/update
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { clientOf } from './clients.ts'
import { sharedWorld } from './shared-world.ts'
import { DAY, JAN_1, NO_REDIRECTS, refusal } from './world.ts'

const world = await sharedWorld()

async function held(amount = 1000) {
  const ada = await world.customer()
  const intent = await world.stripe.paymentIntents.create({
    amount,
    currency: 'usd',
    customer: ada.id,
    payment_method: 'pm_card_visa',
    capture_method: 'manual',
    confirm: true,
    ...NO_REDIRECTS,
    expand: ['latest_charge'],
  })
  return { ada, intent, charge: intent.latest_charge as Stripe.Charge }
}

test('a held amount is captured, or a part of it, once', async () => {
  const { intent, charge } = await held()
  expect(intent).toMatchObject({ status: 'requires_capture', amount_capturable: 1000, amount_received: 0 })
  expect(charge).toMatchObject({ captured: false, amount_captured: 0, paid: true, status: 'succeeded' })
  expect(charge.payment_method_details?.card?.capture_before).toBe(JAN_1 + 7 * DAY)
  const much = world.stripe.paymentIntents.capture(intent.id, { amount_to_capture: 1001 })
  expect(await refusal(much)).toMatchObject({ statusCode: 400, param: 'amount_to_capture' })
  const types = await world.typesDuring(() =>
    world.stripe.paymentIntents.capture(intent.id, { amount_to_capture: 700 }),
  )
  expect(types).toEqual(['charge.captured', 'payment_intent.succeeded'])
  expect(await world.stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge'] })).toMatchObject({
    status: 'succeeded',
    amount: 1000,
    amount_capturable: 0,
    amount_received: 700,
    latest_charge: { captured: true, amount_captured: 700 },
  })
  expect((await refusal(world.stripe.paymentIntents.capture(intent.id))).code).toBe(
    'payment_intent_unexpected_state',
  )
  expect(
    await refusal(world.stripe.refunds.create({ payment_intent: intent.id, amount: 701 })),
  ).toMatchObject({ param: 'amount' })
  await world.stripe.refunds.create({ payment_intent: intent.id })
  expect((await world.stripe.charges.retrieve(charge.id)).refunded).toBe(true)
})

/**
 * No refund since basil, and an end that nobody asked for is `expired`; before, what was not taken counted as refunded.
 * https://support.stripe.com/questions/changes-to-balance-transaction-behavior-for-partial-capture-and-payment-cancellation-flows
 */
test('a hold that is canceled, or forgotten for seven days, goes back, and nothing of it counts as refunded', async () => {
  const given = await held()
  const types = await world.typesDuring(() => world.stripe.paymentIntents.cancel(given.intent.id))
  expect(types).toEqual(['payment_intent.canceled'])
  const back = { amount: 1000, amount_captured: 0, amount_refunded: 0, captured: false, refunded: false }
  expect(await world.stripe.charges.retrieve(given.charge.id)).toMatchObject(back)
  expect((await world.stripe.refunds.list({ charge: given.charge.id })).data).toEqual([])
  const refund = world.stripe.refunds.create({ charge: given.charge.id })
  expect(await refusal(refund)).toMatchObject({ statusCode: 400 })

  const forgotten = await held()
  await world.advance(forgotten.ada.clock, JAN_1 + 7 * DAY - 1)
  expect((await world.stripe.paymentIntents.retrieve(forgotten.intent.id)).status).toBe('requires_capture')
  const expired = await world.typesDuring(() => world.advance(forgotten.ada.clock, JAN_1 + 7 * DAY))
  expect(expired.filter((type) => /^(charge|payment_intent)/.test(type))).toEqual([
    'charge.expired',
    'payment_intent.canceled',
  ])
  expect(await world.stripe.paymentIntents.retrieve(forgotten.intent.id)).toMatchObject({
    status: 'canceled',
    cancellation_reason: 'expired',
    amount_capturable: 0,
  })

  // 1000 held, 700 taken: 300 went back.
  const part = await held()
  await world.stripe.paymentIntents.capture(part.intent.id, { amount_to_capture: 700 })
  const acacia = await clientOf(17, world.simulator.port)
  const seen = async ({ charge, intent }: typeof part) => {
    const { amount_refunded: amount, refunded } = await acacia.charges.retrieve(charge.id)
    return [amount, refunded, (await acacia.paymentIntents.retrieve(intent.id)).cancellation_reason]
  }
  expect(await seen(part)).toEqual([300, false, null])
  expect(await seen(given)).toEqual([1000, true, null])
  expect(await seen(forgotten)).toEqual([1000, true, 'automatic'])
  await world.stripe.refunds.create({ payment_intent: part.intent.id })
  expect(await seen(part)).toEqual([1000, true, null])
})

test('an intent changes until it is confirmed', async () => {
  const { stripe } = world
  const intent = await stripe.paymentIntents.create({ amount: 1000, currency: 'usd' })
  const changed = await stripe.paymentIntents.update(intent.id, { amount: 1500, currency: 'eur' })
  expect(changed).toMatchObject({ amount: 1500, currency: 'eur', status: 'requires_payment_method' })
  expect((await refusal(stripe.paymentIntents.update(intent.id, { amount: 49 }))).code).toBe(
    'amount_too_small',
  )
  // A token as data of the method, as clients without Stripe.js send it; it is not in the declarations.
  const data = {
    type: 'card',
    card: { token: 'tok_visa' },
  } as unknown as Stripe.PaymentIntentConfirmParams.PaymentMethodData
  const paid = await stripe.paymentIntents.confirm(intent.id, {
    payment_method_data: data,
    return_url: 'https://example.com/done',
  })
  expect(paid).toMatchObject({ status: 'succeeded', amount_received: 1500 })
  expect((await refusal(stripe.paymentIntents.update(intent.id, { amount: 2000 }))).code).toBe(
    'payment_intent_unexpected_state',
  )
  expect((await stripe.paymentIntents.update(intent.id, { description: 'Late' })).description).toBe('Late')
})

test('a charge takes a note and a report, and the legacy source is named as missing', async () => {
  const { charge } = await held()
  const noted = await world.stripe.charges.update(charge.id, {
    description: 'Order 7',
    fraud_details: { user_report: 'safe' },
  })
  expect(noted).toMatchObject({ description: 'Order 7', fraud_details: { user_report: 'safe' } })
  const legacy = { amount: 1000, currency: 'usd', source: 'tok_visa' } as Stripe.PaymentIntentCreateParams
  expect(await refusal(world.stripe.paymentIntents.create(legacy))).toMatchObject({
    code: 'simulator_gap',
    param: 'source',
  })
})

test('a payment that the risk rules block never reaches the bank', async () => {
  const intent = {
    amount: 1000,
    currency: 'usd',
    payment_method: 'pm_card_radarBlock',
    confirm: true,
    ...NO_REDIRECTS,
  }
  const blocked = await refusal(world.stripe.paymentIntents.create(intent))
  expect(blocked).toMatchObject({ statusCode: 402, code: 'card_declined', decline_code: 'fraudulent' })
  const charge = await world.stripe.charges.retrieve(blocked.charge as unknown as string)
  expect(charge.outcome).toMatchObject({
    type: 'blocked',
    network_status: 'not_sent_to_network',
    reason: 'highest_risk_level',
    risk_level: 'highest',
  })
})

// As recorded in 2026-08-26.dahlia: Kiln-AI/stripe_world tests/conformance/cassettes/04_money_path.json, steps 50 and 59,
// and the message of what is only held in pay-rails/pay.
test('a charge is not captured past its intent, and does not leave its group', async () => {
  const { intent, charge } = await held()
  const early = await refusal(world.stripe.charges.capture(charge.id))
  expect(early).toMatchObject({ statusCode: 400, code: undefined, param: undefined })
  expect(early.message).toContain(
    `This uncaptured Charge was created by a PaymentIntent (${intent.id}). You must capture the PaymentIntent instead.`,
  )
  expect((await world.stripe.paymentIntents.retrieve(intent.id)).status).toBe('requires_capture')
  await world.stripe.paymentIntents.capture(intent.id)
  expect(await refusal(world.stripe.charges.capture(charge.id))).toMatchObject({
    ...{ statusCode: 400, code: 'charge_already_captured' },
    message: `Charge ${charge.id} has already been captured.`,
  })
  const group = await refusal(world.stripe.charges.update(charge.id, { transfer_group: 'order_42' }))
  expect(group.message).toContain('You must update the `transfer_group` on the PaymentIntent instead')
})
