import * as addons from '@lockstep/api/addons'
import * as apiKeys from '@lockstep/api/api-keys'
import * as bus from '@lockstep/api/bus-messages'
import * as catalog from '@lockstep/api/catalog'
import * as contracts from '@lockstep/api/contracts'
import * as coupons from '@lockstep/api/coupons'
import * as customers from '@lockstep/api/customers'
import type { Answer, BodyInput, QueryInput } from '@lockstep/api/define-route'
import * as deliveries from '@lockstep/api/deliveries'
import * as disputes from '@lockstep/api/disputes'
import * as drift from '@lockstep/api/drift'
import { readEntitlements } from '@lockstep/api/entitlements'
import { sweepEvents } from '@lockstep/api/event-sweeps'
import { readHealth, readReadiness } from '@lockstep/api/health'
import * as imports from '@lockstep/api/imports'
import * as mappings from '@lockstep/api/mappings'
import * as meters from '@lockstep/api/meters'
import * as orphans from '@lockstep/api/orphans'
import * as rolls from '@lockstep/api/plan-rolls'
import * as plans from '@lockstep/api/plans'
import * as events from '@lockstep/api/provider-events'
import * as refunds from '@lockstep/api/refunds'
import { sweepSignUps } from '@lockstep/api/sign-up-sweeps'
import { readSyncStatus } from '@lockstep/api/sync-status'
import * as clocks from '@lockstep/api/test-clocks'
import { readUsage } from '@lockstep/api/usage'
import * as corrections from '@lockstep/api/usage-corrections'
import * as retention from '@lockstep/api/usage-retention'
import * as endpoints from '@lockstep/api/webhook-endpoints'
import { askingOver, type ItemOf } from './asking.ts'
import type { CallOptions, Connection } from './call.ts'
import { invoiceCalls } from './invoices.ts'
import { priceOverrideCalls } from './price-overrides.ts'
import { registrationCalls } from './registrations.ts'
import { defaultRetry, type RetryOptions } from './retry.ts'
import { spendLimitCalls } from './spend-limits.ts'
import { subscriptionCalls } from './subscriptions.ts'
import { type AnyUsageEvent, type SendOptions, sendUsage } from './usage.ts'
import { until, type WaitOptions } from './wait.ts'

export type * from './invoices.ts'
export type * from './price-overrides.ts'
export type * from './registrations.ts'
export type * from './spend-limits.ts'
export type * from './subscriptions.ts'

export interface ClientOptions {
  /** Where the service listens: `http://127.0.0.1:4000`. */
  readonly baseUrl: string
  readonly apiKey?: string
  readonly fetch?: typeof fetch
  /** For one try; 30 unless given. */
  readonly timeoutSeconds?: number
  readonly retry?: Partial<RetryOptions>
}

export type Client = ReturnType<typeof createClient>

/**
 * The client of one Lockstep service.
 *
 * ```ts
 * const lockstep = createClient({ baseUrl: 'http://127.0.0.1:4000', apiKey })
 * await lockstep.registrations.create({ externalId: 'user_4711', plan: 'cloud-host', paymentMethod: 'pm_card_visa' })
 * ```
 *
 * A refusal is thrown as a `ProblemError`, no answer as a `ConnectionError`.
 */
export function createClient(options: ClientOptions) {
  const connection: Connection = {
    baseUrl: options.baseUrl.replace(/\/+$/, ''),
    apiKey: options.apiKey,
    // Called as a function of nothing: browsers refuse `fetch` as a method of another object.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    timeoutSeconds: options.timeoutSeconds ?? 30,
    retry: { ...defaultRetry, ...options.retry },
  }
  const asking = askingOver(connection)
  const { ask, list } = asking

  return {
    /** Any route of `@lockstep/api`, for what has no method here. */
    call: ask,

    registrations: registrationCalls(asking),

    customers: {
      create: (body: BodyInput<typeof customers.createCustomer>, more?: CallOptions) =>
        ask(customers.createCustomer, { body }, more),
      read: (id: string, query?: QueryInput<typeof customers.readCustomer>) =>
        ask(customers.readCustomer, { params: { id }, ...(query && { query }) }),
      update: (id: string, body: BodyInput<typeof customers.updateCustomer>) =>
        ask(customers.updateCustomer, { params: { id }, body }),
      list: (query?: QueryInput<typeof customers.listCustomers>) => list(customers.listCustomers, query),
      /** Ends what it has, and erases who it is, as soon as the last invoice is final. */
      delete: (id: string) => ask(customers.deleteCustomer, { params: { id } }),
      /** Erases who it is for good; says what would be erased unless `dryRun` is false. */
      erase: (id: string, query?: QueryInput<typeof customers.eraseCustomer>) =>
        ask(customers.eraseCustomer, { params: { id }, ...(query && { query }) }),
      /** The whole overview in one read. */
      billing: (id: string) => ask(customers.readBilling, { params: { id } }),
    },

    contracts: {
      read: (id: string) => ask(contracts.readContract, { params: { id } }),
      list: (query?: QueryInput<typeof contracts.listContracts>) => list(contracts.listContracts, query),
      /** Walks a customer's chain and names the first link that does not hold. */
      verify: (customer: string) => ask(contracts.verifyContracts, { params: { id: customer } }),
      html: (id: string) => ask(contracts.printContract, { params: { id } }),
      pdf: (id: string) => ask(contracts.downloadContract, { params: { id } }),
    },

    subscriptions: subscriptionCalls(asking),

    entitlements: {
      /** What a customer may use now, by our id or your own. */
      read: (query: QueryInput<typeof readEntitlements>) => ask(readEntitlements, { query }),
    },

    usage: {
      /** Any number of events, in batches. Safe to repeat. */
      send: (usage: Iterable<AnyUsageEvent> | AsyncIterable<AnyUsageEvent>, more?: SendOptions) =>
        sendUsage(connection, usage, more),
      read: (query: QueryInput<typeof readUsage>) => ask(readUsage, { query }),
      /** Says what voiding or amending an event, or telling a stretch of time anew, would make of the invoices. */
      previewCorrection: async (body: BodyInput<typeof corrections.createUsageCorrection>) =>
        (await ask(corrections.createUsageCorrection, { body })) as UsageCorrectionPreview,
      correct: async (body: BodyInput<typeof corrections.createUsageCorrection>, more?: CallOptions) =>
        (await ask(
          corrections.createUsageCorrection,
          { query: { dryRun: false }, body },
          more,
        )) as UsageCorrection,
      /** Who corrected what and why, newest first. */
      corrections: (query: QueryInput<typeof corrections.listUsageCorrections>) =>
        list(corrections.listUsageCorrections, query),
      /** Drops raw events that need no longer be kept; a dry run unless told otherwise. */
      expire: (body: BodyInput<typeof retention.expireUsage> = {}) => ask(retention.expireUsage, { body }),
      /** Months whose raw events are no longer kept. */
      expired: (query?: QueryInput<typeof retention.listUsageExpiries>) =>
        list(retention.listUsageExpiries, query),
    },

    invoices: invoiceCalls(asking),

    priceOverrides: priceOverrideCalls(asking),

    spendLimits: spendLimitCalls(asking),

    catalog: {
      read: () => ask(catalog.readCatalog, {}),
      plan: (body: catalog.CatalogDocument) => ask(catalog.planCatalog, { body }),
      apply: (body: catalog.CatalogDocument, more?: CallOptions) => ask(catalog.applyCatalog, { body }, more),
    },

    coupons: {
      read: (key: string) => ask(coupons.readCoupon, { params: { key } }),
      list: (query?: QueryInput<typeof coupons.listCoupons>) => list(coupons.listCoupons, query),
    },

    plans: {
      read: (key: string, query?: QueryInput<typeof plans.readPlan>) =>
        ask(plans.readPlan, { params: { key }, ...(query && { query }) }),
      list: (query?: QueryInput<typeof plans.listPlans>) => list(plans.listPlans, query),
    },

    addons: {
      read: (key: string) => ask(addons.readAddon, { params: { key } }),
      list: (query?: QueryInput<typeof addons.listAddons>) => list(addons.listAddons, query),
    },

    meters: {
      read: (key: string) => ask(meters.readMeter, { params: { key } }),
      list: (query?: QueryInput<typeof meters.listMeters>) => list(meters.listMeters, query),
    },

    disputes: {
      list: (query?: QueryInput<typeof disputes.listDisputes>) => list(disputes.listDisputes, query),
    },

    /** What was given back and does not come to its end by itself. */
    stuckRefunds: {
      list: (query?: QueryInput<typeof refunds.listStuckRefunds>) => list(refunds.listStuckRefunds, query),
      /** Only shows what would be acknowledged unless `dryRun` is false. */
      acknowledge: (
        id: string,
        body: BodyInput<typeof refunds.acknowledgeStuckRefund>,
        query?: QueryInput<typeof refunds.acknowledgeStuckRefund>,
      ) => ask(refunds.acknowledgeStuckRefund, { params: { id }, query, body }),
    },

    planRolls: {
      list: (query?: QueryInput<typeof rolls.listPlanRolls>) => list(rolls.listPlanRolls, query),
      read: (id: string) => ask(rolls.readPlanRoll, { params: { id } }),
    },

    mappings: {
      list: (query?: QueryInput<typeof mappings.listMappings>) => list(mappings.listMappings, query),
      /** What waited for the link goes on by itself. */
      link: (body: BodyInput<typeof mappings.linkMapping>) => ask(mappings.linkMapping, { body }),
      /** Both objects stay. Refused while something is sold under it. */
      unlink: (entityType: BodyInput<typeof mappings.linkMapping>['entityType'], entityId: string) =>
        ask(mappings.unlinkMapping, { params: { entityType, entityId } }),
    },

    providerEvents: {
      read: (id: string) => ask(events.readProviderEvent, { params: { id } }),
      retry: (id: string) => ask(events.retryProviderEvent, { params: { id } }),
      list: (query?: QueryInput<typeof events.listProviderEvents>) => list(events.listProviderEvents, query),
      /** Has many looked at again; says only how many unless `dryRun` is false. */
      replay: (body: BodyInput<typeof events.replayProviderEvents>) =>
        ask(events.replayProviderEvents, { body }),
      /** Reads what no webhook brought; says only what it is unless `dryRun` is false. */
      sweep: (body: BodyInput<typeof sweepEvents> = {}) => ask(sweepEvents, { body }),
    },

    imports: {
      /** A dry run unless `dryRun` is false: says what would be made. */
      create: (body: BodyInput<typeof imports.createImport> = {}, more?: CallOptions) =>
        ask(imports.createImport, { body }, more),
      read: (id: string) => ask(imports.readImport, { params: { id } }),
      list: (query?: QueryInput<typeof imports.listImports>) => list(imports.listImports, query),
      /** Reads it until it has come to its end. */
      ended: (id: string, wait?: WaitOptions<Import>) =>
        until(
          () => ask(imports.readImport, { params: { id } }),
          ({ state }) => state !== 'running',
          wait,
        ),
    },

    drift: {
      /** Holds everything here against everything at the provider; changes nothing. */
      find: () => ask(drift.findDrift, {}),
      /** Repairs what can be repaired safely; says only what that is unless `dryRun` is false. */
      repair: (body: BodyInput<typeof drift.repairDrift> = {}) => ask(drift.repairDrift, { body }),
    },

    orphans: {
      /** Says what would be done, unless `dryRun` is false. */
      sweep: (body: BodyInput<typeof orphans.sweepOrphans> = {}) => ask(orphans.sweepOrphans, { body }),
      list: (query?: QueryInput<typeof orphans.listOrphans>) => list(orphans.listOrphans, query),
    },

    signUps: {
      /** Says who they are, unless `dryRun` is false. */
      sweep: (body: BodyInput<typeof sweepSignUps> = {}) => ask(sweepSignUps, { body }),
    },

    busMessages: {
      read: (id: string) => ask(bus.readBusMessage, { params: { id } }),
      retry: (id: string) => ask(bus.retryBusMessage, { params: { id } }),
      publish: (body: BodyInput<typeof bus.publishBusMessage>) => ask(bus.publishBusMessage, { body }),
      list: (query?: QueryInput<typeof bus.listBusMessages>) => list(bus.listBusMessages, query),
    },

    testClocks: {
      create: (body: BodyInput<typeof clocks.createTestClock>, more?: CallOptions) =>
        ask(clocks.createTestClock, { body }, more),
      read: (id: string) => ask(clocks.readTestClock, { params: { id } }),
      list: (query?: QueryInput<typeof clocks.listTestClocks>) => list(clocks.listTestClocks, query),
      /** Begins to turn it; `ready` waits for the end. */
      advance: (id: string, frozenTime: string) =>
        ask(clocks.advanceTestClock, { params: { id }, body: { frozenTime } }),
      /** Reads it until it stands still. */
      ready: (id: string, wait?: WaitOptions<TestClock>) =>
        until(
          () => ask(clocks.readTestClock, { params: { id } }),
          ({ status }) => status === 'ready',
          wait,
        ),
    },

    apiKeys: {
      /** What a key may be allowed to do, in words. */
      scopes: () => ask(apiKeys.listScopes, {}),
      create: (body: BodyInput<typeof apiKeys.createApiKey>, more?: CallOptions) =>
        ask(apiKeys.createApiKey, { body }, more),
      revoke: (id: string) => ask(apiKeys.revokeApiKey, { params: { id } }),
      list: (query?: QueryInput<typeof apiKeys.listApiKeys>) => list(apiKeys.listApiKeys, query),
    },

    /** Whether the provider says what the invoices say. */
    syncStatus: (query: QueryInput<typeof readSyncStatus> = {}) => ask(readSyncStatus, { query }),
    webhookEndpoints: {
      /** The secret in the answer is shown this once. */
      create: (body: BodyInput<typeof endpoints.createWebhookEndpoint>, more?: CallOptions) =>
        ask(endpoints.createWebhookEndpoint, { body }, more),
      read: (id: string) => ask(endpoints.readWebhookEndpoint, { params: { id } }),
      list: (query?: QueryInput<typeof endpoints.listWebhookEndpoints>) =>
        list(endpoints.listWebhookEndpoints, query),
      update: (id: string, body: BodyInput<typeof endpoints.updateWebhookEndpoint>) =>
        ask(endpoints.updateWebhookEndpoint, { params: { id }, body }),
      delete: (id: string) => ask(endpoints.deleteWebhookEndpoint, { params: { id } }),
      rotateSecret: (
        id: string,
        body: BodyInput<typeof endpoints.rotateWebhookSecret> = {},
        more?: CallOptions,
      ) => ask(endpoints.rotateWebhookSecret, { params: { id }, body }, more),
      /** Says what would be sent, unless `dryRun` is false. */
      replay: (id: string, body: BodyInput<typeof endpoints.replayEvents> = {}, more?: CallOptions) =>
        ask(endpoints.replayEvents, { params: { id }, body }, more),
    },

    deliveries: {
      read: (id: string) => ask(deliveries.readDelivery, { params: { id } }),
      retry: (id: string) => ask(deliveries.retryDelivery, { params: { id } }),
      list: (query?: QueryInput<typeof deliveries.listDeliveries>) => list(deliveries.listDeliveries, query),
    },

    health: () => ask(readHealth, {}),
    readiness: () => ask(readReadiness, {}),
  }
}

export type SyncStatus = Answer<typeof readSyncStatus>
export type UsageExpiry = Answer<typeof retention.expireUsage>
export type UsageCorrection = ItemOf<typeof corrections.listUsageCorrections>
export type UsageCorrectionPreview = Exclude<
  Answer<typeof corrections.createUsageCorrection>,
  { readonly id: string }
>
export type Orphan = ItemOf<typeof orphans.listOrphans>
export type OrphanSweep = Answer<typeof orphans.sweepOrphans>
export type ProviderEvent = ItemOf<typeof events.listProviderEvents>
export type ProviderEventWithPayload = Answer<typeof events.readProviderEvent>
export type Dispute = ItemOf<typeof disputes.listDisputes>
export type StuckRefund = ItemOf<typeof refunds.listStuckRefunds>
export type PlanRoll = Answer<typeof rolls.readPlanRoll>
export type Mapping = ItemOf<typeof mappings.listMappings>
export type EventSweep = Answer<typeof sweepEvents>
export type Import = Answer<typeof imports.readImport>
export type DriftReport = Answer<typeof drift.findDrift>
export type DriftRepairs = Answer<typeof drift.repairDrift>
export type Drift = DriftReport['drifts'][number]
export type SignUpSweep = Answer<typeof sweepSignUps>
export type BusMessage = Answer<typeof bus.readBusMessage>
export type UsageReport = Answer<typeof readUsage>
export type CustomerDeletion = Answer<typeof customers.deleteCustomer>
export type Erasure = Answer<typeof customers.eraseCustomer>
export type Customer = Answer<typeof customers.readCustomer>
export type BillingOverview = Answer<typeof customers.readBilling>
export type ContractSummary = ItemOf<typeof contracts.listContracts>
export type ContractChain = Answer<typeof contracts.verifyContracts>
export type Entitlement = Answer<typeof readEntitlements>['data'][number]
export type Contract = Answer<typeof contracts.readContract>
export type Addon = ItemOf<typeof addons.listAddons>
export type TestClock = Answer<typeof clocks.readTestClock>
export type WebhookEndpoint = Answer<typeof endpoints.readWebhookEndpoint>
export type Delivery = ItemOf<typeof deliveries.listDeliveries>
export type DeliveryWithLog = Answer<typeof deliveries.readDelivery>
export type CatalogChanges = Answer<typeof catalog.planCatalog>
