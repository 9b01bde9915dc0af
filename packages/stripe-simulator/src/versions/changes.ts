import type { VersionChange } from './change.ts'
import {
  absentForNull,
  adjustableShown,
  allowedPaymentMethodTypes,
  billingSchedules,
  collectedInformation,
  customerAccounts,
  customerNames,
  decimalQuantities,
  disputeSubmission,
  excludedPaymentMethodTypes,
  extraItemPeriods,
  feedbackOptions,
  flowDirections,
  itemLabels,
  itemsTakenOff,
  listedByDate,
  managedPayments,
  nameCollection,
  optionalItems,
  pauses,
  phaseDurations,
  portalPauses,
  removableMethods,
  requiredTaxId,
  subscriptionInvoiceTexts,
} from './changes/additions.ts'
import { asyncCapture } from './changes/async-capture.ts'
import { billingMode } from './changes/basil/billing-mode.ts'
import { collectedShipping } from './changes/basil/collected-shipping.ts'
import { creditNoteRefunds } from './changes/basil/credit-note-refunds.ts'
import { invoiceParent } from './changes/basil/invoice-parent.ts'
import { invoicePayments } from './changes/basil/invoice-payments.ts'
import { invoicePricing } from './changes/basil/invoice-pricing.ts'
import { invoiceTax } from './changes/basil/invoice-tax.ts'
import { listTotals } from './changes/basil/list-totals.ts'
import { releasedHolds } from './changes/basil/released-holds.ts'
import { singularDiscount } from './changes/basil/singular-discount.ts'
import { subscriptionPeriods } from './changes/basil/subscription-periods.ts'
import { upcomingInvoice } from './changes/basil/upcoming-invoice.ts'
import { usageRecords } from './changes/basil/usage-records.ts'
import { chargeRefunds, chargesList } from './changes/charges-list.ts'
import { checkoutCoupon, checkoutLines, checkoutShipping } from './changes/checkout-lines.ts'
import { discountSource } from './changes/clover/discount-source.ts'
import { flexibleByDefault } from './changes/clover/flexible-by-default.ts'
import { phaseIterations } from './changes/clover/phase-iterations.ts'
import { promotion } from './changes/clover/promotion.ts'
import { prorationDetails } from './changes/clover/proration-details.ts'
import { customerCreation } from './changes/customer-creation.ts'
import { uiMode } from './changes/dahlia/ui-mode.ts'
import { defaultCurrency } from './changes/default-currency.ts'
import { dynamicMethods } from './changes/dynamic-methods.ts'
import { billingCycleAnchor } from './changes/endive/billing-cycle-anchor.ts'
import { paymentMethodTypes } from './changes/endive/payment-method-types.ts'
import { marketingFeatures } from './changes/marketing-features.ts'
import { noCostOrders } from './changes/no-cost-orders.ts'
import { pendingItemsBehavior } from './changes/pending-items.ts'
import { renderingOptions } from './changes/rendering-options.ts'

/**
 * Every change between the versions that are served, newest first: the order in which they are taken back.
 * The types of the older shapes follow from it (declarations/older.ts).
 */
export const changes = [
  disputeSubmission,
  portalPauses,
  billingCycleAnchor,
  paymentMethodTypes,
  pauses,
  feedbackOptions,
  allowedPaymentMethodTypes,
  subscriptionInvoiceTexts,
  billingSchedules,
  managedPayments,
  decimalQuantities,
  uiMode,
  flowDirections,
  itemsTakenOff,
  adjustableShown,
  customerAccounts,
  absentForNull,
  itemLabels,
  listedByDate,
  customerNames,
  nameCollection,
  flexibleByDefault,
  discountSource,
  promotion,
  phaseIterations,
  prorationDetails,
  extraItemPeriods,
  excludedPaymentMethodTypes,
  phaseDurations,
  billingMode,
  removableMethods,
  subscriptionPeriods,
  singularDiscount,
  invoiceParent,
  invoicePricing,
  invoiceTax,
  invoicePayments,
  creditNoteRefunds,
  releasedHolds,
  listTotals,
  optionalItems,
  collectedShipping,
  upcomingInvoice,
  usageRecords,
  collectedInformation,
  requiredTaxId,
  marketingFeatures,
  renderingOptions,
  asyncCapture,
  dynamicMethods,
  noCostOrders,
  chargesList,
  chargeRefunds,
  defaultCurrency,
  pendingItemsBehavior,
  customerCreation,
  checkoutLines,
  checkoutCoupon,
  checkoutShipping,
] as const satisfies readonly VersionChange[]
