// docs.stripe.com/api/checkout/sessions/create, and the guide of each question under docs.stripe.com/payments/checkout
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import type { Completion } from '../src/resources/checkout-form.ts'
import { clientOf, type Loose } from './clients.ts'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, refusal } from './world.ts'

const world = await sharedWorld()
const { stripe, simulator } = world
const success_url = 'https://example.com/done'

type Params = Partial<Stripe.Checkout.SessionCreateParams>

async function sell(more: Params = {}) {
  const price = (await world.price(2500)).id
  const line_items = [{ price, quantity: 2 }]
  return stripe.checkout.sessions.create({ mode: 'subscription', success_url, line_items, ...more })
}

async function order(more: Params = {}) {
  const mug = { currency: 'usd', unit_amount: 700, product_data: { name: 'Mug' } }
  const line_items = [{ price_data: mug, quantity: 3 }]
  return stripe.checkout.sessions.create({ mode: 'payment', success_url, line_items, ...more })
}

async function complete(session: Stripe.Checkout.Session, how: Completion = {}) {
  simulator.control.completeCheckout(session.id, { email: 'ben@example.com', ...how })
  return stripe.checkout.sessions.retrieve(session.id, { expand: ['customer', 'subscription', 'line_items'] })
}

/** What the page says of something that is missing or wrong. */
function said(session: Stripe.Checkout.Session, how: Completion = {}): string {
  try {
    simulator.control.completeCheckout(session.id, { email: 'ben@example.com', ...how })
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('the page was expected to refuse')
}

test('nothing is asked: what a session shows then, as recorded', async () => {
  // github.com/Kiln-AI and others publish completed sessions; of guests saved_payment_method_options is null.
  const guest = await order()
  expect(guest).toMatchObject({
    payment_method_collection: 'if_required',
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    saved_payment_method_options: null,
    phone_number_collection: { enabled: false },
    custom_fields: [],
    collected_information: null,
    consent: null,
    consent_collection: null,
    customer_details: null,
  })
  expect('optional_items' in guest || 'tax_id_collection' in guest || 'name_collection' in guest).toBe(false)
  const done = await complete(await sell())
  expect(done).toMatchObject({
    saved_payment_method_options: {
      allow_redisplay_filters: ['always'],
      payment_method_remove: 'disabled',
      payment_method_save: null,
    },
    collected_information: { business_name: null, individual_name: null, shipping_details: null },
    consent: null,
    customer_details: { email: 'ben@example.com', phone: null, tax_exempt: 'none', tax_ids: [] },
  })
})

// docs.stripe.com/payments/checkout/adjustable-quantity
test('a quantity is changed on the page: 5 × 25.00 instead of 2', async () => {
  const price = (await world.price(2500)).id
  const session = await sell({
    line_items: [{ price, quantity: 2, adjustable_quantity: { enabled: true, minimum: 1, maximum: 10 } }],
  })
  expect(session.amount_total).toBe(5000)
  const [line] = (await stripe.checkout.sessions.listLineItems(session.id)).data
  expect(line?.adjustable_quantity).toEqual({ enabled: true, minimum: 1, maximum: 10 })
  const id = line?.id as string
  expect(said(session, { quantities: { [id]: 11 } })).toBe('The quantity must be between 1 and 10.')
  expect(said(session, { quantities: { [id]: 0 } })).toBe('The quantity must be between 1 and 10.')
  const done = await complete(session, { quantities: { [id]: 5 } })
  expect(done).toMatchObject({ amount_subtotal: 12_500, amount_total: 12_500, payment_status: 'paid' })
  expect(done.line_items?.data).toMatchObject([{ id, quantity: 5, amount_total: 12_500 }])
  expect(done.subscription).toMatchObject({ items: { data: [{ quantity: 5 }] } })
  expect(await stripe.invoices.retrieve(done.invoice as string)).toMatchObject({
    total: 12_500,
    status: 'paid',
  })
})

test('by default 0 to 99; a line that is taken out is gone, the last one stays', async () => {
  const mug = { currency: 'usd', unit_amount: 700, product_data: { name: 'Mug' } }
  const pen = { currency: 'usd', unit_amount: 300, product_data: { name: 'Pen' } }
  const adjustable_quantity = { enabled: true }
  const session = await order({
    line_items: [
      { price_data: mug, quantity: 1, adjustable_quantity },
      { price_data: pen, quantity: 2, adjustable_quantity },
      { price_data: pen, quantity: 1 },
    ],
  })
  const { data } = await stripe.checkout.sessions.listLineItems(session.id)
  expect(data.map((line) => line.adjustable_quantity)).toEqual([
    { enabled: true, minimum: 0, maximum: 99 },
    { enabled: true, minimum: 0, maximum: 99 },
    null,
  ])
  const [first, second, third] = data.map(({ id }) => id) as [string, string, string]
  expect(said(session, { quantities: { [third]: 2 } })).toBe('The quantity of this item is fixed.')
  expect(said(session, { quantities: { li_other: 2 } })).toBe("No such line item: 'li_other'")
  const done = await complete(session, { quantities: { [first]: 0, [second]: 99 } })
  expect(done.line_items?.data).toMatchObject([
    { id: second, quantity: 99, amount_total: 29_700 },
    { id: third },
  ])
  expect(done.amount_total).toBe(30_000)
  const alone = await order({ line_items: [{ price_data: mug, quantity: 1, adjustable_quantity }] })
  const only = (await stripe.checkout.sessions.listLineItems(alone.id)).data[0]?.id as string
  expect(said(alone, { quantities: { [only]: 0 } })).toBe('The only item that remains cannot be removed.')
})

test('two lines of one price are two lines: 1 and 2 × 7.00', async () => {
  const { id } = await world.product('Mug')
  const price = (await stripe.prices.create({ product: id, currency: 'usd', unit_amount: 700 })).id
  const session = await order({ line_items: [1, 2].map((quantity) => ({ price, quantity })) })
  const { data } = await stripe.checkout.sessions.listLineItems(session.id)
  expect(data.map((line) => line.amount_total)).toEqual([700, 1400])
})

test('a quantity of more than 99 needs its own limit', async () => {
  const price_data = { currency: 'usd', unit_amount: 700, product_data: { name: 'Mug' } }
  const line = (adjustable_quantity: object) => ({
    line_items: [
      { price_data, quantity: 120, adjustable_quantity: { enabled: true, ...adjustable_quantity } },
    ],
  })
  expect(await refusal(order(line({})))).toMatchObject({ statusCode: 400, param: 'line_items[0][quantity]' })
  expect(await order(line({ maximum: 200 }))).toMatchObject({ amount_total: 84_000 })
  expect(await refusal(order(line({ maximum: 1_000_000 })))).toMatchObject({
    param: 'line_items[0][adjustable_quantity][maximum]',
  })
})

// docs.stripe.com/payments/checkout/optional-items
test('an optional item is added', async () => {
  const support = (await world.price(900)).id
  const optional_items = [{ price: support, quantity: 1, adjustable_quantity: { enabled: true, maximum: 3 } }]
  const session = await sell({ optional_items })
  expect(session.optional_items).toEqual([
    { price: support, quantity: 1, adjustable_quantity: { enabled: true, minimum: 0, maximum: 3 } },
  ])
  expect(session.amount_total).toBe(5000)
  expect(said(session, { optionalItems: { [support]: 4 } })).toBe('The quantity must be between 0 and 3.')
  const done = await complete(session, { optionalItems: { [support]: 2 } })
  expect(done.amount_total).toBe(6800)
  expect(done.line_items?.data).toMatchObject([{ quantity: 2 }, { quantity: 2, amount_total: 1800 }])
  expect(done.subscription).toMatchObject({ items: { data: [{ quantity: 2 }, { quantity: 2 }] } })
})

test('in a payment nothing that recurs is offered', async () => {
  const support = (await world.price(900)).id
  expect(await refusal(order({ optional_items: [{ price: support, quantity: 1 }] }))).toMatchObject({
    message: expect.stringContaining('`payment` mode but passed a recurring price') as string,
  })
})

// "Can only be set in `payment` and `setup` mode."
test('a set-up makes a customer when it is asked to', async () => {
  const setup = { mode: 'setup', currency: 'usd', success_url } as const
  const session = await stripe.checkout.sessions.create({ ...setup, customer_creation: 'always' })
  expect(session).toMatchObject({ customer: null, customer_creation: 'always' })
  simulator.control.completeCheckout(session.id, { email: 'ben@example.com' })
  const { customer } = await stripe.checkout.sessions.retrieve(session.id)
  expect(await stripe.customers.retrieve(customer as string)).toMatchObject({ email: 'ben@example.com' })
  expect((await stripe.customers.listPaymentMethods(customer as string)).data).toHaveLength(1)
  const nobody = await stripe.checkout.sessions.create(setup)
  simulator.control.completeCheckout(nobody.id)
  expect((await stripe.checkout.sessions.retrieve(nobody.id)).customer).toBeNull()
})

// docs.stripe.com/payments/checkout/phone-numbers
test('a phone number is required and goes to the customer and the card', async () => {
  const session = await sell({ phone_number_collection: { enabled: true } })
  expect(session.phone_number_collection).toEqual({ enabled: true })
  expect(said(session)).toBe('A phone number is required.')
  expect(said(session, { phone: '12' })).toBe('Invalid phone number: 12')
  const done = await complete(session, { phone: '+1 (415) 555-0100' })
  expect(done).toMatchObject({
    customer: { phone: '+14155550100' },
    customer_details: { phone: '+14155550100' },
  })
  const { default_payment_method: method } = done.subscription as Stripe.Subscription
  expect((await stripe.paymentMethods.retrieve(method as string)).billing_details).toMatchObject({
    email: 'ben@example.com',
    phone: '+14155550100',
  })
})

// docs.stripe.com/tax/checkout/tax-ids
test('a tax id is made with the customer, and stands on the invoice', async () => {
  const session = await sell({ tax_id_collection: { enabled: true, required: 'if_supported' } })
  expect(session.tax_id_collection).toEqual({ enabled: true, required: 'if_supported' })
  expect(said(session)).toBe('A tax ID is required.')
  const taxId = { type: 'eu_vat', value: 'DE123456789' }
  expect(said(session, { taxId })).toBe('A name is required.')
  expect(said(session, { taxId: { type: 'eu_vat', value: '1' }, businessName: 'Ben AG' })).toContain(
    'Invalid value',
  )
  const types = await world.typesDuring(() => complete(session, { taxId, businessName: 'Ben AG' }))
  expect(types).toContain('customer.tax_id.created')
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['customer', 'invoice'] })
  expect(done).toMatchObject({
    customer: { name: 'Ben AG' },
    customer_details: { business_name: 'Ben AG', tax_ids: [taxId] },
    invoice: { customer_tax_ids: [taxId], customer_name: 'Ben AG' },
  })
  const { data } = await stripe.customers.listTaxIds((done.customer as Stripe.Customer).id)
  expect(data).toMatchObject([taxId])
})

test('of a customer who has a tax id none is asked', async () => {
  const ada = await stripe.customers.create({
    email: 'ada@example.com',
    tax_id_data: [{ type: 'eu_vat', value: 'DE123456789' }],
  })
  const asks = { tax_id_collection: { enabled: true, required: 'if_supported' as const } }
  // As recorded of Stripe, 2026-07-21.
  expect((await refusal(sell({ ...asks, customer: ada.id }))).message).toBe(
    'Tax ID collection requires updating business name on the customer. To enable tax ID collection for an existing customer, please set `customer_update[name]` to `auto`.',
  )
  const session = await sell({ ...asks, customer: ada.id, customer_update: { name: 'auto' } })
  const done = await complete(session)
  expect(done.customer_details?.tax_ids).toEqual([{ type: 'eu_vat', value: 'DE123456789' }])
})

// docs.stripe.com/payments/checkout/custom-components
test('custom fields: what is filled in comes back, what is wrong is refused', async () => {
  const session = await sell({
    custom_fields: [
      {
        key: 'engraving',
        label: { type: 'custom', custom: 'Engraving' },
        type: 'text',
        text: { maximum_length: 5 },
      },
      { key: 'badge', label: { type: 'custom', custom: 'Badge' }, type: 'numeric', optional: true },
      {
        ...{ key: 'size', label: { type: 'custom', custom: 'Size' }, type: 'dropdown' },
        dropdown: {
          default_value: 'm',
          options: [
            { label: 'Medium', value: 'm' },
            { label: 'Large', value: 'l' },
          ],
        },
      },
    ],
  })
  expect(session.custom_fields).toEqual([
    {
      ...{ key: 'engraving', label: { type: 'custom', custom: 'Engraving' }, optional: false, type: 'text' },
      text: { default_value: null, maximum_length: 5, minimum_length: null, value: null },
    },
    {
      ...{ key: 'badge', label: { type: 'custom', custom: 'Badge' }, optional: true, type: 'numeric' },
      numeric: { default_value: null, maximum_length: null, minimum_length: null, value: null },
    },
    {
      ...{ key: 'size', label: { type: 'custom', custom: 'Size' }, optional: false, type: 'dropdown' },
      dropdown: {
        default_value: 'm',
        options: [
          { label: 'Medium', value: 'm' },
          { label: 'Large', value: 'l' },
        ],
        value: null,
      },
    },
  ])
  expect(said(session)).toBe('Engraving is required.')
  expect(said(session, { customFields: { engraving: 'too long' } })).toContain('Invalid value of Engraving')
  const wrong = { engraving: 'B', badge: 'seven' }
  expect(said(session, { customFields: wrong })).toBe('Invalid value of Badge: seven')
  expect(said(session, { customFields: { engraving: 'B', size: 'xl' } })).toBe('Invalid value of Size: xl')
  const done = await complete(session, { customFields: { engraving: 'B' } })
  expect(done.custom_fields).toMatchObject([
    { text: { value: 'B' } },
    { numeric: { value: null } },
    { dropdown: { value: 'm' } },
  ])
})

test('custom fields that cannot be', async () => {
  const label = { type: 'custom', custom: 'Size' } as const
  const field = (more: object) => sell({ custom_fields: [{ key: 'size', label, type: 'text', ...more }] })
  expect(await refusal(field({ key: 'my size' }))).toMatchObject({ param: 'custom_fields[0][key]' })
  expect(await refusal(field({ type: 'dropdown' }))).toMatchObject({ param: 'custom_fields[0][dropdown]' })
  expect(await refusal(field({ numeric: { maximum_length: 2 } }))).toMatchObject({
    param: 'custom_fields[0][numeric]',
  })
  const twice = [1, 2].map(() => ({ key: 'size', label, type: 'text' }) as const)
  expect(await refusal(sell({ custom_fields: twice }))).toMatchObject({ param: 'custom_fields[1][key]' })
  const four = ['a', 'b', 'c', 'd'].map((key) => ({ key, label, type: 'text' }) as const)
  expect(await refusal(sell({ custom_fields: four }))).toMatchObject({ param: 'custom_fields' })
})

test('the terms are accepted or nothing is bought; offers are a choice', async () => {
  const session = await sell({
    consent_collection: { promotions: 'auto', terms_of_service: 'required' },
    custom_text: {
      terms_of_service_acceptance: { message: 'I agree to everything' },
      submit: { message: 'Cancel any time' },
    },
  })
  expect(session).toMatchObject({
    consent: null,
    consent_collection: {
      payment_method_reuse_agreement: null,
      promotions: 'auto',
      terms_of_service: 'required',
    },
    custom_text: { after_submit: null, shipping_address: null, submit: { message: 'Cancel any time' } },
  })
  const page = await (await fetch(session.url as string)).text()
  expect(page).toContain('I agree to everything')
  expect(page).toContain('Cancel any time')
  expect(said(session)).toBe('The terms of service must be accepted.')
  const done = await complete(session, { termsOfService: true })
  expect(done.consent).toEqual({ promotions: 'opt_out', terms_of_service: 'accepted' })
  const again = await sell({ consent_collection: { promotions: 'auto' } })
  expect((await complete(again, { promotions: true })).consent).toEqual({
    promotions: 'opt_in',
    terms_of_service: null,
  })
})

// docs.stripe.com/payments/collect-addresses
test('where to ship to: on the session, the customer, the invoice, and the payment of an order', async () => {
  const shipping_address_collection = { allowed_countries: ['US' as const, 'DE' as const] }
  const session = await sell({ shipping_address_collection })
  expect(said(session)).toBe('A shipping address is required.')
  const address = { line1: 'Hauptstr. 1', city: 'Berlin', postal_code: '10115', country: 'DE' }
  const abroad = { name: 'Ben', address: { ...address, country: 'FR' } }
  expect(said(session, { shipping: abroad })).toBe('Nothing is shipped to FR.')
  const full = { ...address, line2: null, state: null }
  const done = await complete(session, { shipping: { name: 'Ben', address } })
  expect(done.collected_information?.shipping_details).toEqual({ name: 'Ben', address: full })
  expect(done.customer).toMatchObject({ shipping: { name: 'Ben', address: full } })
  const invoice = await stripe.invoices.retrieve(done.invoice as string)
  expect(invoice.customer_shipping).toMatchObject({ name: 'Ben', address: full })
  const bought = await complete(await order({ shipping_address_collection }), {
    shipping: { name: 'Ben', address },
  })
  expect((await stripe.paymentIntents.retrieve(bought.payment_intent as string)).shipping).toMatchObject({
    name: 'Ben',
    address: full,
  })
  const acacia: Loose = await clientOf(17, simulator.port, '2024-12-18.acacia')
  const old = await acacia.checkout.sessions.retrieve(session.id)
  expect(old.shipping_details).toEqual({ name: 'Ben', address: full })
  expect('collected_information' in old).toBe(false)
})

test('customer_update says what of a customer may change', async () => {
  const ada = await stripe.customers.create({ name: 'Ada', address: { country: 'US', state: 'CA' } })
  const asks = { customer: ada.id, shipping_address_collection: { allowed_countries: ['US' as const] } }
  const how = {
    name: 'Ada B.',
    address: { country: 'DE' },
    shipping: { name: 'Ada B.', address: { line1: '1 Elm St', country: 'US' } },
  }
  await complete(await sell(asks), how)
  // The address of the page goes to a customer who has none.
  expect(await stripe.customers.retrieve(ada.id)).toMatchObject({
    ...{ name: 'Ada', address: { country: 'US' }, shipping: null, email: 'ben@example.com' },
  })
  const customer_update = { name: 'auto', address: 'auto', shipping: 'auto' } as const
  await complete(await sell({ ...asks, customer_update }), how)
  expect(await stripe.customers.retrieve(ada.id)).toMatchObject({
    ...{ name: 'Ada B.', address: { country: 'DE', state: null } },
    shipping: { name: 'Ada B.', address: { line1: '1 Elm St' } },
  })
})

// docs.stripe.com/payments/checkout/name-collection
test('names of the business and of the person', async () => {
  const session = await sell({
    name_collection: { business: { enabled: true }, individual: { enabled: true, optional: true } },
  })
  expect(session.name_collection).toEqual({
    business: { enabled: true, optional: false },
    individual: { enabled: true, optional: true },
  })
  expect(said(session)).toBe('A name is required.')
  const done = await complete(session, { businessName: 'Ben AG', individualName: 'Ben B.' })
  expect(done).toMatchObject({
    collected_information: { business_name: 'Ben AG', individual_name: 'Ben B.' },
    customer_details: { business_name: 'Ben AG', individual_name: 'Ben B.' },
    customer: { name: 'Ben AG', business_name: 'Ben AG', individual_name: 'Ben B.' },
  })
  const basil: Loose = await clientOf(18, simulator.port, '2025-08-27.basil')
  const old = await basil.checkout.sessions.retrieve(session.id)
  expect('name_collection' in old || 'business_name' in old.customer_details).toBe(false)
})

test('what is not asked is not taken', async () => {
  const session = await sell()
  expect(said(session, { phone: '+14155550100' })).toBe('This page does not ask for a phone number.')
  expect(said(session, { customFields: { size: 'm' } })).toBe('This page does not ask for size.')
  expect(said(session, { promotions: true })).toBe('This page does not ask for promotional e-mails.')
})

// docs.stripe.com/payments/checkout/abandoned-carts
test('a session that expires leaves an address that opens a copy of it, for 30 days', async () => {
  const recovery = { enabled: true, allow_promotion_codes: true }
  const ada = await world.customer({ card: null })
  const session = await sell({ customer: ada.id, after_expiration: { recovery }, metadata: { cart: '7' } })
  expect(session.after_expiration?.recovery).toEqual({ ...recovery, expires_at: null, url: null })
  const expired = await stripe.checkout.sessions.expire(session.id)
  const left = expired.after_expiration?.recovery
  const { frozen_time: now } = await stripe.testHelpers.testClocks.retrieve(ada.clock)
  expect(left).toMatchObject({ ...recovery, expires_at: now + 30 * DAY })
  const opened = await fetch(left?.url as string, { redirect: 'manual' })
  expect(opened.status).toBe(303)
  const [copy] = (await stripe.checkout.sessions.list({ customer: ada.id, status: 'open' })).data
  expect(opened.headers.get('location')).toBe(copy?.url)
  expect(copy).toMatchObject({
    ...{
      recovered_from: session.id,
      amount_total: 5000,
      metadata: { cart: '7' },
      allow_promotion_codes: true,
    },
    expires_at: now + DAY,
  })
  const done = await complete(copy as Stripe.Checkout.Session)
  expect(done).toMatchObject({ status: 'complete', recovered_from: session.id })
  await stripe.testHelpers.testClocks.del(ada.clock)
  const never = await stripe.checkout.sessions.expire((await sell()).id)
  expect(never.after_expiration).toBeNull()
  expect((await fetch(`${simulator.url}/_simulator/recover/${never.id}`)).status).toBe(400)
})

// docs.stripe.com/billing/subscriptions/billing-mode/compare: usage alone makes no first invoice
test('usage alone: nothing is due and no invoice made, but the card is kept', async () => {
  const meter = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  })
  const price = await world.price(10, {
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  })
  const session = await sell({ line_items: [{ price: price.id }] })
  expect(session).toMatchObject({ amount_total: 0, currency: 'usd', payment_status: 'no_payment_required' })
  const done = await complete(session)
  expect(done).toMatchObject({
    ...{ invoice: null, payment_status: 'no_payment_required' },
    subscription: {
      status: 'active',
      latest_invoice: null,
      default_payment_method: expect.any(String) as string,
    },
  })
  expect(done.line_items?.data).toMatchObject([{ quantity: null, amount_total: 0 }])
  // As recorded of Stripe.
  expect((await refusal(sell({ line_items: [{ price: price.id, quantity: 1 }] }))).message).toBe(
    'Quantity should not be specified where usage_type is `metered`. Remove quantity from `line_items[0]`',
  )
})

// The words as recorded of Stripe by others.
test('what does not go together', async () => {
  expect((await refusal(sell({ customer_update: { name: 'auto' } }))).message).toBe(
    '`customer_update` can only be used with `customer` or `customer_account`.',
  )
  expect((await refusal(sell({ customer_creation: 'always' }))).message).toBe(
    '`customer_creation` can only be used in `payment` mode.',
  )
  const price = (await world.price(2500)).id
  expect((await refusal(sell({ line_items: [{ price }] }))).message).toBe(
    'Quantity is required. Add `quantity` to `line_items[0]`',
  )
  expect((await refusal(order({ payment_method_collection: 'if_required' }))).message).toBe(
    'You can only set `payment_method_collection` if there are recurring prices.',
  )
  const { id: customer } = await stripe.customers.create({ address: { country: 'US', state: 'CA' } })
  expect((await refusal(sell({ customer, customer_email: 'ben@example.com' }))).message).toBe(
    'You may only specify one of these parameters: customer, customer_email.',
  )
  expect((await refusal(sell({ payment_intent_data: { description: 'x' } }))).message).toBe(
    'You can not pass `payment_intent_data` in `subscription` mode.',
  )
  expect((await refusal(sell({ subscription_data: { proration_behavior: 'none' } }))).message).toBe(
    'The `proration_behavior` parameter can only be passed if a `billing_cycle_anchor` exists.',
  )
  const ships = { customer, automatic_tax: { enabled: true } }
  expect(
    await refusal(sell({ ...ships, shipping_address_collection: { allowed_countries: ['US'] } })),
  ).toMatchObject({
    code: 'parameter_missing',
    message:
      'You specified `shipping_address_collection`. To use `automatic_tax` with this parameter, you must also set `customer_update[shipping]` to `auto`.',
  })
  const now = Math.floor(Date.now() / 1000)
  expect((await refusal(sell({ expires_at: now + 60 }))).message).toBe(
    'The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.',
  )
  expect((await refusal(sell({ expires_at: now + 25 * HOUR }))).message).toBe(
    'The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.',
  )
  const setup = { mode: 'setup', success_url } as const
  expect(await refusal(stripe.checkout.sessions.create(setup))).toMatchObject({
    ...{ message: 'Missing required param: currency.', param: 'currency' },
  })
  const asks = { ...setup, currency: 'usd', phone_number_collection: { enabled: true } }
  expect(await refusal(stripe.checkout.sessions.create(asks))).toMatchObject({
    param: 'phone_number_collection',
  })
  expect(await refusal(sell({ locale: 'tlh' as 'de' }))).toMatchObject({ param: 'locale' })
  expect((await sell({ locale: 'pt-BR', submit_type: 'subscribe' })).locale).toBe('pt-BR')
})
