import type { Instant } from '@lockstep/core/instant'
import type { Money } from '@lockstep/core/money'
import type { Period } from '@lockstep/core/period'
import type Stripe from 'stripe'
import type { ProviderSums } from '../../store/provider-sums.ts'
import { fromStripeAmount, fromStripeDiscount } from './amount.ts'
import { discountOf } from './fee-lines.ts'
import { exactQuantityOf, idOf, idOrNull, type OwnReference, ownReference, present } from './field.ts'
import { toInvoiceSums } from './to-invoice-sums.ts'

export const providerInvoiceStatuses = ['draft', 'open', 'paid', 'uncollectible', 'void'] as const
export type ProviderInvoiceStatus = (typeof providerInvoiceStatuses)[number]

export interface ObservedInvoiceLine {
  readonly providerId: string
  readonly description: string | null
  /** Before discounts. */
  readonly amount: Money
  /** What discounts took off it. */
  readonly discounted: Money
  /** When the service was given. */
  readonly period: Period
  readonly quantity: number | null
  /** The same with its decimals, as text. */
  readonly exactQuantity: string | null
  /** The pending item that became this line; null for a line of the subscription itself. */
  readonly invoiceItem: string | null
  readonly subscriptionItem: string | null
  readonly price: string | null
  readonly product: string | null
  readonly isProration: boolean
  readonly metadata: Readonly<Record<string, string>>
}

export interface ObservedInvoice {
  readonly providerId: string
  readonly livemode: boolean
  readonly customer: string | null
  readonly subscription: string | null
  readonly billingReason: string | null
  /** Undefined for a status that we do not know yet. */
  readonly status: ProviderInvoiceStatus | undefined
  readonly currency: string
  readonly number: string | null
  /** Stripe's period of the invoice: of a renewal, the one that is over. */
  readonly period: Period
  readonly created: Instant
  /** When a draft is going to be finalized; null where nothing will do it. */
  readonly finalizesAt: Instant | null
  readonly finalizedAt: Instant | null
  readonly subtotal: Money
  readonly total: Money
  readonly amountDue: Money
  readonly amountPaid: Money
  readonly amountRemaining: Money
  /** When Stripe tries to collect it next; null where it does not by itself. */
  readonly nextPaymentAttemptAt: Instant | null
  readonly sums: ProviderSums
  readonly hostedInvoiceUrl: string | null
  readonly invoicePdf: string | null
  /** In Stripe's order, complete. */
  readonly lines: readonly ObservedInvoiceLine[]
  readonly testClock: string | null
  readonly own: OwnReference
}

/** Stripe's invoice as ours. Its lines must be complete: see fetchInvoice. */
export function toInvoice(invoice: Stripe.Invoice): ObservedInvoice {
  const lines = present(invoice.lines, 'lines')
  if (lines.has_more) throw new Error(`Stripe's answer has only some of the lines of ${invoice.id}.`)
  const { currency } = invoice
  const amount = (value: number, name: string) => fromStripeAmount(present(value, name), currency)
  const parent = present(invoice.parent, 'parent')
  const transitions = present(invoice.status_transitions, 'status_transitions')
  return {
    providerId: invoice.id,
    livemode: present(invoice.livemode, 'livemode'),
    customer: idOrNull(invoice.customer, 'customer'),
    subscription: idOrNull(parent?.subscription_details?.subscription ?? null, 'parent'),
    billingReason: present(invoice.billing_reason, 'billing_reason'),
    status: providerInvoiceStatuses.find((status) => status === invoice.status),
    currency,
    number: present(invoice.number, 'number'),
    period: {
      start: present(invoice.period_start, 'period_start'),
      end: present(invoice.period_end, 'period_end'),
    },
    created: present(invoice.created, 'created'),
    finalizesAt: invoice.automatically_finalizes_at ?? null,
    finalizedAt: present(transitions.finalized_at, 'status_transitions.finalized_at'),
    subtotal: amount(invoice.subtotal, 'subtotal'),
    total: amount(invoice.total, 'total'),
    amountDue: amount(invoice.amount_due, 'amount_due'),
    amountPaid: amount(invoice.amount_paid, 'amount_paid'),
    amountRemaining: amount(invoice.amount_remaining, 'amount_remaining'),
    nextPaymentAttemptAt: present(invoice.next_payment_attempt, 'next_payment_attempt'),
    sums: toInvoiceSums(invoice),
    // Left out of drafts.
    hostedInvoiceUrl: invoice.hosted_invoice_url ?? null,
    invoicePdf: invoice.invoice_pdf ?? null,
    lines: lines.data.map(toLine),
    testClock: idOrNull(invoice.test_clock ?? null, 'test_clock'),
    own: ownReference(present(invoice.metadata, 'metadata')),
  }
}

function toLine(line: Stripe.InvoiceLineItem): ObservedInvoiceLine {
  const parent = present(line.parent, 'lines.parent')
  const item = parent?.invoice_item_details
  const subscriptionItem = parent?.subscription_item_details
  const price = present(line.pricing, 'lines.pricing')?.price_details
  return {
    providerId: line.id,
    description: present(line.description, 'lines.description'),
    amount: fromStripeAmount(present(line.amount, 'lines.amount'), line.currency),
    discounted: fromStripeDiscount(BigInt(discountOf(line)), line.currency),
    period: { start: line.period.start, end: line.period.end },
    quantity: present(line.quantity, 'lines.quantity'),
    exactQuantity: exactQuantityOf(line),
    invoiceItem: item?.invoice_item ?? subscriptionItem?.invoice_item ?? null,
    subscriptionItem: subscriptionItem?.subscription_item ?? null,
    price: price ? idOf(price.price) : null,
    product: price ? idOf(price.product) : null,
    isProration: (item?.proration ?? subscriptionItem?.proration) === true,
    metadata: present(line.metadata, 'lines.metadata'),
  }
}
