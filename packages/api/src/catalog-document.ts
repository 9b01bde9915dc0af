import type { Addon } from '@lockstep/core/addon'
import type { Catalog, Product } from '@lockstep/core/catalog'
import type { Coupon } from '@lockstep/core/coupon'
import { formatDecimal } from '@lockstep/core/decimal'
import type { Feature, Grant } from '@lockstep/core/feature'
import { formatInstant } from '@lockstep/core/instant'
import type { Meter } from '@lockstep/core/meter'
import { formatMoney, formatRate, type Rate } from '@lockstep/core/money'
import type { Plan } from '@lockstep/core/plan'
import type { Price, Tier } from '@lockstep/core/price'
import { formatQuantity } from '@lockstep/core/quantity'
import type { Seller } from '@lockstep/core/seller'
import type { SignUp } from '@lockstep/core/sign-up'
import type { CatalogDocument } from './catalog.ts'

/** A share is kept in 1e-12 of one; a percentage has two decimals fewer. */
const PERCENT_DIGITS = 10

type Entry<K extends 'products' | 'meters' | 'features' | 'coupons' | 'plans' | 'addons'> = NonNullable<
  CatalogDocument[K]
>[string]
type WrittenGrant = NonNullable<Entry<'plans'>['grants']>[string]
type WrittenPrice = Entry<'plans'>['prices'][string]

/**
 * A catalogue in the form that a person writes. `defineCatalog` makes the same catalogue of it again,
 * so it can go over the wire, be read, changed and applied.
 */
export function catalogDocumentOf(catalog: Catalog): CatalogDocument {
  const { seller, products, meters, features, coupons, plans, addons, signUp, planChanges, grace } = catalog
  return {
    // Every plan names its own currency below; this one is only asked for by the form.
    currency: plans[0]?.currency ?? 'usd',
    ...(seller !== null && { seller: writeSeller(seller) }),
    products: byKey(products, writeProduct),
    meters: byKey(meters, writeMeter),
    features: byKey(features, writeFeature),
    coupons: byKey(coupons, writeCoupon),
    plans: byKey(plans, writePlan),
    ...(addons.length > 0 && { addons: byKey(addons, writeAddon) }),
    ...(signUp !== null && { signUp: writeSignUp(signUp) }),
    planChanges,
    ...(grace.days !== null && { grace: { days: grace.days } }),
  }
}

function byKey<T extends { readonly key: string }, W>(
  list: readonly T[],
  write: (item: T) => W,
): Record<string, W> {
  return Object.fromEntries(list.map((item) => [item.key, write(item)]))
}

function writeProduct({ name, description, unitLabel, taxCode }: Product): Entry<'products'> {
  return {
    name,
    ...(description !== null && { description }),
    ...(unitLabel !== null && { unitLabel }),
    ...(taxCode !== null && { taxCode }),
  }
}

function writeMeter({ name, unitLabel, aggregation, property, filter, dimensions }: Meter): Entry<'meters'> {
  return {
    name,
    unitLabel,
    aggregation,
    ...(property !== undefined && { property }),
    ...(filter && {
      filter: Object.fromEntries(Object.entries(filter).map(([name, values]) => [name, [...values]])),
    }),
    ...(dimensions && { dimensions: [...dimensions] }),
  }
}

function writeCoupon({ name, reduction, ...coupon }: Coupon): Entry<'coupons'> {
  const { duration, durationInMonths, redeemBy, maxRedemptions } = coupon
  return {
    name,
    ...(reduction.kind === 'share'
      ? { percentOff: formatDecimal(BigInt(reduction.basisPoints), 2) }
      : { amountOff: formatMoney(reduction.amount), currency: reduction.amount.currency }),
    duration,
    ...(durationInMonths !== null && { durationInMonths }),
    ...(redeemBy !== null && { redeemBy: formatInstant(redeemBy) }),
    ...(maxRedemptions !== null && { maxRedemptions }),
  }
}

function writeSignUp({ plan, afterTrial }: SignUp): CatalogDocument['signUp'] {
  switch (afterTrial.policy) {
    case 'expire':
      return { plan, afterTrial: 'expire' }
    case 'moveTo':
      return { plan, afterTrial: { moveTo: afterTrial.plan } }
    case 'extend':
      return { plan, afterTrial: { extendDays: afterTrial.days } }
  }
}

function writeSeller({ name, address, email, taxId, terms }: Seller): CatalogDocument['seller'] {
  return {
    name,
    ...(address !== null && { address }),
    ...(email !== null && { email }),
    ...(taxId !== null && { taxId }),
    ...(terms !== null && {
      terms: { version: terms.version, ...(terms.url !== null && { url: terms.url }) },
    }),
  }
}

function writeFeature({ name, kind, meter, unitLabel }: Feature): Entry<'features'> {
  if (kind === 'metered') return { name, kind, meter: meter ?? '' }
  return kind === 'limit' ? { name, kind, unitLabel: unitLabel ?? '' } : { name, kind }
}

function writeGrant(grant: Grant): WrittenGrant {
  if (grant.kind === 'switch') return true
  const upTo = grant.upTo === null ? null : formatQuantity(grant.upTo)
  return grant.kind === 'limit' ? { upTo } : { upTo, beyond: grant.beyond }
}

function writePlan(plan: Plan): Entry<'plans'> {
  const { name, audience, product, currency, interval, intervalCount, trialDays, trialUsage } = plan
  return {
    ...{ name, audience, product, currency, interval, intervalCount, trialDays, trialUsage },
    ...(plan.usageInterval !== null && { usageInterval: plan.usageInterval }),
    ...(plan.usageIntervalCount !== null && { usageIntervalCount: plan.usageIntervalCount }),
    ...(plan.purchase !== 'membership' && { purchase: plan.purchase }),
    ...(plan.payments !== null && { payments: plan.payments }),
    ...(plan.rollsInto !== null && { rollsInto: plan.rollsInto }),
    prices: byKey(plan.prices, writePrice),
    ...writeGrants(plan.grants),
  }
}

function writeAddon({ plans, prices, grants, ...addon }: Addon): Entry<'addons'> {
  const { name, audience, product, currency, interval, intervalCount } = addon
  return {
    ...{ name, audience, product, currency, interval, intervalCount },
    ...(plans !== null && { plans: [...plans] }),
    prices: byKey(prices, writePrice),
    ...writeGrants(grants),
  }
}

function writeGrants(grants: readonly Grant[]) {
  return grants.length > 0
    ? { grants: Object.fromEntries(grants.map((grant) => [grant.feature, writeGrant(grant)])) }
    : {}
}

function writePrice(price: Price): WrittenPrice {
  const { name, product, kind, timing, meter, groupBy } = price
  const terms = {
    ...{ name, product, kind, timing },
    ...(meter !== null && { meter }),
    ...(groupBy && { groupBy: [...groupBy] }),
    ...writeLimits(price),
  }
  switch (price.model) {
    case 'flat':
    case 'minimum':
    case 'maximum':
      return { ...terms, model: price.model, amount: formatMoney(price.amount) }
    case 'perUnit':
      return {
        ...{ ...terms, model: price.model, unitAmount: formatRate(price.rate) },
        ...(price.rates && { unitAmounts: writeRates(price.rates) }),
      }
    case 'package': {
      const { model, amount, size, round } = price
      return { ...terms, model, amount: formatMoney(amount), size: formatQuantity(size), round }
    }
    case 'graduated':
    case 'volume':
      return { ...terms, model: price.model, tiers: price.tiers.map(writeTier) }
    case 'percentage':
      return { ...terms, model: price.model, percent: formatDecimal(price.picos, PERCENT_DIGITS) }
  }
}

function writeLimits({ included, maximum, collectFrom }: Price) {
  return {
    ...(included !== undefined && { included: formatQuantity(included) }),
    ...(maximum !== undefined && { maximum: formatMoney(maximum) }),
    ...(collectFrom !== undefined && { collectFrom: formatMoney(collectFrom) }),
  }
}

function writeRates(rates: Readonly<Record<string, Rate>>): Record<string, string> {
  return Object.fromEntries(Object.entries(rates).map(([value, rate]) => [value, formatRate(rate)]))
}

function writeTier({ upTo, rate, flat }: Tier) {
  return {
    upTo: upTo === null ? null : formatQuantity(upTo),
    unitAmount: formatRate(rate),
    flatAmount: formatMoney(flat),
  }
}
