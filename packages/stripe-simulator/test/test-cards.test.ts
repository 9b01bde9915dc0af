// docs.stripe.com/testing: cards by brand, by country, declined payments, 3D Secure
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { NO_REDIRECTS, refusal } from './world.ts'

const world = await sharedWorld()

test.each([
  ['pm_card_mastercard_debit', 'mastercard', 'debit', 'US', '8210'],
  ['pm_card_diners', 'diners', 'credit', 'US', '0004'],
  ['pm_card_jcb', 'jcb', 'credit', 'JP', '0505'],
  ['pm_card_unionpay', 'unionpay', 'credit', 'CN', '0005'],
  ['pm_card_us', 'visa', 'credit', 'US', '4242'],
  ['pm_card_de', 'visa', 'credit', 'DE', '0016'],
  ['pm_card_gb_debit', 'visa', 'debit', 'GB', '0005'],
  ['pm_card_gb_mastercard', 'mastercard', 'credit', 'GB', '4449'],
  ['pm_card_ae_mastercard', 'mastercard', 'credit', 'AE', '0022'],
  ['pm_card_th_credit', 'visa', 'credit', 'TH', '0003'],
  ['pm_card_amex_threeDSecureNotSupported', 'amex', 'credit', 'US', '0005'],
])('%s pays, and is a card of its brand and country', async (token, brand, funding, country, last4) => {
  const { stripe } = world
  const ada = await world.customer({ card: null })
  const method = await stripe.paymentMethods.attach(token, { customer: ada.id })
  expect(method.card).toMatchObject({ brand, funding, country, last4 })
  const intent = await stripe.paymentIntents.create({
    amount: 1000,
    currency: 'usd',
    customer: ada.id,
    payment_method: method.id,
    confirm: true,
    ...NO_REDIRECTS,
  })
  expect(intent.status).toBe('succeeded')
})

test('a card is known by its number, too', async () => {
  const card = { number: '4000 0025 0000 0003', exp_month: 12, exp_year: 2034 }
  const method = await world.stripe.paymentMethods.create({ type: 'card', card })
  expect(method.card).toMatchObject({ brand: 'visa', country: 'FR', last4: '0003' })
})

test('a card that attaches and is lost or stolen later', async () => {
  const { stripe } = world
  for (const reason of ['lost_card', 'stolen_card']) {
    const ada = await world.customer({ card: null })
    const name = reason === 'lost_card' ? 'LostCard' : 'StolenCard'
    const { id } = await stripe.paymentMethods.attach(`pm_card_visa_chargeCustomerFail${name}`, {
      customer: ada.id,
    })
    const charge = {
      amount: 1000,
      currency: 'usd',
      customer: ada.id,
      payment_method: id,
      confirm: true,
      ...NO_REDIRECTS,
    }
    expect(await refusal(stripe.paymentIntents.create(charge))).toMatchObject({
      statusCode: 402,
      code: 'card_declined',
      decline_code: reason,
    })
  }
})

test('a documented card that is not played is refused by name, one that nobody knows is not found', async () => {
  const { stripe } = world
  const { id: customer } = await world.customer({ card: null })
  const attach = (token: string) => refusal(stripe.paymentMethods.attach(token, { customer }))
  for (const token of ['pm_card_riskLevelElevated', 'pm_card_avsFail', 'pm_card_visa_cartesBancaires']) {
    expect(await attach(token)).toMatchObject({ statusCode: 400, code: 'simulator_gap' })
  }
  expect(await attach('pm_card_nobody')).toMatchObject({ code: 'resource_missing' })
  const card = { number: '4000000000009235', exp_month: 12, exp_year: 2034 }
  const numbered = refusal(stripe.paymentMethods.create({ type: 'card', card }))
  expect(await numbered).toMatchObject({ code: 'simulator_gap', param: 'number' })
})

test('a kind of method that is not played is refused by name', async () => {
  // docs.stripe.com/api/payment_methods/create: `type`
  const { stripe } = world
  const details = { name: 'Ada', email: 'ada@example.com' }
  const sepa = {
    type: 'sepa_debit',
    sepa_debit: { iban: 'AT611904300234573201' },
    billing_details: details,
  } as const
  expect(await refusal(stripe.paymentMethods.create(sepa))).toMatchObject({
    statusCode: 400,
    code: 'simulator_gap',
    param: 'type',
  })
  const intent = { amount: 1000, currency: 'eur', allowed_payment_method_types: ['sepa_debit' as const] }
  expect(await refusal(stripe.paymentIntents.create(intent))).toMatchObject({ code: 'simulator_gap' })
  const { id: customer } = await world.customer()
  // There is none, and saying so is true.
  expect((await stripe.paymentMethods.list({ customer, type: 'sepa_debit' })).data).toEqual([])
  const unknown = { type: 'shells' } as unknown as typeof sepa
  expect(await refusal(stripe.paymentMethods.create(unknown))).toMatchObject({
    param: 'type',
    code: undefined,
  })
})

/** As recorded: charges of declined cards in many public fixtures, events of 2020-08-27 to 2024 among them. */
test('the charge of a declined card tells the business what the bank said', async () => {
  const { stripe } = world
  const said = async (given: { payment_method: string; customer?: string; off_session?: boolean }) => {
    const intent = { amount: 1000, currency: 'usd', confirm: true, ...NO_REDIRECTS, ...given }
    const refused = await refusal(stripe.paymentIntents.create(intent))
    const { outcome } = await stripe.charges.retrieve(refused.charge as unknown as string)
    expect(outcome?.type).toBe('issuer_declined')
    return [outcome?.reason, outcome?.seller_message]
  }
  const nothing = 'The bank did not return any further details with this decline.'
  expect(await said({ payment_method: 'pm_card_chargeDeclined' })).toEqual(['generic_decline', nothing])
  for (const [token, code] of [
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['pm_card_chargeDeclinedStolenCard', 'stolen_card'],
  ] as const) {
    const message = `The bank returned the decline code \`${code}\`.`
    expect(await said({ payment_method: token })).toEqual([code, message])
  }
  const { id: customer } = await world.customer({ card: null })
  const { id } = await stripe.paymentMethods.attach('pm_card_authenticationRequired', { customer })
  expect(await said({ payment_method: id, customer, off_session: true })).toEqual([
    'authentication_required',
    'The bank returned the decline code `authentication_required`.',
  ])
})
