import type { FeatureKind, GrantJson } from '@lockstep/core/feature'
import type { Aggregation, MeterRules } from '@lockstep/core/meter'
import type { ColumnType, Generated } from 'kysely'
import type { Default, Ids, Json, MaybeTime, Time } from './columns.ts'

/** What is sold. */
export interface CatalogTables {
  product: ProductTable
  meter: MeterTable
  plan: PlanTable
  planVersion: PlanVersionTable
  price: PriceTable
  addon: AddonTable
  addonVersion: AddonVersionTable
  feature: FeatureTable
  coupon: CouponTable
  promotionCode: PromotionCodeTable
  seller: SellerTable
  signUp: SignUpTable
}

interface ProductTable {
  key: string
  name: string
  description: string | null
  unitLabel: string | null
  taxCode: string | null
  revision: Default<number>
  publishedRevision: Default<number>
  origin: Default<'catalog' | 'provider'>
  archivedAt: MaybeTime
  createdAt: Time
}

interface MeterTable {
  key: string
  name: string
  unitLabel: string
  aggregation: Aggregation
  rules: ColumnType<MeterRules, string | undefined, string>
  archivedAt: MaybeTime
  createdAt: Time
}

interface PlanTable {
  key: string
  origin: Default<'catalog' | 'provider'>
  pricesUnread: Default<boolean>
  archivedAt: MaybeTime
  createdAt: Time
}

interface PlanVersionTable {
  id: string
  planKey: string
  version: number
  name: string
  audience: 'public' | 'admin' | 'legacy'
  productKey: string
  currency: string
  interval: 'day' | 'week' | 'month' | 'year'
  intervalCount: number
  usageInterval: Default<'day' | 'week' | 'month' | 'year' | null>
  usageIntervalCount: Default<number | null>
  trialDays: number
  trialUsage: 'free' | 'billed'
  rollsInto: string | null
  purchase: Default<string>
  payments: number | null
  contentHash: Buffer
  createdAt: Time
  grants: ColumnType<GrantJson[], string | undefined, string>
}

interface AddonTable {
  key: string
  origin: Default<'catalog' | 'provider'>
  archivedAt: MaybeTime
  createdAt: Time
}

interface AddonVersionTable {
  id: string
  addonKey: string
  version: number
  name: string
  audience: 'public' | 'admin' | 'legacy'
  productKey: string
  currency: string
  interval: 'day' | 'week' | 'month' | 'year'
  intervalCount: number
  plans: ColumnType<string[] | null, string | null, string | null>
  grants: ColumnType<GrantJson[], string, string>
  contentHash: Buffer
  createdAt: Time
}

/** Of a version of a plan, or of one of an add-on. */
interface PriceTable {
  id: string
  planVersionId: string | null
  addonVersionId: string | null
  key: string
  position: number
  productKey: string
  meterKey: string | null
  currency: string
  kind: 'recurring' | 'usage' | 'share' | 'bound'
  timing: 'inAdvance' | 'inArrears'
  model: 'flat' | 'perUnit' | 'package' | 'graduated' | 'volume' | 'percentage' | 'minimum' | 'maximum'
  definition: Json
}

interface FeatureTable {
  key: string
  name: string
  kind: FeatureKind
  meterKey: string | null
  unitLabel: string | null
  archivedAt: MaybeTime
  createdAt: Time
}

interface CouponTable {
  key: string
  name: string
  basisPoints: number | null
  amount: bigint | null
  currency: string | null
  duration: 'once' | 'repeating' | 'forever'
  durationInMonths: number | null
  redeemBy: MaybeTime
  maxRedemptions: number | null
  archivedAt: MaybeTime
  createdAt: Time
  origin: Default<'catalog' | 'provider'>
  products: Ids
}

interface PromotionCodeTable {
  provider: string
  id: string
  couponKey: string
  code: string
  isActive: boolean
  seenAt: Time
}

interface SellerTable {
  onlyRow: Generated<boolean>
  name: string
  address: string | null
  email: string | null
  taxId: string | null
  termsVersion: string | null
  termsUrl: string | null
}

interface SignUpTable {
  onlyRow: Generated<boolean>
  planKey: string
  afterTrial: 'expire' | 'moveTo' | 'extend'
  nextPlanKey: string | null
  extendDays: number | null
}
