import type { InvoiceRow, PaymentMethodRow } from '../rows.ts'
import type { CardBehavior } from '../rules/test-cards.ts'
import type { World } from '../world.ts'

export function behaviorOf(method: PaymentMethodRow): CardBehavior {
  return JSON.parse(method.own.behavior) as CardBehavior
}

/**
 * The method that an invoice is collected with, in Stripe's order.
 * https://docs.stripe.com/billing/invoices/subscription#payment-method
 */
export function methodFor(world: World, invoice: InvoiceRow): PaymentMethodRow | undefined {
  const subscription = world.subscriptions.get(invoice.own.subscription)
  const customer = world.customers.get(invoice.customer)
  const id =
    invoice.default_payment_method ??
    subscription?.default_payment_method ??
    customer?.invoice_settings.default_payment_method
  const method = world.paymentMethods.get(id)
  return method === undefined || method.customer !== invoice.customer ? undefined : method
}
