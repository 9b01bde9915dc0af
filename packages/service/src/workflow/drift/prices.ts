import { flowsOut } from '@lockstep/core/direction'
import type Stripe from 'stripe'
import { isOwn } from '../../provider/stripe/metadata.ts'
import { isPriceOf, withTiers } from '../../provider/stripe/to-price.ts'
import { type LinkedPrice, linkedPrices } from '../../store/linked-prices.ts'
import type { LookDeps } from '../look.ts'
import type { Compared, Drift } from './drift.ts'

/**
 * What plans and add-ons cost: a price at Stripe never changes in that, and one that was archived there lets nobody subscribe. Of
 * that nothing is said where nobody registers here, or where the catalogue sells it no more.
 */
export async function comparePrices(deps: LookDeps, objects: readonly Stripe.Price[]): Promise<Compared> {
  const { db, provider } = deps
  const ids = objects.map(({ id }) => id)
  const linked = new Map((await linkedPrices(db, provider, ids)).map((one) => [one.providerId, one]))
  const drifts: Drift[] = []
  for (const object of objects) {
    const ours = linked.get(object.id)
    if (ours === undefined) continue
    const known = {
      entity: 'price',
      kind: 'differs',
      entityId: ours.entityId,
      providerId: object.id,
    } as const
    if (!isPriceOf(await withTiers(deps, object), ours)) {
      const differences = [{ field: 'cost', here: ours.priceKey, there: costOf(object) }]
      const reason = `What ${ours.soldBy} costs here is not what Stripe bills, where a price never changes: the row was written by other hands.`
      drifts.push({ ...known, differences, cause: 'unexplained', repair: null, reason })
    } else if (!object.active && ours.isSold && flowsOut(provider.sync.directions.subscription))
      drifts.push({ ...known, ...archived(deps, object, ours) })
  }
  return { drifts, underWay: 0 }
}

function archived(
  { provider }: LookDeps,
  object: Stripe.Price,
  { soldBy, entityId }: LinkedPrice,
): Pick<Drift, 'differences' | 'cause' | 'repair' | 'reason'> {
  const differences = [{ field: 'active', here: true, there: false }]
  const nobody = `It was archived at the provider, and nobody can register for ${soldBy}, which the catalogue sells`
  const isOurs = isOwn(provider, object) && object.metadata.lockstep_price === entityId
  if (isOurs && flowsOut(provider.sync.directions.price))
    return { differences, cause: 'changedThere', repair: 'tell', reason: `${nobody}.` }
  const reason = `${nobody}. It was made there: take it back into use there, or take ${soldBy} out of the catalogue.`
  return { differences, cause: 'unexplained', repair: null, reason }
}

const costOf = ({ unit_amount_decimal: amount, currency, recurring, billing_scheme: scheme }: Stripe.Price) =>
  `${scheme === 'tiered' ? 'tiers' : amount} ${currency} every ${recurring?.interval_count ?? 1} ${recurring?.interval}`
