import { money } from '@lockstep/core/money'
import { quantityOf } from '@lockstep/core/quantity'
import type Stripe from 'stripe'
import type { Db } from '../postgres/connect.ts'
import { idOf } from '../provider/stripe/field.ts'
import { standsFor } from '../store/discounts-given.ts'
import { type ItemRow, itemsOnInvoice } from '../store/invoice-items.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { discountsSeen } from '../store/provider-discounts.ts'
import { readObject } from '../store/provider-objects.ts'
import { plainSums } from './final-sums.ts'
import type { ShownInvoice, ShownLine } from './read.ts'
import { type SumContext, sumContext } from './sum-context.ts'
import { type LineToSum, sumInvoice, type ToSum } from './sums.ts'

/** A draft for what is left of a subscription that is over: what stands on it so far, and what the provider will make of it. */
export async function showDraft(db: Db, invoice: InvoiceRow): Promise<ShownInvoice> {
  const { customerId, subscriptionId, providerInvoiceId, currency } = invoice
  if (providerInvoiceId === null || subscriptionId === null)
    return { invoice, lines: [], ...plainSums(money(0n, currency)) }
  const [items, context] = await Promise.all([
    itemsOnInvoice(db, providerInvoiceId),
    sumContext(db, customerId, [{ id: subscriptionId, status: 'canceled' }]),
  ])
  const sums = sumInvoice({
    ...{ currency, terms: context.terms.get(subscriptionId), taxSeen: context.taxes.get(subscriptionId) },
    ...(await discountsOn(db, providerInvoiceId, context.discounts.get(subscriptionId))),
    // The provider lists what was made last first.
    lines: items.toSorted((a, b) => (b.madeAt ?? 0) - (a.madeAt ?? 0)).map(toSum),
  })
  return { invoice, lines: items.map((item) => shown(item, invoice)), ...sums }
}

/** Those that the draft was made with, each by what it stands there for. */
async function discountsOn(
  db: Db,
  draft: string,
  standing: ReturnType<SumContext['discounts']['get']>,
): Promise<Pick<ToSum, 'discounts' | 'hasUnread'>> {
  const { discounts, metadata } = ((await readObject(db, { type: 'invoice', id: draft }))?.raw ??
    {}) as Partial<Pick<Stripe.Invoice, 'discounts' | 'metadata'>>
  const ids = (discounts ?? []).map(idOf)
  const seen = await discountsSeen(db, ids)
  return {
    hasUnread: seen.length < ids.length,
    discounts: seen.map(({ id, terms, products }) => {
      const original = metadata?.[standsFor(ids.indexOf(id) + 1)] ?? id
      const scope = standing?.discounts.find((one) => one.id === original)?.scope
      return { terms, products: products ?? [], source: scope ?? 'subscription', item: null }
    }),
  }
}

function toSum({ content: { amount, product, discountable } }: ItemRow): LineToSum {
  const units = BigInt(amount)
  return {
    ...{ amount: units, discountable: discountable ?? units >= 0n, product },
    ...{ item: null, takenBefore: 0n, taxRates: [] },
  }
}

const shown = (item: ItemRow, { currency }: InvoiceRow): ShownLine => ({
  id: `${item.originInvoiceId}.${item.lineKey}`,
  key: item.lineKey,
  description: item.content.description,
  period: { start: item.content.periodStart, end: item.content.periodEnd },
  quantity: item.quantity === null ? null : quantityOf(item.quantity),
  unitLabel: item.derivation?.measured?.unitLabel ?? null,
  amount: money(item.amount, currency),
  late: true,
  derivation: item.derivation,
  reason: null,
  asOf: null,
  billed: [],
  providerId: item.providerItemId,
})
