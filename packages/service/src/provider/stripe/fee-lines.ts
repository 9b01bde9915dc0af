import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'

/** What a line says of where it comes from; null of one that says nothing. */
export function detailsOf({ parent }: Stripe.InvoiceLineItem) {
  return parent?.subscription_item_details ?? parent?.invoice_item_details ?? null
}

/** With its tax and less its discounts, which stand beside the amount. https://docs.stripe.com/api/invoice-line-item/object */
export function netOf(line: Stripe.InvoiceLineItem): number {
  const tax = (line.taxes ?? []).reduce(
    (sum, { amount: part, tax_behavior: behavior }) => (behavior === 'exclusive' ? sum + part : sum),
    0,
  )
  return line.amount - discountOf(line) + tax
}

/** What discounts take off a line. */
export function discountOf({ discount_amounts: parts }: Stripe.InvoiceLineItem): number {
  return (parts ?? []).reduce((sum, { amount }) => sum + amount, 0)
}

/** A fee, or a part of one, for time that is not over at `at`: what is billed afterwards, usage, is none. */
export function isFeeAhead(line: Stripe.InvoiceLineItem, at: Instant): boolean {
  return isFee(line) && line.period.end > at
}

/** Gives time back that was billed before. */
export function isCredit(line: Stripe.InvoiceLineItem): boolean {
  return isFee(line) && netOf(line) < 0
}

/** A fee, or a part of one. */
export function isFee(line: Stripe.InvoiceLineItem): boolean {
  return detailsOf(line)?.proration === true || line.parent?.type === 'subscription_item_details'
}
