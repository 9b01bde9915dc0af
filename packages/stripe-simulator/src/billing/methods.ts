import type { CustomerRow, InvoiceRow, PaymentMethodRow, SubscriptionRow } from '../rows.ts'
import type { CardBehavior } from '../rules/test-cards.ts'
import type { World } from '../world.ts'

export function behaviorOf(method: PaymentMethodRow): CardBehavior {
  return JSON.parse(method.own.behavior) as CardBehavior
}

/** A card that is kept the older way, as a source of its customer: its id tells it. */
export function isCard({ id }: { readonly id: string }): boolean {
  return id.startsWith('card_')
}

/** Its face as a card: by this `object` it is rendered as one, and told of. */
export function asCard(method: PaymentMethodRow): Omit<PaymentMethodRow, 'object'> & { object: 'card' } {
  return { ...method, object: 'card' }
}

/** What a customer's next charge goes to: a subscription's own before the customer's, a method before a source. */
export function methodOfCustomer(
  customer: CustomerRow,
  subscription?: Pick<SubscriptionRow, 'default_payment_method' | 'default_source'>,
): string | null {
  return (
    subscription?.default_payment_method ??
    subscription?.default_source ??
    customer.invoice_settings.default_payment_method ??
    customer.default_source
  )
}

/**
 * The method that an invoice is collected with, in Stripe's order.
 * https://docs.stripe.com/billing/subscriptions/payment-methods-setting#payment-method-priority
 */
export function methodFor(world: World, invoice: InvoiceRow): PaymentMethodRow | undefined {
  const subscription = world.subscriptions.get(invoice.own.subscription)
  const customer = world.customers.must(invoice.customer)
  const id =
    invoice.default_payment_method ?? invoice.default_source ?? methodOfCustomer(customer, subscription)
  const method = world.paymentMethods.get(id)
  return method === undefined || method.customer !== invoice.customer ? undefined : method
}
