// docs.stripe.com/invoicing/overview, .../billing/customer/balance and .../api/invoiceitems
import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { amounts, DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()

test('an invoice is due in the future, within five years', async () => {
  const { stripe } = world
  const { id: customer } = await world.customer()
  const sent = { customer, collection_method: 'send_invoice' } as const
  const price = (await world.price(1000)).id
  for (const [call, param] of [
    [stripe.invoices.create({ ...sent, days_until_due: 1826 }), 'days_until_due'],
    [stripe.invoices.create({ ...sent, due_date: JAN_1 - DAY }), 'due_date'],
    [stripe.invoices.create({ ...sent, due_date: JAN_1 + 1826 * DAY }), 'due_date'],
    [stripe.subscriptions.create({ ...sent, items: [{ price }], days_until_due: 99_999 }), 'days_until_due'],
  ] as const) {
    const error = await refusal(call)
    expect([error.statusCode, error.param]).toEqual([400, param])
  }
  const due = await stripe.invoices.create({ ...sent, days_until_due: 1825 })
  expect(due.due_date).toBe(JAN_1 + 1825 * DAY)
})

test('a manual invoice: draft, items, finalized with a number, paid by hand', async () => {
  const { stripe } = world
  const { id } = await world.customer()
  await stripe.invoiceItems.create({ customer: id, amount: 500, currency: 'usd', description: 'waits' })
  const draft = await stripe.invoices.create({ customer: id })
  expect(draft).toMatchObject({ status: 'draft', auto_advance: false, billing_reason: 'manual', total: 0 })
  await stripe.invoiceItems.create({ customer: id, invoice: draft.id, amount: 700, currency: 'usd' })
  const open = await stripe.invoices.finalizeInvoice(draft.id)
  expect(open).toMatchObject({ status: 'open', total: 700, amount_due: 700, attempted: false })
  const customer = (await stripe.customers.retrieve(id)) as Stripe.Customer
  expect(open.number).toBe(`${customer.invoice_prefix}-0001`)
  expect(customer.next_invoice_sequence).toBe(2)
  expect(open.hosted_invoice_url).toContain(world.simulator.url)
  expect((await fetch(open.hosted_invoice_url as string)).status).toBe(200)
  expect((await fetch(open.invoice_pdf as string)).headers.get('content-type')).toBe('application/pdf')
  expect(await stripe.invoices.pay(open.id)).toMatchObject({ status: 'paid', amount_paid: 700 })
  expect((await stripe.invoiceItems.list({ customer: id, pending: true })).data).toHaveLength(1)
})

test('finalized early, an automatic invoice says when it will be charged, in its event too', async () => {
  const { stripe } = world
  const { id: customer } = await world.customer()
  const draft = await stripe.invoices.create({ customer, auto_advance: true })
  await stripe.invoiceItems.create({ customer, invoice: draft.id, amount: 700, currency: 'usd' })
  const open = await stripe.invoices.finalizeInvoice(draft.id)
  expect(open).toMatchObject({ status: 'open', next_payment_attempt: JAN_1 + HOUR })
  const { data } = await stripe.events.list({ type: 'invoice.finalized', limit: 100 })
  const told = data.find(({ data }) => (data.object as Stripe.Invoice).id === draft.id)
  expect(told?.data.object).toMatchObject({ status: 'open', next_payment_attempt: JAN_1 + HOUR })
})

test('pending items go onto a manual invoice only when they are included', async () => {
  const { stripe } = world
  const { id } = await world.customer()
  await stripe.invoiceItems.create({ customer: id, amount: 500, currency: 'usd' })
  await stripe.invoiceItems.create({
    customer: id,
    currency: 'usd',
    unit_amount_decimal: Stripe.Decimal.from('0.0333'),
    quantity: 10_000,
  })
  const draft = await stripe.invoices.create({ customer: id, pending_invoice_items_behavior: 'include' })
  expect(amounts(draft)).toEqual([500, 333])
  expect(draft.total).toBe(833)
})

test('draft, void, uncollectible, deleted', async () => {
  const { stripe } = world
  const { id } = await world.customer()
  const make = async () => {
    const draft = await stripe.invoices.create({ customer: id })
    await stripe.invoiceItems.create({ customer: id, invoice: draft.id, amount: 900, currency: 'usd' })
    return draft
  }
  const gone = await make()
  expect(await stripe.invoices.del(gone.id)).toEqual(expect.objectContaining({ id: gone.id, deleted: true }))
  expect((await refusal(stripe.invoices.retrieve(gone.id))).statusCode).toBe(404)
  const voided = await make()
  expect((await refusal(stripe.invoices.voidInvoice(voided.id))).statusCode).toBe(400)
  await stripe.invoices.finalizeInvoice(voided.id)
  const after = await stripe.invoices.voidInvoice(voided.id, { expand: ['payments'] })
  expect(after.status).toBe('void')
  expect(after.payments?.data[0]?.status).toBe('canceled')
  const intent = after.payments?.data[0]?.payment.payment_intent as string
  expect(await stripe.paymentIntents.retrieve(intent)).toMatchObject({
    status: 'canceled',
    cancellation_reason: 'void_invoice',
  })
  const lost = await make()
  await stripe.invoices.finalizeInvoice(lost.id)
  expect((await stripe.invoices.markUncollectible(lost.id)).status).toBe('uncollectible')
  expect((await stripe.invoices.pay(lost.id)).status).toBe('paid')
  expect((await refusal(stripe.invoices.del(lost.id))).statusCode).toBe(400)
  const statuses = await stripe.invoices.list({ customer: id, status: 'void' })
  expect(statuses.data.map((invoice) => invoice.id)).toEqual([voided.id])
})

test('the balance: credit pays first, a negative total becomes credit, void gives it back', async () => {
  const { stripe } = world
  const { id } = await world.customer()
  await stripe.customers.createBalanceTransaction(id, { amount: -300, currency: 'usd' })
  const bill = async (amount: number) => {
    const draft = await stripe.invoices.create({ customer: id, currency: 'usd' })
    await stripe.invoiceItems.create({ customer: id, invoice: draft.id, amount, currency: 'usd' })
    return stripe.invoices.finalizeInvoice(draft.id)
  }
  expect(await bill(1000)).toMatchObject({
    total: 1000,
    starting_balance: -300,
    ending_balance: 0,
    amount_due: 700,
    status: 'open',
  })
  expect(await bill(-450)).toMatchObject({ total: -450, amount_due: 0, ending_balance: -450, status: 'paid' })
  const covered = await bill(200)
  expect(covered).toMatchObject({ amount_due: 0, ending_balance: -250, status: 'paid' })
  const open = await bill(1000)
  expect(open).toMatchObject({ amount_due: 750, ending_balance: 0 })
  await stripe.invoices.voidInvoice(open.id)
  expect(await stripe.customers.retrieve(id)).toMatchObject({ balance: -250 })
  const ledger = await stripe.customers.listBalanceTransactions(id)
  expect(ledger.data.map((row) => [row.type, row.amount])).toEqual([
    ['unapplied_from_invoice', -250],
    ['applied_to_invoice', 250],
    ['applied_to_invoice', 200],
    ['applied_to_invoice', -450],
    ['applied_to_invoice', 300],
    ['adjustment', -300],
  ])
})

test('an invoice that is sent is due later, and overdue after that', async () => {
  const { stripe } = world
  const price = await world.price(1000)
  const { id, clock } = await world.customer({ card: null })
  const subscription = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
    collection_method: 'send_invoice',
    days_until_due: 10,
  })
  expect(subscription.status).toBe('active')
  const [draft] = await world.invoices(subscription.id)
  expect(draft).toMatchObject({ status: 'draft', due_date: JAN_1 + 10 * DAY, next_payment_attempt: null })
  await world.advance(clock, JAN_1 + HOUR)
  expect((await world.invoices(subscription.id))[0]?.status).toBe('open')
  const types = await world.typesDuring(() => world.advance(clock, JAN_1 + 10 * DAY))
  expect(types).toContain('invoice.overdue')
  // docs.stripe.com/api/customers/object: "passing the `invoice.due_date` will set this field to `true`"
  expect(types).toContain('customer.updated')
  expect(await stripe.customers.retrieve(id)).toMatchObject({ delinquent: true })
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('past_due')
  const paid = await stripe.invoices.pay(draft?.id as string, { paid_out_of_band: true })
  expect(paid).toMatchObject({ status: 'paid', amount_paid: 1000, amount_remaining: 0 })
  expect(await stripe.customers.retrieve(id)).toMatchObject({ delinquent: false })
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
})

test('lines come ten at a time and can all be listed', async () => {
  const { stripe } = world
  const { id } = await world.customer()
  const draft = await stripe.invoices.create({ customer: id })
  for (let i = 1; i <= 12; i++) {
    await stripe.invoiceItems.create({ customer: id, invoice: draft.id, amount: i, currency: 'usd' })
  }
  const full = await stripe.invoices.retrieve(draft.id)
  expect(full.lines.data).toHaveLength(10)
  expect(full.lines.has_more).toBe(true)
  expect(full.total).toBe(78)
  const all = await stripe.invoices.listLineItems(draft.id, { limit: 5 }).autoPagingToArray({ limit: 100 })
  expect(all.map((line) => line.amount)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
})

test('what an invoice item may be', async () => {
  const { stripe } = world
  const { id } = await world.customer()
  const product = await world.product('Tokens')
  const price = await stripe.prices.create({ currency: 'usd', product: product.id, unit_amount: 250 })
  const priced = await stripe.invoiceItems.create({ customer: id, pricing: { price: price.id }, quantity: 3 })
  expect(priced).toMatchObject({ amount: 750, quantity: 3, description: 'Tokens', discountable: true })
  const inline = await stripe.invoiceItems.create({
    customer: id,
    price_data: { currency: 'usd', product: product.id, unit_amount_decimal: Stripe.Decimal.from('12.5') },
    quantity: 3,
  })
  expect(inline.amount).toBe(38)
  expect(inline.pricing?.price_details?.product).toBe(product.id)
  const listed = await stripe.prices.list({ product: product.id, active: false })
  expect(listed.data).toEqual([])
  const credit = await stripe.invoiceItems.create({ customer: id, amount: -100, currency: 'usd' })
  expect(credit.discountable).toBe(false)
  const updated = await stripe.invoiceItems.update(priced.id, { quantity: 4, metadata: { a: '1' } })
  expect(updated).toMatchObject({ amount: 1000, quantity: 4, metadata: { a: '1' } })
  const recurring = await world.price(100)
  expect(
    await refusal(stripe.invoiceItems.create({ customer: id, pricing: { price: recurring.id } })),
  ).toMatchObject({ statusCode: 400, param: 'pricing[price]' })
  const negative = { currency: 'usd', product: product.id, unit_amount: -1 }
  expect((await refusal(stripe.invoiceItems.create({ customer: id, price_data: negative }))).param).toBe(
    'price_data[unit_amount]',
  )
  expect((await refusal(stripe.invoiceItems.create({ customer: id }))).code).toBe('parameter_missing')
})

test('a preview changes nothing and equals what is then done', async () => {
  const { stripe } = world
  const product = (await world.product()).id
  const small = await world.price(1000, { product })
  const large = await world.price(4000, { product })
  const { id, clock } = await world.customer()
  const subscription = await stripe.subscriptions.create({ customer: id, items: [{ price: small.id }] })
  await world.advance(clock, JAN_1 + 12 * DAY + 12_345)
  const item = subscription.items.data[0]?.id as string
  const before = (await world.events()).length
  const plans = [
    { items: [{ id: item, price: large.id }], proration_behavior: 'always_invoice' as const },
    { billing_cycle_anchor: { type: 'now' as const } },
  ]
  const previews = []
  for (const plan of plans) {
    previews.push(
      await stripe.invoices.createPreview({ subscription: subscription.id, subscription_details: plan }),
    )
  }
  const ending = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: { cancel_now: true },
  })
  // 12 days and 12345 s of 31 days are used.
  expect(ending.total).toBe(-Math.round((1000 * (31 * DAY - 12 * DAY - 12_345)) / (31 * DAY)))
  expect(previews.every((preview) => preview.id.startsWith('upcoming_in_'))).toBe(true)
  expect((await world.events()).length).toBe(before)
  expect(await world.invoices(subscription.id)).toHaveLength(1)
  expect((await stripe.subscriptions.retrieve(subscription.id)).items.data[0]?.price.id).toBe(small.id)

  for (const [i, plan] of plans.entries()) {
    const fresh =
      i === 0
        ? previews[0]
        : await stripe.invoices.createPreview({ subscription: subscription.id, subscription_details: plan })
    const done = await stripe.subscriptions.update(subscription.id, { ...plan, expand: ['latest_invoice'] })
    const invoice = done.latest_invoice as Stripe.Invoice
    expect(amounts(invoice)).toEqual(amounts(fresh as Stripe.Invoice))
    expect(invoice.total).toBe(fresh?.total)
  }
  await stripe.subscriptions.cancel(subscription.id)
  expect(await refusal(stripe.invoices.createPreview({ subscription: subscription.id }))).toMatchObject({
    statusCode: 404,
    code: 'invoice_upcoming_none',
  })
})

test('items are added, changed and removed by themselves', async () => {
  const { stripe } = world
  const [first, second] = [await world.price(1000), await world.price(600)]
  const { id, clock } = await world.customer()
  const subscription = await stripe.subscriptions.create({ customer: id, items: [{ price: first.id }] })
  await world.advance(clock, JAN_1 + (31 * DAY) / 2)
  const added = await stripe.subscriptionItems.create({
    subscription: subscription.id,
    price: second.id,
    quantity: 2,
  })
  expect((await stripe.subscriptionItems.list({ subscription: subscription.id })).data).toHaveLength(2)
  await stripe.subscriptionItems.update(added.id, { quantity: 3 })
  await stripe.subscriptionItems.del(added.id)
  const pending = await stripe.invoiceItems.list({ customer: id, pending: true })
  // Half a month: +600 for two; -600 and +900 for three; -900 for none.
  expect(pending.data.map((item) => item.amount).reverse()).toEqual([600, -600, 900, -900])
  const last = await refusal(stripe.subscriptionItems.del(subscription.items.data[0]?.id as string))
  expect(last.message).toBe(
    'A subscription must have at least one active plan. To cancel a subscription, please use the cancel API endpoint on /v1/subscriptions.',
  )
})

// "must be the ID of a PaymentMethod belonging to the customer", docs.stripe.com/api/invoices/pay
test("another customer's card does not pay", async () => {
  const { stripe } = world
  const [ada, stranger] = [await world.customer({ card: null }), await world.customer()]
  const [card] = (await stripe.paymentMethods.list({ customer: stranger.id })).data
  await stripe.invoiceItems.create({ customer: ada.id, amount: 1000, currency: 'usd' })
  const { id } = await stripe.invoices.create({
    customer: ada.id,
    pending_invoice_items_behavior: 'include',
  })
  await stripe.invoices.finalizeInvoice(id)
  const refused = await refusal(stripe.invoices.pay(id, { payment_method: card?.id as string }))
  expect(refused).toMatchObject({ statusCode: 400, param: 'payment_method' })
  expect((await stripe.invoices.retrieve(id)).status).toBe('open')
})

// docs.stripe.com/api/subscriptions/cancel and docs.stripe.com/billing/customer/balance
test('a last invoice that credits more than it bills is paid with nothing due, and the balance has the rest', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const items = [{ price: (await world.price(3100)).id }]
  const { id } = await stripe.subscriptions.create({ customer: ada.id, items })
  await world.advance(ada.clock, JAN_1 + 10 * DAY)
  // 21 of 31 days are left: 31.00 × 21 / 31 = 21.00.
  await stripe.subscriptions.cancel(id, { prorate: true, invoice_now: true })
  const credits = { total: -2100, amount_due: 0, amount_remaining: 0 }
  const [, draft] = await world.invoices(id)
  expect(draft).toMatchObject({ ...credits, status: 'draft', ending_balance: null })
  const types = await world.typesDuring(() => world.advance(ada.clock, JAN_1 + 10 * DAY + 2 * HOUR))
  expect(types.filter((type) => !type.startsWith('test_helpers'))).toEqual([
    'customer.updated',
    'invoice.finalized',
    'invoice.paid',
    'invoice.payment_succeeded',
  ])
  const [, last] = await world.invoices(id)
  expect(last).toMatchObject({
    ...credits,
    status: 'paid',
    amount_paid: 0,
    starting_balance: 0,
    ending_balance: -2100,
    auto_advance: false,
  })
  expect(await stripe.customers.retrieve(ada.id)).toMatchObject({ balance: -2100 })
  expect((await stripe.customers.listBalanceTransactions(ada.id)).data).toMatchObject([
    { type: 'applied_to_invoice', amount: -2100, ending_balance: -2100, invoice: last?.id },
  ])
})
