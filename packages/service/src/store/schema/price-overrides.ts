import type { PriceJson } from '@lockstep/core/price'
import type { GeneratedAlways } from 'kysely'
import type { MaybeJson, Time } from './columns.ts'

export interface PriceOverrideTables {
  priceOverride: PriceOverrideTable
}

interface PriceOverrideTable {
  sequence: GeneratedAlways<bigint>
  id: string
  customerId: string
  subscriptionId: string
  priceKey: string
  definition: MaybeJson<PriceJson>
  startsAt: Time
  firstPeriod: 'currentPeriod' | 'nextPeriod'
  expectedAt: Time
  reason: string
  madeBy: string
  agent: string | null
  madeAt: Time
}
