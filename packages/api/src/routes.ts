import { listAddons, readAddon } from './addons.ts'
import { createAdjustment, listAdjustments, withdrawAdjustment } from './adjustments.ts'
import { createApiKey, listApiKeys, listScopes, revokeApiKey } from './api-keys.ts'
import { listBusMessages, publishBusMessage, readBusMessage, retryBusMessage } from './bus-messages.ts'
import { applyCatalog, planCatalog, readCatalog } from './catalog.ts'
import { downloadContract, listContracts, printContract, readContract, verifyContracts } from './contracts.ts'
import { listCoupons, readCoupon } from './coupons.ts'
import { createCreditNote, listCreditNotes } from './credit-notes.ts'
import {
  createCustomer,
  deleteCustomer,
  eraseCustomer,
  listCustomers,
  readBilling,
  readCustomer,
  updateCustomer,
} from './customers.ts'
import type { Route } from './define-route.ts'
import { listDeliveries, readDelivery, retryDelivery } from './deliveries.ts'
import { listDisputes } from './disputes.ts'
import { findDrift, repairDrift } from './drift.ts'
import { readEntitlements } from './entitlements.ts'
import { sweepEvents } from './event-sweeps.ts'
import { readHealth, readMetrics, readReadiness } from './health.ts'
import { createImport, listImports, readImport } from './imports.ts'
import { downloadAnnex, explainLine, listInvoices, readInvoice, syncInvoice } from './invoices.ts'
import { linkMapping, listMappings, unlinkMapping } from './mappings.ts'
import { listMeters, readMeter } from './meters.ts'
import { listOrphans, sweepOrphans } from './orphans.ts'
import {
  cancelPlanChange,
  changeSubscription,
  listPlanChanges,
  previewSubscriptionChange,
  readPlanChange,
  resumePlanChange,
} from './plan-changes.ts'
import { listPlanRolls, readPlanRoll } from './plan-rolls.ts'
import { listPlans, readPlan } from './plans.ts'
import { listPriceOverrides, overridePrice } from './price-overrides.ts'
import {
  listProviderEvents,
  readProviderEvent,
  replayProviderEvents,
  retryProviderEvent,
} from './provider-events.ts'
import { acknowledgeStuckRefund, createRefund, listRefunds, listStuckRefunds } from './refunds.ts'
import {
  cancelRegistration,
  createRegistration,
  listRegistrations,
  readRegistration,
  resumeRegistration,
} from './registrations.ts'
import { sweepSignUps } from './sign-up-sweeps.ts'
import { endSpendLimit, listSpendAlerts, listSpendLimits, setSpendLimit } from './spend-limits.ts'
import {
  cancelSubscription,
  pauseSubscription,
  previewCancellation,
  resumeSubscription,
} from './subscription-deeds.ts'
import { readSubscriptionHistory } from './subscription-history.ts'
import { createSubscription, previewReactivation, reactivateSubscription } from './subscription-starts.ts'
import { readSubscriptionStats } from './subscription-stats.ts'
import { listSubscriptions, readSubscription } from './subscriptions.ts'
import { readSyncStatus } from './sync-status.ts'
import { advanceTestClock, createTestClock, listTestClocks, readTestClock } from './test-clocks.ts'
import { readUsage } from './usage.ts'
import { createUsageCorrection, listUsageCorrections } from './usage-corrections.ts'
import { sendUsageEvents } from './usage-events.ts'
import { expireUsage, listUsageExpiries } from './usage-retention.ts'
import {
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  listWebhookEndpoints,
  readWebhookEndpoint,
  replayEvents,
  rotateWebhookSecret,
  updateWebhookEndpoint,
} from './webhook-endpoints.ts'
import { receiveStripeEvent } from './webhooks.ts'

/** Every route there is: the index of the contract, and what the tests of authorization go through. */
export const routes: readonly Route[] = [
  createRegistration,
  listRegistrations,
  readRegistration,
  resumeRegistration,
  cancelRegistration,
  listCustomers,
  createCustomer,
  readCustomer,
  updateCustomer,
  deleteCustomer,
  eraseCustomer,
  readBilling,
  listContracts,
  readContract,
  printContract,
  downloadContract,
  verifyContracts,
  listSubscriptions,
  readSubscription,
  readSubscriptionHistory,
  previewCancellation,
  cancelSubscription,
  resumeSubscription,
  pauseSubscription,
  previewSubscriptionChange,
  changeSubscription,
  listPlanChanges,
  readPlanChange,
  resumePlanChange,
  cancelPlanChange,
  createSubscription,
  previewReactivation,
  reactivateSubscription,
  readSubscriptionStats,
  readEntitlements,
  sendUsageEvents,
  readUsage,
  listUsageExpiries,
  expireUsage,
  createUsageCorrection,
  listUsageCorrections,
  listInvoices,
  readInvoice,
  explainLine,
  downloadAnnex,
  syncInvoice,
  readSyncStatus,
  createAdjustment,
  listAdjustments,
  withdrawAdjustment,
  overridePrice,
  listPriceOverrides,
  setSpendLimit,
  listSpendLimits,
  endSpendLimit,
  listSpendAlerts,
  createRefund,
  listRefunds,
  listStuckRefunds,
  acknowledgeStuckRefund,
  createCreditNote,
  listCreditNotes,
  listDisputes,
  readCatalog,
  planCatalog,
  applyCatalog,
  listPlans,
  readPlan,
  listPlanRolls,
  readPlanRoll,
  listAddons,
  readAddon,
  listMeters,
  readMeter,
  listCoupons,
  readCoupon,
  listMappings,
  linkMapping,
  unlinkMapping,
  listProviderEvents,
  readProviderEvent,
  retryProviderEvent,
  replayProviderEvents,
  sweepEvents,
  createImport,
  listImports,
  readImport,
  findDrift,
  repairDrift,
  listOrphans,
  sweepOrphans,
  sweepSignUps,
  publishBusMessage,
  listBusMessages,
  readBusMessage,
  retryBusMessage,
  createTestClock,
  listTestClocks,
  readTestClock,
  advanceTestClock,
  listScopes,
  listApiKeys,
  createApiKey,
  revokeApiKey,
  createWebhookEndpoint,
  listWebhookEndpoints,
  readWebhookEndpoint,
  updateWebhookEndpoint,
  deleteWebhookEndpoint,
  rotateWebhookSecret,
  replayEvents,
  listDeliveries,
  readDelivery,
  retryDelivery,
  receiveStripeEvent,
  readHealth,
  readReadiness,
  readMetrics,
]
