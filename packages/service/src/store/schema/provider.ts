import type { Discount } from '@lockstep/core/discount'
import type { Default, Json, MaybeJson, MaybeTime, Time } from './columns.ts'

/** What the provider says, and what of ours was found there. */
export interface ProviderTables {
  providerEvent: ProviderEventTable
  providerObject: ProviderObjectTable
  providerLimit: ProviderLimitTable
  providerDiscount: ProviderDiscountTable
  heldDiscount: HeldDiscountTable
  orphan: OrphanTable
  eventSweep: EventSweepTable
  driftReport: DriftReportTable
}

interface ProviderDiscountTable {
  provider: string
  id: string
  terms: Json<Discount>
  products: MaybeJson<string[]>
  seenAt: Time
}

interface HeldDiscountTable {
  provider: string
  id: string
  invoiceId: string
}

interface ProviderEventTable {
  provider: string
  id: string
  type: string
  objectType: string
  objectId: string
  created: Time
  apiVersion: string | null
  livemode: boolean
  payload: Json
  state: Default<'received' | 'processed' | 'ignored' | 'parked'>
  outcome: string | null
  observation: Default<bigint>
  attempts: Default<number>
  claimedBy: string | null
  claimedUntil: MaybeTime
  nextAttemptAt: Time
  problem: MaybeJson
  receivedAt: Time
  processedAt: MaybeTime
  /** Whether the application was to be told what only the event says; looked at again, it is not told again. */
  told: Default<boolean>
}

interface ProviderObjectTable {
  provider: string
  type: string
  id: string
  raw: Json
  lastEventCreated: MaybeTime
  observation: bigint
  ownSince: Default<boolean>
  gone: Default<boolean>
  updatedAt: Time
}

interface ProviderLimitTable {
  name: string
  arrival: Time
}

interface OrphanTable {
  provider: string
  providerAccount: string
  livemode: boolean
  providerType: 'customer' | 'subscription' | 'checkout_session' | 'invoice'
  providerId: string
  operationId: string | null
  state: 'waiting' | 'parked' | 'adopted' | 'removed' | 'left'
  reason: string
  foundAt: Time
  judgedAt: Time
  customerId: string | null
  providerCustomerId: string | null
  madeAt: MaybeTime
}

interface EventSweepTable {
  provider: string
  providerAccount: string
  livemode: boolean
  sweptTo: Time
  newestEvent: string | null
  missed: number
  relistedAt: MaybeTime
}

interface DriftReportTable {
  onlyRow: Default<boolean>
  checkedAt: Time
  looked: number
  underWay: number
  drifts: Json
}
