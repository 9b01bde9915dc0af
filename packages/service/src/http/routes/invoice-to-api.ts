import { formatInstant, type Instant } from '@lockstep/core/instant'
import { type Money, money } from '@lockstep/core/money'
import { formatQuantity } from '@lockstep/core/quantity'
import type { Forecast } from '../../invoice/forecast.ts'
import type { ShownInvoice, ShownLine } from '../../invoice/read.ts'
import type { InvoiceSums } from '../../invoice/sums.ts'
import { type InvoiceRow, periodStated } from '../../store/invoices.ts'
import { moneyToApi } from '../money-to-api.ts'

export interface InvoiceOwner {
  readonly externalId: string
}

/** An invoice as lists show it: while it is open, its sums are only computed for whoever reads it alone. */
export function invoiceToApi(row: InvoiceRow, { externalId }: InvoiceOwner) {
  const amount = (minor: bigint | null) => (minor === null ? null : moneyToApi(money(minor, row.currency)))
  const period = periodStated(row)
  return {
    id: row.id,
    customer: row.customerId,
    externalId,
    subscription: row.subscriptionId,
    billingReason: row.billingReason,
    status: row.status,
    currency: row.currency,
    period: { start: formatInstant(period.start), end: formatInstant(period.end) },
    number: row.number,
    subtotal: amount(row.subtotal),
    total: amount(row.total),
    amountDue: amount(row.amountDue),
    amountPaid: amount(row.amountPaid),
    amountRemaining: amount(row.amountRemaining),
    nextPaymentAttemptAt: maybe(row.nextPaymentAttemptAt),
    openedAt: formatInstant(row.openedAt),
    finalizesAt: maybe(row.finalizesAt),
    finalizedAt: maybe(row.finalizedAt),
    syncedAt: maybe(row.syncedAt),
    stale: isStale(row),
    syncProblem: problemToApi(row.syncProblem),
    hostedInvoiceUrl: row.hostedInvoiceUrl,
    invoicePdf: row.invoicePdf,
    providerId: row.providerInvoiceId,
  }
}

/** `now`: of the customer's own time. */
export function invoiceWithLinesToApi(
  { invoice, lines, foresee, ...sums }: ShownInvoice,
  owner: InvoiceOwner,
  now: Instant,
) {
  return {
    ...invoiceToApi(invoice, owner),
    ...sumsToApi(sums),
    lines: lines.map(lineToApi),
    forecast: forecastToApi(foresee?.(now) ?? null),
  }
}

function sumsToApi(sums: InvoiceSums) {
  const { subtotal, discounts, discountTotal, tax, total, balance, amountDue, unknown } = sums
  const amount = (much: Money | null) => (much === null ? null : moneyToApi(much))
  return {
    subtotal: moneyToApi(subtotal),
    discounts: discounts.map((discount) => ({ ...discount, amount: moneyToApi(discount.amount) })),
    discountTotal: moneyToApi(discountTotal),
    tax: {
      ...{ amount: amount(tax.amount), included: amount(tax.included), certainty: tax.certainty },
      explanation: [...tax.explanation],
    },
    total: moneyToApi(total),
    balance: balance && {
      ...{
        before: moneyToApi(balance.before),
        after: amount(balance.after),
        explanation: balance.explanation,
      },
    },
    amountDue: amount(amountDue),
    unknown: [...unknown],
  }
}

function forecastToApi(forecast: Forecast | null) {
  if (forecast === null) return null
  return {
    at: formatInstant(forecast.at),
    until: formatInstant(forecast.until),
    subtotal: moneyToApi(forecast.subtotal),
    total: moneyToApi(forecast.total),
    lines: forecast.lines.map(({ quantity, amount, ...line }) => ({
      ...line,
      quantity: quantity === null ? null : formatQuantity(quantity),
      amount: moneyToApi(amount),
    })),
  }
}

export function lineToApi(line: ShownLine) {
  const { id, key, description, period, quantity, unitLabel, amount, late, derivation, reason } = line
  return {
    id,
    key,
    description,
    period: { start: formatInstant(period.start), end: formatInstant(period.end) },
    quantity: quantity === null ? null : formatQuantity(quantity),
    unitLabel,
    amount: moneyToApi(amount),
    late,
    derivation,
    reason,
    asOf: maybe(line.asOf),
    providerId: line.providerId,
  }
}

/** The provider does not say yet what this invoice says, or is not known to. */
export function isStale({ dirty, syncPending, finalizedAt }: InvoiceRow): boolean {
  return finalizedAt === null && (dirty || syncPending)
}

/** A problem as it was kept with what it happened to. */
export function problemToApi(problem: unknown) {
  if (problem === null) return null
  const { code, title, detail } = problem as { code: string; title: string; detail: string }
  return { code, title, detail }
}

const maybe = (at: Instant | null) => (at === null ? null : formatInstant(at))
