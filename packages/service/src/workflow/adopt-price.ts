import type { Clock } from '../clock.ts'
import type { Db } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import type { Provider } from '../provider/stripe/account.ts'
import { readStripe } from '../provider/stripe/call.ts'
import { all } from '../provider/stripe/fetch.ts'
import type { PriceToMake } from '../provider/stripe/products.ts'
import { isPriceOf } from '../provider/stripe/to-price.ts'
import { lockLinks, type Mapping, mappingOf, relink } from '../store/mappings.ts'
import { moveRolls } from '../store/plan-rolls.ts'
import { retryUnmapped } from '../store/unmapped-events.ts'
import { isUnclaimed } from './admit/taking-up.ts'

interface AdoptDeps {
  readonly db: Db
  readonly clock: Clock
  readonly provider: Provider
}

/**
 * A plan that came in from Stripe is completed here: its recurring price is the one that stands there already and
 * costs the same. The plan's newest version has it from now on, and whoever pays it is on that version. Only a price
 * that is linked to nothing is taken, or to the version that was made of it when it came in: who is on a version of a
 * catalogue keeps it. False where Stripe has none like it to give, or where the product was made here and no other
 * price of it counts.
 */
export async function adoptPrice(
  { db, clock, provider }: AdoptDeps,
  priceId: string,
  wanted: PriceToMake,
): Promise<boolean> {
  const product = await mappingOf(db, provider, 'product', wanted.providerProduct)
  if (product === undefined || product.origin === 'outbound') return false
  const prices = await readStripe({ provider }, (stripe) =>
    all(
      stripe.prices.list({
        ...{ product: wanted.providerProduct, type: 'recurring', active: true, limit: 100 },
        expand: ['data.tiers'],
      }),
    ),
  )
  const alike = prices.filter((price) => isUnclaimed(price.metadata) && isPriceOf(price, wanted))
  return transaction(db, async (trx) => {
    const at = clock.now()
    for (const { id: providerId } of alike) {
      await lockLinks(trx, providerId)
      const standing = await mappingOf(trx, provider, 'price', providerId)
      if (!isFree(standing)) continue
      const ours = { entityType: 'price', entityId: priceId } as const
      await relink(trx, provider, { ...ours, providerType: 'price', providerId, origin: ADOPTED, at })
      if (standing) await moveRolls(trx, { from: standing.entityId, to: priceId })
      await retryUnmapped(trx, [{ entityType: 'price', providerId }], at)
      return true
    }
    return false
  })
}

/** Who applied the catalogue said so: a price that came in by itself has another origin, and can still be taken. */
const ADOPTED = 'link'

function isFree(mapping: Pick<Mapping, 'origin'> | undefined): boolean {
  return mapping === undefined || mapping.origin === 'webhook' || mapping.origin === 'import'
}
