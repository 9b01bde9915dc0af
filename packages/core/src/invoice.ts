import type { Derivation } from './derivation.ts'
import { type BilledPart, standsFor } from './given-back.ts'
import { type Currency, type Money, subtract, sum } from './money.ts'
import type { Period } from './period.ts'
import type { Quantity } from './quantity.ts'

export const invoiceStatuses = [
  'current',
  'closing',
  'draft',
  'open',
  'paid',
  'uncollectible',
  'void',
] as const

/**
 * `current` while the period runs, `closing` while Stripe's draft of it is open, then Stripe's own
 * word. `draft` is Stripe's draft of an invoice for another reason.
 */
export type InvoiceStatus = (typeof invoiceStatuses)[number]

/** Finalized: its lines never change again, whatever its customer or plan does later. */
export function isFrozen(status: InvoiceStatus): boolean {
  return status === 'open' || status === 'paid' || status === 'uncollectible' || status === 'void'
}

/** Nothing is collected of it any more, and it stays so: https://docs.stripe.com/invoicing/overview */
export function isSettled(status: InvoiceStatus): boolean {
  return status === 'paid' || status === 'void'
}

/** A line as it is shown. `period` is when the service was given, not when it is billed. */
export interface InvoiceLine {
  /** The price's key; null where the provider made the line by itself. */
  readonly key: string | null
  /** Who computed the amount. */
  readonly ratedBy: 'lockstep' | 'provider'
  readonly description: string
  readonly period: Period
  readonly quantity: Quantity | null
  readonly amount: Money
  readonly derivation: Derivation | null
}

/** The part of a line that can be subtracted. A share has no quantity. */
export interface Billable {
  readonly quantity: Quantity | null
  readonly amount: Money
}

/**
 * What is still to bill of a line before discounts: its rating since the period began, less what finalized invoices
 * carry of it. So tiers go on where they were, and a rating that went down gives a credit.
 */
export function remainder(cumulative: Billable, billed: readonly BilledPart[]): Billable {
  const quantity =
    cumulative.quantity === null
      ? null
      : billed.reduce((left, item) => left - (item.quantity ?? 0n), cumulative.quantity)
  const amount = billed.reduce((left, item) => subtract(left, standsFor(item)), cumulative.amount)
  return { quantity, amount }
}

/** Nothing used and nothing owed is not sent; something used for nothing is, to be seen. */
export function isWorthSending({ quantity, amount }: Billable): boolean {
  return amount.minor !== 0n || (quantity !== null && quantity !== 0n)
}

export interface InvoiceTotals {
  readonly lockstep: Money
  readonly provider: Money
  /** Of all lines, before discounts and tax. */
  readonly subtotal: Money
}

export function totals(
  currency: Currency,
  lines: readonly Pick<InvoiceLine, 'ratedBy' | 'amount'>[],
): InvoiceTotals {
  const of = (who: InvoiceLine['ratedBy']) =>
    sum(
      currency,
      lines.filter(({ ratedBy }) => ratedBy === who).map(({ amount }) => amount),
    )
  const [lockstep, provider] = [of('lockstep'), of('provider')]
  return { lockstep, provider, subtotal: sum(currency, [lockstep, provider]) }
}
