import { measure, noUsage } from '@lockstep/core/meter'
import { sum } from '@lockstep/core/money'
import type { Spending } from '@lockstep/core/spend-limit'
import type { Db, Trx } from '../postgres/connect.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { readOpenInvoices } from '../store/open-invoices.ts'
import type { LineToBill, RatedSubscription } from './rate.ts'
import { type RatingOptions, rateInvoices } from './rate-invoices.ts'

/**
 * What the usage of some invoices' periods has come to, by invoice: all of it since the period began, also what
 * another invoice carries already. Only lines that measure something count: fees, shares, and what a person
 * adjusted are nobody's usage.
 */
export async function spendingOf(
  db: Db | Trx,
  invoices: readonly InvoiceRow[],
  subscriptionOf: (invoice: InvoiceRow) => RatedSubscription,
  options: RatingOptions = {},
): Promise<ReadonlyMap<string, Spending>> {
  const { lines, inputs } = await rateInvoices(db, invoices, subscriptionOf, options)
  const spending = new Map<string, Spending>()
  for (const invoice of invoices) {
    const input = inputs.get(invoice.id)
    if (!input) continue
    const { terms, usage } = input
    spending.set(invoice.id, {
      currency: invoice.currency,
      amount: costOfUsage(invoice, lines),
      quantities: new Map(
        terms.meters.map((meter) => [meter.key, measure(meter, usage.get(meter.key) ?? noUsage)]),
      ),
    })
  }
  return spending
}

/** What a running period has come to. */
export interface CurrentSpending {
  readonly invoice: InvoiceRow
  readonly spending: Spending
}

/** Of each subscription of a customer whose period runs, from the usage of this moment. */
export async function currentSpending(db: Db, customerId: string): Promise<CurrentSpending[]> {
  const { subscriptions, invoices } = await readOpenInvoices(db, { customerId })
  const current = invoices.filter(({ status }) => status === 'current')
  const spending = await spendingOf(db, current, ({ id, subscriptionId }) => {
    const subscription = subscriptions.find((one) => one.id === subscriptionId)
    if (!subscription) throw new Error(`${id} belongs to no subscription.`)
    return subscription
  })
  return current.flatMap((invoice) => {
    const come = spending.get(invoice.id)
    return come ? [{ invoice, spending: come }] : []
  })
}

function costOfUsage({ id, currency }: InvoiceRow, lines: readonly LineToBill[]): bigint {
  const measured = lines.filter(({ origin, line }) => origin.id === id && line.derivation.measured !== null)
  return sum(
    currency,
    measured.map(({ line }) => line.amount),
  ).minor
}
