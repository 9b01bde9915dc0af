import type { Json, Numeric, Time } from './columns.ts'

/** What was used. */
export interface UsageTables {
  usageIdentity: UsageIdentityTable
  usageEvent: UsageEventTable
  usageRollup: UsageRollupTable
  usageCut: UsageCutTable
}

interface UsageIdentityTable {
  key: string
  bodyHash: string
}

interface UsageEventTable {
  customerId: string
  meterKey: string
  time: Time
  quantity: Numeric
  source: string
  id: string
  data: Json
  receivedAt: Time
}

interface UsageRollupTable {
  customerId: string
  meterKey: string
  bucket: Time
  count: bigint
  sum: Numeric
  max: Numeric
  last: Numeric
  lastAt: Time
  lastId: string
}

interface UsageCutTable {
  customerId: string
  at: Time
}
