// docs.stripe.com/billing/testing/test-clocks
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newReceiver } from './receiver.ts'
import { DAY, HOUR, JAN_1, newWorld, refusal } from './world.ts'

test('forward only, two intervals at most, three customers a clock, three subscriptions a customer', async () => {
  const world = await newWorld()
  const { stripe } = world
  const price = await world.price(1000)
  const { id, clock } = await world.customer()
  await stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
  const back = await refusal(stripe.testHelpers.testClocks.advance(clock, { frozen_time: JAN_1 }))
  expect(back).toMatchObject({ statusCode: 400, param: 'frozen_time' })
  const far = await refusal(stripe.testHelpers.testClocks.advance(clock, { frozen_time: JAN_1 + 60 * DAY }))
  expect(far.message).toBe(
    // As several have met it: github.com search for "based on the shortest subscription interval in the test clock".
    'The frozen time of this clock is 1767225600 (2026-01-01 00:00:00 UTC). You can only advance it up to 1772323200 (2026-03-01 00:00:00 UTC). You can only advance a test clock up to two intervals from the current frozen time at a time, based on the shortest subscription interval in the test clock. For example, if a test clock has a monthly and yearly subscription, you may only advance up to two months at a time. If the test clock has no subscriptions or subscription schedules, you can advance up to 2 years from the current frozen time.',
  )
  await stripe.customers.create({ test_clock: clock })
  await stripe.customers.create({ test_clock: clock })
  expect((await refusal(stripe.customers.create({ test_clock: clock }))).param).toBe('test_clock')
  for (let i = 0; i < 2; i++)
    await stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
  const fourth = await refusal(stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] }))
  expect(fourth.code).toBe('customer_max_subscriptions')
  await world.close()
})

test('a schedule that has not begun holds its clock to two intervals, too; without any it is two years', async () => {
  // docs.stripe.com/billing/testing/test-clocks/api-advanced-usage: "If the test clock has no subscriptions or subscription schedules,
  // you can advance it up to two years from the initial frozen time."
  const world = await newWorld()
  const { stripe } = world
  const price = await world.price(1000)
  const { id, clock } = await world.customer()
  const advance = (frozen_time: number) => stripe.testHelpers.testClocks.advance(clock, { frozen_time })
  // 2026 and 2027 have 365 days.
  expect((await refusal(advance(JAN_1 + 730 * DAY + 1))).statusCode).toBe(400)
  await stripe.subscriptionSchedules.create({
    customer: id,
    start_date: JAN_1 + 20 * DAY,
    phases: [{ items: [{ price: price.id }], duration: { interval: 'month', interval_count: 3 } }],
  })
  // To March 1, as of a subscription that has begun.
  expect((await refusal(advance(JAN_1 + 60 * DAY))).message).toContain('up to 1772323200')
  await world.advance(clock, JAN_1 + 59 * DAY)
  await world.close()
})

test('a clock that is not there is called by the name that Stripe has for clocks', async () => {
  // "No such billingclock" is what a deleted clock answers, and an unknown one where a list is filtered by it:
  // github.com/crvouga/mockingbird, docs/catalog-coverage.md; its path parameter is `test_clock`.
  const world = await newWorld()
  const { testClocks } = world.stripe.testHelpers
  const missing = {
    code: 'resource_missing',
    message: "No such billingclock: 'clock_nope'",
    param: 'test_clock',
  }
  for (const call of [testClocks.retrieve('clock_nope'), testClocks.del('clock_nope')]) {
    expect(await refusal(call)).toMatchObject({ statusCode: 404, ...missing })
  }
  const advanced = testClocks.advance('clock_nope', { frozen_time: JAN_1 })
  expect(await refusal(advanced)).toMatchObject({ statusCode: 404, ...missing })
  for (const call of [
    world.stripe.customers.list({ test_clock: 'clock_nope' }),
    world.stripe.customers.create({ test_clock: 'clock_nope' }),
  ]) {
    expect(await refusal(call)).toMatchObject({ statusCode: 400, ...missing })
  }
  await world.close()
})

test('advancing is asynchronous; meanwhile reads work and writes are refused', async () => {
  const receiver = await newReceiver('whsec_slow')
  const world = await newWorld({ webhooks: [{ url: receiver.url, secret: 'whsec_slow' }] })
  const { stripe } = world
  const { id, clock } = await world.customer()
  const price = await world.price(1000)
  await stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
  await world.simulator.control.idle()
  // The clock waits with the renewal's draft for a receiver that takes its time.
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let reached = () => {}
  const waiting = new Promise<void>((resolve) => {
    reached = resolve
  })
  receiver.answerWith(async (event) => {
    if (event.type === 'invoice.created') {
      reached()
      await released
    }
    return 200
  })
  const target = JAN_1 + 32 * DAY
  expect(await stripe.testHelpers.testClocks.advance(clock, { frozen_time: target })).toMatchObject({
    status: 'advancing',
    frozen_time: JAN_1,
    status_details: { advancing: { target_frozen_time: target } },
  })
  await waiting
  expect((await stripe.customers.retrieve(id)).id).toBe(id)
  const [draft] = (await stripe.invoices.list({ customer: id, status: 'draft' })).data
  for (const write of [
    stripe.customers.update(id, { name: 'x' }),
    stripe.invoiceItems.create({ customer: id, amount: 1, currency: 'usd' }),
    stripe.invoices.finalizeInvoice(draft?.id as string),
    stripe.testHelpers.testClocks.advance(clock, { frozen_time: target + DAY }),
  ]) {
    const refused = await refusal(write)
    expect(refused.statusCode).toBe(429)
    expect(refused.message).toBe(`Test clock advancement underway - cannot perform modifications: ${clock}`)
  }
  release()
  await world.simulator.control.idle()
  expect(await stripe.testHelpers.testClocks.retrieve(clock)).toMatchObject({
    status: 'ready',
    frozen_time: target,
  })
  await world.close()
  await receiver.close()
})

test('a deleted clock takes its customers and subscriptions with it', async () => {
  const world = await newWorld()
  const { stripe } = world
  const price = await world.price(1000)
  const { id, clock } = await world.customer()
  const subscription = await stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
  expect(await stripe.testHelpers.testClocks.del(clock)).toMatchObject({ deleted: true })
  expect(await stripe.customers.retrieve(id)).toMatchObject({ deleted: true })
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled')
  expect((await refusal(stripe.testHelpers.testClocks.retrieve(clock))).statusCode).toBe(404)
  await world.close()
})

test('without a clock, objects live in wall time', async () => {
  const world = await newWorld()
  const customer = await world.stripe.customers.create({ payment_method: 'pm_card_visa' })
  const [method] = (await world.stripe.customers.listPaymentMethods(customer.id)).data
  const price = await world.price(1000)
  const asked = Math.floor(Date.now() / 1000)
  const subscription = await world.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    default_payment_method: method?.id as string,
  })
  expect(subscription.created).toBeGreaterThanOrEqual(asked)
  expect(subscription.created).toBeLessThanOrEqual(Date.now() / 1000)
  expect((await world.stripe.subscriptions.list()).data.map((row) => row.id)).toEqual([subscription.id])
  await world.close()
})

test('in wall time a timer finalizes what is due', async () => {
  const receiver = await newReceiver('whsec_wall')
  const world = await newWorld({
    settings: { draftSeconds: 0 },
    webhooks: [{ url: receiver.url, secret: 'whsec_wall', enabledEvents: ['invoice.finalized'] }],
  })
  const customer = await world.stripe.customers.create({ email: 'ada@example.com' })
  const price = await world.price(1000)
  const subscription = await world.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    collection_method: 'send_invoice',
    days_until_due: 5,
  })
  await receiver.arrived(1)
  expect((await world.invoices(subscription.id)).map((invoice) => invoice.status)).toEqual(['open'])
  await world.close()
  await receiver.close()
})

test('a restart from the state file goes on as if nothing had been', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'simulator-'))
  const stateFile = join(folder, 'state.json')
  const receiver = await newReceiver('whsec_state')
  const webhooks = [{ url: receiver.url, secret: 'whsec_state' }]

  const first = await newWorld({ stateFile, webhooks })
  const price = await first.price(1000)
  const { id, clock } = await first.customer()
  const key = { idempotencyKey: 'across' }
  const made = await first.stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] }, key)
  await first.simulator.control.idle()
  first.simulator.control.setDelivery({ mode: 'off' })
  await first.stripe.customers.update(id, { name: 'Ada' })
  const delivered = receiver.received.length
  await first.close()

  const second = await newWorld({ stateFile, webhooks, seed: 8 })
  await second.simulator.control.idle()
  // What had not been sent is sent now, to the one endpoint there is.
  expect(receiver.received).toHaveLength(delivered + 1)
  expect(receiver.types().at(-1)).toBe('customer.updated')
  const replay = await second.stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] }, key)
  expect(replay.id).toBe(made.id)
  expect(replay.lastResponse.headers['idempotent-replayed']).toBe('true')
  await second.advance(clock, JAN_1 + 31 * DAY + HOUR)
  const invoices = await second.invoices(made.id)
  expect(invoices.map((invoice) => [invoice.total, invoice.status])).toEqual([
    [1000, 'paid'],
    [1000, 'paid'],
  ])
  const update = (await second.events(['customer.subscription.updated'])).at(-1)
  expect(update?.data.previous_attributes).toMatchObject({
    items: { data: [{ current_period_end: JAN_1 + 31 * DAY }] },
  })
  await second.close()
  await receiver.close()
  rmSync(folder, { recursive: true })
})
