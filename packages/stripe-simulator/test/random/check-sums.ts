import type Stripe from 'stripe'
import { hold, sum } from './hold.ts'
import { invoices, type Story } from './story.ts'

/** docs.stripe.com/api/invoices/object: what an invoice says of its money, against its lines, notes and balance. */
export async function checkSums(story: Story): Promise<void> {
  const { stripe, customer } = story
  const { data: notes } = await stripe.creditNotes.list({ customer, limit: 100 })
  for (const invoice of await invoices(story)) {
    const lines = invoice.lines.has_more
      ? await stripe.invoices.listLineItems(invoice.id, { limit: 100 }).autoPagingToArray({ limit: 1000 })
      : invoice.lines.data
    checkTotals(invoice, lines)
    if (invoice.status !== 'draft')
      checkDue(
        invoice,
        notes.filter((note) => note.invoice === invoice.id && note.status === 'issued'),
      )
  }
  await checkBalance(story)
}

function checkTotals(invoice: Stripe.Invoice, lines: readonly Stripe.InvoiceLineItem[]): void {
  const { id } = invoice
  const off = (invoice.total_discount_amounts ?? []).map(({ amount }) => amount)
  const taxes = invoice.total_taxes ?? []
  const exclusive = taxes.filter((tax) => tax.tax_behavior === 'exclusive').map(({ amount }) => amount)
  hold(`${id} subtotal`, invoice.subtotal, sum(lines.map(({ amount }) => amount)))
  hold(`${id} total`, invoice.total, invoice.subtotal - sum(off) + sum(exclusive))
  hold(
    `${id} total without tax`,
    invoice.total_excluding_tax,
    invoice.total - sum(taxes.map((t) => t.amount)),
  )
  const lineOff = lines.flatMap((line) => (line.discount_amounts ?? []).map(({ amount }) => amount))
  hold(`${id} discounts of lines`, sum(lineOff), sum(off))
  const lineTaxes = lines.flatMap((line) => (line.taxes ?? []).map(({ amount }) => amount))
  hold(`${id} taxes of lines`, sum(lineTaxes), sum(taxes.map(({ amount }) => amount)))
}

/** What is due is the total without what moved to or from the balance and what notes took before payment. */
function checkDue(invoice: Stripe.Invoice, notes: readonly Stripe.CreditNote[]): void {
  const { id, status } = invoice
  const [before, after] = [
    sum(notes.map((note) => note.pre_payment_amount)),
    sum(notes.map((note) => note.post_payment_amount)),
  ]
  hold(`${id} notes before payment`, invoice.pre_payment_credit_notes_amount, before)
  hold(`${id} notes after payment`, invoice.post_payment_credit_notes_amount, after)
  const moved = (invoice.ending_balance ?? 0) - invoice.starting_balance
  hold(`${id} amount_due`, invoice.amount_due, invoice.total - moved - before)
  hold(`${id} is owed, not owing`, invoice.amount_due >= 0 && invoice.amount_remaining >= 0, true)
  hold(`${id} amount_remaining`, invoice.amount_remaining, invoice.amount_due - invoice.amount_paid)
  if (status === 'paid') hold(`${id} remains when paid`, invoice.amount_remaining, 0)
}

/** docs.stripe.com/billing/customer/balance: the balance is the sum of its immutable entries. */
async function checkBalance({ stripe, customer }: Story): Promise<void> {
  const ledger = await stripe.customers
    .listBalanceTransactions(customer, { limit: 100 })
    .autoPagingToArray({ limit: 10_000 })
  let running = 0
  for (const entry of ledger.reverse()) {
    running += entry.amount
    hold(`${entry.id} ending_balance`, entry.ending_balance, running)
  }
  const { balance } = (await stripe.customers.retrieve(customer)) as Stripe.Customer
  hold('balance of the customer', balance, running)
}
