// What Stripe answered of SetupIntents and of the account's ledger in 2026-08-26.dahlia: Kiln-AI/stripe_world,
// tests/conformance/cassettes/10_setup_intents.json, 11_ledger_payouts.json and probe_customer_payment_method_events.json.
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { clientOf, type Loose } from './clients.ts'
import { sharedWorld } from './shared-world.ts'
import { NO_REDIRECTS, refusal } from './world.ts'

const world = await sharedWorld()
const { stripe, simulator } = world

async function method(token = 'tok_visa') {
  return stripe.paymentMethods.create({ type: 'card', card: { token } })
}

/** What a refusal carries whole. */
const carried = ({ raw }: Stripe.errors.StripeError) =>
  (raw as { setup_intent?: { id: string; status: string } }).setup_intent

test('a method that is another customer’s is not set up for this one, and for nobody but its customer', async () => {
  const [{ id: hers }, { id: his }] = [
    await stripe.customers.create({}),
    await stripe.customers.create({ description: 'other' }),
  ]
  const visa = await method()
  await stripe.paymentMethods.attach(visa.id, { customer: hers })
  const foreign = `The PaymentMethod ${visa.id} does not belong to the Customer you supplied ${his}. Please use this PaymentMethod with the Customer that it belongs to instead.`
  const nobodys = `The payment method supplied (${visa.id}) belongs to the Customer ${hers}. Please include the Customer in the \`customer\` parameter on the SetupIntent.`
  const refused = { statusCode: 400, code: undefined, param: 'payment_method' }

  const made = await refusal(stripe.setupIntents.create({ customer: his, payment_method: visa.id }))
  expect(made).toMatchObject({ ...refused, message: foreign })
  expect(carried(made)).toBeUndefined()
  expect(await refusal(stripe.setupIntents.create({ payment_method: visa.id }))).toMatchObject({
    ...refused,
    message: nobodys,
  })

  const { id } = await stripe.setupIntents.create({ description: 'before' })
  const updated = await refusal(stripe.setupIntents.update(id, { payment_method: visa.id }))
  expect(updated).toMatchObject({ ...refused, message: nobodys })
  expect(carried(updated)).toMatchObject({ id, status: 'requires_payment_method' })
  expect(
    await refusal(
      stripe.setupIntents.confirm(id, { payment_method: visa.id, return_url: 'https://example.com/done' }),
    ),
  ).toMatchObject({
    ...refused,
    message: nobodys,
  })
  // Whose it is can be said later.
  expect((await stripe.setupIntents.update(id, { customer: his })).customer).toBe(his)
  const still = await refusal(stripe.setupIntents.update(id, { payment_method: visa.id }))
  expect(still).toMatchObject({ ...refused, message: foreign })
  expect(carried(still)).toMatchObject({ id })
})

// Steps 4 to 7. docs.stripe.com/changelog/2023-08-16/automatic-payment-methods
test('an intent takes the methods of the dashboard, unless a list fixes them', async () => {
  const { port } = simulator
  const automatic = { allow_redirects: 'always', enabled: true }
  const card = { mandate_options: null, network: null, request_three_d_secure: 'automatic' }
  expect(await stripe.setupIntents.create({})).toMatchObject({
    ...{ allowed_payment_method_types: null, automatic_payment_methods: automatic },
    payment_method_options: { card },
  })
  expect(await stripe.paymentIntents.create({ amount: 1000, currency: 'usd' })).toMatchObject({
    automatic_payment_methods: automatic,
  })
  const dahlia: Loose = await clientOf(22, port, '2026-08-26.dahlia')
  const listed = { allowed_payment_method_types: null, automatic_payment_methods: null }
  const fixed = { payment_method_types: ['card'] }
  expect(await dahlia.setupIntents.create(fixed)).toMatchObject({ ...listed, ...fixed })
  const both = { ...fixed, automatic_payment_methods: { enabled: true } }
  await expect(dahlia.setupIntents.create(both)).rejects.toThrow('You may only specify one of')
  // Before, cards alone, and nobody was sent anywhere.
  const old: Loose = await clientOf(17, port, '2022-11-15')
  expect(
    await old.paymentIntents.create({
      ...{ amount: 1000, currency: 'usd', payment_method: 'pm_card_visa', confirm: true },
    }),
  ).toMatchObject({ automatic_payment_methods: null, payment_method_types: ['card'], status: 'succeeded' })
})

test('where somebody might be sent away there must be somewhere to come back to', async () => {
  const words = (noun: string) =>
    `This ${noun} is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a \`return_url\`. If you don't want to accept redirect-based payment methods, set \`automatic_payment_methods[enabled]\` to \`true\` and \`automatic_payment_methods[allow_redirects]\` to \`never\` when creating Setup Intents and Payment Intents.`
  const payment = { amount: 1000, currency: 'usd', payment_method: 'pm_card_visa' }
  const { id } = await stripe.paymentIntents.create(payment)
  expect(await refusal(stripe.paymentIntents.confirm(id))).toMatchObject({
    ...{ statusCode: 400, message: words('PaymentIntent') },
    raw: { payment_intent: { id, status: 'requires_confirmation' } },
  })
  const confirmed = { ...payment, confirm: true }
  expect((await refusal(stripe.paymentIntents.create(confirmed))).message).toBe(words('PaymentIntent'))
  expect((await stripe.paymentIntents.confirm(id, { off_session: true })).status).toBe('succeeded')
  expect((await stripe.paymentIntents.create({ ...confirmed, ...NO_REDIRECTS })).status).toBe('succeeded')
  const setup = await stripe.setupIntents.create({ payment_method: 'pm_card_visa' })
  expect((await refusal(stripe.setupIntents.confirm(setup.id))).message).toBe(words('SetupIntent'))
  const there = { return_url: 'https://example.com/done' }
  expect((await stripe.setupIntents.confirm(setup.id, there)).status).toBe('succeeded')
})

test('a customer that is named later has the method when it is set up', async () => {
  const { id: customer } = await stripe.customers.create({})
  const { id } = await stripe.setupIntents.create({ payment_method: (await method()).id })
  const named = await stripe.setupIntents.update(id, { customer })
  expect(named).toMatchObject({ customer, status: 'requires_confirmation' })
  const done = await stripe.setupIntents.confirm(id, { return_url: 'https://example.com/done' })
  expect(done.status).toBe('succeeded')
  expect((await stripe.paymentMethods.retrieve(done.payment_method as string)).customer).toBe(customer)
})

test('the customer’s default is not taken by itself, and what is canceled with a method says so', async () => {
  const { id: customer } = await world.customer()
  const { id } = await stripe.setupIntents.create({ customer })
  expect((await refusal(stripe.setupIntents.confirm(id))).code).toBe('setup_intent_unexpected_state')
  const other = await stripe.setupIntents.create({ customer, payment_method: (await method()).id })
  const reason = { cancellation_reason: 'duplicate' as const }
  expect(await stripe.setupIntents.cancel(other.id, reason)).toMatchObject({ ...reason, status: 'canceled' })
  expect((await refusal(stripe.setupIntents.confirm(other.id))).message).toBe(
    'You cannot confirm this SetupIntent because it has been canceled.',
  )
})

test('an expired card is told of by its field, on the intent too', async () => {
  const { id } = await stripe.setupIntents.create({
    payment_method: (await method('tok_chargeDeclinedExpiredCard')).id,
    ...NO_REDIRECTS,
  })
  expect(await refusal(stripe.setupIntents.confirm(id))).toMatchObject({
    ...{ statusCode: 402, code: 'expired_card', param: 'exp_month' },
  })
  expect((await stripe.setupIntents.retrieve(id)).last_setup_error).toMatchObject({
    ...{ code: 'expired_card', decline_code: 'expired_card', param: 'exp_month' },
  })
})

test('the events of a customer and of a method say what was before, that of detaching it too', async () => {
  const { id: customer } = await stripe.customers.create({ email: 'probe@example.com', name: 'Before' })
  await stripe.customers.update(customer, { email: 'probe-2@example.com', name: 'After' })
  const { id } = await method()
  await stripe.paymentMethods.attach(id, { customer })
  await stripe.paymentMethods.update(id, { allow_redisplay: 'limited' })
  await stripe.paymentMethods.detach(id)
  await stripe.customers.del(customer)
  const told = (await world.events()).slice(-6)
  expect(told.map(({ type, data }) => [type, data.previous_attributes])).toEqual([
    ['customer.created', undefined],
    ['customer.updated', { email: 'probe@example.com', name: 'Before' }],
    ['payment_method.attached', undefined],
    ['payment_method.updated', { allow_redisplay: 'unspecified' }],
    ['payment_method.detached', { customer }],
    ['customer.deleted', undefined],
  ])
  expect(told.at(-2)?.data.object).toMatchObject({ id, customer: null })
  expect(told.at(-1)?.request?.idempotency_key).toBeNull()
})

async function pay(more: Partial<Stripe.PaymentIntentCreateParams> = {}) {
  const base = { currency: 'usd', confirm: true, off_session: true }
  return stripe.paymentIntents.create({ amount: 4400, payment_method: 'pm_card_visa', ...base, ...more })
}

test('a refund is as pending as its payment and says of which it is', async () => {
  const { latest_charge: charge } = await pay({ description: 'scenario 11 charge' })
  const refund = await stripe.refunds.create({ charge: charge as string, amount: 1400 })
  const [paid] = (await stripe.balanceTransactions.list({ source: charge as string })).data
  const [given] = (await stripe.balanceTransactions.list({ source: refund.id })).data
  expect(given).toMatchObject({
    ...{ amount: -1400, fee: 0, net: -1400, type: 'refund', status: 'pending', reporting_category: 'refund' },
    available_on: paid?.available_on,
    description: 'REFUND FOR CHARGE (scenario 11 charge)',
  })
})

test('a dispute takes its amount and the fee; its entry is found by its id, and not by the dispute', async () => {
  const { id } = await pay({
    amount: 3000,
    payment_method: (await method('tok_visa_createDispute')).id,
  })
  const [dispute] = (await stripe.disputes.list({ payment_intent: id })).data
  const entry = dispute?.balance_transactions[0] as Stripe.BalanceTransaction
  expect(entry).toMatchObject({
    ...{ amount: -3000, fee: 1500, net: -4500, type: 'adjustment', status: 'available' },
    available_on: entry.created,
    description: `Chargeback withdrawal for ${dispute?.charge as string}`,
    fee_details: [{ amount: 1500, description: 'Dispute fee', type: 'stripe_fee' }],
  })
  expect(dispute?.payment_method_details?.card).toMatchObject({
    ...{ case_type: 'chargeback', network_reason_code: '10.4' },
  })
  expect((await stripe.balanceTransactions.list({ source: dispute?.id as string })).data).toEqual([])
  const found = await stripe.balanceTransactions.retrieve(entry.id, { expand: ['source'] })
  expect(found.source).toMatchObject({ id: dispute?.id, object: 'dispute' })
  // Both kinds of complaint wait to the end of the eighth day after.
  const inquired = await pay({ payment_method: (await method('tok_visa_createDisputeInquiry')).id })
  const [inquiry] = (await stripe.disputes.list({ payment_intent: inquired.id })).data
  for (const one of [dispute, inquiry]) {
    const { created, evidence_details: details } = one as Stripe.Dispute
    expect(details.due_by).toBe((Math.floor(created / 86_400) + 9) * 86_400 - 1)
  }
  const sent = await stripe.disputes.update(dispute?.id as string, {
    evidence: { uncategorized_text: 'winning_evidence' },
  })
  expect(sent).toMatchObject({
    status: 'under_review',
    evidence_details: { has_evidence: true, submission_count: 1 },
  })
})

test('no payout, no such entry, no such type', async () => {
  expect(await refusal(stripe.balanceTransactions.list({ payout: 'po_nope' }))).toMatchObject({
    ...{ statusCode: 400, code: 'resource_missing', param: 'payout', message: "No such payout: 'po_nope'" },
  })
  expect(await refusal(stripe.balanceTransactions.retrieve('txn_nope'))).toMatchObject({
    ...{ statusCode: 404, code: 'resource_missing', param: 'id' },
    message: "No such balance transaction: 'txn_nope'",
  })
  expect((await stripe.balanceTransactions.list({ type: 'bogus_type' })).data).toEqual([])
})

// README, "What was decided": as what is attached or charged.
test('a set-up checks the security code, and a detachment tells of the customer alone', async () => {
  const { id: customer } = await stripe.customers.create({})
  const card = { number: '4242424242424242', exp_month: 12, exp_year: 2034, cvc: '123' }
  const made = await stripe.paymentMethods.create({ type: 'card', card })
  expect(made.card?.checks?.cvc_check).toBe('unchecked')
  const confirm = { customer, confirm: true, return_url: 'https://example.com/done' }
  await stripe.setupIntents.create({ ...confirm, payment_method: made.id })
  expect((await stripe.paymentMethods.retrieve(made.id)).card?.checks?.cvc_check).toBe('pass')
  const [attached] = (await world.events(['payment_method.attached'])).slice(-1)
  expect(attached?.data.object).toMatchObject({ id: made.id, card: { checks: { cvc_check: 'pass' } } })
  await stripe.paymentIntents.create({ ...confirm, payment_method: made.id, amount: 500, currency: 'usd' })
  await stripe.paymentMethods.detach(made.id)
  const [detached] = (await world.events(['payment_method.detached'])).slice(-1)
  expect(detached?.data.previous_attributes).toEqual({ customer })
  const wrong = await stripe.paymentMethods.create({
    ...{ type: 'card', card: { ...card, number: '4000000000000127' } },
  })
  const refused = await refusal(stripe.setupIntents.create({ ...confirm, payment_method: wrong.id }))
  expect(refused).toMatchObject({
    ...{ code: 'incorrect_cvc', payment_method: { card: { checks: { cvc_check: 'fail' } } } },
  })
  expect((await stripe.paymentMethods.retrieve(wrong.id)).card?.checks?.cvc_check).toBe('fail')
})
