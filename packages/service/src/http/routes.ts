import type { readinessOf } from '../readiness.ts'
import type { ServiceParts } from '../service-parts.ts'
import type { App } from './route.ts'
import { addonRoutes } from './routes/addons.ts'
import { adjustmentRoutes } from './routes/adjustments.ts'
import { apiKeyRoutes } from './routes/api-keys.ts'
import { billingRoutes } from './routes/billing.ts'
import { busMessageRoutes } from './routes/bus-messages.ts'
import { catalogRoutes } from './routes/catalog.ts'
import { contractRoutes } from './routes/contracts.ts'
import { couponRoutes } from './routes/coupons.ts'
import { creditNoteRoutes } from './routes/credit-notes.ts'
import { customerRoutes } from './routes/customers.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { disputeRoutes } from './routes/disputes.ts'
import { driftRoutes } from './routes/drift.ts'
import { entitlementRoutes } from './routes/entitlements.ts'
import { erasureRoutes } from './routes/erasure.ts'
import { eventSweepRoutes } from './routes/event-sweeps.ts'
import { healthRoutes } from './routes/health.ts'
import { importRoutes } from './routes/imports.ts'
import { invoiceRoutes } from './routes/invoices.ts'
import { mappingRoutes } from './routes/mappings.ts'
import { meterRoutes } from './routes/meters.ts'
import { orphanRoutes } from './routes/orphans.ts'
import { planChangeRoutes } from './routes/plan-changes.ts'
import { planRollRoutes } from './routes/plan-rolls.ts'
import { planRoutes } from './routes/plans.ts'
import { priceOverrideRoutes } from './routes/price-overrides.ts'
import { providerEventRoutes } from './routes/provider-events.ts'
import { refundRoutes } from './routes/refunds.ts'
import { registrationRoutes } from './routes/registrations.ts'
import { signUpSweepRoutes } from './routes/sign-up-sweeps.ts'
import { spendLimitRoutes } from './routes/spend-limits.ts'
import { subscriptionDeedRoutes } from './routes/subscription-deeds.ts'
import { subscriptionHistoryRoutes } from './routes/subscription-history.ts'
import { subscriptionStartRoutes } from './routes/subscription-starts.ts'
import { subscriptionStatsRoutes } from './routes/subscription-stats.ts'
import { subscriptionRoutes } from './routes/subscriptions.ts'
import { syncStatusRoutes } from './routes/sync-status.ts'
import { testClockRoutes } from './routes/test-clocks.ts'
import { usageRoutes } from './routes/usage.ts'
import { usageCorrectionRoutes } from './routes/usage-corrections.ts'
import { usageEventRoutes } from './routes/usage-events.ts'
import { usageRetentionRoutes } from './routes/usage-retention.ts'
import { webhookEndpointRoutes } from './routes/webhook-endpoints.ts'
import { webhookRoutes } from './routes/webhooks.ts'

export interface RouteParts extends ServiceParts {
  readonly readiness: ReturnType<typeof readinessOf>
  readonly forgetKeys: () => void
}

/** What every process answers, whatever its role. */
export function registerHealth(app: App, parts: RouteParts): void {
  healthRoutes(app, parts)
}

/** Every route of the API: the index of what can be asked of the service. */
export function registerRoutes(app: App, parts: RouteParts): void {
  registrationRoutes(app, parts)
  customerRoutes(app, parts)
  erasureRoutes(app, parts)
  billingRoutes(app, parts)
  contractRoutes(app, parts)
  subscriptionRoutes(app, parts)
  subscriptionHistoryRoutes(app, parts)
  subscriptionDeedRoutes(app, parts)
  planChangeRoutes(app, parts)
  subscriptionStartRoutes(app, parts)
  subscriptionStatsRoutes(app, parts)
  entitlementRoutes(app, parts)
  usageEventRoutes(app, parts)
  usageRoutes(app, parts)
  usageCorrectionRoutes(app, parts)
  usageRetentionRoutes(app, parts)
  invoiceRoutes(app, parts)
  adjustmentRoutes(app, parts)
  priceOverrideRoutes(app, parts)
  spendLimitRoutes(app, parts)
  syncStatusRoutes(app, parts)
  refundRoutes(app, parts)
  creditNoteRoutes(app, parts)
  disputeRoutes(app, parts)
  catalogRoutes(app, parts)
  planRoutes(app, parts)
  planRollRoutes(app, parts)
  addonRoutes(app, parts)
  meterRoutes(app, parts)
  couponRoutes(app, parts)
  mappingRoutes(app, parts)
  testClockRoutes(app, parts)
  providerEventRoutes(app, parts)
  eventSweepRoutes(app, parts)
  importRoutes(app, parts)
  driftRoutes(app, parts)
  orphanRoutes(app, parts)
  signUpSweepRoutes(app, parts)
  busMessageRoutes(app, parts)
  webhookRoutes(app, parts)
  webhookEndpointRoutes(app, parts)
  deliveryRoutes(app, parts)
  apiKeyRoutes(app, parts)
}
