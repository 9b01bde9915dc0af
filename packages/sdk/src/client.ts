import * as addons from '@lockstep/api/addons'
import * as adjustments from '@lockstep/api/adjustments'
import * as apiKeys from '@lockstep/api/api-keys'
import * as bus from '@lockstep/api/bus-messages'
import * as catalog from '@lockstep/api/catalog'
import * as contracts from '@lockstep/api/contracts'
import * as coupons from '@lockstep/api/coupons'
import * as creditNotes from '@lockstep/api/credit-notes'
import * as customers from '@lockstep/api/customers'
import type { Answer, BodyInput, QueryInput, Route } from '@lockstep/api/define-route'
import * as deliveries from '@lockstep/api/deliveries'
import * as drift from '@lockstep/api/drift'
import { readEntitlements } from '@lockstep/api/entitlements'
import { sweepEvents } from '@lockstep/api/event-sweeps'
import { readHealth, readReadiness } from '@lockstep/api/health'
import * as imports from '@lockstep/api/imports'
import * as invoices from '@lockstep/api/invoices'
import * as mappings from '@lockstep/api/mappings'
import * as meters from '@lockstep/api/meters'
import * as orphans from '@lockstep/api/orphans'
import * as changes from '@lockstep/api/plan-changes'
import * as plans from '@lockstep/api/plans'
import * as overrides from '@lockstep/api/price-overrides'
import * as events from '@lockstep/api/provider-events'
import * as refunds from '@lockstep/api/refunds'
import * as registrations from '@lockstep/api/registrations'
import { sweepSignUps } from '@lockstep/api/sign-up-sweeps'
import * as limits from '@lockstep/api/spend-limits'
import * as deeds from '@lockstep/api/subscription-deeds'
import { readSubscriptionHistory } from '@lockstep/api/subscription-history'
import * as starts from '@lockstep/api/subscription-starts'
import { readSubscriptionStats } from '@lockstep/api/subscription-stats'
import * as subscriptions from '@lockstep/api/subscriptions'
import { readSyncStatus } from '@lockstep/api/sync-status'
import * as clocks from '@lockstep/api/test-clocks'
import { readUsage } from '@lockstep/api/usage'
import * as corrections from '@lockstep/api/usage-corrections'
import * as endpoints from '@lockstep/api/webhook-endpoints'
import { type CallInput, type CallOptions, type Connection, call } from './call.ts'
import { type List, listOf, type Page } from './list.ts'
import { defaultRetry, type RetryOptions } from './retry.ts'
import { type AnyUsageEvent, type SendOptions, sendUsage } from './usage.ts'
import { until, type WaitOptions } from './wait.ts'

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
  const ask = <R extends Route>(route: R, input: CallInput<R>, more?: CallOptions) =>
    call(connection, route, input, more)

  function list<R extends Route>(route: R, query: QueryInput<R> | undefined): List<ItemOf<R>> {
    const given: { after?: string } = { ...(query as object | undefined) }
    const fetchPage = (after: string | undefined) =>
      ask(route, { query: { ...given, after } } as CallInput<R>) as Promise<Page<ItemOf<R>>>
    return listOf(fetchPage, given.after)
  }

  function listHistory(id: string): List<ItemOf<typeof readSubscriptionHistory>> {
    return listOf((after) => ask(readSubscriptionHistory, { params: { id }, query: { after } }))
  }

  return {
    /** Any route of `@lockstep/api`, for what has no method here. */
    call: ask,

    registrations: {
      create: (body: BodyInput<typeof registrations.createRegistration>, more?: CallOptions) =>
        ask(registrations.createRegistration, { body }, more),
      read: (id: string) => ask(registrations.readRegistration, { params: { id } }),
      resume: (id: string) => ask(registrations.resumeRegistration, { params: { id } }),
      cancel: (id: string) => ask(registrations.cancelRegistration, { params: { id } }),
      list: (query?: QueryInput<typeof registrations.listRegistrations>) =>
        list(registrations.listRegistrations, query),
      /** Reads it until it is completed, rolled back or parked, or the customer has to do something. */
      ended: (id: string, wait?: WaitOptions<Registration>) =>
        until(
          () => ask(registrations.readRegistration, { params: { id } }),
          ({ state }) => state !== 'running' && state !== 'failed' && state !== 'compensating',
          wait,
        ),
    },

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

    subscriptions: {
      read: (id: string, query?: QueryInput<typeof subscriptions.readSubscription>) =>
        ask(subscriptions.readSubscription, { params: { id }, ...(query && { query }) }),
      list: (query?: QueryInput<typeof subscriptions.listSubscriptions>) =>
        list(subscriptions.listSubscriptions, query),
      /** Gives a customer one; the answer is the subscription, or the registration that is still on its way. */
      create: (body: BodyInput<typeof starts.createSubscription>, more?: CallOptions) =>
        ask(starts.createSubscription, { body }, more),
      /** Begins anew what is over. */
      reactivate: (
        id: string,
        body: BodyInput<typeof starts.reactivateSubscription> = {},
        more?: CallOptions,
      ) => ask(starts.reactivateSubscription, { params: { id }, body }, more),
      /** How many there are, how they stand, and what they bring a month, as of any moment. */
      stats: (query: QueryInput<typeof readSubscriptionStats> = {}) => ask(readSubscriptionStats, { query }),
      /** How it stood at any time, newest first. */
      history: (id: string) => listHistory(id),
      /** What a change would come to; nothing is done. Its token has the change done exactly so. */
      preview: (id: string, body: BodyInput<typeof changes.previewSubscriptionChange>) =>
        ask(changes.previewSubscriptionChange, { params: { id }, body }),
      /** Another plan, number, payment method: all of it or nothing. */
      change: (id: string, body: BodyInput<typeof changes.changeSubscription>, more?: CallOptions) =>
        ask(changes.changeSubscription, { params: { id }, body }, more),
      changes: (id: string, query?: QueryInput<typeof changes.listPlanChanges>) =>
        ask(changes.listPlanChanges, { params: { id }, query: query ?? {} }),
      readChange: (id: string, change: string) => ask(changes.readPlanChange, { params: { id, change } }),
      /** To be called when the customer is back from the page that a change asked for. */
      resumeChange: (id: string, change: string, more?: CallOptions) =>
        ask(changes.resumePlanChange, { params: { id, change } }, more),
      cancelChange: (id: string, change: string, more?: CallOptions) =>
        ask(changes.cancelPlanChange, { params: { id, change } }, more),
      /** Reads a change until it is no longer on its way: it came to something, or waits for the customer. */
      changeSettled: (id: string, change: string, wait?: WaitOptions<PlanChange>) =>
        until(
          () => ask(changes.readPlanChange, { params: { id, change } }),
          ({ state }) => state !== 'applying',
          wait,
        ),
      /** Ends it: with its period unless told otherwise. */
      cancel: (id: string, body: BodyInput<typeof deeds.cancelSubscription> = {}, more?: CallOptions) =>
        ask(deeds.cancelSubscription, { params: { id }, body }, more),
      /** What ending it so would bill and give back. */
      previewCancel: (id: string, body: BodyInput<typeof deeds.previewCancellation> = {}) =>
        ask(deeds.previewCancellation, { params: { id }, body }),
      /** Takes away whatever keeps it from going on: a planned end, paused collection, a pause. */
      resume: (id: string, more?: CallOptions) => ask(deeds.resumeSubscription, { params: { id } }, more),
      /** Leaves its invoices uncollected for a while. */
      pause: (id: string, body: BodyInput<typeof deeds.pauseSubscription>, more?: CallOptions) =>
        ask(deeds.pauseSubscription, { params: { id }, body }, more),
    },

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
    },

    invoices: {
      read: (id: string) => ask(invoices.readInvoice, { params: { id } }),
      list: (query?: QueryInput<typeof invoices.listInvoices>) => list(invoices.listInvoices, query),
      /** How a line's amount came about, with the first of its events. */
      explain: (id: string, line: string, query: QueryInput<typeof invoices.explainLine> = {}) =>
        ask(invoices.explainLine, { params: { id, line }, query }),
      /** The events that a line's quantity is made of, oldest first. */
      lineEvents: (id: string, line: string) =>
        listOf(async (after) => {
          const query = { limit: 100, after }
          const { events } = await ask(invoices.explainLine, { params: { id, line }, query })
          return events ?? { data: [], hasMore: false, nextCursor: null }
        }),
      /** How every amount of a final one came about, as a PDF. */
      annex: (id: string) => ask(invoices.downloadAnnex, { params: { id } }),
      sync: (id: string, query: QueryInput<typeof invoices.syncInvoice> = {}) =>
        ask(invoices.syncInvoice, { params: { id }, query }),
      /** Says what a credit, charge or note would make of an invoice that is not final. */
      previewAdjustment: async (id: string, body: BodyInput<typeof adjustments.createAdjustment>) =>
        (await ask(adjustments.createAdjustment, { params: { id }, body })) as AdjustmentEffect,
      /** Adds it: on the invoice at once, at the provider with the next sync. */
      adjust: async (id: string, body: BodyInput<typeof adjustments.createAdjustment>, more?: CallOptions) =>
        (await ask(
          adjustments.createAdjustment,
          { params: { id }, query: { dryRun: false }, body },
          more,
        )) as Adjustment,
      /** Who added what and why, also what was taken back. */
      adjustments: (id: string) => {
        const pages = (after: string | undefined) =>
          ask(adjustments.listAdjustments, { params: { id }, query: { after } })
        return listOf(pages)
      },
      /** Takes an adjustment back. */
      withdrawAdjustment: async (id: string, adjustment: string, reason: string, more?: CallOptions) =>
        (await ask(
          adjustments.withdrawAdjustment,
          { params: { id, adjustment }, query: { dryRun: false }, body: { reason } },
          more,
        )) as Adjustment,
      /** Says what would be given back; without an amount, the most there is. */
      previewRefund: async (id: string, body: BodyInput<typeof refunds.createRefund> = {}) =>
        (await ask(refunds.createRefund, { params: { id }, body })) as RefundPreview,
      /** Gives back what was paid. */
      refund: async (id: string, body: NamedAmount<typeof refunds.createRefund>, more?: CallOptions) =>
        (await ask(refunds.createRefund, { params: { id }, query: { dryRun: false }, body }, more)) as Refund,
      refunds: (id: string) => {
        const pages = (after: string | undefined) =>
          ask(refunds.listRefunds, { params: { id }, query: { after } })
        return listOf(pages)
      },
      /** Says what a credit note would do; without an amount, one of all there is. */
      previewCreditNote: async (id: string, body: BodyInput<typeof creditNotes.createCreditNote> = {}) =>
        (await ask(creditNotes.createCreditNote, { params: { id }, body })) as CreditNotePreview,
      /** Takes an amount off a final invoice; what was paid of it goes back as `paidPart` says. */
      credit: async (
        id: string,
        body: NamedAmount<typeof creditNotes.createCreditNote>,
        more?: CallOptions,
      ) =>
        (await ask(
          creditNotes.createCreditNote,
          { params: { id }, query: { dryRun: false }, body },
          more,
        )) as CreditNote,
      creditNotes: (id: string) => {
        const pages = (after: string | undefined) =>
          ask(creditNotes.listCreditNotes, { params: { id }, query: { after } })
        return listOf(pages)
      },
    },

    priceOverrides: {
      /** Says what a subscription's own price would make of its current invoice and its contract. */
      preview: async (subscription: string, body: BodyInput<typeof overrides.overridePrice>) =>
        (await ask(overrides.overridePrice, { params: { id: subscription }, body })) as PriceOverrideEffect,
      /** Gives it that price, or with `terms: null` the plan's again. */
      set: async (
        subscription: string,
        body: BodyInput<typeof overrides.overridePrice>,
        more?: CallOptions,
      ) =>
        (await ask(
          overrides.overridePrice,
          { params: { id: subscription }, query: { dryRun: false }, body },
          more,
        )) as PriceOverride,
      /** Who gave it which price, when and why, newest first. */
      list: (subscription: string) =>
        listOf((after) =>
          ask(overrides.listPriceOverrides, { params: { id: subscription }, query: { after } }),
        ),
    },

    spendLimits: {
      /** Takes the place of the limit of the same side and meter. */
      set: (customer: string, body: BodyInput<typeof limits.setSpendLimit>, more?: CallOptions) =>
        ask(limits.setSpendLimit, { params: { id: customer }, body }, more),
      /** What holds, and how far it is used; with `ended` those too that do not any more. */
      list: (customer: string, query: QueryInput<typeof limits.listSpendLimits> = {}) =>
        listOf((after) =>
          ask(limits.listSpendLimits, { params: { id: customer }, query: { ...query, after } }),
        ),
      end: (customer: string, limit: string) =>
        ask(limits.endSpendLimit, { params: { id: customer, limit } }),
      /** Which figures were reached. */
      alerts: (customer: string, query: QueryInput<typeof limits.listSpendAlerts> = {}) =>
        listOf((after) =>
          ask(limits.listSpendAlerts, { params: { id: customer }, query: { ...query, after } }),
        ),
    },

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

    mappings: {
      list: (query?: QueryInput<typeof mappings.listMappings>) => list(mappings.listMappings, query),
      /** What waited for the link goes on by itself. */
      link: (body: BodyInput<typeof mappings.linkMapping>) => ask(mappings.linkMapping, { body }),
      /** Both objects stay. Refused while something is sold under it. */
      unlink: (entityType: 'customer' | 'product' | 'plan' | 'price', entityId: string) =>
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

/** What the pages of a listing route hold. */
type ItemOf<R extends Route> = Answer<R> extends { data: (infer T)[] } ? T : never

/** A deed names the amount that its preview showed. */
type NamedAmount<R extends Route> = BodyInput<R> & { readonly amount: string }

export type MeasuredEvent = NonNullable<Answer<typeof invoices.explainLine>['events']>['data'][number]
export type SyncStatus = Answer<typeof readSyncStatus>
export type SyncPlan = Answer<typeof invoices.syncInvoice>
export type Adjustment = ItemOf<typeof adjustments.listAdjustments>
export type AdjustmentEffect = Exclude<Answer<typeof adjustments.createAdjustment>, Adjustment>
export type UsageCorrection = ItemOf<typeof corrections.listUsageCorrections>
export type UsageCorrectionPreview = Exclude<
  Answer<typeof corrections.createUsageCorrection>,
  { readonly id: string }
>
export type Refund = ItemOf<typeof refunds.listRefunds>
export type RefundPreview = Exclude<Answer<typeof refunds.createRefund>, Refund>
export type CreditNote = ItemOf<typeof creditNotes.listCreditNotes>
export type CreditNotePreview = Exclude<Answer<typeof creditNotes.createCreditNote>, CreditNote>
export type Registration = Answer<typeof registrations.readRegistration>
export type Orphan = ItemOf<typeof orphans.listOrphans>
export type OrphanSweep = Answer<typeof orphans.sweepOrphans>
export type ProviderEvent = ItemOf<typeof events.listProviderEvents>
export type ProviderEventWithPayload = Answer<typeof events.readProviderEvent>
export type Mapping = ItemOf<typeof mappings.listMappings>
export type EventSweep = Answer<typeof sweepEvents>
export type Import = Answer<typeof imports.readImport>
export type DriftReport = Answer<typeof drift.findDrift>
export type DriftRepairs = Answer<typeof drift.repairDrift>
export type Drift = DriftReport['drifts'][number]
export type SignUpSweep = Answer<typeof sweepSignUps>
export type BusMessage = Answer<typeof bus.readBusMessage>
export type Erasure = Answer<typeof customers.eraseCustomer>
export type Customer = Answer<typeof customers.readCustomer>
export type BillingOverview = Answer<typeof customers.readBilling>
export type ContractSummary = ItemOf<typeof contracts.listContracts>
export type ContractChain = Answer<typeof contracts.verifyContracts>
export type Contract = Answer<typeof contracts.readContract>
export type Subscription = Answer<typeof subscriptions.readSubscription>
export type SubscriptionStretch = ItemOf<typeof readSubscriptionHistory>
export type SubscriptionStats = Answer<typeof readSubscriptionStats>
export type SubscriptionDeed = Answer<typeof deeds.cancelSubscription>
export type SubscriptionChange = BodyInput<typeof changes.previewSubscriptionChange>
export type ChangePreview = Answer<typeof changes.previewSubscriptionChange>
export type PlanChange = Answer<typeof changes.readPlanChange>
export type CancelOptions = BodyInput<typeof deeds.cancelSubscription>
export type CancellationPreview = Answer<typeof deeds.previewCancellation>
export type Invoice = ItemOf<typeof invoices.listInvoices>
export type InvoiceWithLines = Answer<typeof invoices.readInvoice>
export type InvoiceLine = InvoiceWithLines['lines'][number]
export type Addon = ItemOf<typeof addons.listAddons>
export type PriceOverride = ItemOf<typeof overrides.listPriceOverrides>
export type NewPriceOverride = BodyInput<typeof overrides.overridePrice>
export type PriceOverrideEffect = Exclude<Answer<typeof overrides.overridePrice>, PriceOverride>
export type SpendLimit = ItemOf<typeof limits.listSpendLimits>
export type SpendAlert = ItemOf<typeof limits.listSpendAlerts>
export type TestClock = Answer<typeof clocks.readTestClock>
export type WebhookEndpoint = Answer<typeof endpoints.readWebhookEndpoint>
export type Delivery = ItemOf<typeof deliveries.listDeliveries>
export type DeliveryWithLog = Answer<typeof deliveries.readDelivery>
export type Money = InvoiceLine['amount']
export type CatalogChanges = Answer<typeof catalog.planCatalog>
