// docs.stripe.com/refunds and docs.stripe.com/testing#refunds
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { HOUR, JAN_1, NO_REDIRECTS, refusal } from './world.ts'

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
