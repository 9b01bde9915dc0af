import type { Instant } from '@lockstep/core/instant'
import {
  type DiscountGiven,
  discountsTakenOff,
  type StandingDiscount,
} from '@lockstep/core/standing-discount'
import { isTerminal } from '@lockstep/core/subscription'
import type { Db, Trx } from '../postgres/connect.ts'
import { fromStripeUnits } from '../provider/stripe/amount.ts'
import { type SumTerms, toSumTerms } from '../provider/stripe/to-sum-terms.ts'
import { discountsGiven, type GivenAtProvider } from '../store/discounts-given.ts'
import { providerIdsOf } from '../store/mappings.ts'
import type { BilledSubscription } from '../store/open-invoices.ts'
import { type PendingItem, standingItems } from '../store/pending-items.ts'
import { discountsSeen } from '../store/provider-discounts.ts'
import { type ProviderUsage, providerUsageOf } from '../store/provider-usage.ts'
import { type StandingDiscounts, standingDiscounts } from '../store/standing-discounts.ts'
import { newestTaxes, sumPictures, type TaxSeen } from '../store/sum-terms.ts'
import type { ToSum } from './sums.ts'

/** What the provider will make of the lines of a customer's open invoices, as far as it is known here. */
export interface SumContext {
  readonly discounts: ReadonlyMap<string, StandingDiscounts>
  /** Of those that are over: what of its discounts invoices have already. */
  readonly given: ReadonlyMap<string, readonly DiscountGiven[]>
  readonly terms: ReadonlyMap<string, SumTerms>
  readonly taxes: ReadonlyMap<string, TaxSeen>
  /** What is to be billed and none of ours, newest first. */
  readonly pending: readonly PendingItem[]
  /** What the provider's own meters have counted, the newest period last. */
  readonly counted: readonly ProviderUsage[]
  /** Discounts of those items alone. */
  readonly ofLines: ToSum['discounts']
  /** Discounts of those items of which nobody asked so far what they take off. */
  readonly unreadOfLines: ReadonlySet<string>
  /** All of the customer's; only where something belongs to none of them. */
  readonly subscriptions: readonly Pick<BilledSubscription, 'id' | 'status' | 'currentPeriodEnd'>[]
}

/** Two queries; more only where something is discounted, taxed elsewhere, or was put there without a subscription. */
export async function sumContext(
  db: Db,
  customerId: string,
  subscribed: readonly (Pick<BilledSubscription, 'id' | 'status'> &
    Partial<Pick<BilledSubscription, 'meteredItems'>>)[],
): Promise<SumContext> {
  const subscriptionIds = subscribed.map(({ id }) => id)
  const metered = subscribed.filter(({ meteredItems = [] }) => meteredItems.length > 0)
  const [pictures, pending, counted] = await Promise.all([
    sumPictures(db, subscriptionIds),
    standingItems(db, customerId),
    providerUsageOf(
      db,
      metered.map(({ id }) => id),
    ),
  ])
  const terms = new Map(pictures.map((picture) => [picture.subscriptionId, toSumTerms(picture)]))
  const taxed = [...terms].flatMap(([id, { isTaxedElsewhere }]) => (isTaxedElsewhere ? [id] : []))
  const named = pending.flatMap(({ id, content }) =>
    content.discounts.map((discount) => ({ line: id, discount })),
  )
  const discounted = pictures.filter(({ isDiscounted }) => isDiscounted)
  const over = subscribed.filter(
    ({ id, status }) => isTerminal(status) && discounted.some(({ subscriptionId }) => subscriptionId === id),
  )
  const [discounts, given, taxes, seen, subscriptions] = await Promise.all([
    Promise.all(
      discounted.map(async ({ subscriptionId: id }) => [id, await standingDiscounts(db, id)] as const),
    ),
    readGiven(
      db,
      over.map(({ id }) => id),
    ),
    newestTaxes(db, taxed),
    discountsSeen(
      db,
      named.map(({ discount }) => discount),
    ),
    pending.some(({ subscriptionId }) => subscriptionId === null) ? subscriptionsOf(db, customerId) : [],
  ])
  const known = new Map(seen.map((one) => [one.id, one]))
  return {
    discounts: new Map(discounts),
    given,
    terms,
    taxes: new Map(taxes.map((one) => [one.subscriptionId, one])),
    pending,
    counted,
    ofLines: named.flatMap(({ line, discount }) => {
      const one = known.get(discount)
      return one ? [{ source: 'line', item: line, terms: one.terms, products: one.products ?? [] }] : []
    }),
    unreadOfLines: new Set(named.flatMap(({ line, discount }) => (known.has(discount) ? [] : [line]))),
    subscriptions,
  }
}

/** What the invoices of subscriptions have of their discounts, by subscription. */
export async function readGiven(
  db: Db | Trx,
  subscriptionIds: readonly string[],
): Promise<ReadonlyMap<string, readonly DiscountGiven[]>> {
  const given = await discountsGiven(db, subscriptionIds)
  const byId = Map.groupBy(given, ({ subscriptionId }) => subscriptionId)
  const toGiven = ({ units, currency, ...of }: GivenAtProvider): DiscountGiven => ({
    ...of,
    minor: fromStripeUnits(units, currency).minor,
  })
  return new Map([...byId].map(([id, of]) => [id, of.map(toGiven)]))
}

function subscriptionsOf(db: Db, customerId: string) {
  return db
    .selectFrom('subscription')
    .select(['id', 'status', 'currentPeriodEnd'])
    .where('customerId', '=', customerId)
    .orderBy('startedAt')
    .execute()
}

/**
 * The provider's ids of products of ours, where it depends on them what is taken off or taxed: no query is made for
 * nothing.
 */
export async function productsAtProvider(
  db: Db,
  { discounts, terms }: SumContext,
  keys: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const depends =
    [...discounts.values()].some((of) =>
      of.discounts.some(({ scope, products }) => scope === 'item' || products.length > 0),
    ) || [...terms.values()].some(({ items }) => items.some(({ taxRates }) => taxRates.length > 0))
  return depends ? providerIdsOf(db, 'product', [...new Set(keys)]) : new Map()
}

/** Of the discounts of a subscription, those that an invoice of that moment takes off; one that is used up does no more. */
export function takenOff(
  { discounts, unread }: StandingDiscounts,
  at: Instant,
  used: ReadonlySet<StandingDiscount>,
): { readonly discounts: readonly StandingDiscount[]; readonly hasUnread: boolean } {
  const left = discounts.filter((one) => !used.has(one))
  return { discounts: discountsTakenOff(left, at), hasUnread: unread.length > 0 }
}
