// docs.stripe.com/api/checkout/sessions/create, docs.stripe.com/payments/checkout/discounts and
// docs.stripe.com/tax/checkout
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { refusal } from './world.ts'

const world = await sharedWorld()

type Session = Stripe.Checkout.SessionCreateParams

const success_url = 'https://example.com/done'

/** Two notebooks at 12.00, made on the spot, and a pen at 3.50. */
function notebooks(more: Partial<Session> = {}) {
  const line = (name: string, unit_amount: number, quantity: number) => ({
    price_data: { currency: 'usd', product_data: { name }, unit_amount },
    quantity,
  })
  return world.stripe.checkout.sessions.create({
    mode: 'payment',
    success_url,
    line_items: [line('Notebook', 1200, 2), line('Pen', 350, 1)],
    ...more,
  })
}

test('prices made on the spot are paid, by a guest', async () => {
  const { stripe, simulator } = world
  const session = await notebooks({ expand: ['line_items'] })
  expect(session).toMatchObject({ amount_subtotal: 2750, amount_total: 2750, currency: 'usd' })
  expect(session.line_items?.data).toMatchObject([
    { description: 'Notebook', quantity: 2, amount_total: 2400 },
    { description: 'Pen', quantity: 1, amount_total: 350 },
  ])
  simulator.control.completeCheckout(session.id, { email: 'ben@example.com' })
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })
  expect(done).toMatchObject({
    status: 'complete',
    payment_status: 'paid',
    customer: null,
    customer_details: { email: 'ben@example.com' },
    payment_intent: { status: 'succeeded', amount_received: 2750 },
  })
  // Inline prices and their products are on no list of what is sold.
  const { data } = await stripe.prices.list({ limit: 100 })
  expect(data.filter((price) => price.unit_amount === 350)).toEqual([])
})

test('a subscription whose price is made on the spot', async () => {
  const { stripe, simulator } = world
  const ada = await world.customer({ card: null })
  const recurring = { interval: 'month' as const }
  const price_data = { currency: 'usd', product_data: { name: 'Team' }, unit_amount: 900, recurring }
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: ada.id,
    success_url,
    line_items: [{ price_data, quantity: 3 }],
  })
  expect(session.amount_total).toBe(2700)
  simulator.control.completeCheckout(session.id)
  const [subscription] = (await stripe.subscriptions.list({ customer: ada.id })).data
  expect(subscription).toMatchObject({ status: 'active', items: { data: [{ quantity: 3 }] } })
})

test('a coupon takes off its part, and a code that is typed on the page does the same', async () => {
  const { stripe, simulator } = world
  const coupon = await stripe.coupons.create({ percent_off: 10, max_redemptions: 5 })
  const given = await notebooks({ discounts: [{ coupon: coupon.id }] })
  // 27.50 - 2.75
  expect(given).toMatchObject({
    amount_subtotal: 2750,
    amount_total: 2475,
    total_details: { amount_discount: 275, amount_tax: 0 },
    discounts: [{ coupon: coupon.id, promotion_code: null }],
  })
  const code = await stripe.promotionCodes.create({
    code: 'SPRING',
    promotion: { type: 'coupon', coupon: coupon.id },
  })
  const session = await notebooks({ allow_promotion_codes: true })
  expect(session.amount_total).toBe(2750)
  const wrong = () => simulator.control.completeCheckout(session.id, { promotionCode: 'AUTUMN' })
  expect(wrong).toThrow('This code is invalid.')
  const page = await (await fetch(session.url as string)).text()
  expect(page).toContain('name="promotion_code"')
  const fields = new URLSearchParams({ card: 'pm_card_visa', promotion_code: 'spring' })
  await fetch(`${session.url}/complete`, { method: 'POST', body: fields, redirect: 'manual' })
  expect(await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })).toMatchObject({
    amount_total: 2475,
    discounts: [{ coupon: null, promotion_code: code.id }],
    payment_intent: { amount: 2475 },
  })
  expect((await stripe.promotionCodes.retrieve(code.id)).times_redeemed).toBe(1)
  expect((await stripe.coupons.retrieve(coupon.id)).times_redeemed).toBe(1)
})

test('what is free needs no payment', async () => {
  const { stripe, simulator } = world
  const coupon = (await stripe.coupons.create({ percent_off: 100 })).id
  const session = await notebooks({ discounts: [{ coupon }] })
  expect(session).toMatchObject({ amount_total: 0, payment_status: 'no_payment_required' })
  simulator.control.completeCheckout(session.id)
  expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
    status: 'complete',
    payment_status: 'no_payment_required',
    payment_intent: null,
  })
})

test('tax rates by hand, and automatic tax by the place that is filled in', async () => {
  const { stripe, simulator } = world
  const vat = await stripe.taxRates.create({ display_name: 'VAT', inclusive: false, percentage: 20 })
  const price = (await world.price(1000, { recurring: undefined as never })).id
  const byHand = await notebooks({ line_items: [{ price, quantity: 1, tax_rates: [vat.id] }] })
  expect(byHand).toMatchObject({ amount_total: 1200, total_details: { amount_tax: 200 } })
  const session = await notebooks({ automatic_tax: { enabled: true } })
  expect(session).toMatchObject({
    amount_total: 2750,
    automatic_tax: { enabled: true, status: 'requires_location_inputs' },
  })
  const nowhere = () => simulator.control.completeCheckout(session.id, { card: 'pm_card_visa' })
  expect(nowhere).toThrow('An address is needed')
  const fields = new URLSearchParams({ card: 'pm_card_visa', country: 'DE', email: 'ben@example.com' })
  await fetch(`${session.url}/complete`, { method: 'POST', body: fields, redirect: 'manual' })
  // 19 % of 24.00 is 4.56, of 3.50 is 0.665.
  expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
    status: 'complete',
    amount_total: 2750 + 456 + 67,
    automatic_tax: { status: 'complete' },
    customer_details: { address: { country: 'DE' } },
  })
})

test('a customer without a place must be allowed to say one', async () => {
  const { stripe, simulator } = world
  const ada = await world.customer({ card: null })
  const automatic_tax = { enabled: true }
  const refused = notebooks({ customer: ada.id, automatic_tax })
  expect((await refusal(refused)).code).toBe('customer_tax_location_invalid')
  const price = (await world.price(1000)).id
  const session = await notebooks({
    mode: 'subscription',
    customer: ada.id,
    automatic_tax,
    customer_update: { address: 'auto' },
    line_items: [{ price, quantity: 1 }],
  })
  simulator.control.completeCheckout(session.id, { address: { country: 'DK' } })
  expect(await stripe.customers.retrieve(ada.id)).toMatchObject({ address: { country: 'DK' } })
  const [invoice] = (await stripe.invoices.list({ customer: ada.id })).data
  expect(invoice).toMatchObject({ status: 'paid', total: 1250 })
})

test('a payment with an invoice is on the books', async () => {
  const { stripe, simulator } = world
  const session = await notebooks({
    customer_email: 'ben@example.com',
    invoice_creation: { enabled: true, invoice_data: { footer: 'Thank you.' } },
  })
  expect(session).toMatchObject({ customer_creation: 'always', invoice_creation: { enabled: true } })
  simulator.control.completeCheckout(session.id)
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['invoice'] })
  expect(done).toMatchObject({
    payment_status: 'paid',
    invoice: { status: 'paid', total: 2750, footer: 'Thank you.', customer_email: 'ben@example.com' },
  })
  const [payment] = (await stripe.invoicePayments.list({ invoice: (done.invoice as Stripe.Invoice).id })).data
  expect(payment?.payment.payment_intent).toBe(done.payment_intent)
})

test('money that is only held leaves the session unpaid', async () => {
  const { stripe, simulator } = world
  const session = await notebooks({ payment_intent_data: { capture_method: 'manual' } })
  simulator.control.completeCheckout(session.id)
  expect(await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })).toMatchObject({
    status: 'complete',
    payment_status: 'unpaid',
    payment_intent: { status: 'requires_capture', amount_capturable: 2750 },
  })
})
