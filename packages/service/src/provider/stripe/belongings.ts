import type Stripe from 'stripe'
import { idOf } from './field.ts'

/** What an object belongs to, as its list shows it where that is asked for: whoever only looks need not ask for each. */
export interface Belonging {
  readonly customer?: Stripe.Customer | Stripe.DeletedCustomer | undefined
  readonly product?: Stripe.Product | Stripe.DeletedProduct | undefined
}

/** What a list is asked for by type, so that it shows what its objects belong to. */
export const expandBelongings = {
  price: ['data.product'],
  subscription: ['data.customer'],
  invoice: ['data.customer'],
  invoiceitem: ['data.customer'],
} as const

interface Expanded {
  readonly id: string
  readonly customer?: string | Stripe.Customer | Stripe.DeletedCustomer | null
  readonly product?: string | Stripe.Product | Stripe.DeletedProduct | null
}

/** The object as an event would show it, with ids, and what it belongs to. */
export function takeApart(object: { readonly id: string }): {
  readonly object: { readonly id: string }
  readonly belonging: Belonging
} {
  const { customer, product } = object as Expanded
  return {
    object: {
      ...object,
      ...(isWhole(customer) && { customer: idOf(customer) }),
      ...(isWhole(product) && { product: idOf(product) }),
    },
    belonging: {
      ...(isWhole(customer) && { customer }),
      ...(isWhole(product) && { product }),
    },
  }
}

const isWhole = <T extends object>(one: T | string | null | undefined): one is T =>
  typeof one === 'object' && one !== null
