import type { PlanRollState } from '@lockstep/core/plan-roll'
import type { Time } from './columns.ts'

export interface PlanRollTables {
  planRoll: PlanRollTable
}

interface PlanRollTable {
  id: string
  planKey: string
  fromVersionId: string
  toVersionId: string
  state: PlanRollState
  plannedAt: Time
}
