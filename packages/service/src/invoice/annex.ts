import { formatInstant } from '@lockstep/core/instant'
import { negate, subtract } from '@lockstep/core/money'
import { printedDecimal, printedMoney } from '@lockstep/core/printed-amount'
import { formatQuantity } from '@lockstep/core/quantity'
import type { PrintedDocument, PrintedSection } from '../document/printed.ts'
import { printedInstant } from '../document/printed.ts'
import type { Db } from '../postgres/connect.ts'
import { periodStated } from '../store/invoices.ts'
import { correctionsBehindLines } from './evidence.ts'
import { explanationOf } from './explain.ts'
import type { ShownInvoice, ShownLine } from './read.ts'

/**
 * What goes with a final invoice: how every amount on it came about. It says the same whenever it is made, for it is
 * made of what was written down when the invoice became final. Who the customer is stands on the invoice itself,
 * and not here, so nothing of it needs to be erased.
 */
export async function annexOf(
  db: Db,
  shown: ShownInvoice,
  { externalId }: { readonly externalId: string },
): Promise<PrintedDocument> {
  const { invoice, lines } = shown
  const sections: PrintedSection[] = [{ title: 'Invoice', rows: invoiceRows(shown, externalId) }]
  const correctionsBehind = correctionsBehindLines(db, shown)
  for (const line of lines) {
    const explanation = explanationOf(line, await correctionsBehind(line))
    sections.push({ title: line.description, rows: lineRows(line, explanation) })
  }
  sections.push({ title: 'Sum', rows: sumRows(shown) })
  return {
    title: `Annex to invoice ${invoice.number ?? invoice.id}`,
    subtitle: 'How each amount came about',
    sections,
    footer: [
      `Invoice ${invoice.id}`,
      `At the payment provider ${invoice.providerInvoiceId ?? 'there is none'}`,
    ],
  }
}

type Rows = PrintedSection['rows']

function invoiceRows({ invoice }: ShownInvoice, externalId: string): Rows {
  const { customerId, subscriptionId, currency, finalizedAt } = invoice
  return [
    ['Customer', [externalId, customerId]],
    ...(subscriptionId === null ? [] : [['Subscription', [subscriptionId]] as const]),
    ['Period', [printedPeriod(periodStated(invoice))]],
    ...(finalizedAt === null ? [] : [['Final since', [printedInstant(formatInstant(finalizedAt))]] as const]),
    ['Currency', [currency.toUpperCase()]],
  ]
}

function lineRows(line: ShownLine, explanation: readonly string[]): Rows {
  const { period, quantity, unitLabel, amount } = line
  return [
    ['Amount', [printedMoney(amount)]],
    [
      'Of',
      [printedPeriod(period), ...(line.late ? ['It came after the invoice of that period was final.'] : [])],
    ],
    ...(quantity === null
      ? []
      : [['Quantity', [`${printedDecimal(formatQuantity(quantity))} ${unitLabel ?? ''}`.trim()]] as const]),
    ['How', explanation],
  ]
}

/** From the lines to what is due, by the names of the API; what is nothing is left out. */
function sumRows({ subtotal, discounts, tax, total, amountDue, balance }: ShownInvoice): Rows {
  const others = subtract(total, subtotal)
  const isTold = discounts.length > 0 || tax.amount !== null
  return [
    ['All lines', [printedMoney(subtotal)]],
    ...discounts.map(
      ({ name, amount, explanation }) => [name, [printedMoney(negate(amount)), explanation]] as const,
    ),
    ...(tax.amount !== null && tax.amount.minor !== 0n
      ? [['Tax', [printedMoney(tax.amount), ...tax.explanation]] as const]
      : []),
    // Of what was final before it was kept what these are.
    ...(isTold || others.minor === 0n ? [] : [['Discounts and tax', [printedMoney(others)]] as const]),
    ['Total', [printedMoney(total)]],
    ...(amountDue && amountDue.minor !== total.minor
      ? [['Due', [printedMoney(amountDue), ...(balance ? [balance.explanation] : [])]] as const]
      : []),
  ]
}

const printedPeriod = ({ start, end }: ShownLine['period']) =>
  `${printedInstant(formatInstant(start))} … ${printedInstant(formatInstant(end))}`
