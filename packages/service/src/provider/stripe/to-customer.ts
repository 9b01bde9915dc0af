import type Stripe from 'stripe'
import { idOrNull, type OwnReference, ownReference, present } from './field.ts'

export type ObservedCustomer =
  | { readonly providerId: string; readonly deleted: true }
  | {
      readonly providerId: string
      readonly deleted: false
      readonly livemode: boolean
      readonly name: string | null
      readonly email: string | null
      /** Locked by the first thing billed; null before it. */
      readonly currency: string | null
      readonly delinquent: boolean
      readonly defaultPaymentMethod: string | null
      readonly testClock: string | null
      readonly own: OwnReference
    }

/** Stripe's customer as ours. */
export function toCustomer(customer: Stripe.Customer | Stripe.DeletedCustomer): ObservedCustomer {
  if (customer.deleted) return { providerId: customer.id, deleted: true }
  const settings = present(customer.invoice_settings, 'invoice_settings')
  return {
    providerId: customer.id,
    deleted: false,
    livemode: present(customer.livemode, 'livemode'),
    name: customer.name ?? null,
    email: present(customer.email, 'email'),
    currency: customer.currency ?? null,
    delinquent: customer.delinquent ?? false,
    defaultPaymentMethod: idOrNull(
      settings.default_payment_method,
      'invoice_settings.default_payment_method',
    ),
    // Left out of customers that are on no clock.
    testClock: idOrNull(customer.test_clock ?? null, 'test_clock'),
    own: ownReference(present(customer.metadata, 'metadata')),
  }
}
