import type Stripe from 'stripe'

/** What a product of Stripe's is called here. */
export function toProduct({ name, description, unit_label: unitLabel }: Stripe.Product) {
  return { name, description: description ?? null, unitLabel: unitLabel ?? null }
}
