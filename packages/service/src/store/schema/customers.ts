import type { Default, MaybeJson, MaybeTime, Time } from './columns.ts'

/** Who buys, where they are at the provider, and what they are due. */
export interface CustomerTables {
  testClock: TestClockTable
  customer: CustomerTable
  customerProfile: CustomerProfileTable
  mapping: MappingTable
  formerCustomer: FormerCustomerTable
  customerErasure: CustomerErasureTable
  due: DueTable
}

interface TestClockTable {
  id: string
  name: string | null
  providerId: string | null
  frozenAt: Time
  advancingTo: MaybeTime
  createdAt: Time
}

interface CustomerTable {
  id: string
  externalId: string
  currency: string | null
  testClockId: string | null
  deletedAtProvider: MaybeTime
  createdAt: Time
}

interface CustomerProfileTable {
  customerId: string
  name: string | null
  email: string | null
  address: MaybeJson
}

type EntityType =
  | 'customer'
  | 'product'
  | 'plan'
  | 'addon'
  | 'price'
  | 'addon_price'
  | 'coupon'
  | 'subscription'
  | 'subscription_item'
  | 'test_clock'

interface MappingTable {
  entityType: EntityType
  entityId: string
  provider: string
  providerAccount: string
  livemode: boolean
  providerType: string
  providerId: string
  origin: 'outbound' | 'webhook' | 'import' | 'link'
  createdAt: Time
}

interface FormerCustomerTable {
  provider: string
  providerId: string
  customerId: string
  origin: MappingTable['origin'] | null
}

interface CustomerErasureTable {
  id: string
  customerId: string
  providerId: string
  erasedAt: Time
  recordedAt: Time
  paymentMethods: string[] | null
  sources: string[] | null
  waitsFor: string[] | null
  readyAt: MaybeTime
  defaultStays: Default<boolean>
  outcome: 'detached' | 'deleted' | 'unlinked' | null
  doneAt: MaybeTime
}

interface DueTable {
  id: string
  customerId: string
  kind: string
  subjectId: string
  dueAt: Time
  outcome: string | null
  settledAt: MaybeTime
  createdAt: Time
  attempts: Default<number>
  nextAttemptAt: MaybeTime
  clockStoodAt: MaybeTime
}
