import { type Access, isUsable } from './access.ts'
import type { Feature, Grant } from './feature.ts'
import type { Period } from './period.ts'
import type { Quantity } from './quantity.ts'
import type { FeatureCap } from './spend-limit.ts'
import type { SubscriptionStatus } from './subscription.ts'

/** A live subscription of the customer whose plan grants the feature: the row an answer rests on. */
export interface GrantedBy {
  readonly subscription: string
  readonly status: SubscriptionStatus
  readonly access: Access
  readonly plan: string
  readonly planVersion: number
  /** The add-ons of it that give some of it, by key. */
  readonly addons: readonly string[]
  readonly period: Period
  readonly grant: Grant
  /** Of a metered feature, what was used in the period so far. */
  readonly used: Quantity
}

export type EntitlementReason =
  | 'granted'
  /** All that is included is used; what comes now is billed. */
  | 'billed'
  /** All that is included is used or a cap is reached, and nothing more is to be had in this period. */
  | 'used_up'
  /** A plan grants it, but its subscription is not paid or is paused. */
  | 'inactive'
  /** No plan of the customer's live subscriptions grants it. */
  | 'not_granted'
  | 'no_subscription'

export interface Entitlement {
  readonly feature: Feature
  readonly allowed: boolean
  readonly reason: EntitlementReason
  /** Inclusive; null for no end, for a switch, and where nothing is granted. */
  readonly upTo: Quantity | null
  /** Of a metered feature, in the current period. */
  readonly used: Quantity | null
  /** Of a metered feature with an end; never below 0. */
  readonly left: Quantity | null
  /** The spend limit whose cap is reached; null where that is not what stands against it. */
  readonly cappedBy: string | null
  /** What the answer rests on; null where nothing grants it. */
  readonly by: GrantedBy | null
}

interface Standing {
  readonly hasSubscription: boolean
  /** The caps that a metered feature comes under on one of the subscriptions that grant it. */
  readonly capsOn?: (by: GrantedBy) => readonly FeatureCap[]
}

/**
 * Whether a customer may use a feature, and why. Where several subscriptions grant it, the one that
 * gives most answers; they are not added up.
 */
export function entitlementOf(
  feature: Feature,
  grantedBy: readonly GrantedBy[],
  { hasSubscription, capsOn = () => [] }: Standing,
): Entitlement {
  const [best] = grantedBy.map((by) => judge(feature, by, capsOn(by))).sort(moreFirst)
  if (best) return best
  const reason = hasSubscription ? 'not_granted' : 'no_subscription'
  return { feature, allowed: false, reason, upTo: null, used: null, left: null, cappedBy: null, by: null }
}

function judge(feature: Feature, by: GrantedBy, every: readonly FeatureCap[]): Entitlement {
  const { grant, used } = by
  const caps = grant.kind === 'metered' ? every : []
  const upTo = grant.kind === 'switch' ? null : leastOf([grant.upTo, ...caps.map((cap) => cap.upTo)])
  const measured = grant.kind === 'metered' ? used : null
  const left = measured === null || upTo === null ? null : upTo > measured ? upTo - measured : 0n
  const figures = { feature, upTo, used: measured, left, cappedBy: null, by }
  if (!isUsable(by.access)) return { ...figures, allowed: false, reason: 'inactive' }
  const cap = caps.find(({ isReached }) => isReached)
  if (cap) return { ...figures, allowed: false, reason: 'used_up', left: 0n, cappedBy: cap.limit }
  if (grant.kind !== 'metered' || left !== 0n) return { ...figures, allowed: true, reason: 'granted' }
  return grant.beyond === 'billed'
    ? { ...figures, allowed: true, reason: 'billed' }
    : { ...figures, allowed: false, reason: 'used_up' }
}

/** Null is no end. */
function leastOf(ends: readonly (Quantity | null)[]): Quantity | null {
  const [least = null] = ends.filter((end) => end !== null).toSorted((a, b) => (a < b ? -1 : 1))
  return least
}

const order: readonly EntitlementReason[] = ['granted', 'billed', 'used_up', 'inactive']

/** The better reason first, then the wider grant, then the older subscription: always the same one. */
function moreFirst(a: Entitlement, b: Entitlement): number {
  const reason = order.indexOf(a.reason) - order.indexOf(b.reason)
  if (reason !== 0) return reason
  const wide = compareWidth(a.left ?? a.upTo, b.left ?? b.upTo)
  return wide !== 0 ? wide : (a.by?.subscription ?? '') < (b.by?.subscription ?? '') ? -1 : 1
}

function compareWidth(a: Quantity | null, b: Quantity | null): number {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? -1 : 1
  return a > b ? -1 : 1
}
