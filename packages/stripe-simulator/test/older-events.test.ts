import { afterEach, expect, test } from 'vitest'
import { clientOf, type Loose } from './clients.ts'
import { newReceiver } from './receiver.ts'
import { HOUR, JAN_1, newWorld } from './world.ts'

const FEB_1 = JAN_1 + 31 * 86_400
const MAR_1 = FEB_1 + 28 * 86_400
const SECRET = 'whsec_test'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

async function world(options: { accountVersion?: string; endpointVersion?: string }) {
  const receiver = await newReceiver(SECRET)
  const made = await newWorld({
    ...(options.accountVersion === undefined ? {} : { apiVersion: options.accountVersion }),
    webhooks: [
      {
        url: receiver.url,
        secret: SECRET,
        ...(options.endpointVersion === undefined ? {} : { apiVersion: options.endpointVersion }),
      },
    ],
  })
  open.push(made.close, receiver.close)
  const told = (type: string): Loose[] =>
    receiver.received.filter(({ event }) => event.type === type).map(({ event }) => event)
  return { ...made, told }
}

/** One monthly subscription, through its first renewal. */
async function renewed({ customer, price, stripe, advance }: Awaited<ReturnType<typeof world>>) {
  const ada = await customer()
  const { id } = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: (await price(2000)).id }],
  })
  await advance(ada.clock, FEB_1 + 2 * HOUR)
  return { id, ada }
}

test('an endpoint gets its events in its own version', async () => {
  // https://docs.stripe.com/webhooks/versioning
  const here = await world({ endpointVersion: '2024-06-20' })
  const { id } = await renewed(here)
  const [created] = here.told('customer.subscription.created')
  expect(created.api_version).toBe('2024-06-20')
  expect(created.data.object).toMatchObject({ id, current_period_start: JAN_1, current_period_end: FEB_1 })
  expect(created.data.object).not.toHaveProperty('billing_mode')
  // What changed is told in the older version's fields.
  const renewal = here
    .told('customer.subscription.updated')
    .find(({ data }) => data.object.current_period_end === MAR_1)
  expect(renewal.data.previous_attributes).toMatchObject({
    current_period_start: JAN_1,
    current_period_end: FEB_1,
  })
  expect(renewal.data.previous_attributes).not.toHaveProperty('items')

  const [first, second] = here.told('invoice.paid')
  expect(first.data.object).toMatchObject({
    subscription: id,
    paid: true,
    billing_reason: 'subscription_create',
  })
  expect(second.data.object).toMatchObject({
    subscription: id,
    paid: true,
    billing_reason: 'subscription_cycle',
  })
  expect(second.data.object.charge).toMatch(/^ch_/)
  expect(second.data.object.lines.data[0].price).toMatchObject({ object: 'price', unit_amount: 2000 })
  // A draft has no intent yet, whatever became of it until the event arrived.
  const draft = here.told('invoice.created').find(({ data }) => data.object.id === second.data.object.id)
  expect(draft.data.object).toMatchObject({
    status: 'draft',
    paid: false,
    charge: null,
    payment_intent: null,
  })
  const [intent] = here.told('payment_intent.succeeded')
  expect(intent.data.object.invoice).toBe(first.data.object.id)
})

test('the events that are read are in the account’s version, whatever version reads them', async () => {
  // "Each event data is rendered according to Stripe API version at its creation time, specified in event
  // object api_version attribute (not according to your current Stripe API version or Stripe-Version
  // header)." https://docs.stripe.com/api/events/list
  const here = await world({ endpointVersion: '2024-06-20' })
  const { id } = await renewed(here)
  const acacia: Loose = await clientOf(17, here.simulator.port)
  const { data } = await acacia.events.list({ type: 'customer.subscription.created' })
  expect(data[0]).toMatchObject({ api_version: '2026-10-28.endive', data: { object: { id } } })
  expect(data[0].data.object).not.toHaveProperty('current_period_end')
})

test('an account can default to an older version, its endpoints to a newer one', async () => {
  const here = await world({ accountVersion: '2025-02-24.acacia', endpointVersion: '2026-10-28.endive' })
  const { id } = await renewed(here)
  const answer = await fetch(`${here.simulator.url}/v1/subscriptions/${id}`, {
    headers: { authorization: 'Bearer sk_test_x' },
  })
  expect(answer.headers.get('stripe-version')).toBe('2025-02-24.acacia')
  expect(await answer.json()).toMatchObject({ id, current_period_start: FEB_1, current_period_end: MAR_1 })
  const [event]: Loose[] = await here.events(['customer.subscription.created'])
  expect(event).toMatchObject({
    api_version: '2025-02-24.acacia',
    data: { object: { id, current_period_end: FEB_1 } },
  })
  const [told] = here.told('customer.subscription.created')
  expect(told.api_version).toBe('2026-10-28.endive')
  expect(told.data.object).not.toHaveProperty('current_period_end')
})

test('an endpoint without a version follows the account, and its version is checked when it is made', async () => {
  const here = await world({ accountVersion: '2025-08-27.basil' })
  await renewed(here)
  expect(here.told('customer.subscription.created')[0]).toMatchObject({
    api_version: '2025-08-27.basil',
    data: { object: { billing_mode: { type: 'flexible' } } },
  })
  const made = await here.stripe.webhookEndpoints.create({
    url: 'https://example.com/hook',
    enabled_events: ['*'],
    api_version: '2024-06-20',
  })
  expect(made.api_version).toBe('2024-06-20')
  await expect(
    here.stripe.webhookEndpoints.create({
      url: 'https://example.com/hook',
      enabled_events: ['*'],
      api_version: '2024-06-21' as '2024-06-20',
    }),
  ).rejects.toMatchObject({ param: 'api_version' })
})
