// docs.stripe.com/api/customer_portal/configurations and docs.stripe.com/customer-management/portal-deep-links
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()

type Features = Stripe.BillingPortal.ConfigurationCreateParams.Features
type Update = NonNullable<Features['subscription_update']>

/** A subscriber at 10.00 a month, and another price of the same product, 25.00. */
async function subscriber() {
  const product = (await world.product()).id
  const [basic, large] = [await world.price(1000, { product }), await world.price(2500, { product })]
  const ada = await world.customer()
  const subscription = await world.stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: basic.id, quantity: 2 }],
  })
  const offer = { product, prices: [basic.id, large.id], adjustable_quantity: { enabled: true, maximum: 5 } }
  return { ada, subscription, basic: basic.id, large: large.id, offer }
}

const updates = (
  products: Exclude<Update['products'], '' | undefined>,
  more: Partial<Update> = {},
): Features => ({
  subscription_update: {
    enabled: true,
    default_allowed_updates: ['price', 'quantity'],
    proration_behavior: 'always_invoice',
    products,
    ...more,
  },
})

const post = (url: string, fields: Record<string, string>) =>
  fetch(url, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })

test('a configuration has the documented defaults, and changes by parts', async () => {
  const { configurations } = world.stripe.billingPortal
  const made = await configurations.create({
    features: { subscription_cancel: { enabled: true }, customer_update: { enabled: false } },
    business_profile: { headline: 'Lovelace & Co.' },
  })
  expect(made).toMatchObject({
    object: 'billing_portal.configuration',
    active: true,
    is_default: false,
    business_profile: { headline: 'Lovelace & Co.', privacy_policy_url: null },
    features: {
      invoice_history: { enabled: false },
      subscription_cancel: { enabled: true, mode: 'at_period_end', proration_behavior: 'none' },
      subscription_update: { enabled: false, proration_behavior: 'none', trial_update_behavior: 'end_trial' },
    },
  })
  const next = await configurations.update(made.id, {
    active: false,
    features: { subscription_cancel: { enabled: true, mode: 'immediately' } },
    default_return_url: 'https://example.com',
  })
  expect(next).toMatchObject({ active: false, default_return_url: 'https://example.com' })
  expect(next.features.subscription_cancel.mode).toBe('immediately')
  const [shown] = (await configurations.list({ is_default: true })).data
  expect(shown).toMatchObject({ is_default: true, active: true })
  expect((await configurations.list({ active: false })).data.map(({ id }) => id)).toEqual([made.id])
  const { id: customer } = await world.customer()
  const unusable = world.stripe.billingPortal.sessions.create({ customer, configuration: made.id })
  expect(await refusal(unusable)).toMatchObject({ statusCode: 400, param: 'configuration' })
})

test('what a configuration refuses', async () => {
  const { configurations } = world.stripe.billingPortal
  expect(
    await refusal(configurations.create({ features: { subscription_update: { enabled: true } } })),
  ).toMatchObject({
    code: 'parameter_missing',
    param: 'features[subscription_update][default_allowed_updates]',
  })
  const prorated = { enabled: true, proration_behavior: 'create_prorations' as const }
  expect(await refusal(configurations.create({ features: { subscription_cancel: prorated } }))).toMatchObject(
    { param: 'features[subscription_cancel][proration_behavior]' },
  )
})

test('a plan is changed on the page to what is offered, and billed as the configuration says', async () => {
  const { ada, subscription, large, offer } = await subscriber()
  const configuration = (
    await world.stripe.billingPortal.configurations.create({ features: updates([offer]) })
  ).id
  const session = await world.stripe.billingPortal.sessions.create({ customer: ada.id, configuration })
  expect(await (await fetch(session.url)).text()).toContain('Change plan')
  await world.advance(ada.clock, JAN_1 + 15.5 * DAY)
  const fields = { subscription: subscription.id, price: large, quantity: '3' }
  expect((await post(`${session.url}/update`, fields)).status).toBe(303)
  const changed = await world.stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] })
  expect(changed.items.data).toMatchObject([{ price: { id: large }, quantity: 3 }])
  // Half of January is left: -20.00 / 2 + 75.00 / 2.
  expect(changed.latest_invoice).toMatchObject({ status: 'paid', total: 2750 })
  const much = await post(`${session.url}/update`, { ...fields, quantity: '6' })
  expect(much.status).toBe(400)
  expect(await much.text()).toContain('does not allow this quantity')
  const other = (await world.price(9900)).id
  expect((await post(`${session.url}/update`, { ...fields, price: other })).status).toBe(400)
})

test('a downgrade waits for the end of the period, as configured; an upgrade does not', async () => {
  const { stripe } = world
  const { ada, subscription, basic, large, offer } = await subscriber()
  const schedule_at_period_end = { conditions: [{ type: 'decreasing_item_amount' as const }] }
  const features = updates([offer], { schedule_at_period_end })
  const { id: configuration } = await stripe.billingPortal.configurations.create({ features })
  const session = await stripe.billingPortal.sessions.create({ customer: ada.id, configuration })
  const fields = { subscription: subscription.id }
  // 2 × 10.00 becomes 2 × 25.00 at once, and 1 × 10.00 when January is over.
  await post(`${session.url}/update`, { ...fields, price: large })
  expect((await stripe.subscriptions.retrieve(subscription.id)).items.data[0]?.price.id).toBe(large)
  expect((await post(`${session.url}/update`, { ...fields, price: basic, quantity: '1' })).status).toBe(303)
  const waiting = await stripe.subscriptions.retrieve(subscription.id, { expand: ['schedule'] })
  expect(waiting.items.data[0]).toMatchObject({ price: { id: large }, quantity: 2 })
  expect(waiting.schedule).toMatchObject({
    phases: [{ end_date: JAN_1 + 31 * DAY }, { items: [{ price: basic, quantity: 1 }] }],
  })
  await world.advance(ada.clock, JAN_1 + 31 * DAY + 3600)
  const renewed = await stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] })
  expect(renewed.items.data[0]).toMatchObject({ price: { id: basic }, quantity: 1 })
  expect(renewed.latest_invoice).toMatchObject({ total: 1000 })
})

test('a change that the card does not pay for is refused whole', async () => {
  const { ada, subscription, basic, large, offer } = await subscriber()
  await world.setCard(ada.id, 'pm_card_chargeCustomerFail')
  const configuration = (
    await world.stripe.billingPortal.configurations.create({ features: updates([offer]) })
  ).id
  const session = await world.stripe.billingPortal.sessions.create({ customer: ada.id, configuration })
  const declined = await post(`${session.url}/update`, { subscription: subscription.id, price: large })
  expect(declined.status).toBe(402)
  expect(await declined.text()).toContain('Your card was declined.')
  const same = await world.stripe.subscriptions.retrieve(subscription.id)
  expect(same.items.data[0]?.price.id).toBe(basic)
})

test('a flow confirms the proposed change and goes back to the business', async () => {
  const { ada, subscription, large, offer } = await subscriber()
  const configuration = (
    await world.stripe.billingPortal.configurations.create({ features: updates([offer]) })
  ).id
  const session = await world.stripe.billingPortal.sessions.create({
    customer: ada.id,
    configuration,
    flow_data: {
      type: 'subscription_update_confirm',
      after_completion: { type: 'redirect', redirect: { return_url: 'https://example.com/done' } },
      subscription_update_confirm: {
        subscription: subscription.id,
        items: [{ id: subscription.items.data[0]?.id as string, price: large, quantity: 1 }],
      },
    },
  })
  expect(await (await fetch(session.url)).text()).toContain('1 × Team, $25.00 / month')
  const answer = await post(`${session.url}/confirm`, {})
  expect([answer.status, answer.headers.get('location')]).toEqual([303, 'https://example.com/done'])
  const changed = await world.stripe.subscriptions.retrieve(subscription.id)
  expect(changed.items.data).toMatchObject([{ price: { id: large }, quantity: 1 }])
})

test('canceling at once asks for a reason that the configuration offers', async () => {
  const { ada, subscription } = await subscriber()
  const { id } = await world.stripe.billingPortal.configurations.create({
    features: {
      subscription_cancel: {
        enabled: true,
        mode: 'immediately',
        cancellation_reason: { enabled: true, options: ['too_expensive', 'other'] },
      },
    },
  })
  const session = await world.stripe.billingPortal.sessions.create({
    customer: ada.id,
    configuration: id,
    flow_data: {
      type: 'subscription_cancel',
      after_completion: { type: 'hosted_confirmation', hosted_confirmation: { custom_message: 'See you.' } },
      subscription_cancel: { subscription: subscription.id },
    },
  })
  const fields = { subscription: subscription.id, feedback: 'unused' }
  expect((await post(`${session.url}/cancel`, fields)).status).toBe(400)
  const answer = await post(`${session.url}/cancel`, { ...fields, feedback: 'too_expensive' })
  const done = await fetch(new URL(answer.headers.get('location') as string, session.url))
  expect(await done.text()).toContain('See you.')
  expect(await world.stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'canceled',
    cancellation_details: { reason: 'cancellation_requested', feedback: 'too_expensive' },
  })
  const card = await post(`${session.url}/method`, { card: 'pm_card_visa' })
  expect(card.status).toBe(400)
})

test('a plan is paused and resumed on the page, for as long as the customer likes', async () => {
  const { stripe } = world
  const { configurations } = stripe.billingPortal
  const ends = configurations.create({ features: { subscription_pause: { enabled: true } } })
  expect(await refusal(ends)).toMatchObject({
    code: 'simulator_gap',
    param: 'features[subscription_pause][duration][type]',
  })
  const { id: configuration } = await configurations.create({
    features: { subscription_pause: { enabled: true, duration: { type: 'indefinite' } } },
  })
  const { ada, subscription } = await subscriber()
  const session = await stripe.billingPortal.sessions.create({
    customer: ada.id,
    configuration,
    flow_data: { type: 'subscription_pause', subscription_pause: { subscription: subscription.id } },
  })
  const fields = { subscription: subscription.id }
  expect(await (await fetch(session.url)).text()).toContain('Pause plan')
  expect((await post(`${session.url}/pause`, fields)).status).toBe(303)
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('paused')
  expect(await (await fetch(session.url)).text()).toContain('Resume plan')
  expect((await post(`${session.url}/resume`, fields)).status).toBe(303)
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
  expect((await post(`${session.url}/cancel`, fields)).status).toBe(400)
})

// docs.stripe.com/customer-management/cancellation-page: "deflect the cancellation by offering a retention coupon"
test('who would leave is offered a coupon and stays: 20 % off 2 × 10.00', async () => {
  const { stripe } = world
  const { ada, subscription } = await subscriber()
  const coupon = (await stripe.coupons.create({ percent_off: 20, duration: 'forever' })).id
  const flow = (offered: string): Stripe.BillingPortal.SessionCreateParams.FlowData => ({
    type: 'subscription_cancel',
    subscription_cancel: {
      subscription: subscription.id,
      retention: { type: 'coupon_offer', coupon_offer: { coupon: offered } },
    },
  })
  const session = await stripe.billingPortal.sessions.create({ customer: ada.id, flow_data: flow(coupon) })
  expect(session.flow?.subscription_cancel).toEqual({
    subscription: subscription.id,
    retention: { type: 'coupon_offer', coupon_offer: { coupon } },
  })
  expect(await (await fetch(session.url)).text()).toContain(`Stay, with ${coupon}`)
  const types = await world.typesDuring(() => post(`${session.url}/accept`, {}))
  expect(types).toEqual(['customer.discount.created', 'customer.subscription.updated'])
  const stays = await stripe.subscriptions.retrieve(subscription.id, { expand: ['discounts'] })
  expect(stays).toMatchObject({ cancel_at: null, discounts: [{ source: { coupon } }] })
  await world.advance(ada.clock, JAN_1 + 31 * DAY + 3600)
  expect((await world.invoices(subscription.id)).at(-1)).toMatchObject({ subtotal: 2000, total: 1600 })
  const unknown = stripe.billingPortal.sessions.create({ customer: ada.id, flow_data: flow('nothing') })
  expect(await refusal(unknown)).toMatchObject({ code: 'resource_missing' })
  const plain = await stripe.billingPortal.sessions.create({ customer: ada.id })
  expect((await post(`${plain.url}/accept`, {})).status).toBe(400)
})

test('a promotion code is taken where the configuration takes them', async () => {
  const { stripe } = world
  const { ada, subscription, large, offer } = await subscriber()
  const coupon = (await stripe.coupons.create({ percent_off: 50, duration: 'forever' })).id
  await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon }, code: 'HALF' })
  const on = (kinds: Update['default_allowed_updates']) =>
    updates([offer], { default_allowed_updates: kinds as ('price' | 'promotion_code')[] })
  const open = async (features: Features) => {
    const { id: configuration } = await stripe.billingPortal.configurations.create({ features })
    return stripe.billingPortal.sessions.create({ customer: ada.id, configuration, locale: 'de' })
  }
  const fields = { subscription: subscription.id, promotion_code: 'HALF' }
  expect((await post(`${(await open(on(['price']))).url}/update`, fields)).status).toBe(400)
  const session = await open(on(['price', 'promotion_code']))
  expect(session.locale).toBe('de')
  expect(await (await fetch(session.url)).text()).toContain('Promotion code')
  expect((await post(`${session.url}/update`, fields)).status).toBe(303)
  const half = await stripe.subscriptions.retrieve(subscription.id, { expand: ['discounts'] })
  expect(half.discounts).toMatchObject([
    { source: { coupon }, promotion_code: expect.stringMatching(/^promo_/) as string },
  ])
  expect((await post(`${session.url}/update`, { ...fields, price: large })).status).toBe(303)
  expect((await stripe.subscriptions.retrieve(subscription.id)).items.data[0]?.price.id).toBe(large)
  expect((await post(`${session.url}/update`, { ...fields, promotion_code: 'NONE' })).status).toBe(400)
})

test('address, shipping and tax id are changed where the configuration lets them', async () => {
  const { stripe } = world
  const { id: customer } = await world.customer()
  const allowed_updates = ['address', 'shipping', 'tax_id'] as const
  const { id: configuration } = await stripe.billingPortal.configurations.create({
    features: { customer_update: { enabled: true, allowed_updates: [...allowed_updates] } },
  })
  const session = await stripe.billingPortal.sessions.create({ customer, configuration })
  const details = {
    ...{ line1: 'Hauptstr. 1', country: 'DE', 'shipping[name]': 'Ada', 'shipping[line1]': 'Nebenstr. 2' },
    ...{ 'tax_id[type]': 'eu_vat', 'tax_id[value]': 'DE123456789' },
  }
  expect((await post(`${session.url}/details`, details)).status).toBe(303)
  expect(await stripe.customers.retrieve(customer)).toMatchObject({
    address: { line1: 'Hauptstr. 1', country: 'DE', city: null },
    shipping: { name: 'Ada', address: { line1: 'Nebenstr. 2' } },
  })
  expect((await stripe.customers.listTaxIds(customer)).data).toMatchObject([{ value: 'DE123456789' }])
  expect((await post(`${session.url}/details`, { email: 'ada@example.org' })).status).toBe(400)
})

// The words as recorded of Stripe by others.
test('flows that cannot be', async () => {
  const { stripe } = world
  const { ada, subscription, basic, large, offer } = await subscriber()
  const { sessions, configurations } = stripe.billingPortal
  const item = subscription.items.data[0]?.id as string
  const confirm = (price: string, configuration?: string) =>
    sessions.create({
      ...{ customer: ada.id, ...(configuration === undefined ? {} : { configuration }) },
      flow_data: {
        type: 'subscription_update_confirm',
        subscription_update_confirm: { subscription: subscription.id, items: [{ id: item, price }] },
      },
    })
  expect((await refusal(confirm(large))).message).toBe(
    'This subscription cannot be updated because the subscription update feature in the portal configuration is disabled.',
  )
  const { id } = await configurations.create({ features: updates([{ ...offer, prices: [basic] }]) })
  expect((await refusal(confirm(large, id))).message).toBe(
    `The item \`${item}\` cannot be updated to price \`${large}\` because the configuration \`${id}\` does not include the price in its \`features[subscription_update][products]\`.`,
  )
  expect((await refusal(confirm(basic, id))).message).toBe(
    'Cannot update the subscription because there are no changes to confirm.',
  )
  await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })
  const leave = {
    type: 'subscription_cancel',
    subscription_cancel: { subscription: subscription.id },
  } as const
  expect((await refusal(sessions.create({ customer: ada.id, flow_data: leave }))).message).toBe(
    `The subscription ${subscription.id} is already set to be canceled at period end.`,
  )
})

test('a flow of a feature that is off is refused', async () => {
  const { ada, subscription } = await subscriber()
  const flow_data = {
    type: 'subscription_update' as const,
    subscription_update: { subscription: subscription.id },
  }
  const call = world.stripe.billingPortal.sessions.create({ customer: ada.id, flow_data })
  expect(await refusal(call)).toMatchObject({ statusCode: 400, param: 'flow_data[type]' })
})
