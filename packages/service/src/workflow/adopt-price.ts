import type { Clock } from '../clock.ts'
import type { Db } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import type { Provider } from '../provider/stripe/account.ts'
import { readStripe } from '../provider/stripe/call.ts'
import { all } from '../provider/stripe/fetch.ts'
import type { PriceToMake } from '../provider/stripe/products.ts'
import { isPriceOf } from '../provider/stripe/to-price.ts'
import { mappingOf, relink } from '../store/mappings.ts'
import { retryUnmapped } from '../store/unmapped-events.ts'

interface AdoptDeps {
  readonly db: Db
  readonly clock: Clock
  readonly provider: Provider
}

/**
 * A plan that came in from Stripe is completed here: its recurring price is the one that stands there already and
 * costs the same. The plan's newest version has it from now on, and whoever pays it is on that version. False where
 * Stripe has none like it, or where the product was made here and no other price of it counts.
 */
export async function adoptPrice(
  { db, clock, provider }: AdoptDeps,
  priceId: string,
  wanted: PriceToMake,
): Promise<boolean> {
  const product = await mappingOf(db, provider, 'product', wanted.providerProduct)
  if (product === undefined || product.origin === 'outbound') return false
  const prices = await readStripe({ provider }, (stripe) =>
    all(stripe.prices.list({ product: wanted.providerProduct, type: 'recurring', active: true, limit: 100 })),
  )
  const found = prices.find((price) => isPriceOf(price, wanted))
  if (!found) return false
  await transaction(db, async (trx) => {
    const at = clock.now()
    const ours = { entityType: 'price', entityId: priceId } as const
    const theirs = { providerType: 'price', providerId: found.id } as const
    await relink(trx, provider, { ...ours, ...theirs, origin: product.origin, at })
    await retryUnmapped(trx, at)
  })
  return true
}
