// The sentences are Stripe's, as github.com/Kiln-AI/stripe_world recorded them at 2026-08-26.dahlia.
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()
const { stripe } = world

async function draftOf(more: Partial<Stripe.InvoiceCreateParams> = {}) {
  const { id: customer } = await world.customer()
  const { id } = await stripe.invoices.create({ customer, ...more })
  await stripe.invoiceItems.create({ customer, invoice: id, amount: 700, currency: 'usd' })
  return id
}

/** Of a refusal of these, the sentence and the parameter; none has a code. */
async function said(call: Promise<unknown>) {
  const { statusCode, code, message, param } = await refusal(call)
  expect([statusCode, code]).toEqual([400, undefined])
  return param === undefined ? message : [message, param]
}

const NOT_OPEN = "You can only pass in open invoices. This invoice isn't open."
const lineParams = { lines: [{ amount: 100, description: 'more' }] }

test('an invoice that is sent says until when, and no other does', async () => {
  const { id: customer } = await world.customer()
  const create = (more: Partial<Stripe.InvoiceCreateParams>) => stripe.invoices.create({ customer, ...more })
  expect(await said(create({ collection_method: 'send_invoice' }))).toBe(
    "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'.",
  )
  expect(await said(create({ days_until_due: 7 }))).toBe(
    "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'.",
  )
  expect((await stripe.invoices.list({ customer })).data).toEqual([])
})

test('a draft is no open invoice', async () => {
  const id = await draftOf()
  expect(await said(stripe.invoices.voidInvoice(id))).toBe(NOT_OPEN)
  expect(await said(stripe.invoices.markUncollectible(id))).toBe(NOT_OPEN)
})

test('what is finalized stays as it is', async () => {
  const id = await draftOf()
  await stripe.invoices.finalizeInvoice(id)
  expect(await said(stripe.invoices.finalizeInvoice(id))).toBe(
    "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
  )
  const described = stripe.invoices.update(id, { description: 'late' })
  expect(await said(described)).toEqual(["Finalized invoices can't be updated in this way", 'description'])
  expect(await said(stripe.invoices.del(id))).toBe('You can only delete draft invoices.')
  expect(await refusal(stripe.invoices.addLines(id, lineParams))).toMatchObject({
    statusCode: 400,
    code: 'invoice_not_editable',
    message: 'Invalid invoice: This invoice is no longer editable',
  })
  expect(await stripe.invoices.update(id, { metadata: { a: 'b' } })).toMatchObject({ metadata: { a: 'b' } })
})

test('what is paid is paid', async () => {
  const id = await draftOf({ collection_method: 'send_invoice', days_until_due: 7 })
  await stripe.invoices.pay(id)
  expect(await said(stripe.invoices.pay(id))).toBe('Invoice is already paid')
  expect(await said(stripe.invoices.voidInvoice(id))).toBe('Invoices with `paid` payments cannot be voided.')
  expect(await said(stripe.invoices.markUncollectible(id))).toBe(NOT_OPEN)
  expect(await said(stripe.invoices.sendInvoice(id))).toBe(
    'This invoice cannot be sent right now. Please contact us via https://support.stripe.com/contact with details, so we can help.',
  )
})

test('what is given up is given up once', async () => {
  const id = await draftOf()
  await stripe.invoices.finalizeInvoice(id)
  await stripe.invoices.markUncollectible(id)
  expect(await said(stripe.invoices.markUncollectible(id))).toBe(
    'This invoice has already been marked uncollectible.',
  )
})

// docs.stripe.com/api/invoices/create
test('an invoice is of one customer, is due by one word, and its statement has a letter', async () => {
  const { stripe } = world
  const [ada, bob] = [await world.customer(), await world.customer()]
  const items = [{ price: (await world.price(1000)).id }]
  const subscription = (await stripe.subscriptions.create({ customer: bob.id, items })).id
  const create = (more: Stripe.InvoiceCreateParams) =>
    refusal(stripe.invoices.create({ customer: ada.id, ...more }))
  expect(await create({ subscription })).toMatchObject({ statusCode: 400, param: 'subscription' })
  const days = { collection_method: 'send_invoice' as const, days_until_due: 3, due_date: JAN_1 + 3 * DAY }
  expect(await create(days)).toMatchObject({ statusCode: 400, param: 'due_date' })
  expect(await create({ statement_descriptor: '2026-01' })).toMatchObject({ param: 'statement_descriptor' })
})

test('what a statement says of a subscription is said by its first product', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const product = (await stripe.products.create({ name: 'Team', statement_descriptor: 'TEAM PLAN' })).id
  const items = [{ price: (await world.price(1000, { product })).id }, { price: (await world.price(500)).id }]
  const { latest_invoice } = await stripe.subscriptions.create({
    customer: ada.id,
    items,
    expand: ['latest_invoice'],
  })
  expect(latest_invoice).toMatchObject({ statement_descriptor: 'TEAM PLAN' })
})
