// github.com/Kiln-AI/stripe_world, cassettes 04, 06 and 13 (2026-08-26.dahlia): what the objects of a payment look like.
import type Stripe from 'stripe'
import { afterAll, expect, test } from 'vitest'
import { newWorld } from './world.ts'

const world = await newWorld()
const { stripe } = world
afterAll(world.close)

const blank = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null }
const visa = (token = 'tok_visa') => stripe.paymentMethods.create({ type: 'card', card: { token } })
const pay = (more: Partial<Stripe.PaymentIntentCreateParams>) =>
  stripe.paymentIntents.create({
    ...{ amount: 4900, currency: 'usd', confirm: true, off_session: true, expand: ['latest_charge'] },
    ...more,
  })

/** As a charge shows a card, but for what tells one card from another. */
const charged = {
  checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
  country: 'US',
  extended_authorization: { status: 'disabled' },
  funding: 'credit',
  incremental_authorization: { status: 'unavailable' },
  installments: null,
  mandate: null,
  multicapture: { status: 'unavailable' },
  network: 'visa',
  network_token: { used: false },
  regulated_status: 'unregulated',
  three_d_secure: null,
  wallet: null,
}

test('a card that nobody looked at is unchecked, and passes when it is attached', async () => {
  const { id, card, billing_details: details } = await visa()
  expect(card?.checks).toMatchObject({ cvc_check: 'unchecked' })
  expect(details).toEqual({ address: blank, email: null, name: null, phone: null, tax_id: null })
  const { id: customer } = await stripe.customers.create({})
  const attached = await stripe.paymentMethods.attach(id, { customer })
  expect(attached.card?.checks).toMatchObject({ cvc_check: 'pass' })
})

test('an address of which something is known has every line', async () => {
  const billing_details = { address: { country: 'DE', city: 'Bonn' }, name: 'Ada' }
  const { id } = await stripe.paymentMethods.create({
    type: 'card',
    card: { token: 'tok_visa' },
    billing_details,
  })
  const known = { address: { ...blank, country: 'DE', city: 'Bonn' }, name: 'Ada' }
  expect(await stripe.paymentMethods.retrieve(id)).toMatchObject({ billing_details: known })
  const { id: customer } = await stripe.customers.create({})
  await stripe.paymentMethods.attach(id, { customer })
  const named = await stripe.paymentMethods.update(id, { billing_details: { name: 'Ada L.' } })
  expect(named.billing_details).toMatchObject({ ...known, name: 'Ada L.' })
  const cleared = await stripe.paymentMethods.update(id, { billing_details: { address: '' } })
  expect(cleared.billing_details.address).toEqual(blank)
})

test('a payment shows the card as it was charged', async () => {
  const intent = await pay({ payment_method: (await visa()).id })
  expect(intent.payment_method_options).toEqual({
    card: { installments: null, mandate_options: null, network: null, request_three_d_secure: 'automatic' },
  })
  const { payment_method_details: details, ...charge } = intent.latest_charge as Stripe.Charge
  expect(charge).toMatchObject({ billing_details: { address: blank }, radar_options: {} })
  expect(details?.card).toMatchObject({
    ...charged,
    ...{ amount_authorized: 4900, brand: 'visa', last4: '4242' },
    overcapture: { maximum_amount_capturable: 4900, status: 'unavailable' },
  })
  expect(details?.card).not.toHaveProperty('networks')
})

test('a declined one authorizes nothing, and the intent says which page to read', async () => {
  const { id } = await visa('tok_visa_chargeDeclined')
  await expect(pay({ amount: 1000, payment_method: id })).rejects.toMatchObject({ statusCode: 402 })
  const [intent] = (await stripe.paymentIntents.list({ limit: 1, expand: ['data.latest_charge'] })).data as [
    Stripe.PaymentIntent,
  ]
  expect(intent.last_payment_error).toMatchObject({
    ...{ code: 'card_declined', decline_code: 'generic_decline', type: 'card_error' },
    doc_url: 'https://stripe.com/docs/error-codes/card-declined',
    payment_method: { id, card: { checks: { cvc_check: 'pass' } } },
    payment_method_type: 'card',
  })
  expect((intent.latest_charge as Stripe.Charge).payment_method_details?.card).toMatchObject({
    ...charged,
    amount_authorized: null,
    overcapture: { maximum_amount_capturable: 1000, status: 'unavailable' },
  })
})

test('an invoice that somebody makes says its paper, and when nobody had to be told of it', async () => {
  const { id: customer } = await stripe.customers.create({})
  const of = { customer, collection_method: 'send_invoice', days_until_due: 7 } as const
  const draft = await stripe.invoices.create(of)
  const rendering = { amount_tax_display: null, template: null, template_version: null }
  expect(draft.rendering).toEqual({ ...rendering, pdf: { page_size: 'auto' } })
  expect(draft.webhooks_delivered_at).toBe(draft.created)
  const item = await stripe.invoiceItems.create({
    customer,
    invoice: draft.id,
    amount: 4400,
    currency: 'usd',
  })
  expect(item).toMatchObject({ frozen_fields: [], invoicing_rules: [] })
  const open = await stripe.invoices.finalizeInvoice(draft.id)
  expect(open.rendering).toEqual({ ...rendering, pdf: { page_size: 'letter' } })
  // Paid elsewhere, nothing was attempted here.
  expect(await stripe.invoices.pay(draft.id, { paid_out_of_band: true })).toMatchObject({
    ...{ status: 'paid', amount_paid: 4400, attempt_count: 0, attempted: false, auto_advance: false },
  })
})

test('an invoice of a subscription says nothing of its paper', async () => {
  const price = await world.price(1000)
  const { id: customer } = await world.customer()
  const { latest_invoice: invoice } = await stripe.subscriptions.create({
    ...{ customer, items: [{ price: price.id }], expand: ['latest_invoice'] },
  })
  expect((invoice as Stripe.Invoice).rendering).toBeNull()
})
