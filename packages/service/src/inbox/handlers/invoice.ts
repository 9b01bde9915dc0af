import { type Handlers, looksAnyway, looksAt, looksForGone, records } from '../handler.ts'

export const invoiceHandlers: Handlers = {
  'invoice.created': looksAt('invoice', 'A period is over: its lines are sent for the last time.'),
  'invoice.updated': looksAt('invoice', 'An amount, an attempt or a date of it changed.'),
  'invoice.finalized': looksAt('invoice', 'It changes no more: its lines are written down.'),
  'invoice.finalization_failed': looksAt('invoice', 'It stays a draft, and somebody has to look.'),
  'invoice.paid': looksAt('invoice', 'The customer owes nothing for this period any more.'),
  'invoice.payment_failed': looksAnyway('invoice', 'The customer still owes it, or told the bank no.'),
  'invoice.payment_action_required': looksAt('invoice', 'The customer has to confirm the payment.'),
  'invoice.overpaid': looksAt('invoice', 'More was paid than was due.'),
  'invoice.voided': looksAt('invoice', 'It never was.'),
  'invoice.marked_uncollectible': looksAt('invoice', 'It was given up; it may still be paid.'),
  'invoice.deleted': looksForGone('invoice', 'The draft is gone, and what stood on it has to be sent again.'),
  'invoice.payment_succeeded': records('The same moment as invoice.paid.'),
  'invoice.sent': records('Stripe mailed it.'),
  'invoice.upcoming': records(
    'It is about an invoice that does not exist yet, so there is nothing to look at.',
  ),
  'invoice.will_be_due': records('A reminder for whoever is billed by mail.'),
  'invoice.overdue': records('The status of its subscription says so.'),

  'invoiceitem.created': looksAt(
    'invoiceitem',
    'The next invoice takes it. Where our own lines are is read from Stripe with every synchronisation.',
  ),
  'invoiceitem.deleted': looksForGone(
    'invoiceitem',
    'The next invoice has it no more; one of our own lines is made again by the next synchronisation.',
  ),

  'credit_note.created': looksAt('credit_note', 'An amount was taken off an invoice.'),
  'credit_note.updated': looksAt('credit_note', 'Something of it changed.'),
  'credit_note.voided': looksAt('credit_note', 'It never was: the amount is due again.'),
}
