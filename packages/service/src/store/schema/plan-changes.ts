import type { AttachedAddon } from '@lockstep/core/addon'
import type { ItemNumbers } from '@lockstep/core/item-numbers'
import type { ChangeDirection, ChangeMoment } from '@lockstep/core/plan-change'
import type { ColumnType, Generated } from 'kysely'
import type { Addons, Default, MaybeJson, MaybeTime, Numbers, Time } from './columns.ts'

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

/** What a subscription is to run on, as its schedule was told. */
export interface ToldTerms {
  readonly planVersionId: string
  readonly quantity: number
  readonly addons: readonly AttachedAddon[]
  readonly itemNumbers: ItemNumbers
}

/** What it is made of; null where the numbers of its items were not written down. */
export type FromTerms = Omit<ToldTerms, 'itemNumbers'> & { readonly itemNumbers: ItemNumbers | null }

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
  /** Null of one from before that was written down. */
  fromItemNumbers: MaybeJson<ItemNumbers>
  planVersionId: string
  quantity: number
  addons: Addons
  itemNumbers: Numbers
  coupons: ColumnType<string[], string | undefined, string>
  withoutCoupons: ColumnType<string[], string | undefined, string>
  direction: ChangeDirection
  takesEffect: ChangeMoment
  state: 'applying' | 'scheduled' | 'effective' | 'withdrawn' | 'refused'
  dueAt: MaybeTime
  providerScheduleId: string | null
  /** What its schedule says until it is told of what is planned by now; null where that is the same. */
  stillTold: MaybeJson<ToldTerms>
  contractId: string
  requestedBy: string
  origin: Default<'here' | 'provider'>
  requestOrigin: string | null
  effectiveAt: MaybeTime
  createdAt: Time
}
