import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, JAN_1, newWorld, refusal } from './world.ts'

const world = await sharedWorld()

async function pay(customer: string, amount: number, currency = 'usd') {
  return world.stripe.paymentIntents.create({
    amount,
    currency,
    customer,
    confirm: true,
    payment_method: 'pm_card_visa',
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    expand: ['latest_charge.balance_transaction'],
  })
}

// https://docs.stripe.com/api/accounts/object
test('the account can be read under both of its addresses', async () => {
  const account = await world.stripe.accounts.retrieveCurrent()
  expect(account).toMatchObject({
    object: 'account',
    charges_enabled: true,
    country: 'US',
    default_currency: 'usd',
    details_submitted: true,
    payouts_enabled: true,
    type: 'standard',
  })
  expect(await world.stripe.accounts.retrieve(account.id)).toEqual(account)
  expect(await refusal(world.stripe.accounts.retrieve('acct_other'))).toMatchObject({
    statusCode: 403,
    code: 'account_invalid',
  })
})

// https://stripe.com/pricing: 2.9 % and 30 cents. 10.00 costs 0.29 + 0.30; 0.50 costs 0.0145 + 0.30, so 0.31.
test.each([
  [1000, 59, 941],
  [50, 31, 19],
  [2999, 117, 2882],
])('a payment of %i costs %i and leaves %i', async (amount, fee, net) => {
  const { id } = await world.customer({ card: null })
  const { latest_charge: charge } = await pay(id, amount)
  expect(charge).toMatchObject({
    balance_transaction: {
      object: 'balance_transaction',
      amount,
      currency: 'usd',
      exchange_rate: null,
      fee,
      fee_details: [
        {
          amount: fee,
          application: null,
          currency: 'usd',
          description: 'Stripe processing fees',
          type: 'stripe_fee',
        },
      ],
      net,
      reporting_category: 'charge',
      status: 'pending',
      type: 'charge',
    },
  })
})

// https://stripe.com/us/payments/us-bank-debits: of 100.00 Stripe keeps 0.80; https://stripe.com/pricing: 5.00 at most.
// https://docs.stripe.com/reports/reporting-categories: "those made with other payment methods are represented with type=payment".
test.each([
  [10_000, 80, 9_920],
  [62_500, 500, 62_000],
  [100_000, 500, 99_500],
])('a debit of %i costs %i', async (amount, fee, net) => {
  const { id, clock } = await world.customer({ card: null })
  const intent = await world.stripe.paymentIntents.create({
    ...{ amount, currency: 'usd', customer: id, confirm: true, payment_method: 'pm_usBankAccount_success' },
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  })
  await world.advance(clock, JAN_1 + 4 * DAY)
  const [charge] = (
    await world.stripe.charges.list({ payment_intent: intent.id, expand: ['data.balance_transaction'] })
  ).data
  expect(charge?.balance_transaction).toMatchObject({
    ...{ amount, fee, net, type: 'payment', reporting_category: 'charge' },
  })
})

// "Stripe's processing fees from the original transaction won't be returned" https://docs.stripe.com/refunds
test('a refund takes the whole amount back and no fee', async () => {
  const { id } = await world.customer({ card: null })
  const intent = await pay(id, 1000)
  const refund = await world.stripe.refunds.create({
    payment_intent: intent.id,
    amount: 400,
    expand: ['balance_transaction'],
  })
  expect(refund.balance_transaction).toMatchObject({ amount: -400, fee: 0, net: -400, type: 'refund' })
  const entry = refund.balance_transaction as { id: string }
  expect(await world.stripe.balanceTransactions.retrieve(entry.id)).toEqual(refund.balance_transaction)
  const { data } = await world.stripe.balanceTransactions.list({ source: refund.id })
  expect(data).toEqual([refund.balance_transaction])
})

test('money is pending for two days of its clock, then available', async () => {
  const fresh = await newWorld()
  try {
    const { id, clock } = await fresh.customer({ card: null })
    await fresh.stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      customer: id,
      confirm: true,
      payment_method: 'pm_card_visa',
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    })
    const usd = (amount: number) => [{ amount, currency: 'usd', source_types: { card: amount } }]
    expect(await fresh.stripe.balance.retrieve()).toMatchObject({ available: usd(0), pending: usd(941) })
    await fresh.advance(clock, JAN_1 + 2 * DAY - 1)
    expect(await fresh.stripe.balance.retrieve()).toMatchObject({ available: usd(0), pending: usd(941) })
    await fresh.advance(clock, JAN_1 + 2 * DAY)
    expect(await fresh.stripe.balance.retrieve()).toMatchObject({ available: usd(941), pending: usd(0) })
  } finally {
    await fresh.close()
  }
})

test('the ledger lists by type and source, newest first, and says who moved the money', async () => {
  const { id } = await world.customer({ card: null })
  const intent = await pay(id, 5000, 'jpy')
  const charge = intent.latest_charge as { id: string }
  const yen = await world.stripe.balanceTransactions.list({ currency: 'jpy', expand: ['data.source'] })
  // 2.9 % of 5,000 yen is 145, and 30.
  expect(yen.data).toMatchObject([
    { amount: 5000, fee: 175, net: 4825, source: { id: charge.id, object: 'charge' } },
  ])
  const charges = await world.stripe.balanceTransactions.list({ type: 'charge', limit: 100 })
  expect(charges.data.every((row) => row.type === 'charge')).toBe(true)
  const times = (await world.stripe.balanceTransactions.list({ limit: 100 })).data.map((row) => row.created)
  expect(times).toEqual(times.toSorted((a, b) => b - a))
  expect(await refusal(world.stripe.balanceTransactions.retrieve('txn_none'))).toMatchObject({
    statusCode: 404,
  })
})

// https://docs.stripe.com/testing#refunds: this card's refunds succeed, and are sent back later.
test('a refund that fails brings its amount back as an entry of its own', async () => {
  const { id, clock } = await world.customer({ card: null })
  const intent = await world.stripe.paymentIntents.create({
    amount: 1000,
    currency: 'usd',
    customer: id,
    confirm: true,
    payment_method: 'pm_card_refundFail',
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  })
  const refund = await world.stripe.refunds.create({ payment_intent: intent.id })
  await world.advance(clock, JAN_1 + DAY)
  const failed = await world.stripe.refunds.retrieve(refund.id, { expand: ['failure_balance_transaction'] })
  expect(failed).toMatchObject({
    status: 'failed',
    failure_balance_transaction: {
      amount: 1000,
      fee: 0,
      net: 1000,
      type: 'refund_failure',
      source: refund.id,
    },
  })
  const { data } = await world.stripe.balanceTransactions.list({ source: refund.id })
  expect(data.map((row) => row.net)).toEqual([1000, -1000])
})

// A dispute takes the amount and 15.00. https://docs.stripe.com/disputes
test('a dispute stands in the ledger with its fee', async () => {
  const intent = await world.stripe.paymentIntents.create({
    amount: 1000,
    currency: 'usd',
    confirm: true,
    payment_method: 'pm_card_createDispute',
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  })
  const [dispute] = (await world.stripe.disputes.list({ payment_intent: intent.id })).data
  const { data } = await world.stripe.balanceTransactions.list({
    type: 'adjustment',
    expand: ['data.source'],
  })
  expect(data).toMatchObject([
    { amount: -1000, fee: 1500, net: -2500, type: 'adjustment', source: { id: dispute?.id } },
  ])
})
