import type { Coupon } from '@lockstep/core/coupon'
import { flowsOut } from '@lockstep/core/direction'
import type { Instant } from '@lockstep/core/instant'
import type { Clock } from '../clock.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import type { Provider } from '../provider/stripe/account.ts'
import { makeCoupon } from '../provider/stripe/coupons.ts'
import { makePrice, type PriceToMake, type ProductToTell, tellProduct } from '../provider/stripe/products.ts'
import { readNewestAddons } from '../store/addons.ts'
import { markPublished, unpublishedProducts } from '../store/catalog.ts'
import { readCoupons } from '../store/coupons.ts'
import { archivedThere } from '../store/linked-prices.ts'
import { link, providerIdOf, providerIdsOf } from '../store/mappings.ts'
import { readNewestPlans } from '../store/plans.ts'
import { adoptPrice } from './adopt-price.ts'
import type { WorkflowKind } from './journal.ts'
import { providerPrices } from './provider-prices.ts'

export const PUBLISH = 'publish-catalog'

export interface PublishDeps {
  readonly db: Db
  readonly clock: Clock
  readonly provider: Provider
}

/**
 * Tells the provider what is for sale: all products, since lines of usage name theirs too, the prices
 * that it bills by itself, and the coupons. What is left to tell is read from the database each time, so there
 * are no steps to record: after a crash the rest is told.
 */
export function publishKind(deps: PublishDeps): WorkflowKind {
  return {
    kind: PUBLISH,
    async run() {
      const { db, provider, clock } = deps
      const { products, prices, coupons } = await unpublished(db, provider, clock.now())
      for (const product of products) {
        const { key } = product.product
        const providerId = await tellProduct(deps, product)
        const origin = 'outbound'
        await link(db, provider, {
          entityType: 'product',
          entityId: key,
          providerType: 'product',
          providerId,
          origin,
          at: clock.now(),
        })
        await markPublished(db, key, product.revision)
      }
      for (const coupon of coupons) {
        const providerId = await makeCoupon(deps, coupon)
        await link(db, provider, {
          entityType: 'coupon',
          entityId: coupon.key,
          providerType: 'coupon',
          providerId,
          origin: 'outbound',
          at: clock.now(),
        })
      }
      for (const price of prices) {
        const providerProduct = await providerIdOf(db, 'product', price.productKey)
        if (providerProduct === undefined) {
          if (!flowsOut(provider.sync.directions.price)) continue
          throw new Error(`Product ${price.productKey} is not known to the provider.`)
        }
        if (await adoptPrice(deps, price.id, { ...price, providerProduct })) continue
        if (!flowsOut(provider.sync.directions.price)) continue
        const providerId = await makePrice(deps, { ...price, providerProduct })
        await link(db, provider, {
          entityType: 'price',
          entityId: price.id,
          providerType: 'price',
          providerId,
          origin: 'outbound',
          at: clock.now(),
        })
      }
    },
  }
}

export interface Unpublished {
  readonly coupons: readonly Coupon[]
  readonly products: readonly ProductToTell[]
  readonly prices: readonly (Omit<PriceToMake, 'providerProduct'> & {
    readonly soldBy: SoldBy
    readonly productKey: string
  })[]
  /** Whose price was archived there: it is known, and nobody can register. */
  readonly archived: readonly SoldBy[]
}

interface SoldBy {
  readonly kind: 'plan' | 'addon'
  readonly key: string
}

/**
 * What the provider does not know, or not as it is now. A coupon that nobody can redeem any more at `at` is no longer told:
 * Stripe refuses a last moment that is in the past, and with it all that is told after it. Where plans do not go out, it
 * is told of a product only if a line of an invoice needs it; where prices go neither way, it is told of none.
 */
export async function unpublished(
  db: Db | Trx,
  { sync: { directions } }: Pick<Provider, 'sync'>,
  at: Instant,
): Promise<Unpublished> {
  const products = (await unpublishedProducts(db)).filter(
    ({ providerId }) =>
      flowsOut(directions.plan) || (flowsOut(directions.invoice) && providerId === undefined),
  )
  const sold =
    directions.price === 'off'
      ? []
      : [
          ...(await readNewestPlans(db, { origin: 'catalog' })),
          ...(await readNewestAddons(db, { origin: 'catalog' })),
        ]
  const wanted = sold.flatMap((version) => {
    const kind = 'plan' in version ? 'plan' : 'addon'
    const { key, currency, interval, intervalCount } = 'plan' in version ? version.plan : version.addon
    return providerPrices(version).map(({ id, price }) => ({
      ...{ id, currency, interval, intervalCount, price },
      versionId: version.id,
      soldBy: { kind, key } as const,
      productKey: price.product,
    }))
  })
  const known = await providerIdsOf(
    db,
    'price',
    wanted.map(({ id }) => id),
  )
  const archived = await archivedThere(db, [...known.keys()])
  const coupons = await readCoupons(db)
  const told = await providerIdsOf(
    db,
    'coupon',
    coupons.map(({ key }) => key),
  )
  return {
    products,
    coupons: coupons.filter(({ key, redeemBy }) => !told.has(key) && (redeemBy === null || redeemBy > at)),
    prices: wanted.filter(({ id }) => !known.has(id)),
    archived: flowsOut(directions.subscription)
      ? wanted.filter(({ id }) => archived.has(id)).map((one) => one.soldBy)
      : [],
  }
}
