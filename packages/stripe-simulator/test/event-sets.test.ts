// What holds across event sets (event-table.test.ts has one case a set), and two limits.
import { afterEach, expect, test, vi } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()
afterEach(() => {
  vi.useRealTimers()
})

const seen = async (story: () => Promise<unknown>) =>
  (await world.typesDuring(story)).filter((type) => !type.startsWith('test_helpers.')).sort()

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
