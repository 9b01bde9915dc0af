import type { Interval } from './billing-cycle.ts'
import type { CouponDuration } from './coupon.ts'
import type { Aggregation } from './meter.ts'
import type { Audience, TrialUsage } from './plan.ts'
import type { ChangeMoment } from './plan-change.ts'
import type { Timing } from './price.ts'

// What a person writes. Numbers that must be exact are decimal text: money in major units ('9.00'),
// quantities in the meter's units ('1000000'), percentages in percent ('10').

/** Keys are the ones of `products`, `meters`, `features` and `plans`, so that an editor knows a wrong reference. */
export interface CatalogInput<P extends string, M extends string, L extends string, F extends string> {
  /** ISO 4217, lower case. A plan may name its own. */
  currency: string
  seller?: SellerInput
  products: Record<P, ProductInput>
  meters?: Record<M, MeterInput>
  features?: Record<F, FeatureInput<M>>
  coupons?: Record<string, CouponInput>
  plans: Record<L, PlanInput<P, M, L, F>>
  addons?: Record<string, AddonInput<P, L, F>>
  signUp?: SignUpInput<NoInfer<L>>
  planChanges?: PlanChangesInput
  grace?: GraceInput
}

/** A reduction; one with the same key and other terms is refused, because it may have been redeemed. */
export type CouponInput = {
  /** Shown on invoices. */
  name: string
  duration: CouponDuration
  /** With 'repeating'. */
  durationInMonths?: number
  /** RFC 3339; from then on it cannot be redeemed. */
  redeemBy?: string
  maxRedemptions?: number
} & ({ percentOff: string; amountOff?: never } | { amountOff: string; currency?: string; percentOff?: never })

/** The plan of whoever signs up without choosing one, and what follows its trial: 'expire' unless given. */
export interface SignUpInput<L> {
  plan: L
  afterTrial?: 'expire' | { moveTo: L } | { extendDays: number }
}

/** Upgrades 'now' and downgrades at 'periodEnd' unless given. */
export interface PlanChangesInput {
  upgrade?: ChangeMoment
  downgrade?: ChangeMoment
}

/** How long access outlives a failed payment; as long as the provider tries to collect it unless given. */
export interface GraceInput {
  days: number
}

/** The other party of every contract. */
export interface SellerInput {
  name: string
  /** In one line. */
  address?: string
  email?: string
  taxId?: string
  /** The text that customers accept. */
  terms?: { version: string; url?: string }
}

export interface ProductInput {
  name: string
  description?: string
  /** What one unit is called on invoices: 'second', 'seat'. */
  unitLabel?: string
  /** The provider's tax category, such as 'txcd_10103001'. */
  taxCode?: string
}

export interface MeterInput {
  name: string
  unitLabel: string
  aggregation: Aggregation
  /** Of a usage event's data: whose different values a 'unique' meter counts. */
  property?: string
  /** Only events with one of these values under each of these names of their data count. */
  filter?: Record<string, string | string[]>
  /** Of a usage event's data: up to three properties by whose values usage is kept apart too. */
  dimensions?: string[]
}

export type FeatureInput<M> = { name: string } & (
  | { kind: 'switch' }
  /** Up to a number of things at once; `unitLabel` is what one is called. */
  | { kind: 'limit'; unitLabel: string }
  /** Up to a quantity of a meter in each billing period. */
  | { kind: 'metered'; meter: NoInfer<M> }
)

/** `upTo` is inclusive, decimal text; null for no end. Beyond a metered one is 'refused' unless 'billed'. */
export type GrantInput = true | { upTo: string | null; beyond?: 'billed' | 'refused' }

export interface PlanInput<P, M, L, F extends string = never> {
  name: string
  product: NoInfer<P>
  currency?: string
  interval: Interval
  /** 1 unless given; 3 with 'month' bills every quarter. */
  intervalCount?: number
  /** How often usage is billed, where that is more often than the fees: 'month' on an annual plan. */
  usageInterval?: Interval
  /** 1 unless given. */
  usageIntervalCount?: number
  /** 0 unless given. */
  trialDays?: number
  /** 'free' unless given. */
  trialUsage?: TrialUsage
  /** 'public' unless given. */
  audience?: Audience
  rollsInto?: NoInfer<L>
  /** How it is bought: 'membership' unless given, 'course' with `payments`, 'event_ticket'. */
  purchase?: string
  /** A fixed number of payments, one each period; then it is over. */
  payments?: number
  /** What is to be had on it, by feature. */
  grants?: { [K in NoInfer<F>]?: GrantInput }
  /** In the order of the invoice. */
  prices: Record<string, PriceInput<P, M>>
}

/** What is sold beside a plan. Its prices are recurring, in advance, in the rhythm of the plans it goes with. */
export interface AddonInput<P, L, F extends string = never> {
  name: string
  product: NoInfer<P>
  currency?: string
  interval: Interval
  /** 1 unless given. */
  intervalCount?: number
  /** 'public' unless given. */
  audience?: Audience
  /** The plans that it goes with; every one of its currency and rhythm unless given. */
  plans?: NoInfer<L>[]
  /** What one piece of it gives, beside what the plan does. */
  grants?: { [K in NoInfer<F>]?: GrantInput }
  /** In the order of the invoice. */
  prices: Record<string, AddonPriceInput<P>>
}

export type AddonPriceInput<P> = { name?: string; product?: NoInfer<P> } & {
  kind: 'recurring'
  timing?: 'inAdvance'
  meter?: never
} & ModelInput

/**
 * A price with a meter is usage, a percentage is a share of the rest, and a recurring price says
 * so. Its name is the meter's, the plan's, or made of its key, unless given; its product the plan's.
 */
export type PriceInput<P, M> = { name?: string; product?: NoInfer<P> } & (
  | ({
      kind: 'recurring'
      timing?: Timing
      meter?: never
      /** Of a fee of '0': what an invoice has to come to. Less is carried to the next one. */
      collectFrom?: string
    } & ModelInput)
  | ({ kind?: 'usage'; timing?: 'inArrears'; meter: NoInfer<M> } & (
      | (ModelInput & LimitsInput)
      | (GroupsInput & (ModelInput | PerValueInput))
    ))
  | { kind?: 'share'; timing?: 'inArrears'; meter?: never; model: 'percentage'; percent: string }
  | BoundInput
)

/** What the plan's usage costs in a period, all of it together: at least, or at most. */
interface BoundInput {
  kind?: 'bound'
  timing?: 'inArrears'
  meter?: never
  model: 'minimum' | 'maximum'
  amount: string
}

export type ModelInput =
  | { model: 'flat'; amount: string }
  | { model: 'perUnit'; unitAmount: string }
  /** Begun packages are charged ('up') unless `round` says 'down'. */
  | { model: 'package'; size: string; amount: string; round?: 'up' | 'down' }
  | { model: 'graduated' | 'volume'; tiers: TierInput[] }

/** Of each period. */
export interface LimitsInput {
  /** Units that cost nothing; the model prices what is used beyond them. */
  included?: string
  /** What the line costs at most. */
  maximum?: string
}

interface GroupsInput {
  /** Dimensions of the meter: each group of their values is measured, priced and billed by itself. */
  groupBy: string[]
}

/** With one dimension in `groupBy`: values of it that have a unit amount of their own. */
interface PerValueInput {
  model: 'perUnit'
  unitAmount: string
  unitAmounts: Record<string, string>
}

export interface TierInput {
  /** Inclusive; null on the last tier. */
  upTo: string | null
  /** '0' unless given. */
  unitAmount?: string
  /** '0' unless given. */
  flatAmount?: string
}
