/** An object that is answered: its name in the client's declarations, and what else the check must know. */
interface Declared {
  readonly declared: string
  /** The row that it is answered as, where no typed function renders it. */
  readonly row?: string
  /** The first release of the client that declares it. */
  readonly since?: number
}

/** What every release of the client is held against: each object that the simulator renders, by its `object`. */
export const objects: { readonly [object: string]: Declared } = {
  'billing.meter': { declared: 'Billing.Meter', row: 'MeterRow' },
  'billing.meter_event': { declared: 'Billing.MeterEvent' },
  'billing_portal.configuration': { declared: 'BillingPortal.Configuration', row: 'PortalConfigurationRow' },
  'billing_portal.session': { declared: 'BillingPortal.Session', row: 'PortalRow' },
  card: { declared: 'Card' },
  charge: { declared: 'Charge' },
  'checkout.session': { declared: 'Checkout.Session', row: 'CheckoutRow' },
  coupon: { declared: 'Coupon' },
  credit_note: { declared: 'CreditNote' },
  credit_note_line_item: { declared: 'CreditNoteLineItem', row: 'CreditNoteLineRow' },
  customer: { declared: 'Customer' },
  customer_balance_transaction: { declared: 'CustomerBalanceTransaction', row: 'BalanceTransactionRow' },
  discount: { declared: 'Discount' },
  dispute: { declared: 'Dispute' },
  'entitlements.active_entitlement': {
    declared: 'Entitlements.ActiveEntitlement',
    row: 'ActiveEntitlementRow',
  },

  'entitlements.feature': { declared: 'Entitlements.Feature', row: 'FeatureRow' },
  invoice: { declared: 'Invoice' },
  invoice_payment: { declared: 'InvoicePayment', since: 18 },
  invoiceitem: { declared: 'InvoiceItem' },
  line_item: { declared: 'InvoiceLineItem' },
  payment_intent: { declared: 'PaymentIntent' },
  payment_method: { declared: 'PaymentMethod' },
  plan: { declared: 'Plan' },
  price: { declared: 'Price' },
  product: { declared: 'Product' },
  product_feature: { declared: 'ProductFeature' },
  promotion_code: { declared: 'PromotionCode' },
  refund: { declared: 'Refund' },
  setup_intent: { declared: 'SetupIntent', row: 'SetupIntentRow' },
  subscription: { declared: 'Subscription' },
  subscription_item: { declared: 'SubscriptionItem' },
  subscription_schedule: { declared: 'SubscriptionSchedule' },
  tax_id: { declared: 'TaxId', row: 'TaxIdRow' },
  tax_rate: { declared: 'TaxRate', row: 'TaxRateRow' },
  'test_helpers.test_clock': { declared: 'TestHelpers.TestClock' },
  token: { declared: 'Token' },
  webhook_endpoint: { declared: 'WebhookEndpoint' },
}
