import { type Handlers, looksAt, looksForGone, looksInstead, records } from '../handler.ts'

/** Of a subscription or an invoice, those tell it themselves. */
const discounted = (because: string) =>
  looksInstead(
    'customer',
    ({ customer, subscription, invoice, invoice_item: item }) =>
      [subscription, invoice, item].some((of) => typeof of === 'string') ? '' : customer,
    because,
  )

export const customerHandlers: Handlers = {
  'customer.created': looksAt(
    'customer',
    'It may be ours, made by a call whose answer was lost; one made there is made here, where customers come in.',
  ),
  'customer.updated': looksAt('customer', 'A card became the default, or a payment is overdue.'),
  'customer.deleted': looksForGone(
    'customer',
    'Its subscriptions are over, and nothing can be charged any more.',
  ),
  'customer.discount.created': discounted('All subscriptions without a discount of their own have it.'),
  'customer.discount.updated': discounted('Another took its place.'),
  'customer.discount.deleted': discounted('It was taken away, used up, or has run out.'),
  'customer.tax_id.created': records('Stripe prints it on its invoices; nothing here depends on it.'),
  'customer.tax_id.updated': records('Stripe checked it.'),
  'customer.tax_id.deleted': records('Stripe prints it no more.'),
}
