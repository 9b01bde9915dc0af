import type { LimitOwner, ThresholdKind } from '@lockstep/core/spend-limit'
import type { Default, Json, MaybeTime, Numeric, Time } from './columns.ts'

/** What usage may come to, and what it came to. */
export interface SpendLimitTables {
  spendLimit: SpendLimitTable
  spendAlert: SpendAlertTable
}

interface SpendLimitTable {
  id: string
  customerId: string
  owner: LimitOwner
  meterKey: string | null
  currency: string | null
  cap: Numeric | null
  alerts: Json<readonly string[]>
  alertPercents: Json<readonly number[]>
  madeBy: string
  madeAt: Time
  endedBy: Default<string | null>
  endedAt: MaybeTime
}

interface SpendAlertTable {
  id: string
  customerId: string
  limitId: string
  invoiceId: string
  owner: LimitOwner
  meterKey: string | null
  kind: ThresholdKind
  at: Numeric
  spent: Numeric
  reachedAt: Time
}
