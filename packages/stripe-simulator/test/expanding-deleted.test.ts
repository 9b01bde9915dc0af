// docs.stripe.com/api/customers/delete: a deleted customer stays readable as `{ id, object, deleted }`. The client
// declares every field that names one as `string | Customer | DeletedCustomer`, and so those of products and prices.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DAY, JAN_1, newWorld } from './world.ts'

const world = await newWorld()
const { stripe } = world
afterAll(world.close)

let customer: string
/** One of everything that names a customer. */
beforeAll(async () => {
  const ada = await world.customer()
  customer = ada.id
  const price = (await world.price(1000)).id
  const method = (await stripe.paymentMethods.list({ customer })).data[0]?.id as string
  await stripe.subscriptions.create({ customer, items: [{ price }] })
  await stripe.subscriptionSchedules.create({
    customer,
    start_date: JAN_1 + DAY,
    phases: [{ items: [{ price }], duration: { interval: 'month', interval_count: 1 } }],
  })
  const draft = await stripe.invoices.create({ customer })
  await stripe.invoiceItems.create({ customer, invoice: draft.id, amount: 500, currency: 'usd' })
  await stripe.invoices.finalizeInvoice(draft.id)
  await stripe.creditNotes.create({ invoice: draft.id, amount: 100 })
  const paid = await stripe.paymentIntents.create({
    ...{ customer, payment_method: method, amount: 1000, currency: 'usd', confirm: true, off_session: true },
  })
  await stripe.refunds.create({ payment_intent: paid.id, amount: 100 })
  await stripe.setupIntents.create({ customer })
  await stripe.checkout.sessions.create({
    ...{ customer, mode: 'setup', currency: 'usd', success_url: 'https://example.com/done' },
  })
  const coupon = (await stripe.coupons.create({ percent_off: 10 })).id
  await stripe.promotionCodes.create({ customer, promotion: { type: 'coupon', coupon } })
  await stripe.customers.del(customer)
})

const LISTS = [
  'subscriptions?status=all&customer=$',
  'subscription_schedules?limit=9',
  'invoices?limit=9',
  'invoiceitems?limit=9',
  'credit_notes?limit=9',
  'payment_intents?limit=9',
  'charges?limit=9',
  'setup_intents?limit=9',
  'checkout/sessions?limit=9',
  'promotion_codes?limit=9',
]

const VERSIONS = ['2026-10-28.endive', '2025-03-31.basil', '2024-06-20']

test.each(LISTS.flatMap((list) => VERSIONS.map((version) => [list, version] as const)))(
  'what is left of a deleted customer: %s, %s',
  async (list, version) => {
    const answer = await fetch(
      `${world.simulator.url}/v1/${list.replace('$', customer)}&expand[]=data.customer`,
      {
        headers: { authorization: 'Bearer sk_test_any', 'stripe-version': version },
      },
    )
    const { data } = (await answer.json()) as { data: { customer: unknown }[] }
    const shown = data.map((row) => row.customer)
    expect(shown.length).toBeGreaterThan(0)
    for (const one of shown) expect(one).toEqual({ id: customer, object: 'customer', deleted: true })
  },
)

test('one level down it is the same', async () => {
  const [charge] = (await stripe.charges.list({ expand: ['data.payment_intent.customer'] })).data
  expect(charge).toMatchObject({ payment_intent: { customer: { id: customer, deleted: true } } })
})

test('a product whose plan was deleted may be deleted; who has the plan keeps it', async () => {
  const ada = await world.customer()
  const { id: product } = await stripe.products.create({ id: 'gold', name: 'Gold' })
  const plan = await stripe.plans.create({ product, amount: 900, currency: 'usd', interval: 'month' })
  const { id } = await stripe.subscriptions.create({ customer: ada.id, items: [{ price: plan.id }] })
  await stripe.plans.del(plan.id)
  expect(await stripe.products.del(product)).toMatchObject({ id: product, deleted: true })
  await expect(stripe.products.retrieve(product)).rejects.toMatchObject({ statusCode: 404 })
  await expect(world.price(500, { product })).rejects.toMatchObject({ statusCode: 400, param: 'product' })
  expect((await stripe.products.list({ limit: 100 })).data.map((one) => one.id)).not.toContain(product)
  const gone = { id: product, object: 'product', deleted: true }
  // What it is called is still said of what is changed.
  const item = (await stripe.subscriptions.retrieve(id)).items.data[0]?.id as string
  await stripe.subscriptions.update(id, { items: [{ id: item, quantity: 2 }] })
  const { data: prorations } = await stripe.invoiceItems.list({ customer: ada.id, pending: true })
  expect(prorations.map(({ description }) => `${description}`).sort()).toEqual([
    expect.stringMatching(/^Remaining time on 2 × Gold after /),
    expect.stringMatching(/^Unused time on Gold after /),
  ])
  await stripe.subscriptions.update(id, { items: [{ id: item, quantity: 1 }] })
  const read = await stripe.subscriptions.retrieve(id, { expand: ['items.data.price.product'] })
  expect(read.items.data[0]?.price.product).toEqual(gone)
  await world.advance(ada.clock, JAN_1 + 32 * DAY)
  const [renewed] = (await world.invoices(id)).slice(-1)
  expect(renewed).toMatchObject({ billing_reason: 'subscription_cycle', status: 'paid', total: 900 })
  expect(await stripe.products.create({ id: 'gold', name: 'Gold again' })).toMatchObject({
    name: 'Gold again',
  })
})

test('a schedule that names a deleted plan', async () => {
  const { id: product } = await stripe.products.create({ name: 'Silver' })
  const { id } = await stripe.plans.create({ product, amount: 900, currency: 'usd', interval: 'month' })
  const ada = await world.customer()
  const schedule = await stripe.subscriptionSchedules.create({
    customer: ada.id,
    start_date: JAN_1 + DAY,
    phases: [{ items: [{ price: id }], duration: { interval: 'month', interval_count: 1 } }],
  })
  await stripe.plans.del(id)
  const read = await stripe.subscriptionSchedules.retrieve(schedule.id, { expand: ['phases.items.price'] })
  expect(read.phases[0]?.items[0]?.price).toEqual({ id, object: 'price', deleted: true })
})
