import type Stripe from 'stripe'
import type { renderers } from '../src/registry.ts'
import type * as rows from '../src/rows.ts'
import type { Shown } from '../src/shown.ts'

/** Rows that are answered as they are, but for what is Stripe's own. */
type Plain<Row> = Part<Omit<Row, 'own'>>

/** Embedded objects are checked by themselves. */
type Part<V> = { [K in keyof V]: Opaque<V[K]> }
type Opaque<V> = V extends { object: string } ? rows.Json : V extends readonly (infer E)[] ? Opaque<E>[] : V

/**
 * What is answered in the newest version, by the name of the object. What is rendered by a function of its
 * own is held against the client's declarations there, in the types of the functions.
 */
export interface Newest {
  'billing.meter': Plain<rows.MeterRow>
  'billing.meter_event': Shown<Stripe.Billing.MeterEvent>
  'billing_portal.configuration': Plain<rows.PortalConfigurationRow>
  'billing_portal.session': Plain<rows.PortalRow>
  charge: Shown<Stripe.Charge>
  'checkout.session': Plain<rows.CheckoutRow>
  coupon: Shown<Stripe.Coupon>
  credit_note: Shown<Stripe.CreditNote>
  credit_note_line_item: Plain<rows.CreditNoteLineRow>
  customer: Shown<Stripe.Customer>
  customer_balance_transaction: Plain<rows.BalanceTransactionRow>
  discount: Shown<Stripe.Discount>
  dispute: Plain<rows.DisputeRow>
  invoice: Shown<Stripe.Invoice>
  invoice_payment: Shown<Stripe.InvoicePayment>
  invoiceitem: Shown<Stripe.InvoiceItem>
  line_item: Shown<Stripe.InvoiceLineItem>
  payment_intent: Shown<Stripe.PaymentIntent>
  payment_method: Shown<Stripe.PaymentMethod>
  plan: Shown<Stripe.Plan>
  price: Shown<Stripe.Price>
  product: Shown<Stripe.Product>
  promotion_code: Shown<Stripe.PromotionCode>
  refund: Shown<Stripe.Refund>
  setup_intent: Plain<rows.SetupIntentRow>
  subscription: Shown<Stripe.Subscription>
  subscription_item: Shown<Stripe.SubscriptionItem>
  subscription_schedule: Shown<Stripe.SubscriptionSchedule>
  tax_rate: Plain<rows.TaxRateRow>
  'test_helpers.test_clock': Shown<Stripe.TestHelpers.TestClock>
  webhook_endpoint: Shown<Stripe.WebhookEndpoint>
}

/** Lines of invoices and credit notes are rendered by what they are part of; an event is what it tells of. */
type Renderable = Exclude<keyof typeof renderers, 'event'> | 'line_item' | 'credit_note_line_item' | 'plan'

/** What every release is to be held against: each object that the simulator renders. */
export type Every = { [Name in Renderable]: Newest[Name] extends object ? unknown : never }
