import type { FieldType } from '../rules/search-query.ts'

interface SearchField {
  readonly type: FieldType
  /** Where the value is in the object. */
  readonly path: string
}

const token = (path: string): SearchField => ({ type: 'token', path })
const text = (path: string): SearchField => ({ type: 'text', path })
const number = (path: string): SearchField => ({ type: 'number', path })

/** What can be asked of each resource. https://docs.stripe.com/search#supported-query-fields-for-each-resource */
const searchFields = {
  charges: {
    amount: number('amount'),
    'billing_details.address.postal_code': token('billing_details.address.postal_code'),
    created: number('created'),
    currency: token('currency'),
    customer: token('customer'),
    disputed: token('disputed'),
    metadata: token('metadata'),
    'payment_method_details.card.brand': token('payment_method_details.card.brand'),
    'payment_method_details.card.exp_month': token('payment_method_details.card.exp_month'),
    'payment_method_details.card.exp_year': token('payment_method_details.card.exp_year'),
    'payment_method_details.card.fingerprint': token('payment_method_details.card.fingerprint'),
    'payment_method_details.card.last4': token('payment_method_details.card.last4'),
    refunded: token('refunded'),
    status: token('status'),
  },
  customers: {
    created: number('created'),
    email: text('email'),
    metadata: token('metadata'),
    name: text('name'),
    phone: text('phone'),
  },
  invoices: {
    created: number('created'),
    currency: token('currency'),
    customer: token('customer'),
    last_finalization_error_code: token('last_finalization_error.code'),
    last_finalization_error_type: token('last_finalization_error.type'),
    metadata: token('metadata'),
    number: text('number'),
    receipt_number: text('receipt_number'),
    status: text('status'),
    subscription: text('parent.subscription_details.subscription'),
    total: number('total'),
  },
  payment_intents: {
    amount: number('amount'),
    created: number('created'),
    currency: token('currency'),
    customer: token('customer'),
    metadata: token('metadata'),
    status: token('status'),
  },
  prices: {
    active: token('active'),
    currency: token('currency'),
    lookup_key: text('lookup_key'),
    metadata: token('metadata'),
    product: text('product'),
    type: token('type'),
  },
  products: {
    active: token('active'),
    description: text('description'),
    metadata: token('metadata'),
    name: text('name'),
    shippable: token('shippable'),
    url: text('url'),
  },
  subscriptions: {
    canceled_at: number('canceled_at'),
    created: number('created'),
    metadata: token('metadata'),
    status: text('status'),
  },
} as const satisfies Record<string, Record<string, SearchField>>

export type Searchable = keyof typeof searchFields

export function fieldOf(resource: Searchable, name: string): SearchField | undefined {
  const fields: Record<string, SearchField> = searchFields[resource]
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}
