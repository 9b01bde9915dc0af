import type { Interval } from './billing-cycle.ts'
import { type Grant, type GrantJson, grantFromJson, grantToJson } from './feature.ts'
import type { Currency } from './money.ts'
import type { Audience, Plan } from './plan.ts'
import { type Price, type PriceJson, priceFromJson, priceToJson } from './price.ts'

interface AddonTerms {
  readonly key: string
  readonly name: string
  readonly audience: Audience
  readonly product: string
  readonly currency: Currency
  readonly interval: Interval
  readonly intervalCount: number
  /** The plans that it goes with, by key and in alphabetical order; null for every plan of its currency and rhythm. */
  readonly plans: readonly string[] | null
}

/**
 * What is sold beside a plan: attached to a running subscription and detached again. One that is sold never
 * changes: a change makes a new version. It is billed as the plan is, in the same currency and rhythm, by
 * recurring prices in advance.
 */
export interface Addon extends AddonTerms {
  /** In the order of the catalogue, which is the order on the invoice. */
  readonly prices: readonly Price[]
  /** By feature; for one piece of it. */
  readonly grants: readonly Grant[]
}

/** The add-on as it is stored and hashed: integers as decimal text, keys always in one order. */
export interface AddonJson extends AddonTerms {
  readonly prices: readonly PriceJson[]
  readonly grants: readonly GrantJson[]
}

/** Equal add-ons give equal text under JSON.stringify: a hash of it tells whether an add-on has changed. */
export function addonToJson(addon: Addon): AddonJson {
  return { ...terms(addon), prices: addon.prices.map(priceToJson), grants: addon.grants.map(grantToJson) }
}

/** Reads what {@link addonToJson} wrote, here or in a store of ours. */
export function addonFromJson(json: AddonJson): Addon {
  return { ...terms(json), prices: json.prices.map(priceFromJson), grants: json.grants.map(grantFromJson) }
}

/** A number of pieces of an add-on. */
export interface SoldAddon {
  readonly addon: Addon
  readonly quantity: number
}

/** The same by name: what is written down of a subscription. A version of an add-on never changes. */
export interface AttachedAddon {
  readonly addon: string
  readonly version: number
  readonly quantity: number
}

/** The one order in which they are written down, whoever attached what first: for sorting. */
export function byName(a: AttachedAddon, b: AttachedAddon): number {
  if (a.addon !== b.addon) return a.addon < b.addon ? -1 : 1
  return a.version - b.version
}

/** For a person, in their one order. */
export const addonsInWords = (addons: readonly AttachedAddon[]): string =>
  [...addons]
    .sort(byName)
    .map(({ addon, version, quantity }) => `${quantity} × ${addon} ${version}`)
    .join(', ')

/** Of two lists in that order. */
export function areSameAddons(a: readonly AttachedAddon[], b: readonly AttachedAddon[]): boolean {
  const isSame = (one: AttachedAddon, other: AttachedAddon | undefined) =>
    one.addon === other?.addon && one.version === other.version && one.quantity === other.quantity
  return a.length === b.length && a.every((one, i) => isSame(one, b[i]))
}

function terms({ key, name, audience, product, currency, interval, intervalCount, plans }: AddonTerms) {
  return { key, name, audience, product, currency, interval, intervalCount, plans }
}

/** Why an add-on does not go with a plan; undefined where it does. */
export function whyNotWith(
  { plans, ...addon }: Pick<Addon, 'plans' | 'currency' | 'interval' | 'intervalCount'>,
  plan: Pick<Plan, 'key' | 'currency' | 'interval' | 'intervalCount' | 'purchase'>,
):
  | {
      readonly code: 'currency_mismatch' | 'rhythm_mismatch' | 'not_listed' | 'no_membership'
      readonly detail: string
    }
  | undefined {
  if (plans !== null && !plans.includes(plan.key))
    return { code: 'not_listed', detail: `It goes with ${plans.join(', ')}, not with ${plan.key}.` }
  if (plan.purchase !== 'membership')
    return { code: 'no_membership', detail: `${plan.key} is bought as ${plan.purchase}, once and as it is.` }
  if (addon.currency !== plan.currency)
    return {
      code: 'currency_mismatch',
      detail: `${plan.key} is in ${plan.currency}, not in ${addon.currency}.`,
    }
  // Items of several rhythms on one subscription would have several periods, and it would have none.
  if (addon.interval !== plan.interval || addon.intervalCount !== plan.intervalCount)
    return {
      code: 'rhythm_mismatch',
      detail: `${plan.key} is paid every ${every(plan)}, it every ${every(addon)}.`,
    }
  return undefined
}

function every({ interval, intervalCount }: Pick<Addon, 'interval' | 'intervalCount'>): string {
  return intervalCount === 1 ? interval : `${intervalCount} ${interval}s`
}
