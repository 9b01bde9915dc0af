// What Stripe answered of customers and what they pay with, as others recorded it.
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { refusal } from './world.ts'

const world = await sharedWorld()
const { stripe } = world

const NOWHERE = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null }

// docs.stripe.com/api/customers/object#customer_object-address
test('an address has every line of it, and a new one takes its place', async () => {
  const ada = await stripe.customers.create({
    address: { city: 'New York', country: 'US' },
    shipping: { name: 'Ada', address: { line1: '1 Main Street' } },
  })
  expect(ada.address).toEqual({ ...NOWHERE, city: 'New York', country: 'US' })
  expect(ada.shipping).toEqual({
    address: { ...NOWHERE, line1: '1 Main Street' },
    name: 'Ada',
    phone: null,
  })
  const moved = await stripe.customers.update(ada.id, { address: { city: 'Berlin' } })
  expect(moved.address).toEqual({ ...NOWHERE, city: 'Berlin' })
})

test('a tax exemption that is unset is none', async () => {
  const ada = await stripe.customers.create({ tax_exempt: 'reverse' })
  expect((await stripe.customers.update(ada.id, { tax_exempt: '' })).tax_exempt).toBe('none')
})

// github.com/Kiln-AI/stripe_world tests/conformance/cassettes/probe_invoice_prefix.json (2026-08-26.dahlia)
test.each(['a', 'abc', 'AB_1', 'ABCDEFGHIJKLM'])('%s is no prefix of invoice numbers', async (prefix) => {
  const error = await refusal(stripe.customers.create({ invoice_prefix: prefix }))
  expect(error).toMatchObject({ statusCode: 400, code: undefined, param: undefined })
  expect(error.message).toBe('Invoice number prefix must be 1–12 uppercase letters or numbers.')
})

test('a prefix is one customer’s, who may say it again', async () => {
  const holder = await stripe.customers.create({ invoice_prefix: 'P626092001' })
  const other = await stripe.customers.create()
  for (const asked of [
    stripe.customers.create({ invoice_prefix: 'P626092001' }),
    stripe.customers.update(other.id, { invoice_prefix: 'P626092001' }),
  ]) {
    const error = await refusal(asked)
    expect(error).toMatchObject({ statusCode: 400, code: undefined, param: 'invoice_prefix' })
    expect(error.message).toBe(
      `This invoice number prefix is taken by customer: ${holder.id}. Please enter a different prefix.`,
    )
  }
  const again = await stripe.customers.update(holder.id, { invoice_prefix: 'P626092001' })
  expect(again.invoice_prefix).toBe('P626092001')
})

// github.com/Kiln-AI/stripe_world tests/conformance/cassettes/06_customers_payment_methods.json (2026-08-26.dahlia)
test('a method that is not the customer’s is an invalid request', async () => {
  const { id } = await stripe.customers.create()
  const method = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
  const error = await refusal(stripe.customers.retrievePaymentMethod(id, method.id))
  expect(error).toMatchObject({ statusCode: 404, code: undefined, param: 'customer' })
  expect(error.message).toBe('Invalid request')
})

test('methods of nobody are none', async () => {
  await stripe.customers.create({ payment_method: 'pm_card_visa' })
  await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
  const list = await stripe.paymentMethods.list({ limit: 3 })
  expect(list).toMatchObject({ object: 'list', data: [], has_more: false, url: '/v1/payment_methods' })
})

test('what is not attached cannot be detached, by no parameter’s fault', async () => {
  const method = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
  const error = await refusal(stripe.paymentMethods.detach(method.id))
  expect(error).toMatchObject({ statusCode: 400, code: undefined, param: undefined })
  expect(error.message).toBe(
    'The payment method you provided is not attached to a customer so detachment is impossible.',
  )
})

// "A PaymentMethod must be attached to a customer to be updated." docs.stripe.com/api/payment_methods/update; many quote the
// sentence.
test('a method is changed only when it is somebody’s', async () => {
  const { id } = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
  const error = await refusal(stripe.paymentMethods.update(id, { metadata: { a: 'b' } }))
  expect(error).toMatchObject({ statusCode: 400, code: undefined, param: undefined })
  expect(error.message).toBe('You must save this PaymentMethod to a customer before you can update it.')
})

test('the card of a test token is good for a year', async () => {
  const { card, created } = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
  const today = new Date(created * 1000)
  expect([card?.exp_month, card?.exp_year]).toEqual([today.getUTCMonth() + 1, today.getUTCFullYear() + 1])
})

// zulip/zulip corporate/tests/stripe_fixtures/replace_payment_method--Invoice.pay.2.json and --SetupIntent.create.2.json
// (2025-11-17.clover), and the cassette above.
describe('a general decline says when to try again', () => {
  const advice = { advice_code: 'try_again_later', network_decline_code: '01' }
  const raw = async (asked: Promise<unknown>) => (await refusal(asked)).raw as Stripe.StripeRawError

  test('when a card is attached or set up', async () => {
    const { id: customer } = await stripe.customers.create()
    const card = 'pm_card_visa_chargeDeclined'
    expect(await raw(stripe.paymentMethods.attach(card, { customer }))).toMatchObject(advice)
    const setUp = await raw(
      stripe.setupIntents.create({
        ...{ customer, payment_method: card, confirm: true, return_url: 'https://example.com' },
      }),
    )
    expect(setUp).toMatchObject({ ...advice, setup_intent: { last_setup_error: advice } })
  })

  test('when an invoice is paid: the error, the intent and the charge', async () => {
    const { id: customer } = await world.customer({ card: 'pm_card_chargeCustomerFail' })
    await stripe.invoiceItems.create({ customer, amount: 5000, currency: 'usd' })
    const draft = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' })
    const error = await raw(stripe.invoices.pay(draft.id))
    expect(error).toMatchObject({ ...advice, payment_intent: { last_payment_error: advice } })
    const { outcome } = await stripe.charges.retrieve(error.charge as string)
    expect(outcome).toMatchObject({ ...advice, network_advice_code: null, reason: 'generic_decline' })
  })

  test('another decline says nothing of it', async () => {
    const { id: customer } = await stripe.customers.create()
    const error = await raw(stripe.paymentMethods.attach('pm_card_chargeDeclinedLostCard', { customer }))
    expect(error).not.toHaveProperty('advice_code')
  })
})

// docs.stripe.com/api/customers/list_payment_methods#list_customer_payment_methods-allow_redisplay
test('the methods of a customer are listed by whether they may be shown again', async () => {
  const { id: customer } = await stripe.customers.create()
  const shown = await stripe.paymentMethods.attach('pm_card_visa', { customer })
  await stripe.paymentMethods.attach('pm_card_amex', { customer })
  await stripe.paymentMethods.update(shown.id, { allow_redisplay: 'always' })
  const idsOf = async (allow_redisplay: 'always' | 'limited') =>
    (await stripe.customers.listPaymentMethods(customer, { allow_redisplay })).data.map(({ id }) => id)
  expect(await idsOf('always')).toEqual([shown.id])
  expect(await idsOf('limited')).toEqual([])
})

// A balance that is given as a number is in the account's currency, and so is the customer from then on: met by those who
// billed in another one, github.com/restrictcontentpro/restrict-content-pro issues 382 and 549.
test.each(['create', 'update'] as const)(
  'a balance gives its customer the account’s currency: %s',
  async (how) => {
    const balance = -500
    const { id } = await stripe.customers.create(how === 'create' ? { balance } : {})
    if (how === 'update') {
      expect(await stripe.customers.retrieve(id)).toMatchObject({ currency: null })
      await stripe.customers.update(id, { balance })
    }
    expect(await stripe.customers.retrieve(id)).toMatchObject({ balance: -500, currency: 'usd' })
    const [entry] = (await stripe.customers.listBalanceTransactions(id)).data
    expect(entry).toMatchObject({ amount: -500, currency: 'usd' })
    // Five dollars are not 500 yen.
    const price = await world.price(2000, { currency: 'jpy' })
    const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: id })
    const mixed = await refusal(
      stripe.subscriptions.create({
        ...{ customer: id, items: [{ price: price.id }], default_payment_method: method.id },
      }),
    )
    expect(mixed).toMatchObject({ statusCode: 400 })
    expect(mixed.message).toMatch(/^You cannot combine currencies on a single customer\./)
  },
)

// github.com/Kiln-AI/stripe_world tests/conformance/cassettes/08_pagination_boundary_and_limit_clamps.json
test('a limit beyond 1 to 100 is taken for the nearest', async () => {
  const email = 'many@example.com'
  for (let i = 0; i < 102; i++) await stripe.customers.create({ email })
  expect((await stripe.customers.list({ email, limit: 0 })).data).toHaveLength(1)
  const most = await stripe.customers.list({ email, limit: 101 })
  expect(most).toMatchObject({ has_more: true })
  expect(most.data).toHaveLength(100)
})

// The sentences are quoted by many who met them, as in github.com/bitwarden/server/pull/2923.
test('what is too long is told with its length', async () => {
  const texts = await refusal(stripe.customers.create({ name: `Pan Americ${'a'.repeat(240)}ter School` }))
  expect(texts).toMatchObject({ statusCode: 400, code: undefined, param: 'name' })
  expect(texts.message).toBe('Invalid string: Pan Americ...ter School; must be at most 256 characters')
  const value = 'x'.repeat(501)
  const values = await refusal(stripe.customers.create({ metadata: { a: value } }))
  expect(values).toMatchObject({ statusCode: 400, code: undefined, param: 'metadata' })
  expect(values.message).toBe(
    `Metadata values can have up to 500 characters, but you passed in a value that is 501 characters. Invalid value: ${value}`,
  )
  const key = 'k'.repeat(41)
  const keys = await refusal(stripe.customers.create({ metadata: { [key]: 'a' } }))
  expect(keys.message).toBe(
    `Metadata keys can have up to 40 characters, but you passed in a key that is 41 characters. Invalid key: ${key}`,
  )
  const many = Object.fromEntries(Array.from({ length: 52 }, (_, i) => [`k${i}`, 'a']))
  const most = await refusal(stripe.customers.create({ metadata: many }))
  expect(most.message).toBe("Metadata can have up to 50 keys, but you've set 52")
  // Code points are counted.
  const faces = '🙂'.repeat(500)
  expect((await stripe.customers.create({ metadata: { a: faces } })).metadata.a).toBe(faces)
})
