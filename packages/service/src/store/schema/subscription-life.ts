import type { Instant } from '@lockstep/core/instant'
import type { SubscriptionStatus } from '@lockstep/core/subscription'
import type { Collection, HistoryCause } from '@lockstep/core/subscription-history'
import type { ColumnType, GeneratedAlways } from 'kysely'
import type { Addons, Default, Json, MaybeTime, Numbers, Time } from './columns.ts'

/** What is done to a subscription, and how it stood at any time. */
export interface SubscriptionLifeTables {
  subscriptionDeed: SubscriptionDeedTable
  subscriptionDeedRequest: SubscriptionDeedRequestTable
  subscriptionHistory: SubscriptionHistoryTable
  grace: GraceTable
}

interface SubscriptionDeedTable {
  id: string
  customerId: string
  subscriptionId: string
  kind: string
  input: Json
  actor: string
  reason: string | null
  operation: string
  workflowId: string
  createdAt: Time
  endedAt: MaybeTime
}

interface SubscriptionDeedRequestTable {
  customerId: string
  deedId: string
  operation: string
  actor: string
  reason: string | null
  createdAt: Time
}

interface SubscriptionHistoryTable {
  customerId: string
  subscriptionId: string
  ordinal: number
  previous: GeneratedAlways<number | null>
  startsAt: Time
  endsAt: EndTime
  planVersionId: string
  status: SubscriptionStatus
  currency: string
  quantity: number
  addons: Addons
  itemNumbers: Numbers
  collection: Collection
  cancelAt: MaybeTime
  cancelAtPeriodEnd: boolean
  fee: bigint
  cause: HistoryCause
  deedId: string | null
  recordedAt: Time
}

interface GraceTable {
  onlyRow: Default<boolean>
  days: number
}

/** `Infinity` for the last stretch: what has not ended has no end. */
type EndTime = ColumnType<Instant, Date | undefined, Date>
