import type { Grace } from './access.ts'
import type { Addon } from './addon.ts'
import { canonicalJson } from './canonical-json.ts'
import type { KnownCurrency } from './catalog/amounts.ts'
import {
  addonDifferences,
  describeCoupon,
  describeFields,
  differences,
  planDifferences,
} from './catalog/describe.ts'
import { readAddon } from './catalog/read-addon.ts'
import { readChangePolicy } from './catalog/read-change-policy.ts'
import { readCoupon } from './catalog/read-coupon.ts'
import { readFeature } from './catalog/read-feature.ts'
import { readGrace } from './catalog/read-grace.ts'
import { readMeter } from './catalog/read-meter.ts'
import { readCurrency, readPlan } from './catalog/read-plan.ts'
import { readSeller } from './catalog/read-seller.ts'
import { readSignUp } from './catalog/read-sign-up.ts'
import { entries, Reader } from './catalog/reader.ts'
import type { CatalogInput } from './catalog-input.ts'
import type { Coupon } from './coupon.ts'
import type { Feature } from './feature.ts'
import type { Meter } from './meter.ts'
import type { Plan } from './plan.ts'
import { type ChangePolicy, defaultChangePolicy } from './plan-change.ts'
import { child } from './pointer.ts'
import { type Fault, Problem } from './problem.ts'
import type { Seller } from './seller.ts'
import type { SignUp } from './sign-up.ts'

/** What is sold: shown on invoices, taxed by its code. */
export interface Product {
  readonly key: string
  readonly name: string
  readonly description: string | null
  readonly unitLabel: string | null
  readonly taxCode: string | null
}

export interface Catalog {
  /** Null as long as nobody is named: contracts then say only who buys. */
  readonly seller: Seller | null
  readonly products: readonly Product[]
  readonly meters: readonly Meter[]
  readonly features: readonly Feature[]
  readonly coupons: readonly Coupon[]
  readonly plans: readonly Plan[]
  readonly addons: readonly Addon[]
  /** Null where a plan has to be chosen. */
  readonly signUp: SignUp | null
  /** When changes of plans take effect. */
  readonly planChanges: ChangePolicy
  readonly grace: Grace
}

/**
 * Reads a catalogue that a person wrote. All mistakes at once, as a Problem `catalog_invalid` whose
 * pointers show where: `#/plans/cloud-host/prices/compute/meter`.
 */
export function defineCatalog<
  const P extends string,
  const M extends string,
  const L extends string,
  const F extends string = never,
>(input: CatalogInput<P, M, L, F>): Catalog {
  const faults: Fault[] = []
  const reader = new Reader(input, '#', faults)
  const currency: KnownCurrency = readCurrency(reader)
  const seller = reader.has('seller') ? readSeller(reader.object('seller')) : null
  const products = entries(reader, 'products').map(readProduct)
  const meters = reader.has('meters') ? entries(reader, 'meters').map(readMeter) : []
  const features = reader.has('features')
    ? entries(reader, 'features').map((entry) => readFeature(entry, meters))
    : []
  const coupons = reader.has('coupons')
    ? entries(reader, 'coupons').map((entry) => readCoupon(entry, currency))
    : []
  const planEntries = entries(reader, 'plans')
  const context = {
    products: keysOf(products),
    meters: new Map(meters.map((meter) => [meter.key, meter])),
    features: new Map(features.map((feature) => [feature.key, feature])),
    plans: new Set(planEntries.map(([key]) => key)),
    currency,
  }
  const plans = planEntries.map(([key, plan]) => readPlan(plan, key, context))
  const addons = reader.has('addons')
    ? entries(reader, 'addons').map(([key, addon]) => readAddon(addon, key, { ...context, plans }))
    : []
  const signUp = reader.has('signUp') ? readSignUp(reader.object('signUp'), plans) : null
  const planChanges = reader.has('planChanges')
    ? readChangePolicy(reader.object('planChanges'))
    : defaultChangePolicy
  const grace = reader.has('grace') ? readGrace(reader.object('grace')) : { days: null }
  reader.end()
  faults.push(...rollFaults(plans))

  if (faults.length > 0) throw new Problem('catalog_invalid', sentence(faults), { faults })
  return { seller, products, meters, features, coupons, plans, addons, signUp, planChanges, grace }
}

/** Stripe prints no longer one: https://docs.stripe.com/api/products/create#create_product-unit_label */
const MAX_UNIT_LABEL = 12

function readProduct([key, reader]: [string, Reader]): Product {
  const product = {
    key,
    name: reader.text('name'),
    description: reader.optionalText('description'),
    unitLabel: reader.optionalText('unitLabel', MAX_UNIT_LABEL),
    taxCode: reader.optionalText('taxCode'),
  }
  reader.end()
  return product
}

/** Subscribers roll from plan to plan: in one currency, and not in circles. */
function rollFaults(plans: readonly Plan[]): Fault[] {
  const byKey = new Map(plans.map((plan) => [plan.key, plan]))
  return plans.flatMap((plan) => {
    const next = plan.rollsInto === null ? undefined : byKey.get(plan.rollsInto)
    if (!next) return []
    const pointer = child('#', 'plans', plan.key, 'rollsInto')
    if (next.currency !== plan.currency) {
      const detail = `${next.key} is in ${next.currency}, and a customer's currency is fixed.`
      return [{ pointer, code: 'currency_mismatch', detail }]
    }
    return comesBack(plan, byKey) ? [{ pointer, code: 'circle', detail: 'The plans roll in a circle.' }] : []
  })
}

function comesBack(plan: Plan, byKey: ReadonlyMap<string, Plan>): boolean {
  let next: Plan | undefined = plan
  for (let step = 0; step < byKey.size; step += 1) {
    next = next?.rollsInto === null ? undefined : byKey.get(next?.rollsInto ?? '')
    if (next === plan) return true
  }
  return false
}

function sentence(faults: readonly Fault[]): string {
  const [first] = faults
  const rest = faults.length > 1 ? ` And ${faults.length - 1} more.` : ''
  return `${first?.pointer}: ${first?.detail}${rest}`
}

export interface CatalogChange {
  readonly kind:
    | 'seller'
    | 'product'
    | 'meter'
    | 'feature'
    | 'coupon'
    | 'plan'
    | 'addon'
    | 'signUp'
    | 'planChanges'
    | 'grace'
  readonly action: 'create' | 'update' | 'newVersion' | 'archive' | 'unchanged'
  readonly key: string
  /** What changed, in words: `prices/fee/amount: 9.00 → 10.00`. */
  readonly details: readonly string[]
}

/**
 * What has to be done to the stored catalogue (what is archived left out) to make it the wanted
 * one. A plan or add-on that may have been sold gets a new version; everything else changes in place.
 *
 * A meter's aggregation, and what it counts and keeps apart, cannot change: invoices that are rated already would change with it. Nor can
 * a feature's kind and meter, by which plans grant it, nor a coupon, which may have been redeemed. That
 * is refused as `catalog_invalid`.
 */
export function catalogDiff(current: Catalog, wanted: Catalog): CatalogChange[] {
  const faults = [
    ...meterFaults(current.meters, wanted.meters),
    ...featureFaults(current.features, wanted.features),
    ...couponFaults(current.coupons, wanted.coupons),
  ]
  if (faults.length > 0) throw new Problem('catalog_invalid', sentence(faults), { faults })
  return [
    ...changes('seller', sellers(current), sellers(wanted), fieldDifferences),
    ...changes('product', current.products, wanted.products, fieldDifferences),
    ...changes('meter', current.meters, wanted.meters, fieldDifferences),
    ...changes('feature', current.features, wanted.features, fieldDifferences),
    ...changes('coupon', current.coupons, wanted.coupons, couponDifferences),
    ...changes('plan', current.plans, wanted.plans, planDifferences),
    ...changes('addon', current.addons, wanted.addons, addonDifferences),
    ...changes('signUp', signUps(current), signUps(wanted), fieldDifferences),
    ...changes('planChanges', changePolicies(current), changePolicies(wanted), fieldDifferences),
    ...changes('grace', graces(current), graces(wanted), fieldDifferences),
  ]
}

/** The one seller there may be, under a key like everything else. */
function sellers({ seller }: Catalog) {
  if (seller === null) return []
  const { terms, ...named } = seller
  const { version, url } = terms ?? { version: null, url: null }
  return [{ key: 'seller', ...named, termsVersion: version, termsUrl: url }]
}

/** What is as by default needs no mention. */
function changePolicies({ planChanges: { upgrade, downgrade } }: Catalog) {
  const isDefault = upgrade === defaultChangePolicy.upgrade && downgrade === defaultChangePolicy.downgrade
  return isDefault ? [] : [{ key: 'plan-changes', upgrade, downgrade }]
}

function graces({ grace: { days } }: Catalog) {
  return days === null ? [] : [{ key: 'grace', days }]
}

function signUps({ signUp }: Catalog) {
  if (signUp === null) return []
  const { plan, afterTrial } = signUp
  return [{ key: 'sign-up', plan, ...afterTrialFields(afterTrial) }]
}

function afterTrialFields(after: SignUp['afterTrial']) {
  switch (after.policy) {
    case 'expire':
      return { afterTrial: 'expire' }
    case 'moveTo':
      return { afterTrial: `moveTo ${after.plan}` }
    case 'extend':
      return { afterTrial: `extend ${after.days} days` }
  }
}

const couponDifferences = (old: Coupon, item: Coupon): string[] =>
  differences(describeCoupon(old), describeCoupon(item))

const fieldDifferences = (old: object, item: object): string[] =>
  differences(describeFields(old), describeFields(item))

function changes<T extends { readonly key: string }>(
  kind: CatalogChange['kind'],
  current: readonly T[],
  wanted: readonly T[],
  compare: (old: T, item: T) => string[],
): CatalogChange[] {
  const stored = new Map(current.map((item) => [item.key, item]))
  const kept = keysOf(wanted)
  const made = wanted.map((item): CatalogChange => {
    const old = stored.get(item.key)
    if (!old) return { kind, action: 'create', key: item.key, details: [] }
    const details = compare(old, item)
    const change = kind === 'plan' || kind === 'addon' ? 'newVersion' : 'update'
    return { kind, action: details.length === 0 ? 'unchanged' : change, key: item.key, details }
  })
  const gone = current.filter(({ key }) => !kept.has(key))
  return [...made, ...gone.map(({ key }): CatalogChange => ({ kind, action: 'archive', key, details: [] }))]
}

function meterFaults(current: readonly Meter[], wanted: readonly Meter[]): Fault[] {
  return wanted.flatMap((meter) => {
    const old = current.find(({ key }) => key === meter.key)
    if (!old) return []
    const fixed = (field: string, detail: string) => [
      { pointer: child('#', 'meters', meter.key, field), code: 'fixed', detail },
    ]
    if (old.aggregation !== meter.aggregation) {
      const detail = `The meter ${meter.key} takes the ${old.aggregation} and cannot change; make a new meter.`
      return fixed('aggregation', detail)
    }
    if (old.property !== meter.property) {
      const detail = `The meter ${meter.key} looks at ${old.property} and cannot change; make a new meter.`
      return fixed('property', detail)
    }
    if (canonicalJson(old.filter ?? {}) !== canonicalJson(meter.filter ?? {})) {
      return fixed('filter', `The filter of the meter ${meter.key} cannot change; make a new meter.`)
    }
    if (canonicalJson(old.dimensions ?? []) === canonicalJson(meter.dimensions ?? [])) return []
    const detail = `The dimensions of the meter ${meter.key} cannot change: what was used is not kept apart by others. Make a new meter.`
    return fixed('dimensions', detail)
  })
}

function featureFaults(current: readonly Feature[], wanted: readonly Feature[]): Fault[] {
  return wanted.flatMap(({ key, kind, meter }) => {
    const old = current.find((feature) => feature.key === key)
    if (!old || (old.kind === kind && old.meter === meter)) return []
    const field = old.kind === kind ? 'meter' : 'kind'
    const detail = `The ${field} of the feature ${key} is ${old[field]} and cannot change; make a new feature.`
    return [{ pointer: child('#', 'features', key, field), code: 'fixed', detail }]
  })
}

function couponFaults(current: readonly Coupon[], wanted: readonly Coupon[]): Fault[] {
  return wanted.flatMap((coupon) => {
    const old = current.find(({ key }) => key === coupon.key)
    if (!old || couponDifferences(old, coupon).length === 0) return []
    const detail = `The coupon ${coupon.key} may have been redeemed and cannot change; make a new coupon.`
    return [{ pointer: child('#', 'coupons', coupon.key), code: 'fixed', detail }]
  })
}

function keysOf(list: readonly { readonly key: string }[]): ReadonlySet<string> {
  return new Set(list.map(({ key }) => key))
}
