import { type Addon, addonToJson } from './addon.ts'
import type { Interval } from './billing-cycle.ts'
import { type Canonical, canonicalJson } from './canonical-json.ts'
import type { Discount } from './discount.ts'
import type { Feature, GrantJson } from './feature.ts'
import { formatInstant, type Instant } from './instant.ts'
import { hasNumbers, type ItemNumbers } from './item-numbers.ts'
import { type Plan, planToJson, type TrialUsage } from './plan.ts'
import type { PriceJson } from './price.ts'
import type { Seller } from './seller.ts'

/**
 * Says by which rules a document is to be read. Another shape is another format: the second one has add-ons, the third one
 * prices of which other numbers are paid for than the quantity says, the fourth one an end by its number of payments. One
 * without any of them is written in the first, as it always was.
 */
export const contractFormats = [
  'lockstep-contract-1',
  'lockstep-contract-2',
  'lockstep-contract-3',
  'lockstep-contract-4',
] as const

export function contractFormatOf({ addons, itemNumbers, payments }: Agreement): ContractDocument['format'] {
  if (payments !== undefined) return 'lockstep-contract-4'
  if (itemNumbers !== undefined) return 'lockstep-contract-3'
  return addons === undefined ? 'lockstep-contract-1' : 'lockstep-contract-2'
}

/**
 * What two parties agreed on, for ever. Made of text, whole numbers and lists only, so that its
 * canonical JSON, which the digest is taken of, is the same in every language. Amounts are in minor
 * units, quantities and rates as `PriceJson` says.
 *
 * A customer's contracts are a chain: each carries the digest of the one before.
 */
export interface ContractDocument {
  readonly format: (typeof contractFormats)[number]
  readonly id: string
  /** 1 for the customer's first contract, then 2, … without a gap. */
  readonly sequence: number
  /** SHA-256 of the customer's contract before, in hex; null for the first. */
  readonly previous: string | null
  /** Null if the catalogue named no seller. */
  readonly seller: Seller | null
  readonly buyer: {
    readonly customer: string
    /** SHA-256 of who it is ({@link Person}), in hex. */
    readonly person: string
  }
  readonly subscription: string
  readonly agreement: Agreement
  readonly acceptance: {
    /** RFC 3339 in UTC, in the customer's own time. */
    readonly at: string
    /** Where it came from, in the application's words. */
    readonly requestOrigin: string | null
    /** The text that was accepted. */
    readonly terms: Seller['terms']
  }
  /** The contract that this one takes the place of, and what became different. */
  readonly supersedes: { readonly contract: string; readonly changes: readonly string[] } | null
}

export interface Agreement {
  readonly plan: {
    readonly key: string
    readonly name: string
    readonly version: number
    readonly versionId: string
    readonly product: string
    /** The plan that it goes on to, on a schedule. */
    readonly rollsInto: string | null
  }
  readonly currency: string
  /** When it begins, RFC 3339 in UTC. */
  readonly startsAt: string
  readonly billingCycle: { readonly interval: Interval; readonly intervalCount: number }
  /** After so many it is over, the first of them at once; absent where it goes on until somebody ends it. */
  readonly payments?: number
  /** Of usage that is billed more often than the fees; absent where it is billed with them. */
  readonly usageCycle?: { readonly interval: Interval; readonly intervalCount: number }
  readonly trial: { readonly days: number; readonly usage: TrialUsage } | null
  /** Of the recurring prices: seats, for example. */
  readonly quantity: number
  readonly prices: readonly PriceJson[]
  readonly features: readonly AgreedFeature[]
  readonly discounts: readonly Discount[]
  /** Absent where there are none: never an empty list. */
  readonly addons?: readonly AgreedAddon[]
  /** How many of a price are paid for each period, where that is not what the quantity says; absent where there is none: never empty. */
  readonly itemNumbers?: ItemNumbers
}

/** What is sold beside the plan, in its currency and billing cycle. */
export interface AgreedAddon {
  readonly key: string
  readonly name: string
  readonly version: number
  readonly versionId: string
  readonly product: string
  readonly quantity: number
  readonly prices: readonly PriceJson[]
  /** Of one piece of it. */
  readonly features: readonly AgreedFeature[]
}

export type AgreedFeature = GrantJson & { readonly name: string; readonly unitLabel: string | null }

/**
 * Personal data of a contract. It stands in a row of its own that can be erased; the contract carries
 * its digest only. The salt is part of it, so that after the erasure nobody finds it by guessing.
 */
export interface Person {
  /** 256 bits of chance, in hex. */
  readonly salt: string
  readonly name: string | null
  readonly email: string | null
  readonly address: string | null
  readonly ipAddress: string | null
  readonly userAgent: string | null
}

export interface AgreementInput {
  readonly plan: Plan
  readonly version: number
  readonly versionId: string
  /** What the plan's features are called. */
  readonly features: readonly Pick<Feature, 'key' | 'name' | 'unitLabel'>[]
  readonly quantity: number
  readonly addons: readonly AddonInput[]
  readonly itemNumbers?: ItemNumbers
  readonly payments?: number
  readonly discounts: readonly Discount[]
  readonly startsAt: Instant
}

interface AddonInput {
  readonly addon: Addon
  readonly version: number
  readonly versionId: string
  readonly quantity: number
}

/** The agreement that a version of a plan makes. Everything is copied: a catalogue may change, this not. */
export function agreementOf(input: AgreementInput): Agreement {
  const { key, name, product, rollsInto, prices, grants, ...terms } = planToJson(input.plan)
  return {
    plan: { key, name, version: input.version, versionId: input.versionId, product, rollsInto },
    currency: terms.currency,
    startsAt: formatInstant(input.startsAt),
    billingCycle: { interval: terms.interval, intervalCount: terms.intervalCount },
    ...(input.payments !== undefined && { payments: input.payments }),
    ...(terms.usageInterval != null && {
      usageCycle: { interval: terms.usageInterval, intervalCount: terms.usageIntervalCount ?? 1 },
    }),
    trial: terms.trialDays === 0 ? null : { days: terms.trialDays, usage: terms.trialUsage },
    quantity: input.quantity,
    prices,
    features: featuresOf(grants, input),
    discounts: input.discounts,
    ...(input.addons.length > 0 && { addons: input.addons.map((addon) => agreedAddon(addon, input)) }),
    ...(hasNumbers(input.itemNumbers) && { itemNumbers: input.itemNumbers }),
  }
}

function agreedAddon(
  { addon, version, versionId, quantity }: AddonInput,
  input: AgreementInput,
): AgreedAddon {
  const { key, name, product, prices, grants } = addonToJson(addon)
  return { key, name, version, versionId, product, quantity, prices, features: featuresOf(grants, input) }
}

function featuresOf(grants: readonly GrantJson[], { features }: AgreementInput): AgreedFeature[] {
  const named = new Map(features.map((feature) => [feature.key, feature]))
  return grants.map((grant) => ({
    ...grant,
    name: named.get(grant.feature)?.name ?? grant.feature,
    unitLabel: named.get(grant.feature)?.unitLabel ?? null,
  }))
}

/** SHA-256 of a text's UTF-8, in hex. Core has no digests of its own: whoever calls brings one. */
export type Sha256 = (text: string) => string

/** The text of a contract or of its person that digests are taken of. */
export function canonicalText(document: ContractDocument | Person): string {
  return canonicalJson(document as unknown as Canonical)
}
