import type { PriceJson } from '@lockstep/core/price'
import type { MaybeJson, Time } from './columns.ts'

export interface PriceOverrideTables {
  priceOverride: PriceOverrideTable
}

interface PriceOverrideTable {
  id: string
  customerId: string
  subscriptionId: string
  priceKey: string
  definition: MaybeJson<PriceJson>
  startsAt: Time
  reason: string
  madeBy: string
  agent: string | null
  madeAt: Time
}
