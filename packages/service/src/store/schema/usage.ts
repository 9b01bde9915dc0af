import type { CorrectedInvoice, CorrectionKind } from '@lockstep/core/usage-correction'
import type { GroupValues } from '@lockstep/core/usage-group'
import type { Default, Json, MaybeTime, Numeric, Time } from './columns.ts'

/** What was used. */
export interface UsageTables {
  usageIdentity: UsageIdentityTable
  usageEvent: UsageEventTable
  usageRollup: UsageRollupTable
  usageSum: UsageSumTable
  usageCut: UsageCutTable
  usageCorrection: UsageCorrectionTable
  usageEventCorrected: UsageEventCorrectedTable
  usageUnique: UsageUniqueTable
  usageLevel: UsageLevelTable
  usageGroup: UsageGroupTable
  usageGroupRollup: UsageGroupRollupTable
  usageGroupUnique: UsageGroupUniqueTable
  usageGroupLevel: UsageGroupLevelTable
  usageExpiredMonth: UsageExpiredMonthTable
  usageExpired: UsageExpiredTable
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

interface UsageSumTable {
  customerId: string
  starts: Time
  until: Time
  announced: Default<string>
  meterKeys: string[] | null
  counts: bigint[] | null
  sums: Numeric[] | null
  maxima: Numeric[] | null
}

interface UsageUniqueTable {
  customerId: string
  meterKey: string
  bucket: Time
  value: string
}

interface UsageLevelTable {
  customerId: string
  meterKey: string
  bucket: Time
  change: Numeric
  moment: Numeric
}

interface UsageGroupTable {
  customerId: string
  meterKey: string
  id: string
  dimensionValues: Json<GroupValues>
}

interface UsageGroupRollupTable {
  customerId: string
  meterKey: string
  bucket: Time
  groupId: string
  count: bigint
  sum: Numeric
  max: Numeric
  last: Numeric
  lastAt: Time
  lastId: string
}

interface UsageGroupUniqueTable {
  customerId: string
  meterKey: string
  bucket: Time
  groupId: string
  value: string
}

interface UsageGroupLevelTable {
  customerId: string
  meterKey: string
  bucket: Time
  groupId: string
  change: Numeric
  moment: Numeric
}

interface UsageCutTable {
  customerId: string
  at: Time
}

interface UsageCorrectionTable {
  id: string
  customerId: string
  meterKey: string
  kind: CorrectionKind
  periodStart: Time
  periodEnd: Time
  source: string | null
  eventId: string | null
  removedEvents: bigint
  removedQuantity: Numeric
  addedEvents: bigint
  addedQuantity: Numeric
  effect: Json<CorrectedInvoice[]>
  reason: string
  madeBy: string
  agent: string | null
  madeAt: Time
}

interface UsageEventCorrectedTable {
  customerId: string
  correctionId: string
  meterKey: string
  time: Time
  quantity: Numeric
  source: string
  id: string
  data: Json
  receivedAt: Time
}

interface UsageExpiredMonthTable {
  month: Time
  state: 'expiring' | 'expired'
  keptMonths: number
  decidedBy: string
  decidedAt: Time
  events: bigint | null
  expiredAt: MaybeTime
}

interface UsageExpiredTable {
  customerId: string
  meterKey: string
  month: Time
  events: bigint
  counted: bigint
  sum: Numeric
}
