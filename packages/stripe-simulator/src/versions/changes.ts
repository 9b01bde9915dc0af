import type { VersionChange } from './change.ts'
import {
  absentForNull,
  adjustableShown,
  allowedPaymentMethodTypes,
  billingSchedules,
  collectedInformation,
  customerAccounts,
  decimalQuantities,
  disputeSubmission,
  excludedPaymentMethodTypes,
  feedbackOptions,
  flowDirections,
  itemLabels,
  managedPayments,
  nameCollection,
  optionalItems,
  pauses,
  requiredTaxId,
  subscriptionInvoiceTexts,
} from './changes/additions.ts'
import { billingMode } from './changes/basil/billing-mode.ts'
import { collectedShipping } from './changes/basil/collected-shipping.ts'
import { creditNoteRefunds } from './changes/basil/credit-note-refunds.ts'
import { invoiceParent } from './changes/basil/invoice-parent.ts'
import { invoicePayments } from './changes/basil/invoice-payments.ts'
import { invoicePricing } from './changes/basil/invoice-pricing.ts'
import { invoiceTax } from './changes/basil/invoice-tax.ts'
import { singularDiscount } from './changes/basil/singular-discount.ts'
import { subscriptionPeriods } from './changes/basil/subscription-periods.ts'
import { upcomingInvoice } from './changes/basil/upcoming-invoice.ts'
import { usageRecords } from './changes/basil/usage-records.ts'
import { chargeRefunds, chargesList } from './changes/charges-list.ts'
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
import { pendingItemsBehavior } from './changes/pending-items.ts'
import { renderingOptions } from './changes/rendering-options.ts'

/**
 * Every change between the versions that are served, newest first: the order in which they are taken back.
 * The types of the older shapes follow from it (declarations/older.ts).
 */
export const changes = [
  disputeSubmission,
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
  adjustableShown,
  customerAccounts,
  absentForNull,
  itemLabels,
  nameCollection,
  flexibleByDefault,
  discountSource,
  promotion,
  phaseIterations,
  prorationDetails,
  excludedPaymentMethodTypes,
  billingMode,
  subscriptionPeriods,
  singularDiscount,
  invoiceParent,
  invoicePricing,
  invoiceTax,
  invoicePayments,
  creditNoteRefunds,
  optionalItems,
  collectedShipping,
  upcomingInvoice,
  usageRecords,
  collectedInformation,
  requiredTaxId,
  marketingFeatures,
  renderingOptions,
  dynamicMethods,
  chargesList,
  chargeRefunds,
  defaultCurrency,
  pendingItemsBehavior,
  customerCreation,
] as const satisfies readonly VersionChange[]
