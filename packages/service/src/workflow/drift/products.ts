import { flowsOut } from '@lockstep/core/direction'
import type Stripe from 'stripe'
import { isOwn } from '../../provider/stripe/metadata.ts'
import { linkedPrices } from '../../store/linked-prices.ts'
import { linkedProducts } from '../../store/linked-products.ts'
import type { LinkedId } from '../../store/mapped-ids.ts'
import { readObjects } from '../../store/provider-objects.ts'
import type { LookDeps } from '../look.ts'
import type { Compared, Drift } from './drift.ts'

/**
 * Whether products are on sale. What the catalogue names has to be where people register here, or nobody can subscribe to its prices
 * any more, though these are in use themselves; one that came in from the provider is archived here as it is there.
 */
export async function compareProducts(deps: LookDeps, objects: readonly Stripe.Product[]): Promise<Compared> {
  const { db, provider } = deps
  const ids = objects.map(({ id }) => id)
  const linked = new Map((await linkedProducts(db, provider, ids)).map((one) => [one.providerId, one]))
  const pictures = await readObjects(
    db,
    ids.map((id) => ({ type: 'product', id })),
  )
  const drifts = objects.flatMap((object): Drift[] => {
    const ours = linked.get(object.id)
    if (!ours) return []
    const { entityId, isOfCatalog, isArchived } = ours
    const known = { entity: 'product', kind: 'differs', entityId, providerId: object.id } as const
    if (isOfCatalog) {
      const verdict = object.active || isArchived ? null : archived(deps, object, entityId)
      return verdict ? [{ ...known, ...verdict }] : []
    }
    if (isArchived !== object.active) return []
    const before = pictures.get(`product ${object.id}`)?.raw as Partial<Stripe.Product> | undefined
    const differences = [{ field: 'archived', here: isArchived, there: !object.active }]
    return [
      before?.active === object.active
        ? {
            ...{ ...known, differences, cause: 'changedHere', repair: 'look' },
            reason: 'It was seen as it is there; the row was written by other hands.',
          }
        : {
            ...{ ...known, differences, cause: 'missed', repair: 'look' },
            reason: 'It was archived at the provider, or taken back into use, and nothing told us.',
          },
    ]
  })
  return { drifts, underWay: 0 }
}

function archived(
  { provider }: LookDeps,
  object: Stripe.Product,
  key: string,
): Pick<Drift, 'differences' | 'cause' | 'repair' | 'reason'> | null {
  const { directions } = provider.sync
  if (!flowsOut(directions.subscription)) return null
  const differences = [{ field: 'active', here: true, there: false }]
  const nobody = `It was archived at the provider, and nobody can register for a price of ${key}, which the catalogue sells`
  if (isOwn(provider, object) && object.metadata.lockstep_product === key && flowsOut(directions.plan))
    return { differences, cause: 'changedThere', repair: 'tell', reason: `${nobody}.` }
  const reason = `${nobody}. It was made there: take it back into use there, or take it out of the catalogue.`
  return { differences, cause: 'unexplained', repair: null, reason }
}

/**
 * Products and prices that are linked, and that the provider has no more. It deletes a price only in its dashboard, or as a plan, and a
 * product without prices; who has one keeps it. https://docs.stripe.com/api/plans/delete
 */
export async function compareGone(
  deps: LookDeps,
  type: 'product' | 'price',
  links: readonly LinkedId[],
): Promise<Drift[]> {
  const ids = links.map(({ providerId }) => providerId)
  const known = { entity: type, kind: 'missingThere', differences: [], cause: 'gone' } as const
  const isSoldHere = flowsOut(deps.provider.sync.directions.subscription)
  if (type === 'price') {
    const sold = (await linkedPrices(deps.db, deps.provider, ids)).filter(({ isSold }) => isSold)
    return (isSoldHere ? sold : []).map(({ entityId, providerId, soldBy }) => ({
      ...{ ...known, entityId, providerId, repair: null },
      reason: `It was deleted at the provider, and nobody can register for ${soldBy}, which the catalogue sells; who has it keeps it. ${ANOTHER}`,
    }))
  }
  return (await linkedProducts(deps.db, deps.provider, ids)).flatMap(
    ({ entityId, providerId, isOfCatalog, isArchived }): Drift[] => {
      if (isArchived) return []
      if (!isOfCatalog)
        return [{ ...known, entityId, providerId, repair: 'look', reason: 'It was deleted there.' }]
      const reason = `It was deleted at the provider, and the catalogue names it. ${ANOTHER}`
      return isSoldHere ? [{ ...known, entityId, providerId, repair: null, reason }] : []
    },
  )
}

const ANOTHER =
  'Where no live subscription needs the link, take it away (`lockstep mappings unlink`) and apply the catalogue, which makes another one; otherwise change the plan in the catalogue, so that it has a new version.'
