// The event sets of docs.stripe.com/billing/subscriptions/webhooks, where events.test.ts leaves off
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { DAY, HOUR, JAN_1, newWorld, refusal, type World } from './world.ts'

const FEB_1 = JAN_1 + 31 * DAY

let world: World
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())
afterEach(() => {
  vi.useRealTimers()
})

const seen = async (story: () => Promise<unknown>) =>
  (await world.typesDuring(story)).filter((type) => !type.startsWith('test_helpers.')).sort()

async function running(card = 'pm_card_visa') {
  const ada = await world.customer({ card })
  const price = (await world.price(2500)).id
  const subscription = await world.stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  return { ada, price, subscription }
}

test('a first payment that asks for its holder, and is authenticated', async () => {
  const { stripe, simulator } = world
  const ada = await world.customer({ card: 'pm_card_authenticationRequired' })
  const price = (await world.price(2500)).id
  let id = ''
  const before = await seen(async () => {
    id = (await stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })).id
  })
  expect(before).toEqual(
    expect.arrayContaining([
      'customer.subscription.created',
      'invoice.created',
      'invoice.finalized',
      'invoice.payment_action_required',
      'invoice.payment_failed',
      'payment_intent.created',
      'payment_intent.requires_action',
    ]),
  )
  expect(before).not.toContain('charge.failed')
  const [invoice] = await world.invoices(id)
  const payments = await stripe.invoicePayments.list({ invoice: invoice?.id as string })
  const intent = payments.data[0]?.payment.payment_intent as string
  const after = await seen(() => Promise.resolve(simulator.control.authenticate(intent, 'succeed')))
  expect(after).toEqual([
    'charge.succeeded',
    'customer.subscription.updated',
    'customer.updated',
    'invoice.paid',
    'invoice.payment_succeeded',
    'invoice.updated',
    'invoice_payment.paid',
    'payment_intent.succeeded',
  ])
  expect((await stripe.subscriptions.retrieve(id)).status).toBe('active')
})

test('cancel at the end of the period: updated now, deleted then', async () => {
  const { ada, subscription } = await running()
  const planned = await seen(() =>
    world.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true }),
  )
  expect(planned).toEqual(['customer.subscription.updated'])
  expect(await seen(() => world.advance(ada.clock, FEB_1 + 2 * HOUR))).toEqual([
    'customer.subscription.deleted',
  ])
})

test('pause_collection says only updated', async () => {
  const { subscription } = await running()
  const { stripe } = world
  const paused = await seen(() =>
    stripe.subscriptions.update(subscription.id, { pause_collection: { behavior: 'void' } }),
  )
  expect(paused).toEqual(['customer.subscription.updated'])
  const resumed = await seen(() => stripe.subscriptions.update(subscription.id, { pause_collection: '' }))
  expect(resumed).toEqual(['customer.subscription.updated'])
})

test('a trial without a card pauses, and resumes when there is one', async () => {
  const { stripe } = world
  const ada = await world.customer({ card: null })
  const price = (await world.price(2500)).id
  const { id } = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price }],
    trial_period_days: 7,
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  })
  const paused = await seen(() => world.advance(ada.clock, JAN_1 + 7 * DAY))
  expect(paused).toEqual([
    'customer.subscription.paused',
    'customer.subscription.trial_will_end',
    'customer.subscription.updated',
  ])
  await world.setCard(ada.id, 'pm_card_visa')
  const resumed = await seen(() =>
    stripe.subscriptions.resume(id, { payment_behavior: 'resume_on_payment_success' }),
  )
  expect(resumed).toEqual(
    expect.arrayContaining([
      'customer.subscription.resumed',
      'customer.subscription.updated',
      'invoice.paid',
    ]),
  )
})

test('a discount is added, and ends', async () => {
  const { ada, subscription } = await running()
  const { stripe } = world
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: 'once' })
  const added = await seen(() =>
    stripe.subscriptions.update(subscription.id, { discounts: [{ coupon: coupon.id }] }),
  )
  expect(added).toEqual(['customer.discount.created', 'customer.subscription.updated'])
  const renewed = await seen(() => world.advance(ada.clock, FEB_1 + 2 * HOUR))
  expect(renewed).toContain('customer.discount.deleted')
})

test('a key is new again after a day', async () => {
  const { stripe } = world
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  const create = () => stripe.customers.create({ name: 'Ada' }, { idempotencyKey: 'daily' })
  const first = await create()
  vi.setSystemTime(Date.now() + 23 * HOUR * 1000)
  expect((await create()).id).toBe(first.id)
  vi.setSystemTime(Date.now() + 2 * HOUR * 1000)
  expect((await create()).id).not.toBe(first.id)
})

test('no more than 250 pending items, and 250 on an invoice', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const one = { customer: ada.id, amount: 1, currency: 'usd' }
  for (let i = 0; i < 250; i += 50) {
    await Promise.all(Array.from({ length: 50 }, () => stripe.invoiceItems.create(one)))
  }
  expect((await refusal(stripe.invoiceItems.create(one))).message).toContain('250 pending')
  const invoice = await stripe.invoices.create({
    customer: ada.id,
    pending_invoice_items_behavior: 'include',
  })
  expect(invoice.total).toBe(250)
  const full = stripe.invoiceItems.create({ ...one, invoice: invoice.id })
  expect(await refusal(full)).toMatchObject({ statusCode: 400, param: 'invoice' })
})
