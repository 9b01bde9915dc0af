import { flowsIn } from '@lockstep/core/direction'
import type Stripe from 'stripe'
import { transaction } from '../../postgres/transaction.ts'
import { readStripe } from '../../provider/stripe/call.ts'
import { all } from '../../provider/stripe/fetch.ts'
import { idOf } from '../../provider/stripe/field.ts'
import { rateOf, rhythmOf } from '../../provider/stripe/to-price.ts'
import { lockCatalog } from '../../store/catalog.ts'
import { addInboundVersion, planOfProduct, versionInRhythm } from '../../store/inbound-plans.ts'
import { entityIdOf, link } from '../../store/mappings.ts'
import { retryUnmapped } from '../../store/unmapped-events.ts'
import { type AdmitDeps, isUnclaimed } from './taking-up.ts'

/**
 * A version of the inbound plan whose product a recurring price is of. Where prices come in, it has the fee that
 * Stripe bills, and the two are linked; where they do not, it says only in what rhythm it is billed, once for each
 * rhythm. A price of a plan that the catalogue names changes nothing: what that costs is said here.
 */
export async function admitPrice(deps: AdmitDeps, price: Stripe.Price): Promise<void> {
  const { db, clock, provider, origin = 'webhook' } = deps
  if (!price.recurring || !isUnclaimed(price.metadata)) return
  const rhythm = rhythmOf(price)
  const rate = flowsIn(provider.sync.directions.price) ? rateOf(price) : null
  await transaction(db, async (trx) => {
    await lockCatalog(trx)
    const plan = await planOfProduct(trx, provider, idOf(price.product))
    if (plan?.origin !== 'provider') return
    if (rate === null) {
      if ((await versionInRhythm(trx, plan.key, rhythm)) !== undefined) return
    } else if ((await entityIdOf(trx, provider, 'price', price.id)) !== undefined) return
    const { name } = await trx
      .selectFrom('product')
      .select('name')
      .where('key', '=', plan.key)
      .executeTakeFirstOrThrow()
    const at = clock.now()
    const priceId = await addInboundVersion(trx, { key: plan.key, name, rhythm, rate, at })
    await retryUnmapped(trx, [{ entityType: 'plan_version', providerId: idOf(price.product) }], at)
    if (rate === null || priceId === null) return
    await link(trx, provider, {
      entityType: 'price',
      entityId: priceId,
      providerType: 'price',
      providerId: price.id,
      origin,
      at,
    })
  })
}

/** All prices of a product that may have been heard of before it, when nothing was known of them. */
export async function admitPricesOf(deps: AdmitDeps, product: string): Promise<void> {
  const prices = await readStripe(deps, (stripe) =>
    all(stripe.prices.list({ product, type: 'recurring', active: true, limit: 100 })),
  )
  // Listed newest first.
  for (const price of prices.toReversed()) await admitPrice(deps, price)
}
