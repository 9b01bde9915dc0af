import type { ExistingItem } from '@lockstep/core/invoice-diff'
import type Stripe from 'stripe'
import { readStripe } from '../../provider/stripe/call.ts'
import { all } from '../../provider/stripe/fetch.ts'
import {
  type LineReference,
  lineName,
  lineReference,
  type ObservedItem,
  toInvoiceItem,
} from '../../provider/stripe/to-invoice-item.ts'
import type { LookDeps } from '../look.ts'
import { contentText, type Picture } from './picture.ts'

const PAGE = 100

/** An item that stands at Stripe and may still be changed. */
export interface Standing extends ExistingItem, ObservedItem {
  readonly reference: LineReference | null
}

/** The pending items of a subscription, ours and others'. */
export async function listPending(deps: LookDeps, { provider }: Picture): Promise<ObservedItem[]> {
  const items = await readStripe(deps, (stripe) =>
    all(stripe.invoiceItems.list({ customer: provider.customer, pending: true, limit: PAGE })),
  )
  return items
    .map(toInvoiceItem)
    .filter(({ subscription }) => subscription === null || subscription === provider.subscription)
}

/** The items on a draft. */
export async function listOnDraft(deps: LookDeps, draft: string): Promise<ObservedItem[]> {
  const items = await readStripe(deps, (stripe) =>
    all(stripe.invoiceItems.list({ invoice: draft, limit: PAGE })),
  )
  return items.map(toInvoiceItem)
}

/** Where an item is that stood somewhere else before; undefined if it was deleted. */
export async function findItem(deps: LookDeps, id: string): Promise<ObservedItem | undefined> {
  const item = await readStripe(
    deps,
    (stripe) => stripe.invoiceItems.retrieve(id) as Promise<Stripe.InvoiceItem | Stripe.DeletedInvoiceItem>,
  )
  return 'deleted' in item && item.deleted ? undefined : toInvoiceItem(item as Stripe.InvoiceItem)
}

/**
 * What the difference is made of. Items that we remember come first: of two for one line, they stay.
 * Lines of another subscription of ours are none of this one's business.
 */
export function standingItems(
  items: readonly ObservedItem[],
  instance: string,
  { subscription, items: rows }: Picture,
): Standing[] {
  const remembered = new Set(rows.map(({ providerItemId }) => providerItemId))
  const standing: Standing[] = []
  for (const item of items) {
    const reference = lineReference(instance, item.metadata)
    if (reference && item.metadata?.lockstep_subscription !== subscription.id) continue
    standing.push({
      ...item,
      id: item.providerId,
      reference,
      line: reference && lineName(reference),
      revision: reference?.revision ?? 0,
      content: contentText(item.item),
    })
  }
  return standing.sort((a, b) => Number(remembered.has(b.id)) - Number(remembered.has(a.id)))
}
