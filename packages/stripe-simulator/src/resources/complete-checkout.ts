import { authenticateIntent, authenticateSetup, confirmSetup, confirmWith } from '../billing/confirm.ts'
import { createIntent } from '../billing/payments.ts'
import { invalid, StripeError } from '../errors.ts'
import type { CheckoutRow, InvoiceRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import type { CheckoutParams } from './checkout-fields.ts'
import { insertCustomer } from './customers.ts'
import { attachMethod, useMethod } from './payment-methods.ts'
import { create } from './subscriptions.ts'

/** What a person does on the page. */
export interface Completion {
  /** A `pm_card_*` token. */
  readonly card?: string | undefined
  /** The answer to a 3-D Secure challenge, should there be one. */
  readonly authenticate?: 'succeed' | 'fail' | undefined
  readonly email?: string | undefined
}

/**
 * The page is completed: only now the subscription or the payment comes into being. A card that does not
 * pay leaves the session open and nothing else behind. https://docs.stripe.com/api/checkout/sessions
 */
export function completeCheckout(world: World, id: string, how: Completion): CheckoutRow {
  const session = world.checkouts.get(id)
  if (session === undefined) throw invalid(`No such checkout.session: '${id}'`, 'id', 'resource_missing')
  if (session.status !== 'open') throw invalid(`This Checkout Session is ${session.status}.`)
  try {
    const made = { setup, payment, subscription }[session.mode as 'setup'](world, session, how)
    world.alarm('checkout.expire', id, session.own.clock, null)
    const customer = world.customers.get(made.customer ?? session.customer)
    const done = world.checkouts.patch(id, {
      ...made,
      status: 'complete',
      url: null,
      customer_details: {
        address: null,
        business_name: null,
        email: how.email ?? customer?.email ?? session.customer_email,
        individual_name: null,
        name: customer?.name ?? null,
        phone: null,
        tax_exempt: 'none',
        tax_ids: [],
      } as CheckoutRow['customer_details'],
    })
    world.emit('checkout.session.completed', done)
    return done
  } catch (error) {
    // Whatever the bank answered: nothing of the attempt stays.
    throw error instanceof StripeError ? new StripeError(error.status, error.body) : error
  }
}

function setup(world: World, session: CheckoutRow, how: Completion): Partial<CheckoutRow> {
  const method = useMethod(world, how.card ?? 'pm_card_visa', 'card')
  const id = session.setup_intent as string
  world.setupIntents.patch(id, { payment_method: method.id, status: 'requires_confirmation' })
  const intent = confirmSetup(world, id, false)
  if (intent.status === 'requires_action') challenged(how, () => authenticateSetup(world, id, 'succeed'))
  return {}
}

function payment(world: World, session: CheckoutRow, how: Completion): Partial<CheckoutRow> {
  const { paymentIntentData: data } = session.own
  const always = session.customer_creation === 'always'
  const customer = session.customer ?? (always ? newCustomer(world, session, how) : null)
  const intent = createIntent(world, {
    amount: session.amount_total ?? 0,
    currency: session.currency ?? 'usd',
    customer,
    clock: session.own.clock,
    invoice: null,
    description: data.description ?? null,
    metadata: data.metadata,
    setupFutureUsage: data.setup_future_usage ?? null,
  })
  const method = useMethod(world, how.card ?? 'pm_card_visa', 'card')
  world.paymentIntents.patch(intent.id, { payment_method: method.id, status: 'requires_confirmation' })
  const paid = confirmWith(world, intent.id, { offSession: false })
  if (paid.status === 'requires_action')
    challenged(how, () => authenticateIntent(world, intent.id, 'succeed'))
  return { customer, payment_intent: intent.id, payment_status: 'paid' }
}

function subscription(world: World, session: CheckoutRow, how: Completion): Partial<CheckoutRow> {
  const customer = session.customer ?? newCustomer(world, session, how)
  const free = session.amount_total === 0 && session.payment_method_collection === 'if_required'
  const method =
    free && how.card === undefined
      ? undefined
      : attachMethod(world, useMethod(world, how.card ?? 'pm_card_visa', 'card').id, customer)
  const { params } = session.own
  const made = subscribe(world, params, customer, method?.id)
  const invoice = world.invoices.must(made.latest_invoice)
  if (made.status === 'incomplete') pay(world, invoice, how)
  return {
    customer,
    subscription: made.id,
    invoice: invoice.id,
    payment_status: invoice.amount_due > 0 ? 'paid' : 'no_payment_required',
  }
}

function pay(world: World, invoice: InvoiceRow, how: Completion): void {
  const intent = world.paymentIntents.must(world.invoices.must(invoice.id).own.paymentIntent)
  if (intent.status === 'requires_action') {
    challenged(how, () => authenticateIntent(world, intent.id, 'succeed'))
    return
  }
  const error = intent.last_payment_error
  throw new StripeError(402, {
    type: 'card_error',
    code: error?.code ?? 'card_declined',
    message: error?.message ?? 'Your card was declined.',
    ...(error?.decline_code == null ? {} : { decline_code: error.decline_code }),
  })
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

function newCustomer(world: World, session: CheckoutRow, how: Completion): string {
  const email = how.email ?? session.customer_email
  const customer = insertCustomer(world, email === null ? {} : { email }, undefined)
  world.emit('customer.created', customer)
  return customer.id
}

/** The subscription that the session is about. Recurring lines are its items, others go onto its first invoice. */
export function subscribe(
  world: World,
  params: CheckoutParams,
  customer: string,
  method: string | undefined,
): SubscriptionRow {
  const lines = params.line_items ?? []
  const isRecurring = (price: string) => world.prices.must(price).recurring !== null
  return create(world, {
    ...params.subscription_data,
    customer,
    items: lines.filter(({ price }) => isRecurring(price)),
    add_invoice_items: lines.filter(({ price }) => !isRecurring(price)),
    discounts: params.discounts,
    ...(method === undefined ? {} : { default_payment_method: method }),
  })
}
