import type Stripe from 'stripe'
import { type CallDeps, callStripe, readStripe } from './call.ts'
import { all } from './fetch.ts'
import { idOf } from './field.ts'

const PAGE = 100

/** What a customer can be charged by, of every kind. */
export interface Methods {
  readonly methods: readonly Stripe.PaymentMethod[]
  /** Cards and accounts of Stripe's older kind that are no payment methods. https://docs.stripe.com/api/sources */
  readonly sources: readonly string[]
}

/** Everything that a customer can be charged by, to the last page. */
export function listMethods(
  deps: Pick<CallDeps, 'provider'>,
  customer: Pick<Stripe.Customer, 'id' | 'default_source'>,
): Promise<Methods> {
  return readStripe(deps, async (stripe) => {
    const methods = await all(stripe.customers.listPaymentMethods(customer.id, { limit: PAGE }))
    const known = new Set(methods.map(({ id }) => id))
    // Who has any has a default among them.
    const sources =
      customer.default_source === null
        ? []
        : await all(stripe.customers.listSources(customer.id, { limit: PAGE }))
    return { methods, sources: sources.map(({ id }) => id).filter((id) => !known.has(id)) }
  })
}

/** What there still is to collect of a customer: subscriptions that live, drafts and open invoices. */
export interface Collected {
  readonly subscriptions: readonly Stripe.Subscription[]
  readonly invoices: readonly Stripe.Invoice[]
}

export function listCollected(deps: Pick<CallDeps, 'provider'>, customer: string): Promise<Collected> {
  return readStripe(deps, async (stripe) => {
    // In this order: what ends between two of these reads leaves an invoice that the next one shows.
    const subscriptions = await all(stripe.subscriptions.list({ customer, limit: PAGE }))
    const drafts = await all(stripe.invoices.list({ customer, status: 'draft', limit: PAGE }))
    const open = await all(stripe.invoices.list({ customer, status: 'open', limit: PAGE }))
    const live = subscriptions.filter(
      ({ status }) => status !== 'canceled' && status !== 'incomplete_expired',
    )
    return { subscriptions: live, invoices: [...drafts, ...open] }
  })
}

/** Has an invoice charged to what it would be charged to, by name: another default changes nothing for it. */
export function chargeInvoiceTo(
  deps: CallDeps,
  operation: string,
  invoice: Pick<Stripe.Invoice, 'id'>,
  by: { readonly default_payment_method: string } | { readonly default_source: string },
): Promise<Stripe.Invoice> {
  return callStripe(
    deps,
    { id: operation, kind: 'invoice.payment_method', subjectId: invoice.id, body: by, repeatable: true },
    (stripe, options) => stripe.invoices.update(invoice.id, by, options),
  )
}

/** Nothing is charged to the customer any more but what names a method of its own. */
export function clearDefaultMethod(
  deps: CallDeps,
  operation: string,
  customer: { readonly id: string; readonly providerId: string },
): Promise<Stripe.Customer> {
  const body = { invoice_settings: { default_payment_method: '' } }
  return callStripe(
    deps,
    {
      id: operation,
      kind: 'customer.default_payment_method',
      subjectId: customer.id,
      body,
      repeatable: true,
    },
    (stripe, options) => stripe.customers.update(customer.providerId, body, options),
  )
}

/** Takes a payment method off, for good. https://docs.stripe.com/api/payment_methods/detach */
export function detachMethod(
  deps: CallDeps,
  operation: string,
  customer: { readonly id: string; readonly providerId: string },
  method: string,
): Promise<Stripe.PaymentMethod> {
  const { id: subjectId, providerId } = customer
  return callStripe(
    deps,
    { id: operation, kind: 'payment_method.detach', subjectId, body: { paymentMethod: method } },
    (stripe, options) => stripe.paymentMethods.detach(method, {}, options),
    async (stripe) => {
      const found = await stripe.paymentMethods.retrieve(method)
      return found.customer !== null && idOf(found.customer) === providerId ? undefined : found
    },
  )
}

/** The same of a card or an account of the older kind. https://docs.stripe.com/api/cards/delete */
export function deleteSource(
  deps: CallDeps,
  operation: string,
  customer: { readonly id: string; readonly providerId: string },
  source: string,
): Promise<{ readonly id: string }> {
  const { id: subjectId, providerId } = customer
  return callStripe(
    deps,
    { id: operation, kind: 'source.delete', subjectId, body: { source } },
    (stripe, options) => stripe.customers.deleteSource(providerId, source, {}, options),
    async (stripe) => {
      const left = await all(stripe.customers.listSources(providerId, { limit: PAGE }))
      return left.some(({ id }) => id === source) ? undefined : { id: source }
    },
  )
}
