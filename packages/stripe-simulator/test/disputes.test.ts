// docs.stripe.com/testing#disputes, docs.stripe.com/disputes/api and docs.stripe.com/disputes/how-disputes-work
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, JAN_1, NO_REDIRECTS, refusal } from './world.ts'

const world = await sharedWorld()

async function disputed(payment_method: string) {
  const ada = await world.customer({ card: null })
  const intent = await world.stripe.paymentIntents.create({
    amount: 4000,
    currency: 'usd',
    customer: ada.id,
    payment_method,
    confirm: true,
    ...NO_REDIRECTS,
  })
  const [dispute] = (await world.stripe.disputes.list({ payment_intent: intent.id })).data
  if (dispute === undefined) throw new Error('nothing was disputed')
  return { ada, intent, dispute }
}

test('a dispute takes the money at once, and evidence can win it back', async () => {
  let made: Awaited<ReturnType<typeof disputed>> | undefined
  const types = await world.typesDuring(async () => {
    made = await disputed('pm_card_createDispute')
  })
  expect(types.filter((type) => type.startsWith('charge.'))).toEqual([
    'charge.succeeded',
    'charge.dispute.created',
    'charge.dispute.funds_withdrawn',
  ])
  const { intent, dispute } = made as NonNullable<typeof made>
  expect(dispute).toMatchObject({
    amount: 4000,
    reason: 'fraudulent',
    status: 'needs_response',
    is_charge_refundable: false,
    evidence_details: { due_by: JAN_1 + 9 * DAY - 1, has_evidence: false, submission_count: 0 },
    balance_transactions: [{ amount: -4000, fee: 1500, net: -5500 }],
  })
  expect((await world.stripe.charges.retrieve(intent.latest_charge as string)).disputed).toBe(true)
  expect((await refusal(world.stripe.refunds.create({ payment_intent: intent.id }))).code).toBe(
    'charge_disputed',
  )
  const staged = await world.stripe.disputes.update(dispute.id, {
    evidence: { uncategorized_text: 'winning_evidence' },
    submit: false,
  })
  expect(staged).toMatchObject({ status: 'needs_response', evidence_details: { has_evidence: true } })
  const closing = await world.typesDuring(() => world.stripe.disputes.update(dispute.id, { submit: true }))
  expect(closing).toEqual([
    'charge.dispute.updated',
    'charge.dispute.closed',
    'charge.dispute.funds_reinstated',
  ])
  expect((await world.stripe.disputes.retrieve(dispute.id)).status).toBe('won')
})

// As recorded in 2026-08-26.dahlia (Kiln-AI/stripe_world tests/conformance/cassettes/05_refunds_disputes.json, steps 34 and
// 35): the amount comes back, the fee does not, and what came back is as pending as a payment of that day.
test('a dispute that is won gives the amount back and keeps the fee', async () => {
  const { stripe } = world
  const { ada, intent, dispute } = await disputed('pm_card_createDispute')
  await stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: 'winning_evidence' } })
  const won = await stripe.disputes.retrieve(dispute.id)
  expect(won).toMatchObject({ status: 'won', is_charge_refundable: true })
  const [taken, back] = won.balance_transactions
  expect(taken).toMatchObject({ amount: -4000, fee: 1500, net: -5500, status: 'available' })
  expect(back).toMatchObject({
    ...{ amount: 4000, fee: 0, fee_details: [], net: 4000, reporting_category: 'dispute_reversal' },
    ...{ available_on: JAN_1 + 2 * DAY, status: 'pending', type: 'adjustment' },
  })
  await world.advance(ada.clock, JAN_1 + 2 * DAY)
  expect(await stripe.balanceTransactions.retrieve(back?.id as string)).toMatchObject({ status: 'available' })
  expect((await stripe.disputes.retrieve(dispute.id)).balance_transactions[1]?.status).toBe('available')
  expect(await stripe.refunds.create({ payment_intent: intent.id, amount: 100 })).toMatchObject({
    amount: 100,
  })
})

// As recorded there, steps 36 to 40: of what is only held nothing is disputed.
test('the holder complains when what was held is captured, and of that much', async () => {
  const { stripe } = world
  const intent = await stripe.paymentIntents.create({
    ...{ amount: 4400, currency: 'usd', confirm: true, capture_method: 'manual' },
    ...{ payment_method: 'pm_card_createDispute', ...NO_REDIRECTS },
  })
  expect((await stripe.disputes.list({ payment_intent: intent.id })).data).toEqual([])
  const types = await world.typesDuring(() =>
    stripe.paymentIntents.capture(intent.id, { amount_to_capture: 4000 }),
  )
  expect(types).toEqual([
    'charge.captured',
    'payment_intent.succeeded',
    'charge.dispute.created',
    'charge.dispute.funds_withdrawn',
  ])
  const { data } = await stripe.disputes.list({ charge: intent.latest_charge as string })
  expect(data).toMatchObject([{ amount: 4000, balance_transactions: [{ amount: -4000, net: -5500 }] }])
})

// As recorded there, steps 30 and 33.
test('Stripe fills in who paid for what; that alone is no evidence', async () => {
  const { stripe } = world
  const ada = await stripe.customers.create({ email: 'ada@example.com', description: 'Ada & Sons' })
  const intent = await stripe.paymentIntents.create({
    ...{ amount: 4000, currency: 'usd', customer: ada.id, description: 'a chair', confirm: true },
    ...{ payment_method: 'pm_card_createDispute', ...NO_REDIRECTS },
  })
  const [dispute] = (await stripe.disputes.list({ payment_intent: intent.id })).data
  const id = dispute?.id as string
  expect(dispute?.evidence).toMatchObject({
    ...{ customer_email_address: 'ada@example.com', customer_name: 'Ada & Sons' },
    ...{ product_description: 'a chair', uncategorized_text: null },
  })
  expect(dispute?.evidence_details.has_evidence).toBe(false)
  // Whoever has another address since gave no evidence.
  await stripe.customers.update(ada.id, { email: 'ada@sons.example' })
  const labelled = await stripe.disputes.update(id, { metadata: { case: '7' } })
  expect(labelled).toMatchObject({ metadata: { case: '7' }, status: 'needs_response' })
  expect(labelled.evidence_details.has_evidence).toBe(false)
  const staged = await stripe.disputes.update(id, { evidence: { customer_name: 'Ada' }, submit: false })
  expect(staged.evidence_details).toMatchObject({ has_evidence: true, submission_count: 0 })
  const cleared = await stripe.disputes.update(id, {
    evidence: { customer_name: '', customer_email_address: '', product_description: '' },
    submit: false,
  })
  expect(cleared).toMatchObject({
    evidence: { customer_name: null, product_description: null },
    evidence_details: { has_evidence: false },
  })
})

// "Has a maximum character count of 20,000", "The combined character count of all fields is limited to 150,000".
// https://docs.stripe.com/api/disputes/update
test('evidence has its limits, and what was staged counts', async () => {
  const { stripe } = world
  const { dispute } = await disputed('pm_card_createDispute')
  const stage = (evidence: object) => stripe.disputes.update(dispute.id, { evidence, submit: false })
  const long = 'x'.repeat(20_000)
  expect(await refusal(stage({ access_activity_log: `${long}x` }))).toMatchObject({
    param: 'evidence[access_activity_log]',
  })
  await stage({
    ...{ access_activity_log: long, cancellation_policy_disclosure: long, cancellation_rebuttal: long },
    ...{ duplicate_charge_explanation: long, product_description: long, refund_policy_disclosure: long },
    ...{ refund_refusal_explanation: long, uncategorized_text: 'x'.repeat(9_000) },
  })
  expect(await refusal(stage({ uncategorized_text: long }))).toMatchObject({
    ...{ statusCode: 400, param: 'evidence' },
  })
})

// https://docs.stripe.com/changelog/clover/2025-09-30/dispute-submission-method: "The value defaults to prefer_manual".
test('how the answer is meant to be sent is chosen, and what was sent says how', async () => {
  const { stripe } = world
  const { dispute } = await disputed('pm_card_createDispute')
  expect(dispute).toMatchObject({
    intended_submission_method: 'prefer_manual',
    evidence_details: { submission_method: 'not_submitted' },
  })
  const chosen = await stripe.disputes.update(dispute.id, { intended_submission_method: 'manual' })
  expect(chosen).toMatchObject({ intended_submission_method: 'manual', status: 'needs_response' })
  const smart = stripe.disputes.update(dispute.id, { intended_submission_method: 'smart_disputes' })
  expect((await refusal(smart)).code).toBe('simulator_gap')
  const sent = await stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: 'it was there' } })
  expect(sent).toMatchObject({
    status: 'under_review',
    evidence_details: { submission_method: 'manual', submission_count: 1, past_due: false },
  })
})

test('evidence that loses, a dispute that is given up, and one that is not answered', async () => {
  const { stripe } = world
  const losing = await disputed('pm_card_createDisputeProductNotReceived')
  expect(losing.dispute.reason).toBe('product_not_received')
  const evidence = { uncategorized_text: 'losing_evidence' }
  // The bank's verdict comes after the answer.
  expect((await stripe.disputes.update(losing.dispute.id, { evidence })).status).toBe('under_review')
  expect((await stripe.disputes.retrieve(losing.dispute.id)).status).toBe('lost')
  const again = stripe.disputes.update(losing.dispute.id, { evidence })
  expect((await refusal(again)).message).toBe('This dispute is already closed')
  const given = await disputed('pm_card_createDispute')
  expect((await stripe.disputes.close(given.dispute.id)).status).toBe('lost')
  const silent = await disputed('pm_card_createDispute')
  await world.advance(silent.ada.clock, JAN_1 + 9 * DAY)
  // "Defaults to `false` if no evidence submissions have occurred."
  // https://docs.stripe.com/api/disputes/object#dispute_object-evidence_details-past_due
  expect(await stripe.disputes.retrieve(silent.dispute.id)).toMatchObject({
    status: 'lost',
    evidence_details: { past_due: false, submission_count: 0 },
  })
})

test('an inquiry asks before it takes: refunded it ends, escalated it is a dispute', async () => {
  const { stripe } = world
  const refunded = await disputed('pm_card_createDisputeInquiry')
  expect(refunded.dispute).toMatchObject({
    status: 'warning_needs_response',
    is_charge_refundable: true,
    balance_transactions: [],
  })
  await stripe.refunds.create({ payment_intent: refunded.intent.id })
  expect((await stripe.disputes.retrieve(refunded.dispute.id)).status).toBe('warning_closed')
  const late = await disputed('pm_card_createDisputeInquiry')
  await world.advance(late.ada.clock, JAN_1 + 9 * DAY)
  const said = await stripe.disputes.update(late.dispute.id, { evidence: { uncategorized_text: 'sorry' } })
  expect(said).toMatchObject({ status: 'warning_under_review', evidence_details: { past_due: true } })
  const { dispute } = await disputed('pm_card_createDisputeInquiry')
  const evidence = { uncategorized_text: 'escalate_inquiry_evidence' }
  const types = await world.typesDuring(() => stripe.disputes.update(dispute.id, { evidence }))
  expect(types).toEqual([
    'charge.dispute.updated',
    'charge.dispute.updated',
    'charge.dispute.funds_withdrawn',
  ])
  expect(await stripe.disputes.retrieve(dispute.id)).toMatchObject({
    status: 'needs_response',
    is_charge_refundable: false,
  })
})
