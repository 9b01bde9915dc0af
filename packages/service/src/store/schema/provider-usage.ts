import type { CountedLine } from '../provider-usage.ts'
import type { Default, Json, Time } from './columns.ts'

/** What the provider's own meters count. */
export interface ProviderUsageTables {
  providerUsage: ProviderUsageTable
  providerUsageReading: ProviderUsageReadingTable
}

interface ProviderUsageTable {
  subscriptionId: string
  periodStart: Time
  periodEnd: Time
  asOf: Time
  observation: bigint
  stated: bigint
  lines: Json<readonly CountedLine[]>
}

interface ProviderUsageReadingTable {
  subscriptionId: string
  dueAt: Time
  askedSince: Default<bigint>
}
