import type { FieldDifference } from '@lockstep/core/drift'
import { type Fee, MonthlySum } from '@lockstep/core/import'
import { type Money, round } from '@lockstep/core/money'
import type { PriceModel } from '@lockstep/core/price'
import { priceFee } from '@lockstep/core/pricing/price-fee'
import { Problem } from '@lockstep/core/problem'
import { earns } from '@lockstep/core/recurring-revenue'
import type Stripe from 'stripe'
import { inCurrency, isMetered, modelOf, rhythmOf, withTiers } from '../../provider/stripe/to-price.ts'
import { toSubscription } from '../../provider/stripe/to-subscription.ts'
import { cursorsOf, linkedCount } from '../../store/imports.ts'
import { type Revenue, readStandings, readWeights, revenueOf } from '../../store/subscription-stats.ts'
import { compareSubscriptions } from '../drift/subscriptions.ts'
import type { LookDeps } from '../look.ts'
import { type BilledThere, isBilledThere, rhythmsOfPlans } from './billed-there.ts'
import { proveUsage, type UsageProof } from './carry-usage.ts'
import { comparedPages } from './compared-pages.ts'
import { type UnequalRevenue, UnequalRevenues } from './unequal-revenue.ts'

export interface Proof {
  readonly counts: { readonly type: string; readonly there: number; readonly here: number }[]
  /** A month's revenue of the subscriptions that are linked, before discounts and tax. */
  readonly mrr: { readonly currency: string; readonly there: string; readonly here: string }[]
  /** Subscriptions that are not here as the provider showed them. */
  readonly unequal: {
    readonly providerId: string
    readonly differences: FieldDifference[]
  }[]
  /** How many of these there are; a thousand are named. */
  readonly unequalCount: number
  /** Those whose monthly amount is not the same, in minor units. */
  readonly unequalRevenue: UnequalRevenue[]
  /** How many of these there are; a thousand are named. */
  readonly unequalRevenueCount: number
  /** Items that the provider alone bills, beside what is here: they are in no revenue of this proof. */
  readonly billedThere: BilledThere[]
  /** How many of these there are; a thousand are named. */
  readonly billedThereCount: number
  readonly subscriptions: number
  /** Subscriptions with a price that the provider's own meters count: that usage stays measured and billed there. */
  readonly meteredThere: number
  /** What those meters have counted so far, of the subscriptions that run. */
  readonly usage: UsageProof
}

const MOST_NAMED = 1000

/**
 * Holds what was taken up against what the provider showed of it: how many, what they bring a month, and each
 * subscription field by field. Reads what is stored, the provider's own words and our rows made of them; only tiers, and what
 * a price costs in another currency than its own, which no subscription shows, are asked for, once for each price.
 */
export async function prove(
  deps: LookDeps,
  { importId, since }: { readonly importId: string; readonly since: bigint },
): Promise<Proof> {
  const { db } = deps
  const there = new MonthlySum()
  const revenue = await readWeights(db)
  const revenues = new UnequalRevenues(deps, revenue, MOST_NAMED)
  const models = newModels(deps)
  const unequal: Proof['unequal'][number][] = []
  const billedThere: BilledThere[] = []
  let [subscriptions, meteredThere, unequalCount, billedThereCount] = [0, 0, 0, 0]
  const pages = comparedPages(deps, { importId, type: 'subscription proved', anew: true })
  for await (const { objects, compared } of pages) {
    subscriptions += objects.length
    const each = new Map<string, MonthlySum>()
    const plans = await rhythmsOfPlans(deps, objects)
    for (const object of objects) {
      const its = new MonthlySum()
      each.set(object.id, its)
      for (const { price, ...fee } of await feesOf(object, models)) {
        const alone = isBilledThere(object, { price, fee }, plans.get(object.id))
        if (!alone) for (const sum of [there, its]) sum.add(fee)
        else if (billedThere.length < MOST_NAMED) billedThere.push(alone)
        if (alone) billedThereCount += 1
      }
      if (object.items.data.some(({ price }) => isMetered(price))) meteredThere += 1
    }
    const { drifts } = await compareSubscriptions(deps, objects)
    unequalCount += drifts.length
    for (const { providerId, differences } of drifts)
      if (providerId !== null && unequal.length < MOST_NAMED)
        unequal.push({ providerId, differences: [...differences] })
    await revenues.compare(each)
    await compared({ made: 0, refused: drifts.length })
  }
  await revenues.addUnshown()
  return {
    counts: await countsOf(deps, importId),
    mrr: sideBySide(there.total(), await revenueHere(deps, revenue)),
    unequalRevenue: revenues.named,
    unequalRevenueCount: revenues.count,
    unequal,
    unequalCount,
    billedThere,
    billedThereCount,
    subscriptions,
    meteredThere,
    usage: await proveUsage(deps, since),
  }
}

type Models = (price: Stripe.Price, currency: string) => Promise<PriceModel | undefined>

/** What each price costs in a currency, read once; undefined of one that has no fee here either: it is metered, or cannot be read. */
function newModels(deps: LookDeps): Models {
  const known = new Map<string, Promise<PriceModel | undefined>>()
  const read = async (price: Stripe.Price, currency: string) => {
    try {
      if (isMetered(price)) return undefined
      const isItsOwn = price.currency === currency
      const billed = isItsOwn ? await withTiers(deps, price) : await inCurrency(deps, price, currency)
      return billed && modelOf(billed)
    } catch (error) {
      if (error instanceof Problem && error.code === 'price_unreadable') return undefined
      throw error
    }
  }
  return (price, currency) => {
    const name = `${price.id} ${currency}`
    const reading = known.get(name) ?? read(price, currency)
    known.set(name, reading)
    return reading
  }
}

/** What a subscription earns in an interval, item by item; all of it is billed in one currency, whichever those of its prices are. */
async function feesOf(
  object: Stripe.Subscription,
  models: Models,
): Promise<(Fee & { readonly price: Stripe.Price })[]> {
  const { status, collection, currency } = toSubscription({
    ...object,
    items: { ...object.items, has_more: false },
  })
  if (status === undefined || !earns(status, collection)) return []
  const fees: (Fee & { readonly price: Stripe.Price })[] = []
  for (const { price, quantity } of object.items.data) {
    const model = await models(price, currency)
    if (model === undefined) continue
    const { exact } = priceFee({ ...model, currency }, BigInt(quantity ?? 1))
    fees.push({ ...rhythmOf(price), price, currency, amount: round(exact).minor })
  }
  return fees
}

async function countsOf({ db, provider }: LookDeps, importId: string): Promise<Proof['counts']> {
  const cursors = await cursorsOf(db, importId)
  const counts: Proof['counts'][number][] = []
  for (const type of ['product', 'customer', 'subscription'] as const) {
    const cursor = cursors.find((one) => one.type === type)
    if (!cursor) continue
    // Another installation's are none of ours, and those refused are named with their reason.
    const expected = cursor.looked - cursor.foreignObjects - cursor.refused
    counts.push({ type, there: expected, here: await linkedCount(db, provider, type) })
  }
  return counts
}

async function revenueHere({ db }: LookDeps, revenue: Revenue): Promise<Money[]> {
  const sums = new Map<string, bigint>()
  for (const { currency, mrr } of await readStandings(db, revenue, 'now'))
    sums.set(currency, (sums.get(currency) ?? 0n) + mrr)
  return [...sums].map(([currency, weighted]) => revenueOf(weighted, revenue, currency))
}

function sideBySide(there: readonly Money[], here: readonly Money[]): Proof['mrr'] {
  const currencies = [...new Set([...there, ...here].map(({ currency }) => currency))].sort()
  const of = (sums: readonly Money[], currency: string) =>
    `${sums.find((sum) => sum.currency === currency)?.minor ?? 0n}`
  return currencies.map((currency) => ({ currency, there: of(there, currency), here: of(here, currency) }))
}
