import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { transaction } from '../postgres/transaction.ts'
import { readStripe } from '../provider/stripe/call.ts'
import { ownReference } from '../provider/stripe/field.ts'
import { isMissing } from '../provider/stripe/problems.ts'
import { MAKE_PRICE, MAKE_PRODUCT } from '../provider/stripe/products.ts'
import { isPriceOf } from '../provider/stripe/to-price.ts'
import { formerLink } from '../store/customers.ts'
import { lookForAddon, subscriptionsPaying } from '../store/late-items.ts'
import { isLinkedInUse, type Linked, readLinked } from '../store/linked-entities.ts'
import { findMapping, link, lockLinks, type Mapping, mappingOf, unlink } from '../store/mappings.ts'
import { settleUnlinked } from '../store/unlinked-operations.ts'
import { retryUnmapped } from '../store/unmapped-events.ts'
import { type LookDeps, lookAt } from './look.ts'

/** What a person may link. A subscription is linked when it comes in, and never otherwise. */
export type Linkable = keyof typeof providerTypes

/** The kinds of the calls that make them, of what the catalogue tells Stripe. */
const made: Partial<Record<Linkable, string>> = { product: MAKE_PRODUCT, price: MAKE_PRICE }

export interface WantedLink {
  readonly entityType: Linkable
  readonly entityId: string
  readonly providerId: string
}

const providerTypes = {
  ...{ customer: 'customer', product: 'product', plan: 'product', addon: 'product' },
  ...{ price: 'price', addon_price: 'price' },
} as const

/**
 * Links an object of ours to one of Stripe's, as a person says. Stripe's is looked up first: it has to be there, of
 * that kind, and nobody else's; a price has to cost the same. The same again changes nothing. A customer who was linked to that
 * one before is called as before. What waited for it goes on, and
 * subscriptions that are known to pay for an add-on are due to be looked at.
 */
export async function linkByHand(deps: LookDeps, wanted: WantedLink): Promise<Mapping> {
  const { db, clock, provider } = deps
  const { entityType, entityId, providerId } = wanted
  const { addon } = await refuseUnfit(deps, wanted)
  const at = clock.now()
  const linked = await transaction(db, async (trx) => {
    await lockLinks(trx, providerId)
    const ours = await findMapping(trx, entityType, entityId)
    const theirs = await mappingOf(trx, provider, entityType, providerId)
    if (ours && ours.providerId !== providerId)
      throw new Problem('mapping_exists', `${entityId} is linked to ${ours.providerId} already.`)
    if (theirs && theirs.entityId !== entityId)
      throw new Problem('mapping_exists', `${providerId} is linked to ${theirs.entityId} already.`)
    const providerType = providerTypes[entityType]
    const former =
      entityType === 'customer' ? await formerLink(trx, { customerId: entityId, providerId }) : undefined
    const origin = former?.origin ?? 'link'
    await link(trx, provider, { entityType, entityId, providerType, providerId, origin, at })
    await retryUnmapped(trx, [{ entityType, providerId }], at)
    return findMapping(trx, entityType, entityId)
  })
  if (!linked) throw new Error(`${entityId} was not linked to ${providerId}.`)
  if (addon !== undefined) {
    const subscriptions = await subscriptionsPaying(db, provider, { [providerTypes[entityType]]: providerId })
    await lookForAddon(db, provider, { addon, subscriptions, at })
  }
  if (entityType === 'customer') await lookAt(deps, { type: 'customer', id: providerId })
  return linked
}

/**
 * Takes a link away, unless something is sold under it. What Stripe has is left as it is. Of a product or a price that
 * the catalogue sells, another one is made when it is applied again.
 */
export async function unlinkByHand(
  { db, provider }: LookDeps,
  entityType: Linkable,
  entityId: string,
): Promise<Mapping> {
  return transaction(db, async (trx) => {
    const known = await findMapping(trx, entityType, entityId)
    if (!known) throw new Problem('mapping_not_found', `No ${entityType} is linked under ${entityId}.`)
    await lockLinks(trx, known.providerId)
    if (await isLinkedInUse(trx, entityType, entityId))
      throw new Problem(
        'mapping_in_use',
        `A live subscription needs the link of ${entityId} to ${known.providerId}.`,
      )
    await unlink(trx, provider, known)
    const kind = made[entityType]
    if (kind !== undefined) await settleUnlinked(trx, { kind, subjectId: entityId }, known.providerId)
    return known
  })
}

/** What is to be linked, as it is here. */
async function refuseUnfit(
  deps: LookDeps,
  { entityType, entityId, providerId }: WantedLink,
): Promise<Linked> {
  const { db, provider } = deps
  const ours = await readLinked(db, entityType, entityId)
  if (!ours) throw new Problem('mapping_invalid', `There is no ${entityType} ${entityId} here.`)
  const theirs = await retrieve(deps, entityType, providerId)
  if (!theirs || ('deleted' in theirs && theirs.deleted))
    throw new Problem('mapping_invalid', `Stripe has no ${providerTypes[entityType]} ${providerId}.`)
  const { instance, customer } = ownReference(theirs.metadata)
  if (instance !== null && instance !== provider.instance)
    throw new Problem('mapping_invalid', `${providerId} carries the name of another installation.`)
  if (entityType === 'customer' && customer !== null && customer !== entityId)
    throw new Problem('mapping_invalid', `${providerId} was made for ${customer}.`)
  if (theirs.object === 'price' && ours.price && !isPriceOf(theirs, ours.price))
    throw new Problem(
      'mapping_invalid',
      `${providerId} does not cost what ${entityId} does, or not as often.`,
    )
  return ours
}

type Theirs = Stripe.Customer | Stripe.DeletedCustomer | Stripe.Product | Stripe.Price

/** Undefined: Stripe has none, or none of this kind. */
async function retrieve(deps: LookDeps, entityType: Linkable, id: string): Promise<Theirs | undefined> {
  try {
    return await readStripe(deps, async (stripe): Promise<Theirs> => {
      if (entityType === 'customer') return stripe.customers.retrieve(id)
      return providerTypes[entityType] === 'price'
        ? stripe.prices.retrieve(id, { expand: ['tiers'] })
        : stripe.products.retrieve(id)
    })
  } catch (error) {
    if (error instanceof Problem && isMissing(error.cause)) return undefined
    throw error
  }
}
