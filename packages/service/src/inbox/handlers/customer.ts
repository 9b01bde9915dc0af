import { type Handlers, looksAt, looksForGone, records } from '../handler.ts'

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
  'customer.discount.created': records('customer.subscription.updated tells it of a subscription.'),
  'customer.discount.updated': records('customer.subscription.updated tells it of a subscription.'),
  'customer.discount.deleted': records('The next invoice has it no more; what runs out was agreed on.'),
  'customer.tax_id.created': records('Stripe prints it on its invoices; nothing here depends on it.'),
  'customer.tax_id.updated': records('Stripe checked it.'),
  'customer.tax_id.deleted': records('Stripe prints it no more.'),
}
