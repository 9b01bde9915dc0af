// docs.stripe.com/api/customer_portal/sessions and docs.stripe.com/customer-management
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()

async function visitor() {
  const ada = await world.customer()
  const price = (await world.price(2500)).id
  const subscription = await world.stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  const session = await world.stripe.billingPortal.sessions.create({
    customer: ada.id,
    return_url: 'https://example.com/account',
  })
  return { ada, subscription, session }
}

const post = (url: string, fields: Record<string, string>) =>
  fetch(url, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })

test('a session has a page that lists the plans', async () => {
  const { ada, subscription, session } = await visitor()
  expect(session).toMatchObject({
    object: 'billing_portal.session',
    customer: ada.id,
    return_url: 'https://example.com/account',
    flow: null,
  })
  const page = await (await fetch(session.url)).text()
  expect(page).toContain(subscription.id)
  expect(page).toContain('https://example.com/account')
  expect((await world.events(['billing_portal.session.created'])).length).toBeGreaterThan(0)
})

test('a plan is canceled with its period, and kept after all', async () => {
  const { subscription, session } = await visitor()
  const fields = { subscription: subscription.id }
  expect((await post(`${session.url}/cancel`, fields)).status).toBe(303)
  expect(await world.stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'active',
    cancel_at_period_end: false,
    cancel_at: JAN_1 + 31 * DAY,
    cancellation_details: { reason: 'cancellation_requested' },
  })
  expect(await (await fetch(session.url)).text()).toContain('Keep plan')
  await post(`${session.url}/keep`, fields)
  expect(await world.stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    cancel_at_period_end: false,
    cancel_at: null,
  })
})

test('the only plan need not be named, one of two has to be', async () => {
  const { ada, subscription, session } = await visitor()
  world.simulator.control.actInPortal(session.id, { action: 'cancel' })
  const { cancel_at: end, items } = await world.stripe.subscriptions.retrieve(subscription.id)
  expect(end).toBe(items.data[0]?.current_period_end)
  const price = items.data[0]?.price.id
  await world.stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  const unnamed = await fetch(`${session.url}/keep`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  expect(unnamed.status).toBe(400)
  expect(await unnamed.json()).toMatchObject({
    error: { code: 'parameter_missing', message: 'Missing required param: subscription.' },
  })
})

test('the card is changed: attached, and the default from then on', async () => {
  const { ada, session } = await visitor()
  const types = await world.typesDuring(() => post(`${session.url}/method`, { card: 'pm_card_mastercard' }))
  expect(types).toEqual(['payment_method.attached', 'customer.updated'])
  const customer = await world.stripe.customers.retrieve(ada.id, {
    expand: ['invoice_settings.default_payment_method'],
  })
  expect(customer).toMatchObject({
    invoice_settings: { default_payment_method: { card: { brand: 'mastercard' } } },
  })
  const declined = await post(`${session.url}/method`, { card: 'pm_card_chargeDeclined' })
  expect(declined.status).toBe(402)
  expect(await declined.text()).toContain('Your card was declined.')
})

test('a flow is for one’s own subscription', async () => {
  const { ada, subscription } = await visitor()
  const other = await visitor()
  const flow_data = {
    type: 'subscription_cancel' as const,
    subscription_cancel: { subscription: subscription.id },
  }
  const session = await world.stripe.billingPortal.sessions.create({ customer: ada.id, flow_data })
  expect(session.flow).toMatchObject(flow_data)
  const foreign = world.stripe.billingPortal.sessions.create({ customer: other.ada.id, flow_data })
  expect(await refusal(foreign)).toMatchObject({
    statusCode: 400,
    param: 'flow_data[subscription_cancel][subscription]',
  })
})

test('a flow leads to its subscription, which need not be picked again', async () => {
  const { ada, subscription } = await visitor()
  const { stripe, simulator } = world
  const session = await stripe.billingPortal.sessions.create({
    customer: ada.id,
    flow_data: { type: 'subscription_cancel', subscription_cancel: { subscription: subscription.id } },
  })
  simulator.control.actInPortal(session.id, { action: 'cancel' })
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    cancel_at: subscription.items.data[0]?.current_period_end,
  })
})
