import { explain } from '@lockstep/core/derivation'
import type { InvoiceLine, InvoiceWithLines, Money } from '@lockstep/sdk'
import { amountText, billedText, instantText, periodText } from './format.ts'
import { bold, dim, yellow } from './style.ts'
import { pad, width } from './table.ts'

/** An invoice as a bookkeeper would check it: lines, amounts below each other, the sum. */
export function invoiceText(invoice: InvoiceWithLines, options: { explain: boolean }): string {
  const { lines, currency } = invoice
  const rows = lines.map((line) => ({
    line,
    left: `  ${dim(periodText(line.period))}  ${line.description}${line.late ? yellow('  late') : ''}${countedText(line)}`,
    amount: amountText(line.amount),
  }))
  const sums = sumsOf(invoice)
  const leftWidth = Math.max(24, ...rows.map(({ left }) => width(left)))
  const amountWidth = Math.max(8, ...[...rows, ...sums].map(({ amount }) => amount.length))

  return [
    headText(invoice),
    ...rows.flatMap(({ line, left, amount }) => [
      `${pad(left, leftWidth)}  ${pad(amount, amountWidth, 'right')}`,
      ...(options.explain ? explanationOf(line) : []),
    ]),
    ...sums.flatMap(({ word, amount, why }) => [
      bold(`${pad(word, leftWidth, 'right')}  ${pad(amount, amountWidth, 'right')} ${currency}`),
      ...(options.explain ? why.map((text) => dim(`      ${text}`)) : []),
    ]),
    ...unknownTexts(invoice),
    ...forecastTexts(invoice),
    ...linkTexts(invoice),
  ].join('\n')
}

/** Of what the provider's own meters count: as of when. */
function countedText({ asOf }: InvoiceLine): string {
  return asOf ? dim(`  counted and billed by the provider, as of ${instantText(asOf)}`) : ''
}

interface SumText {
  readonly word: string
  readonly amount: string
  readonly why: readonly string[]
}

/** From the lines to what is due; what changes nothing is left out. */
function sumsOf(invoice: InvoiceWithLines): SumText[] {
  const { subtotal, total, discounts, tax, balance, amountDue, amountPaid, amountRemaining } = invoice
  const text = (word: string, money: Money | null, why: readonly string[] = []): SumText[] =>
    money ? [{ word, amount: amountText(money), why }] : []
  const taxed = tax.amount !== null && tax.amount.minor !== '0'
  const isPlain = discounts.length === 0 && !taxed
  const word = tax.certainty === 'estimated' ? 'tax, estimated' : 'tax'
  return [
    ...(isPlain && subtotal?.minor === total?.minor ? [] : text('subtotal', subtotal)),
    ...discounts.map(({ name, amount, explanation }) => ({
      ...{ word: name, amount: minus(amountText(amount)), why: [explanation] },
    })),
    ...(taxed && tax.amount
      ? text(isIncluded(tax) ? `${word}, contained` : word, tax.amount, tax.explanation)
      : []),
    ...text('total', total),
    ...(balance && amountDue && amountDue.minor !== total?.minor
      ? text('due', amountDue, [balance.explanation])
      : []),
    ...(isPart(amountPaid) && isPart(amountRemaining) ? text('still to pay', amountRemaining) : []),
  ]
}

const isPart = (amount: Money | null) => amount !== null && amount.minor !== '0'

const minus = (amount: string) => (/^[0.,]+$/.test(amount) ? amount : `-${amount}`)

const isIncluded = ({ amount, included }: InvoiceWithLines['tax']) => amount?.minor === included?.minor

function unknownTexts({ unknown }: InvoiceWithLines): string[] {
  return unknown.map((what) => yellow(`  without ${what}: not known here yet`))
}

/** What it may come to: an estimate, and said as one. */
function forecastTexts({ forecast, currency }: InvoiceWithLines): string[] {
  if (forecast === null) return []
  const by = `if usage goes on as it has, by ${instantText(forecast.until)}`
  return [dim(`  about ${amountText(forecast.total)} ${currency} ${by}`)]
}

/** Of a final one: where the customer sees and pays it, and the provider's document. */
function linkTexts({ hostedInvoiceUrl, invoicePdf }: InvoiceWithLines): string[] {
  return [
    ...(hostedInvoiceUrl ? [dim(`  page  ${hostedInvoiceUrl}`)] : []),
    ...(invoicePdf ? [dim(`  PDF   ${invoicePdf}`)] : []),
  ]
}

function headText({
  status,
  period,
  number,
  id,
  finalizesAt,
  syncedAt,
  stale,
  syncProblem,
}: InvoiceWithLines): string {
  const notes = [
    status === 'closing' && finalizesAt && `final ${instantText(finalizesAt)}`,
    ...(status === 'current' || status === 'closing' ? [syncNote(syncedAt, stale)] : []),
  ].filter(Boolean)
  const of = period.start === period.end ? '' : 'of '
  const head = `${bold(`${status} invoice`)} ${of}${billedText(period)}  ${dim([number, id].filter(Boolean).join('  '))}`
  return [
    head,
    ...(notes.length > 0 ? [dim(`  ${notes.join('; ')}`)] : []),
    ...(syncProblem ? [yellow(`  not synchronised: ${syncProblem.title} ${syncProblem.detail}`)] : []),
  ].join('\n')
}

function syncNote(syncedAt: string | null, stale: boolean): string {
  if (syncedAt === null) return 'not yet sent to the provider'
  return `sent to the provider ${instantText(syncedAt)}${stale ? '; newer usage follows' : ''}`
}

function explanationOf({ derivation, amount, reason, providerId }: InvoiceLine): string[] {
  if (derivation) {
    // The first line names price and period, which stand above.
    const texts = explain(derivation).slice(1)
    // The derivation is that of the whole line, however much of it was billed before.
    if (derivation.amount !== amount.amount) {
      texts.push(`billed before, so here the rest: ${amountText(amount)} ${amount.currency}`)
    }
    return texts.map((text) => dim(`      ${text}`))
  }
  return [dim(`      ${reason ?? 'billed by the provider'}${providerId ? ` (${providerId})` : ''}`)]
}
