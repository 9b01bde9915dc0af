// The sums of an invoice by hand, in currencies of two, none and three decimals:
// docs.stripe.com/api/invoices/object, docs.stripe.com/billing/customer/balance and docs.stripe.com/currencies
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { NO_REDIRECTS, refusal } from './world.ts'

const world = await sharedWorld()

interface Draft {
  readonly currency: string
  readonly lines: readonly number[]
  readonly percentOff?: number
  readonly percentTax?: number
  readonly balance?: number
}

async function draftOf({ currency, lines, percentOff, percentTax, balance }: Draft) {
  const { stripe } = world
  const { id: customer } = await world.customer()
  if (balance !== undefined) {
    await stripe.customers.createBalanceTransaction(customer, { amount: balance, currency })
  }
  const tax = { display_name: 'VAT', inclusive: false, percentage: percentTax ?? 0 }
  const { id } = await stripe.invoices.create({
    customer,
    currency,
    ...(percentOff === undefined
      ? {}
      : { discounts: [{ coupon: (await stripe.coupons.create({ percent_off: percentOff })).id }] }),
    ...(percentTax === undefined ? {} : { default_tax_rates: [(await stripe.taxRates.create(tax)).id] }),
  })
  await stripe.invoices.addLines(id, { lines: lines.map((amount) => ({ amount })) })
  return { id, customer }
}

const identities = (invoice: Stripe.Invoice) => {
  const sum = (rows: readonly { amount: number }[] | null) =>
    (rows ?? []).reduce((total, { amount }) => total + amount, 0)
  const added = (invoice.total_taxes ?? []).filter((tax) => tax.tax_behavior === 'exclusive')
  expect(invoice.subtotal).toBe(sum(invoice.lines.data))
  expect(invoice.total).toBe(invoice.subtotal - sum(invoice.total_discount_amounts) + sum(added))
  expect(invoice.amount_remaining).toBe(invoice.amount_due - invoice.amount_paid)
}

// 25 % off 1001 + 2002 (3003): 750.75, so 751; shared 250 and 501. 10 % tax on 751 and 1501: 75.1 and 150.1.
// 25 % off ¥333 + ¥667: ¥250; shared 83 and 167. 8 % on 250 and 500: 20 and 40.
// 15 % off 5.010 + 12.340 KWD (17350): 2602.5, so 2603; shared 751 and 1852. 5 % on 4259 and 10488: 212.95, 524.4.
// Dinars are charged in tens of fils.
test.each([
  ['usd', [1001, 2002], 25, 10, 3003, 751, 75 + 150, 2477, 2477],
  ['jpy', [333, 667], 25, 8, 1000, 250, 20 + 40, 810, 810],
  ['kwd', [5010, 12_340], 15, 5, 17_350, 2603, 213 + 524, 15_484, 15_480],
])(
  '%s: %j, %i %% off, %i %% tax',
  async (currency, lines, percentOff, percentTax, subtotal, off, tax, total, due) => {
    const { id } = await draftOf({ currency, lines, percentOff, percentTax })
    const draft = await world.stripe.invoices.retrieve(id)
    identities(draft)
    expect(draft).toMatchObject({ subtotal, total, total_excluding_tax: subtotal - off, amount_due: due })
    expect(draft.total_discount_amounts).toMatchObject([{ amount: off }])
    expect(draft.total_taxes).toMatchObject([{ amount: tax, taxable_amount: subtotal - off }])
    const paid = await world.stripe.invoices.pay(id)
    identities(paid)
    expect(paid).toMatchObject({ status: 'paid', amount_paid: due, amount_remaining: 0 })
  },
)

// A balance is applied whole; what it does not need stays, and what is under the least charge is owed later.
test.each([
  ['a part of the credit is used', { currency: 'jpy', lines: [1000], balance: -1500 }, 0, -500],
  ['all of the credit is used', { currency: 'jpy', lines: [1000], balance: -400 }, 600, 0],
  ['a debt is added', { currency: 'kwd', lines: [5000], balance: 1230 }, 6230, 0],
  ['a negative total becomes credit', { currency: 'kwd', lines: [5000, -7500] }, 0, -2500],
  ['¥49 is too small to charge', { currency: 'jpy', lines: [49] }, 0, 49],
  ['¥50 is not', { currency: 'jpy', lines: [50] }, 50, 0],
  ['what a credit leaves can be too small', { currency: 'usd', lines: [1000], balance: -960 }, 0, 40],
] as const)('%s', async (_case, given, due, balance) => {
  const { stripe } = world
  const { id, customer } = await draftOf(given)
  const paid = await stripe.invoices.pay(id)
  identities(paid)
  expect(paid).toMatchObject({ amount_due: due, amount_paid: due, ending_balance: balance })
  expect(((await stripe.customers.retrieve(customer)) as Stripe.Customer).balance).toBe(balance)
})

test('voiding gives back what the balance paid', async () => {
  const { stripe } = world
  const { id, customer } = await draftOf({ currency: 'jpy', lines: [1000], balance: -400 })
  expect(await stripe.invoices.finalizeInvoice(id)).toMatchObject({
    amount_due: 600,
    starting_balance: -400,
    ending_balance: 0,
  })
  await stripe.invoices.voidInvoice(id)
  const { data } = await stripe.customers.listBalanceTransactions(customer)
  expect(data.map((entry) => [entry.type, entry.amount])).toEqual([
    ['unapplied_from_invoice', -400],
    ['applied_to_invoice', 400],
    ['adjustment', -400],
  ])
})

// ¥1,000 of which ¥300 are paid: a note of ¥900 takes the ¥700 that remain and ¥200 that were paid.
test('a note over what remains is mixed: the rest of it must be given back', async () => {
  const { stripe } = world
  const { id, customer } = await draftOf({ currency: 'jpy', lines: [1000] })
  await stripe.invoices.finalizeInvoice(id)
  const given = {
    amount: 300,
    currency: 'jpy',
    customer,
    payment_method: 'pm_card_visa',
    confirm: true,
    ...NO_REDIRECTS,
  }
  await stripe.invoices.attachPayment(id, { payment_intent: (await stripe.paymentIntents.create(given)).id })
  const note = { invoice: id, amount: 900 }
  expect((await refusal(stripe.creditNotes.create(note))).message).toContain('(200)')
  const preview = await stripe.creditNotes.preview({ ...note, refund_amount: 150, credit_amount: 50 })
  expect(preview).toMatchObject({ type: 'mixed', pre_payment_amount: 700, post_payment_amount: 200 })
  await stripe.creditNotes.create({ ...note, refund_amount: 150, credit_amount: 50 })
  const settled = await stripe.invoices.retrieve(id)
  identities(settled)
  expect(settled).toMatchObject({
    status: 'paid',
    amount_due: 300,
    amount_paid: 300,
    pre_payment_credit_notes_amount: 700,
    post_payment_credit_notes_amount: 200,
  })
  const [charge] = (await stripe.charges.list({ customer })).data
  expect(charge).toMatchObject({ amount: 300, amount_refunded: 150 })
  expect(((await stripe.customers.retrieve(customer)) as Stripe.Customer).balance).toBe(-50)
  // ¥100 are left of the invoice, and no more can be credited.
  expect(
    await refusal(stripe.creditNotes.create({ invoice: id, amount: 101, credit_amount: 101 })),
  ).toMatchObject({
    statusCode: 400,
    param: 'amount',
  })
})
