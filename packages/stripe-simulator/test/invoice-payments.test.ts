// docs.stripe.com/invoicing/partial-payments and docs.stripe.com/api/invoice-payment
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, JAN_1, refusal } from './world.ts'

const world = await sharedWorld({ settings: { willBeDueDays: 3 } })

async function openInvoice(amount: number, currency = 'usd') {
  const { stripe } = world
  const ada = await world.customer()
  const { id } = await stripe.invoices.create({
    customer: ada.id,
    currency,
    collection_method: 'send_invoice',
    days_until_due: 10,
  })
  await stripe.invoices.addLines(id, { lines: [{ amount }] })
  return { ada, currency, invoice: await stripe.invoices.finalizeInvoice(id) }
}

async function part({ ada, currency }: Awaited<ReturnType<typeof openInvoice>>, amount: number) {
  const given = { amount, currency, customer: ada.id }
  return world.stripe.paymentIntents.create(given)
}

const confirm = (id: string) =>
  world.stripe.paymentIntents.confirm(id, {
    payment_method: 'pm_card_visa',
    return_url: 'https://example.com/done',
  })

test.each([
  ['usd', 1000, 400],
  ['jpy', 9001, 4000],
  ['kwd', 12_340, 5010],
])('an invoice in %s is paid in two parts', async (currency, amount, first) => {
  const { stripe } = world
  const given = await openInvoice(amount, currency)
  const { id } = given.invoice
  const intent = await part(given, first)
  await stripe.invoices.attachPayment(id, { payment_intent: intent.id })
  expect(await stripe.invoices.retrieve(id)).toMatchObject({ status: 'open', amount_paid: 0 })
  const types = await world.typesDuring(() => confirm(intent.id))
  expect(types).toEqual([
    'charge.succeeded',
    'payment_intent.succeeded',
    'invoice_payment.paid',
    'invoice.updated',
  ])
  expect(await stripe.invoices.retrieve(id)).toMatchObject({
    status: 'open',
    amount_due: amount,
    amount_paid: first,
    amount_remaining: amount - first,
  })
  // The default payment asks for what remains; paying the invoice settles it.
  const [fallback] = (await stripe.invoicePayments.list({ invoice: id, status: 'open' })).data
  expect(fallback).toMatchObject({ is_default: true, amount_requested: amount - first, amount_paid: null })
  expect(await stripe.invoices.pay(id)).toMatchObject({
    status: 'paid',
    amount_paid: amount,
    amount_remaining: 0,
    amount_overpaid: 0,
  })
  const { data: charges } = await stripe.charges.list({ customer: given.ada.id })
  expect(charges.map((charge) => charge.amount)).toEqual([amount - first, first])
  const { data: payments } = await stripe.invoicePayments.list({ invoice: id })
  expect(payments.map((payment) => [payment.is_default, payment.status, payment.amount_paid])).toEqual([
    [false, 'paid', first],
    [true, 'paid', amount - first],
  ])
})

test('payments that add up to the whole pay the invoice and cancel the default one', async () => {
  const { stripe } = world
  const given = await openInvoice(1000)
  const { id } = given.invoice
  for (const amount of [300, 700]) {
    const intent = await part(given, amount)
    await confirm(intent.id)
    await stripe.invoices.attachPayment(id, { payment_intent: intent.id })
  }
  expect(await stripe.invoices.retrieve(id)).toMatchObject({ status: 'paid', amount_paid: 1000 })
  const [fallback] = (await stripe.invoicePayments.list({ invoice: id, status: 'canceled' })).data
  const intent = await stripe.paymentIntents.retrieve(fallback?.payment.payment_intent as string)
  expect(intent.status).toBe('canceled')
})

test('what is paid beyond the invoice is the customer’s', async () => {
  const { stripe } = world
  const given = await openInvoice(1000)
  const { id } = given.invoice
  const intent = await part(given, 600)
  await stripe.invoices.attachPayment(id, { payment_intent: intent.id })
  await stripe.invoices.pay(id)
  const types = await world.typesDuring(() => confirm(intent.id))
  expect(types).toContain('invoice.overpaid')
  expect(await stripe.invoices.retrieve(id)).toMatchObject({
    status: 'paid',
    amount_paid: 1000,
    amount_overpaid: 600,
  })
  expect((await stripe.customers.listBalanceTransactions(given.ada.id)).data).toMatchObject([
    { type: 'invoice_overpaid', amount: -600, ending_balance: -600, invoice: id },
  ])
})

test('what attaching refuses, and what an attached payment forbids', async () => {
  const { stripe } = world
  const given = await openInvoice(1000)
  const { id } = given.invoice
  const attach = (payment_intent: string) => stripe.invoices.attachPayment(id, { payment_intent })
  const much = await part(given, 1001)
  expect(await refusal(attach(much.id))).toMatchObject({ code: 'amount_too_large', param: 'payment_intent' })
  const foreign = await part(await openInvoice(1000), 500)
  expect(await refusal(attach(foreign.id))).toMatchObject({ param: 'payment_intent' })
  const intent = await part(given, 500)
  await attach(intent.id)
  expect(await refusal(attach(intent.id))).toMatchObject({ param: 'payment_intent' })
  expect((await refusal(stripe.invoices.voidInvoice(id))).statusCode).toBe(400)
  expect((await refusal(stripe.invoices.markUncollectible(id))).statusCode).toBe(400)
  // Canceling the intent cancels the payment, and the invoice can be voided again.
  await stripe.paymentIntents.cancel(intent.id)
  expect((await stripe.invoices.voidInvoice(id)).status).toBe('void')
})

test('an invoice that was sent is announced before it is due, and overdue from then on', async () => {
  const given = await openInvoice(1000)
  const { id, due_date } = given.invoice
  expect(due_date).toBe(JAN_1 + 10 * DAY)
  const before = await world.typesDuring(() => world.advance(given.ada.clock, JAN_1 + 7 * DAY))
  expect(before).toContain('invoice.will_be_due')
  expect(before).not.toContain('invoice.overdue')
  const moved = { due_date: JAN_1 + 12 * DAY }
  expect(await world.stripe.invoices.update(id, moved)).toMatchObject(moved)
  const due = await world.typesDuring(() => world.advance(given.ada.clock, JAN_1 + 11 * DAY))
  expect(due.filter((type) => type.startsWith('invoice.'))).toEqual(['invoice.will_be_due'])
  const late = await world.typesDuring(() => world.advance(given.ada.clock, JAN_1 + 12 * DAY))
  expect(late).toContain('invoice.overdue')
})

test('out of band, forgiving changes nothing for a card', async () => {
  const { stripe } = world
  const given = await openInvoice(1000)
  const paid = await stripe.invoices.pay(given.invoice.id, { paid_out_of_band: true, forgive: true })
  expect(paid).toMatchObject({ status: 'paid', amount_paid: 1000, amount_paid_off_stripe: 1000 })
  expect((await stripe.charges.list({ customer: given.ada.id })).data).toEqual([])
})
