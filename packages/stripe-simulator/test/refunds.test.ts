// docs.stripe.com/refunds and docs.stripe.com/testing#refunds
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, NO_REDIRECTS, refusal } from './world.ts'

const world = await sharedWorld()

async function charged(card: string) {
  const ada = await world.customer({ card })
  const methods = await world.stripe.customers.listPaymentMethods(ada.id)
  const intent = await world.stripe.paymentIntents.create({
    amount: 4000,
    currency: 'usd',
    customer: ada.id,
    payment_method: methods.data[0]?.id as string,
    confirm: true,
    ...NO_REDIRECTS,
  })
  return { ada, intent, charge: intent.latest_charge as string }
}

test('a pending refund succeeds some time later', async () => {
  const { ada, charge } = await charged('pm_card_pendingRefund')
  const refund = await world.stripe.refunds.create({ charge, amount: 1500 })
  expect(refund).toMatchObject({ status: 'pending', pending_reason: 'processing' })
  const types = await world.typesDuring(() => world.advance(ada.clock, JAN_1 + HOUR))
  expect(types.filter((type) => !type.startsWith('test_helpers')).sort()).toEqual([
    'charge.refund.updated',
    'refund.updated',
  ])
  const after = await world.stripe.refunds.retrieve(refund.id)
  expect(after.status).toBe('succeeded')
  expect(after).not.toHaveProperty('pending_reason')
  const [updated] = await world.events(['refund.updated'])
  expect(updated?.data.previous_attributes).toEqual({ status: 'pending', pending_reason: 'processing' })
})

test('a refund that the bank sends back fails, and the charge counts as not refunded', async () => {
  const { ada, charge } = await charged('pm_card_refundFail')
  const refund = await world.stripe.refunds.create({ charge })
  expect(refund.status).toBe('succeeded')
  expect(await world.stripe.charges.retrieve(charge)).toMatchObject({ refunded: true, amount_refunded: 4000 })
  const types = await world.typesDuring(() => world.advance(ada.clock, JAN_1 + HOUR))
  expect(types).toContain('refund.failed')
  // The charge has its money back, and says so.
  expect(types).toContain('charge.updated')
  expect(await world.stripe.refunds.retrieve(refund.id)).toMatchObject({
    status: 'failed',
    failure_reason: 'unknown',
    failure_balance_transaction: expect.stringMatching(/^txn_/) as string,
  })
  expect(await world.stripe.charges.retrieve(charge)).toMatchObject({ refunded: false, amount_refunded: 0 })
})

test('a refund of a card cannot be canceled', async () => {
  const { charge } = await charged('pm_card_visa')
  const refund = await world.stripe.refunds.create({ charge, amount: 100 })
  expect(await refusal(world.stripe.refunds.cancel(refund.id))).toMatchObject({ statusCode: 400 })
})

// "Specifying `fraudulent` as the reason will add the associated card and email to your block lists": the charge says so.
// https://docs.stripe.com/api/refunds/create#create_refund-reason
test('a refund for fraud reports its charge', async () => {
  const { charge } = await charged('pm_card_visa')
  await world.stripe.refunds.create({ charge, amount: 100, reason: 'requested_by_customer' })
  expect((await world.stripe.charges.retrieve(charge)).fraud_details).toEqual({})
  const refund = await world.stripe.refunds.create({ charge, reason: 'fraudulent' })
  expect(refund).toMatchObject({ amount: 3900, reason: 'fraudulent' })
  const [told] = (await world.events(['charge.refunded'])).slice(-1)
  expect(told?.data.object).toMatchObject({ refunded: true, fraud_details: { user_report: 'fraudulent' } })
})

// Only of cards there is a reference of an acquirer; ids as those of github.com/zulip/zulip zerver/webhooks/stripe/fixtures.
test('a refund of a debit is no refund to a card', async () => {
  const ada = await world.customer({ card: null })
  const intent = await world.stripe.paymentIntents.create({
    ...{ amount: 5000, currency: 'usd', customer: ada.id, confirm: true },
    ...{ payment_method: 'pm_usBankAccount_success', ...NO_REDIRECTS },
  })
  await world.advance(ada.clock, JAN_1 + 4 * DAY)
  const refund = await world.stripe.refunds.create({
    ...{ payment_intent: intent.id, amount: 2000, expand: ['balance_transaction'] },
  })
  expect(refund.id).toMatch(/^pyr_/)
  expect(refund.charge).toMatch(/^py_/)
  expect(refund).not.toHaveProperty('destination_details')
  // https://docs.stripe.com/reports/reporting-categories
  expect(refund.balance_transaction).toMatchObject({
    ...{ amount: -2000, fee: 0, net: -2000, type: 'payment_refund', reporting_category: 'refund' },
  })
  expect(await world.stripe.refunds.retrieve(refund.id)).toMatchObject({ amount: 2000 })
})
