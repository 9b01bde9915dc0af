import type Stripe from 'stripe-22'
import type { Shown } from '../src/shown.ts'
import type { Every } from './newest.ts'
import type { Answered } from './older.ts'

/** Version 2026-08-26.dahlia against what release 22 of the client declares. */
export const release22 = (answered: Answered<'2026-08-26.dahlia'>) =>
  ({
    'billing.meter': answered['billing.meter'] satisfies Shown<Stripe.Billing.Meter>,
    'billing.meter_event': answered['billing.meter_event'] satisfies Shown<Stripe.Billing.MeterEvent>,
    'billing_portal.configuration': answered[
      'billing_portal.configuration'
    ] satisfies Shown<Stripe.BillingPortal.Configuration>,
    'billing_portal.session': answered[
      'billing_portal.session'
    ] satisfies Shown<Stripe.BillingPortal.Session>,
    charge: answered.charge satisfies Shown<Stripe.Charge>,
    'checkout.session': answered['checkout.session'] satisfies Shown<Stripe.Checkout.Session>,
    coupon: answered.coupon satisfies Shown<Stripe.Coupon>,
    credit_note: answered.credit_note satisfies Shown<Stripe.CreditNote>,
    credit_note_line_item: answered.credit_note_line_item satisfies Shown<Stripe.CreditNoteLineItem>,
    customer: answered.customer satisfies Shown<Stripe.Customer>,
    customer_balance_transaction:
      answered.customer_balance_transaction satisfies Shown<Stripe.CustomerBalanceTransaction>,
    discount: answered.discount satisfies Shown<Stripe.Discount>,
    dispute: answered.dispute satisfies Shown<Stripe.Dispute>,
    invoice: answered.invoice satisfies Shown<Stripe.Invoice>,
    invoice_payment: answered.invoice_payment satisfies Shown<Stripe.InvoicePayment>,
    invoiceitem: answered.invoiceitem satisfies Shown<Stripe.InvoiceItem>,
    line_item: answered.line_item satisfies Shown<Stripe.InvoiceLineItem>,
    payment_intent: answered.payment_intent satisfies Shown<Stripe.PaymentIntent>,
    payment_method: answered.payment_method satisfies Shown<Stripe.PaymentMethod>,
    plan: answered.plan satisfies Shown<Stripe.Plan>,
    price: answered.price satisfies Shown<Stripe.Price>,
    product: answered.product satisfies Shown<Stripe.Product>,
    promotion_code: answered.promotion_code satisfies Shown<Stripe.PromotionCode>,
    refund: answered.refund satisfies Shown<Stripe.Refund>,
    setup_intent: answered.setup_intent satisfies Shown<Stripe.SetupIntent>,
    subscription: answered.subscription satisfies Shown<Stripe.Subscription>,
    subscription_item: answered.subscription_item satisfies Shown<Stripe.SubscriptionItem>,
    subscription_schedule: answered.subscription_schedule satisfies Shown<Stripe.SubscriptionSchedule>,
    tax_rate: answered.tax_rate satisfies Shown<Stripe.TaxRate>,
    'test_helpers.test_clock': answered[
      'test_helpers.test_clock'
    ] satisfies Shown<Stripe.TestHelpers.TestClock>,
    webhook_endpoint: answered.webhook_endpoint satisfies Shown<Stripe.WebhookEndpoint>,
  }) satisfies Every
