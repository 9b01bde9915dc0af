import type { Expansions } from './http/expand.ts'
import { inTier, type ServedRoute } from './http/route.ts'
import { accountBalanceRoutes, balanceTransactionExpansions } from './resources/account-balance.ts'
import { accountRoutes } from './resources/accounts.ts'
import { activeEntitlementExpansions, activeEntitlementRoutes } from './resources/active-entitlements.ts'
import { balanceTransactionRoutes, customerTransactionExpansions } from './resources/balance-transactions.ts'
import { cardExpansions, renderCard } from './resources/cards.ts'
import { checkoutExpansions, checkoutRoutes } from './resources/checkout-sessions.ts'
import { couponExpansions, couponRoutes, renderCoupon } from './resources/coupons.ts'
import { creditNoteExpansions, creditNoteRoutes, renderCreditNote } from './resources/credit-notes.ts'
import { customerExpansions, customerRoutes, renderCustomer } from './resources/customers.ts'
import { deleteDiscountRoutes } from './resources/delete-discount.ts'
import { discountExpansions, renderDiscount } from './resources/discounts.ts'
import { disputeExpansions, disputeRoutes, renderDispute } from './resources/disputes.ts'
import { eventRoutes, renderEvent } from './resources/events.ts'
import { expandedCustomer } from './resources/expanded.ts'
import { featureRoutes } from './resources/features.ts'
import { invoiceItemExpansions, invoiceItemRoutes, renderInvoiceItem } from './resources/invoice-items.ts'
import { invoiceLineRoutes } from './resources/invoice-lines.ts'
import { invoiceVerbRoutes } from './resources/invoice-verbs.ts'
import { invoiceExpansions, invoiceRoutes, lineExpansions, renderInvoice } from './resources/invoices.ts'
import { renderProduct } from './resources/make-product.ts'
import { meterAdjustmentRoutes } from './resources/meter-event-adjustments.ts'
import { meterSummaryRoutes } from './resources/meter-event-summaries.ts'
import { meterEventRoutes, renderMeterEvent } from './resources/meter-events.ts'
import { meterRoutes } from './resources/meters.ts'
import { paymentIntentRoutes } from './resources/payment-intents.ts'
import { paymentMethodRoutes, renderPaymentMethod } from './resources/payment-methods.ts'
import {
  chargeRoutes,
  invoicePaymentRoutes,
  paymentExpansions,
  renderCharge,
  renderInvoicePayment,
  renderPaymentIntent,
} from './resources/payments.ts'
import { planExpansions, planRoutes } from './resources/plans.ts'
import { portalConfigurationRoutes } from './resources/portal-configurations.ts'
import { portalExpansions, portalRoutes } from './resources/portal-sessions.ts'
import { previewRoutes } from './resources/preview.ts'
import { priceExpansions, priceRoutes, renderPrice } from './resources/prices.ts'
import { productFeatureRoutes, renderProductFeature } from './resources/product-features.ts'
import { productRoutes } from './resources/products.ts'
import {
  promotionCodeExpansions,
  promotionCodeRoutes,
  renderPromotionCode,
} from './resources/promotion-codes.ts'
import { refundExpansions, refundRoutes, renderRefund } from './resources/refunds.ts'
import { searchExpansions, searchRoutes } from './resources/search.ts'
import { setupIntentExpansions, setupIntentRoutes } from './resources/setup-intents.ts'
import { sourceRoutes } from './resources/sources.ts'
import { subscriptionChangeRoutes } from './resources/subscription-changes.ts'
import { subscriptionItemRoutes } from './resources/subscription-item-routes.ts'
import { renderSubscriptionItem, subscriptionItemExpansions } from './resources/subscription-items.ts'
import {
  renderSchedule,
  scheduleExpansions,
  subscriptionScheduleRoutes,
} from './resources/subscription-schedules.ts'
import { subscriptionVerbRoutes } from './resources/subscription-verbs.ts'
import { renderSubscription, subscriptionExpansions, subscriptionRoutes } from './resources/subscriptions.ts'
import { taxIdExpansions, taxIdRoutes } from './resources/tax-ids.ts'
import { taxRateRoutes } from './resources/tax-rates.ts'
import { renderTestClock, testClockRoutes } from './resources/test-clocks.ts'
import { renderToken, tokenRoutes } from './resources/tokens.ts'
import { v2MeterRoutes } from './resources/v2-meter-events.ts'
import { renderWebhookEndpoint, webhookEndpointRoutes } from './resources/webhook-endpoints.ts'
import type { Renderer, World } from './world.ts'

/** Every operation of the API that is served, by its tier: the index of the simulator. */
export const routes: readonly ServedRoute[] = [
  ...inTier(
    'A',
    productRoutes,
    priceRoutes,
    customerRoutes,
    balanceTransactionRoutes,
    paymentMethodRoutes,
    sourceRoutes,
    setupIntentRoutes,
    paymentIntentRoutes,
    subscriptionRoutes,
    subscriptionChangeRoutes,
    subscriptionVerbRoutes,
    subscriptionItemRoutes,
    previewRoutes,
    invoiceRoutes,
    invoiceVerbRoutes,
    invoiceLineRoutes,
    invoiceItemRoutes,
    invoicePaymentRoutes,
    chargeRoutes,
    refundRoutes,
    disputeRoutes,
    creditNoteRoutes,
    taxRateRoutes,
    checkoutRoutes,
    portalRoutes,
    portalConfigurationRoutes,
    subscriptionScheduleRoutes,
    couponRoutes,
    deleteDiscountRoutes,
    promotionCodeRoutes,
    testClockRoutes,
    eventRoutes,
    webhookEndpointRoutes,
  ),
  ...inTier(
    'B',
    planRoutes,
    meterRoutes,
    meterEventRoutes,
    meterAdjustmentRoutes,
    meterSummaryRoutes,
    v2MeterRoutes,
    featureRoutes,
    productFeatureRoutes,
    activeEntitlementRoutes,
    taxIdRoutes,
    tokenRoutes,
    accountRoutes,
    accountBalanceRoutes,
    searchRoutes,
  ),
]

export const expansions: Expansions = {
  ...priceExpansions,
  ...planExpansions,
  ...customerExpansions,
  ...cardExpansions,
  ...subscriptionExpansions,
  ...subscriptionItemExpansions,
  ...invoiceExpansions,
  ...lineExpansions,
  ...invoiceItemExpansions,
  ...paymentExpansions,
  ...setupIntentExpansions,
  ...refundExpansions,
  ...disputeExpansions,
  ...creditNoteExpansions,
  ...checkoutExpansions,
  ...portalExpansions,
  ...scheduleExpansions,
  ...couponExpansions,
  ...discountExpansions,
  ...activeEntitlementExpansions,
  ...balanceTransactionExpansions,
  ...searchExpansions,
  ...taxIdExpansions,
  ...promotionCodeExpansions,
  ...customerTransactionExpansions,
  product: {
    default_price: (world, row) =>
      row.default_price === null ? null : world.render(world.prices.must(row.default_price as string)),
  },
  payment_method: {
    customer: (world, row) => expandedCustomer(world, row.customer),
  },
}

/** How each object is shown, by its `object`. */
export const renderers = {
  product: renderProduct,
  price: renderPrice,
  customer: renderCustomer,
  payment_method: renderPaymentMethod,
  card: renderCard,
  token: renderToken,
  subscription: renderSubscription,
  subscription_item: renderSubscriptionItem,
  invoice: renderInvoice,
  invoiceitem: renderInvoiceItem,
  invoice_payment: renderInvoicePayment,
  payment_intent: renderPaymentIntent,
  charge: renderCharge,
  refund: renderRefund,
  credit_note: renderCreditNote,
  discount: renderDiscount,
  coupon: renderCoupon,
  promotion_code: renderPromotionCode,
  event: renderEvent,
  'test_helpers.test_clock': renderTestClock,
  webhook_endpoint: renderWebhookEndpoint,
  customer_balance_transaction: plain,
  setup_intent: plain,
  dispute: renderDispute,
  'checkout.session': plain,
  'billing_portal.session': plain,
  'billing_portal.configuration': plain,
  subscription_schedule: renderSchedule,
  tax_rate: plain,
  'entitlements.feature': plain,
  product_feature: renderProductFeature,
  'entitlements.active_entitlement': plain,
  tax_id: plain,
  'billing.meter': plain,
  'billing.meter_event': renderMeterEvent,
} satisfies Record<string, Renderer>

function plain(_world: World, row: { own?: unknown }) {
  const { own: _own, ...shown } = row
  return shown as { [key: string]: unknown }
}
