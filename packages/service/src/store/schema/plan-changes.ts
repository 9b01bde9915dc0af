import type { ChangeDirection, ChangeMoment } from '@lockstep/core/plan-change'
import type { ColumnType, Generated } from 'kysely'
import type { Addons, Default, MaybeTime, Numbers, Time } from './columns.ts'

/** How what a subscription runs on becomes something else. */
export interface PlanChangeTables {
  changePolicy: ChangePolicyTable
  planChange: PlanChangeTable
}

interface ChangePolicyTable {
  onlyRow: Generated<boolean>
  upgrade: ChangeMoment
  downgrade: ChangeMoment
}

interface PlanChangeTable {
  id: string
  customerId: string
  subscriptionId: string
  workflowId: string
  operation: string | null
  requestHash: string
  fromPlanVersionId: string
  fromQuantity: number
  fromAddons: Addons
  planVersionId: string
  quantity: number
  addons: Addons
  itemNumbers: Numbers
  /** Left to a version before 0139, and not read. */
  flatNumbers: Numbers
  coupons: ColumnType<string[], string | undefined, string>
  withoutCoupons: ColumnType<string[], string | undefined, string>
  direction: ChangeDirection
  takesEffect: ChangeMoment
  state: 'applying' | 'scheduled' | 'effective' | 'withdrawn' | 'refused'
  dueAt: MaybeTime
  providerScheduleId: string | null
  contractId: string
  requestedBy: string
  origin: Default<'here' | 'provider'>
  requestOrigin: string | null
  effectiveAt: MaybeTime
  createdAt: Time
}
