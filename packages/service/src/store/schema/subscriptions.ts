import type { SubscriptionStatus } from '@lockstep/core/subscription'
import type { Collection } from '@lockstep/core/subscription-history'
import type { ColumnType } from 'kysely'
import type { MeteredItem } from '../provider-usage.ts'
import type { Addons, Default, Ids, MaybeJson, MaybeTime, Numbers, Time } from './columns.ts'

/** How a subscription begins, and how it stands. */
export interface SubscriptionTables {
  registration: RegistrationTable
  subscriptionSlot: SubscriptionSlotTable
  subscription: SubscriptionTable
}

interface RegistrationTable {
  id: string
  customerId: string
  slot: string
  planVersionId: string
  addons: Addons
  subscriptionId: string
  workflowId: string
  operation: string | null
  purchase: Default<string>
  requestOrigin: string | null
  requestedBy: string | null
  cause: 'declined' | 'authentication' | 'abandoned' | 'canceled' | 'refused' | null
  tax: MaybeJson
  createdAt: Time
}

interface SubscriptionSlotTable {
  customerId: string
  slot: string
  subscriptionId: string
  reservedAt: Time
}

interface SubscriptionTable {
  id: string
  customerId: string
  slot: string | null
  planVersionId: string
  currency: string
  status: SubscriptionStatus
  quantity: number
  addons: Addons
  itemNumbers: Numbers
  billingCycleAnchor: Time
  currentPeriodStart: Time
  currentPeriodEnd: Time
  trialStart: MaybeTime
  trialEnd: MaybeTime
  cancelAt: MaybeTime
  cancelAtPeriodEnd: Default<boolean>
  canceledAt: MaybeTime
  endedAt: MaybeTime
  startedAt: Time
  createdAt: Time
  collection: Default<Collection>
  collectionResumesAt: MaybeTime
  pastDueSince: MaybeTime
  modifiedAt: MaybeTime
  discounts: Ids
  unreadSchedule: string | null
  /** What of it the provider's own meters count. */
  meteredItems: ColumnType<MeteredItem[], string | undefined, string>
}
