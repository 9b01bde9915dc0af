import { authenticateIntent, authenticateSetup, confirmSetup, confirmWith } from '../billing/confirm.ts'
import { announce, finalize } from '../billing/invoices.ts'
import { createIntent } from '../billing/payments.ts'
import { collectAndSettle } from '../billing/settle.ts'
import { invalid, StripeError } from '../errors.ts'
import type { CheckoutRow, InvoiceRow, PaymentIntentRow, PaymentMethodRow } from '../rows.ts'
import type { World } from '../world.ts'
import { draftOfLines, subscribe } from './checkout-amounts.ts'
import { type Answered, answersOf } from './checkout-answers.ts'
import { billedTo, buyerShown, newCustomer } from './checkout-buyer.ts'
import { type Completion, filledIn } from './checkout-form.ts'
import { redeemWithoutDiscount } from './discounts.ts'
import { checkedEmail } from './email-param.ts'
import { setFields } from './invoice-fields.ts'
import { useMethod } from './make-method.ts'
import { attachMethod } from './payment-methods.ts'

/**
 * The page is completed: only now the subscription or the payment comes into being. A card that does not
 * pay leaves the session open and nothing else behind. https://docs.stripe.com/api/checkout/sessions
 */
export function completeCheckout(world: World, id: string, how: Completion): CheckoutRow {
  const found = world.checkouts.get(id)
  if (found === undefined) throw invalid(`No such checkout.session: '${id}'`, 'id', 'resource_missing')
  if (found.status !== 'open') throw invalid(`This Checkout Session is ${found.status}.`)
  try {
    if (how.email !== undefined) checkedEmail(how.email, 'email')
    const answered = answersOf(world, found, how)
    const session = filledIn(world, found, how, answered)
    const made = { setup, payment, subscription }[session.mode as 'setup'](world, session, how, answered)
    world.alarm('checkout.expire', id, session.own.clock, null)
    const customer = world.customers.get(made.customer ?? session.customer)
    const done = world.checkouts.patch(id, {
      ...made,
      ...buyerShown(world, customer, session, how, answered),
      status: 'complete',
      url: null,
    })
    world.emit('checkout.session.completed', done)
    return done
  } catch (error) {
    // Whatever the bank answered: nothing of the attempt stays.
    throw error instanceof StripeError ? new StripeError(error.status, error.body) : error
  }
}

/** The card of the page, with who holds it. */
function methodOf(world: World, session: CheckoutRow, how: Completion, answered: Answered): PaymentMethodRow {
  const method = useMethod(world, how.card ?? 'pm_card_visa', 'card')
  return billedTo(world, method, session, how, answered)
}

function setup(
  world: World,
  session: CheckoutRow,
  how: Completion,
  answered: Answered,
): Partial<CheckoutRow> {
  const method = methodOf(world, session, how, answered)
  const id = session.setup_intent as string
  const makes = session.customer === null && session.customer_creation === 'always'
  const customer = makes ? newCustomer(world, session, how, answered) : session.customer
  world.setupIntents.patch(id, { customer, payment_method: method.id, status: 'requires_confirmation' })
  const intent = confirmSetup(world, id, false)
  if (intent.status === 'requires_action') challenged(how, () => authenticateSetup(world, id, 'succeed'))
  return { customer }
}

function payment(
  world: World,
  session: CheckoutRow,
  how: Completion,
  answered: Answered,
): Partial<CheckoutRow> {
  const always = session.customer_creation === 'always'
  const customer = session.customer ?? (always ? newCustomer(world, session, how, answered) : null)
  if (session.invoice_creation?.enabled === true && customer !== null) {
    return paymentWithInvoice(world, session, customer, how, answered)
  }
  redeemWithoutDiscount(world, session.own.params.discounts ?? [])
  if (session.amount_total === 0) return { customer, payment_status: 'no_payment_required' }
  const { paymentIntentData: data } = session.own
  const { id } = createIntent(world, {
    amount: session.amount_total ?? 0,
    currency: session.currency ?? 'usd',
    customer,
    clock: session.own.clock,
    invoice: null,
    description: data.description ?? null,
    metadata: data.metadata,
    setupFutureUsage: data.setup_future_usage ?? null,
    captureMethod: session.own.params.payment_intent_data?.capture_method,
  })
  const method = methodOf(world, session, how, answered)
  world.paymentIntents.patch(id, {
    payment_method: method.id,
    status: 'requires_confirmation',
    shipping: shippingOf(answered),
  })
  const intent = passed(world, confirmWith(world, id, { offSession: false }), how)
  // Money that is only held is not paid yet.
  return { customer, payment_intent: id, payment_status: intent.status === 'succeeded' ? 'paid' : 'unpaid' }
}

/** `invoice_creation`: what was bought is written on an invoice, which the payment pays. */
function paymentWithInvoice(
  world: World,
  session: CheckoutRow,
  customer: string,
  how: Completion,
  answered: Answered,
): Partial<CheckoutRow> {
  const { id } = draftOfLines(world, session.own.params, customer).draft
  const { description, footer, metadata } = session.own.params.invoice_creation?.invoice_data ?? {}
  setFields(world, id, { description, footer, metadata })
  announce(world, id)
  const open = finalize(world, id)
  if (open.status === 'paid') return { customer, invoice: id, payment_status: 'no_payment_required' }
  const method = methodOf(world, session, how, answered)
  const outcome = collectAndSettle(world, id, { offSession: false, automatic: false, method })
  if (outcome.result === 'failed' || outcome.result === 'no_method') throw outcome.error
  const intent = world.paymentIntents.must(world.invoices.must(id).own.paymentIntent)
  passed(world, intent, how)
  const { status } = world.invoices.must(id)
  return {
    customer,
    invoice: id,
    payment_intent: intent.id,
    payment_status: status === 'paid' ? 'paid' : 'unpaid',
  }
}

function subscription(
  world: World,
  session: CheckoutRow,
  how: Completion,
  answered: Answered,
): Partial<CheckoutRow> {
  const customer = session.customer ?? newCustomer(world, session, how, answered)
  const free = session.amount_total === 0 && session.payment_method_collection === 'if_required'
  const method =
    free && how.card === undefined
      ? undefined
      : attachMethod(world, methodOf(world, session, how, answered).id, customer)
  const { params } = session.own
  const made = subscribe(world, params, customer, method?.id)
  const invoice = world.invoices.get(made.latest_invoice)
  if (invoice !== undefined && made.status === 'incomplete') pay(world, invoice, how)
  return {
    customer,
    subscription: made.id,
    invoice: invoice?.id ?? null,
    payment_status:
      invoice === undefined || invoice.amount_due === 0
        ? 'no_payment_required'
        : world.invoices.must(invoice.id).status === 'paid'
          ? 'paid'
          : 'unpaid',
  }
}

function pay(world: World, invoice: InvoiceRow, how: Completion): void {
  const intent = world.paymentIntents.must(world.invoices.must(invoice.id).own.paymentIntent)
  if (intent.status === 'requires_action') {
    passed(world, intent, how)
    return
  }
  // A debit is under way: the page is done, the money is not there yet.
  if (intent.status === 'processing') return
  const error = intent.last_payment_error
  throw new StripeError(402, {
    type: 'card_error',
    code: error?.code ?? 'card_declined',
    message: error?.message ?? 'Your card was declined.',
    ...(error?.decline_code == null ? {} : { decline_code: error.decline_code }),
  })
}

function passed(world: World, intent: PaymentIntentRow, how: Completion): PaymentIntentRow {
  if (intent.status === 'requires_action') {
    challenged(how, () => authenticateIntent(world, intent.id, 'succeed'))
  }
  return world.paymentIntents.must(intent.id)
}

/** A challenge is passed or failed by the person; without an answer the page goes on waiting. */
function challenged({ authenticate }: Completion, pass: () => unknown): void {
  if (authenticate === 'succeed') {
    pass()
    return
  }
  throw new StripeError(402, {
    type: 'card_error',
    code: authenticate === 'fail' ? 'payment_intent_authentication_failure' : 'authentication_required',
    message:
      authenticate === 'fail'
        ? 'We are unable to authenticate your payment method. Please choose a different payment method and try again.'
        : 'Your card requires authentication.',
  })
}

/** Where an order goes is on its payment, too. https://docs.stripe.com/payments/collect-addresses */
function shippingOf({ shipping, phone }: Answered): PaymentIntentRow['shipping'] {
  if (shipping === null) return null
  return { ...shipping, ...(phone === null ? {} : { phone }) }
}
