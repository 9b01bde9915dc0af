// docs.stripe.com/testing#invalid-data and docs.stripe.com/error-codes
import type Stripe from 'stripe'
import { afterAll, expect, test, vi } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { refusal } from './world.ts'

const { stripe, customer, simulator } = await sharedWorld()

// The year stands still: it does not turn between what is asked and the answer.
vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
afterAll(() => vi.useRealTimers())

const THIS_YEAR = new Date().getUTCFullYear()
const GOOD = { number: '4242424242424242', exp_month: 12, exp_year: THIS_YEAR + 1, cvc: '314' }

const make = (card: Stripe.PaymentMethodCreateParams.Card) =>
  stripe.paymentMethods.create({ type: 'card', card })

// The first four are the page's own examples.
test.each<[Partial<typeof GOOD>, string, string, string]>([
  [{ exp_month: 13 }, 'invalid_expiry_month', 'exp_month', "Your card's expiration month is invalid."],
  [{ exp_year: 95 }, 'invalid_expiry_year', 'exp_year', "Your card's expiration year is invalid."],
  [{ cvc: '99' }, 'invalid_cvc', 'cvc', "Your card's security code is invalid."],
  [{ number: '4242424242424241' }, 'incorrect_number', 'number', 'Your card number is incorrect.'],
  [{ exp_month: 0 }, 'invalid_expiry_month', 'exp_month', "Your card's expiration month is invalid."],
  [{ exp_year: THIS_YEAR - 1 }, 'invalid_expiry_year', 'exp_year', "Your card's expiration year is invalid."],
  [
    { exp_year: THIS_YEAR + 51 },
    'invalid_expiry_year',
    'exp_year',
    "Your card's expiration year is invalid.",
  ],
  [{ cvc: '12345' }, 'invalid_cvc', 'cvc', "Your card's security code is invalid."],
  [{ cvc: 'abc' }, 'invalid_cvc', 'cvc', "Your card's security code is invalid."],
  [{ number: '4242 abcd' }, 'invalid_number', 'number', 'The card number is not a valid credit card number.'],
  [{ number: '4242' }, 'invalid_number', 'number', 'The card number is not a valid credit card number.'],
])('a card with %o is refused: %s', async (wrong, code, param, message) => {
  const error = await refusal(make({ ...GOOD, ...wrong }))
  expect(error).toMatchObject({ statusCode: 402, type: 'StripeCardError', code, param, message })
  expect(error.doc_url).toBe(`https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`)
  // Where an intent is given the card, it says the same and nothing is charged.
  const intent = await refusal(
    stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      payment_method_data: {
        type: 'card',
        card: { ...GOOD, ...wrong },
      } as Stripe.PaymentIntentCreateParams.PaymentMethodData,
    }),
  )
  expect(intent).toMatchObject({ statusCode: 402, code, param })
})

test('a card shows until when it is good; two digits of a year are its last', async () => {
  const full = await make(GOOD)
  expect(full.card).toMatchObject({
    exp_month: 12,
    exp_year: THIS_YEAR + 1,
    checks: { cvc_check: 'unchecked' },
  })
  const { cvc: _cvc, ...unchecked } = GOOD
  const short = await make({ ...unchecked, exp_year: (THIS_YEAR + 1) % 100 })
  expect(short.card).toMatchObject({ exp_month: 12, exp_year: THIS_YEAR + 1, checks: { cvc_check: null } })
  const { id: customer } = await stripe.customers.create()
  await stripe.paymentMethods.attach(full.id, { customer })
  const later = await stripe.paymentMethods.update(full.id, {
    card: { exp_month: 1, exp_year: THIS_YEAR + 5 },
  })
  expect(later.card).toMatchObject({ exp_month: 1, exp_year: THIS_YEAR + 5 })
  const gone = stripe.paymentMethods.update(full.id, { card: { exp_year: THIS_YEAR - 1 } })
  expect(await refusal(gone)).toMatchObject({ statusCode: 402, code: 'invalid_expiry_year' })
})

test('what a card lacks is asked for', async () => {
  for (const lacking of ['number', 'exp_month', 'exp_year'] as const) {
    const { [lacking]: _left, ...card } = GOOD
    expect(await refusal(make(card as typeof GOOD))).toMatchObject({
      statusCode: 400,
      type: 'StripeInvalidRequestError',
      param: `card[${lacking}]`,
      message: `The payment method \`card\` requires the parameter: card[${lacking}].`,
    })
  }
})

// docs.stripe.com/declines/codes: `test_mode_live_card`. 4012888888881881 is Visa's own, of no page of Stripe's.
test('a card that is no test card is declined', async () => {
  expect(await refusal(make({ ...GOOD, number: '4012888888881881' }))).toMatchObject({
    statusCode: 402,
    code: 'card_declined',
    decline_code: 'test_mode_live_card',
  })
})

// Seen to be refused: github.com/fjordllc/bootcamp issues 4134, 3927, 6408 and 7638, exercism/website 7721.
test.each([
  'otameshi@com',
  ' k.shimizu139@gmail.com',
  'odatakeryu',
  'paasonauyuya＠iCloud.com',
  'a@b@example.com',
])('an address that is none: %s', async (email) => {
  const refused = { statusCode: 400, code: 'email_invalid', message: `Invalid email address: ${email}` }
  const { id } = await customer({ card: null })
  expect(await refusal(stripe.customers.create({ email }))).toMatchObject({ ...refused, param: 'email' })
  expect(await refusal(stripe.customers.update(id, { email }))).toMatchObject({ ...refused, param: 'email' })
  expect((await stripe.customers.retrieve(id)) as Stripe.Customer).toMatchObject({ email: 'ada@example.com' })
  const session = stripe.checkout.sessions.create({
    mode: 'setup',
    currency: 'usd',
    customer_email: email,
    success_url: 'https://example.com',
  })
  expect(await refusal(session)).toMatchObject({ ...refused, param: 'customer_email' })
  const method = stripe.paymentMethods.create({
    type: 'card',
    card: { token: 'tok_visa' },
    billing_details: { email },
  })
  expect(await refusal(method)).toMatchObject({ ...refused, param: 'billing_details[email]' })
})

test('an address is taken away by the empty text, and a page asks for a good one, too', async () => {
  const { id } = await stripe.customers.create({ email: 'ada.lovelace+sums@mail.example.co.uk' })
  expect(await stripe.customers.update(id, { email: '' })).toMatchObject({ email: null })
  const session = await stripe.checkout.sessions.create({
    mode: 'setup',
    currency: 'usd',
    success_url: 'https://example.com',
  })
  const complete = () =>
    simulator.control.completeCheckout(session.id, { card: 'pm_card_visa', email: 'nobody' })
  expect(complete).toThrow('Invalid email address: nobody')
  expect((await stripe.checkout.sessions.retrieve(session.id)).status).toBe('open')
})
