import { type Handlers, looksAt, records } from '../handler.ts'

export const paymentHandlers: Handlers = {
  'payment_method.attached': records('customer.updated tells when it became the default.'),
  'payment_method.updated': records('Cards are kept at Stripe, and shown from there.'),
  'payment_method.automatically_updated': records('The bank sent a new number for the old card.'),
  'payment_method.detached': records('customer.updated tells if it was the default.'),

  'setup_intent.created': records('A page was opened.'),
  'setup_intent.requires_action': records('The page asks whoever is there.'),
  'setup_intent.succeeded': records('checkout.session.completed tells whoever waits for it.'),
  'setup_intent.setup_failed': records('The page says so to whoever is there.'),
  'setup_intent.canceled': records('The page was left.'),

  'payment_intent.created': records('Its invoice tells what is to be paid.'),
  'payment_intent.processing': records('Not paid yet; its invoice tells when it is.'),
  'payment_intent.requires_action': records('invoice.payment_action_required tells it of what is billed.'),
  'payment_intent.succeeded': records('invoice.paid tells it of what is billed.'),
  'payment_intent.payment_failed': records('invoice.payment_failed tells it of what is billed.'),
  'payment_intent.canceled': records('Its invoice was voided, or closed.'),

  'charge.refunded': records('refund.created tells how much, and of which invoice.'),
  'charge.dispute.created': looksAt('dispute', 'A bank takes a payment back, or asks about one.'),
  'charge.dispute.updated': looksAt('dispute', 'It was answered, or the bank did more than ask.'),
  'charge.dispute.closed': looksAt('dispute', 'It was won, or lost.'),
  'charge.dispute.funds_withdrawn': looksAt('dispute', 'The money is gone until it is won.'),
  'charge.dispute.funds_reinstated': looksAt('dispute', 'The money is back.'),

  'refund.created': looksAt('refund', 'Money went back, here or in the dashboard.'),
  'refund.updated': looksAt('refund', 'The bank took it, or did not.'),
  'refund.failed': looksAt('refund', 'The bank sent it back: it counts as never made.'),
}
