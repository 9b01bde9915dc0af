import { noUsage } from '@lockstep/core/meter'
import type { Price } from '@lockstep/core/price'
import { groupKeyOf, type UsageGroup } from '@lockstep/core/usage-group'
import type { Db, Trx } from '../postgres/connect.ts'
import type { ItemRow } from '../store/invoice-items.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import type { RatingTerms } from '../store/rating-terms.ts'
import { type GroupedQuery, usageByGroup } from '../store/usage-groups.ts'
import type { AddedUp } from './add-up.ts'
import { periodOf, type RatingInput } from './rate.ts'

/**
 * Usage by group of a period's prices that group, by price key; of other prices nothing is asked. A group
 * that was billed and whose events are all taken back is there with nothing, so that what was billed is
 * given back. What was added up in advance is not added up again.
 */
export async function groupsOf(
  db: Db | Trx,
  { invoice, terms, items }: Omit<RatingInput, 'groups'>,
  addedUp?: AddedUp,
): Promise<ReadonlyMap<string, readonly UsageGroup[]>> {
  const groups = new Map<string, readonly UsageGroup[]>()
  for (const { price, query } of groupedQueries(invoice, terms)) {
    const used = addedUp?.groups.get(JSON.stringify(query)) ?? (await usageByGroup(db, query))
    const known = new Set(used.map((group) => group.key))
    const gone = billedGroups(price, invoice, items).filter((group) => !known.has(group.key))
    groups.set(price.key, [...used, ...gone])
  }
  return groups
}

/** What has to be added up for each price that groups. */
export function groupedQueries(
  invoice: InvoiceRow,
  { plan, meters }: RatingTerms,
): { readonly price: Price; readonly query: GroupedQuery }[] {
  return plan.prices.flatMap((price) => {
    const { groupBy, meter: meterKey } = price
    if (groupBy === undefined || meterKey === null) return []
    const dimensions = meters.find(({ key }) => key === meterKey)?.dimensions ?? []
    const { customerId } = invoice
    return [{ price, query: { customerId, meterKey, period: periodOf(invoice), dimensions, groupBy } }]
  })
}

function billedGroups(price: Price, { id }: InvoiceRow, items: readonly ItemRow[]): UsageGroup[] {
  const groups = new Map<string, UsageGroup>()
  for (const { originInvoiceId, lineKey, state, derivation } of items) {
    const key = groupKeyOf(price.key, lineKey)
    if (key === undefined || state !== 'billed' || originInvoiceId !== id) continue
    const named = derivation?.measured?.group ?? {}
    const values = (price.groupBy ?? []).map((dimension) => named[dimension] ?? null)
    groups.set(key, { key, values, totals: noUsage })
  }
  return [...groups.values()]
}
