import type Stripe from 'stripe'

/**
 * A field that the pinned API version always sends. Absent is not empty: a field that is missing from
 * an answer must not read as "none", so it is an error, and the answer is not applied.
 */
export function present<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`Stripe's answer lacks the field ${name}.`)
  return value
}

/** The id of a reference that may have been expanded. */
export function idOf(reference: string | { readonly id: string }): string {
  return typeof reference === 'string' ? reference : reference.id
}

/** The id of a reference that may be null, but not absent. */
export function idOrNull(
  reference: string | { readonly id: string } | null | undefined,
  name: string,
): string | null {
  const value = present(reference, name)
  return value === null ? null : idOf(value)
}

/** What our metadata says an object stands for; null where it says nothing. */
export interface OwnReference {
  readonly instance: string | null
  readonly operation: string | null
  readonly customer: string | null
  readonly subscription: string | null
  /** The registration's that made it and waits for what becomes of it. */
  readonly workflow: string | null
}

export function ownReference(metadata: Readonly<Record<string, string>> | null): OwnReference {
  return {
    instance: metadata?.lockstep_instance ?? null,
    operation: metadata?.lockstep_operation ?? null,
    customer: metadata?.lockstep_customer ?? null,
    subscription: metadata?.lockstep_subscription ?? null,
    workflow: metadata?.lockstep_workflow ?? null,
  }
}

/**
 * How many a line is of, as decimal text: usage may have decimals, which `quantity` cuts off.
 * https://docs.stripe.com/api/invoice-line-item/object#invoice_line_item_object-quantity_decimal
 */
export function exactQuantityOf({
  quantity,
  quantity_decimal: decimal,
}: Partial<Pick<Stripe.InvoiceLineItem, 'quantity' | 'quantity_decimal'>>): string | null {
  const said = decimal ?? quantity ?? null
  return said === null ? null : String(said)
}
