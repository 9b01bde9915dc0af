import { parseQuantity } from '@lockstep/core/quantity'
import { fromStripeUnits } from '../provider/stripe/amount.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import type { CountedLine, ProviderUsage } from '../store/provider-usage.ts'
import type { ShownLine } from './read.ts'

/** What the provider's meters have counted for one invoice, and when it said so. */
export interface Counted extends Pick<ProviderUsage, 'asOf'> {
  readonly lines: readonly CountedLine[]
}

/**
 * Of what was counted of a subscription, what an open invoice of it bills: the newest whose period ends in that of the invoice.
 * Of a period that is over while nobody heard of the next one it stays on its own invoice.
 */
export function countedFor(
  { subscriptionId, periodStart, periodEnd, currency }: InvoiceRow,
  all: readonly ProviderUsage[],
): Counted {
  const usage = all.findLast(
    (one) =>
      one.subscriptionId === subscriptionId && one.periodEnd > periodStart && one.periodEnd <= periodEnd,
  )
  const lines = usage?.lines.filter((line) => line.currency === currency) ?? []
  return { asOf: usage?.asOf ?? 0, lines }
}

/** As lines of their own, which say who counts them. */
export function countedLines({ asOf, lines }: Counted): ShownLine[] {
  return lines.map((line, place) => ({
    id: `${line.item}.${place + 1}`,
    key: null,
    description: line.description,
    period: { start: line.periodStart, end: line.periodEnd },
    // Null of what is finer than a quantity here can be.
    quantity: line.quantity === null ? null : (parseQuantity(line.quantity) ?? null),
    unitLabel: null,
    amount: fromStripeUnits(BigInt(line.amount), line.currency),
    late: false,
    derivation: null,
    reason: "The payment provider's own meters count it, and it bills it itself.",
    asOf,
    billed: [],
    providerId: line.item,
  }))
}
