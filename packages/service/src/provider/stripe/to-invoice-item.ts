import type Stripe from 'stripe'
import type { ItemContent } from '../../store/invoice-items.ts'
import { idOf, idOrNull, present } from './field.ts'

/** Which line of ours an item or an invoice line is, by its metadata. */
export interface LineReference {
  readonly originInvoiceId: string
  readonly lineKey: string
  readonly revision: number
  readonly quantity: string | null
  /** Of what gives back: what discounts had taken off what it takes back, in major units. */
  readonly discounted: string | null
}

/** A line's name, as it stands in `lockstep_line`: the invoice of its period, and the price's key. */
export function lineName({ originInvoiceId, lineKey }: Pick<LineReference, 'originInvoiceId' | 'lineKey'>) {
  return `${originInvoiceId}.${lineKey}`
}

/** Null where the object is not one of this installation's lines. */
export function lineReference(
  instance: string,
  metadata: Readonly<Record<string, string>> | null,
): LineReference | null {
  if (metadata?.lockstep_instance !== instance) return null
  const [, originInvoiceId, lineKey] = /^(invoice_\w+)\.([\w-]+)$/.exec(metadata.lockstep_line ?? '') ?? []
  const revision = /^\d{1,9}$/.exec(metadata.lockstep_revision ?? '')?.[0]
  if (originInvoiceId === undefined || lineKey === undefined || revision === undefined) return null
  return {
    originInvoiceId,
    lineKey,
    revision: Number(revision),
    quantity: metadata.lockstep_quantity ?? null,
    discounted: metadata.lockstep_discounted ?? null,
  }
}

/** An invoice item as it stands at Stripe. */
export interface ObservedItem {
  readonly providerId: string
  /** The invoice it stands on; null while it is pending. */
  readonly invoice: string | null
  readonly subscription: string | null
  readonly isProration: boolean
  /** What a call of ours would have to send to make it so. */
  readonly item: ItemContent
  readonly metadata: Readonly<Record<string, string>> | null
  /** As Stripe showed it. */
  readonly object: Stripe.InvoiceItem
}

export function toInvoiceItem(item: Stripe.InvoiceItem): ObservedItem {
  const parent = present(item.parent, 'parent')
  const price = present(item.pricing, 'pricing')?.price_details
  const metadata = present(item.metadata, 'metadata')
  return {
    providerId: item.id,
    invoice: idOrNull(item.invoice, 'invoice'),
    subscription: parent?.subscription_details?.subscription ?? null,
    isProration: item.proration,
    item: {
      amount: String(present(item.amount, 'amount')),
      currency: item.currency,
      description: item.description ?? '',
      periodStart: item.period.start,
      periodEnd: item.period.end,
      product: price ? idOf(price.product) : null,
      quantity: metadata?.lockstep_quantity ?? null,
      discounted: metadata?.lockstep_discounted ?? null,
      ...(item.amount >= 0 && !item.discountable && { discountable: false }),
    },
    metadata,
    object: item,
  }
}
