import type { InvoiceRow } from '../rows.ts'
import { formatMoney } from '../rules/currency.ts'
import { cardChoice } from './card-choice.ts'
import { dayOf, escaped, htmlPage } from './html.ts'

/** The hosted page of an invoice: what it is for, what is due, and how to pay it. */
export function invoicePage(invoice: InvoiceRow | undefined, error?: string): string {
  if (invoice === undefined) return htmlPage('No such invoice', '')
  const money = (amount: number) => formatMoney(String(amount), invoice.currency)
  const lines = invoice.own.lines.map(
    (line) => `<li>${escaped(`${line.description ?? line.id}: ${money(line.amount)}`)}</li>`,
  )
  const due = invoice.due_date === null ? '' : `, due on ${dayOf(invoice.due_date)}`
  return htmlPage(
    `Invoice ${invoice.number ?? invoice.id}`,
    `<p class="quiet">For ${escaped(invoice.customer_name ?? invoice.customer_email ?? String(invoice.customer))}, ${escaped(invoice.status ?? '')}${due}</p>
<ul>${lines.join('')}</ul><p>Total ${escaped(money(invoice.total))}</p><p class="total">To pay: ${escaped(money(invoice.amount_remaining))}</p>${payment(invoice)}<p><a href="/_simulator/invoices/${invoice.id}/pdf">PDF</a></p>`,
    error,
  )
}

function payment({ id, status }: InvoiceRow): string {
  if (status !== 'open') return ''
  return `<form method="post" action="/_simulator/invoices/${id}/pay">${cardChoice()}<button>Pay</button></form>`
}
