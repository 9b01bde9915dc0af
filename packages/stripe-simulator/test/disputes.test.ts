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
  const won = await world.stripe.disputes.retrieve(dispute.id)
  expect(won.status).toBe('won')
  // What was withdrawn and what came back cancel out.
  expect(won.balance_transactions.reduce((sum, row) => sum + row.net, 0)).toBe(0)
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
  expect(await stripe.disputes.retrieve(silent.dispute.id)).toMatchObject({
    status: 'lost',
    evidence_details: { past_due: true },
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
