import { flowsIn } from '@lockstep/core/direction'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { transaction } from '../../postgres/transaction.ts'
import { readStripe } from '../../provider/stripe/call.ts'
import { all } from '../../provider/stripe/fetch.ts'
import { idOf } from '../../provider/stripe/field.ts'
import { isMissing } from '../../provider/stripe/problems.ts'
import { isMetered, modelOf, rhythmOf, withTiers } from '../../provider/stripe/to-price.ts'
import { lockCatalog } from '../../store/catalog.ts'
import { addTwinVersion, hasTwin } from '../../store/inbound-addons.ts'
import {
  addInboundVersion,
  markPricesRead,
  planOfProduct,
  versionInRhythm,
} from '../../store/inbound-plans.ts'
import { entityIdOf, link, linkedOf } from '../../store/mappings.ts'
import { planRolls } from '../../store/plan-rolls.ts'
import { readNewestPlan } from '../../store/plans.ts'
import { retryUnmapped } from '../../store/unmapped-events.ts'
import { attachLateItems } from './late-items.ts'
import { admitProduct } from './product.ts'
import { type AdmitDeps, isUnclaimed } from './taking-up.ts'

/**
 * A version of the inbound plan whose product a recurring price is of, and of its add-on twin. Where prices come in, it has the fee that
 * Stripe bills, and the two are linked; where they do not, and where Stripe's own meters count what it is for, it says
 * only in what rhythm it is billed, once for each rhythm. A price of a plan that the catalogue names changes nothing:
 * what that costs is said here. Who
 * subscribed before to another one is to go on to it, which is written down. Refuses a price that cannot be written as
 * one of ours.
 */
export async function admitPrice(deps: AdmitDeps, listed: Stripe.Price): Promise<void> {
  const { db, clock, provider, origin = 'webhook' } = deps
  if (!listed.recurring || !isUnclaimed(listed.metadata)) return
  const rhythm = rhythmOf(listed)
  const isFee = flowsIn(provider.sync.directions.price) && !isMetered(listed)
  const price = isFee ? await withTiers(deps, listed) : listed
  try {
    if (isFee) modelOf(price)
  } catch (refusal) {
    const product = idOf(price.product)
    // Heard of before its product, it would be nobody's, and what refuses it would be lost. It may be met while that one's are read.
    if ((await planOfProduct(db, provider, product)) === undefined) await knowProduct(deps, product)
    if ((await planOfProduct(db, provider, product))?.origin !== 'provider') return
    throw refusal
  }
  await transaction(db, async (trx) => {
    await lockCatalog(trx)
    const plan = await planOfProduct(trx, provider, idOf(price.product))
    if (plan?.origin !== 'provider') return
    const model = isFee ? modelOf(price) : null
    if (model === null) {
      if ((await versionInRhythm(trx, plan.key, rhythm)) !== undefined) return
    } else if ((await entityIdOf(trx, provider, 'price', price.id)) !== undefined) return
    const { name } = await trx
      .selectFrom('product')
      .select('name')
      .where('key', '=', plan.key)
      .executeTakeFirstOrThrow()
    const at = clock.now()
    const version = { key: plan.key, name, rhythm, model, at }
    const priceId = await addInboundVersion(trx, version)
    const ofTwin = { key: plan.key, product: idOf(price.product) }
    const twinPriceId = (await hasTwin(trx, provider, ofTwin)) ? await addTwinVersion(trx, version) : null
    await retryUnmapped(trx, [{ entityType: 'plan_version', providerId: idOf(price.product) }], at)
    if (model === null) return
    const theirs = { providerType: 'price', providerId: price.id, origin, at }
    const written = await readNewestPlan(trx, plan.key)
    if (written)
      await planRolls(trx, { planKey: plan.key, versionId: written.id, pricedAt: price.created, at })
    if (priceId !== null) await link(trx, provider, { entityType: 'price', entityId: priceId, ...theirs })
    if (twinPriceId !== null)
      await link(trx, provider, { entityType: 'addon_price', entityId: twinPriceId, ...theirs })
  })
}

/** The refusals of prices that cannot be read, by the price's id. */
export type Unreadable = ReadonlyMap<string, Problem>

/**
 * The prices of a subscription that are heard of with it, before what tells of them: else it would seem to pay an older
 * price of the same product. A product that is missing here is made where missing plans are: it may be an add-on. What
 * cannot be read keeps none of the others out, and is for the caller to judge.
 */
export async function admitPricesOn(deps: AdmitDeps, { items }: Stripe.Subscription): Promise<Unreadable> {
  const { db, provider } = deps
  const { directions, missingPlan } = provider.sync
  const prices = new Map(items.data.map(({ price }) => [price.id, price]))
  const known = await linkedOf(db, provider, 'price', [...prices.keys()])
  const sold: Stripe.Price[] = []
  for (const [id, price] of prices) {
    if (known.has(id)) continue
    const product = idOf(price.product)
    if (missingPlan === 'create') await knowProduct(deps, product)
    const plan = await planOfProduct(db, provider, product)
    if (flowsIn(directions.price) && plan?.origin === 'provider') sold.push(price)
  }
  return admitReadable(deps, sold)
}

/** Takes up a product that is missing here, if products come in, as if it had been told of before what it is asked for. */
async function knowProduct(deps: AdmitDeps, product: string): Promise<void> {
  const { db, provider } = deps
  if (!flowsIn(provider.sync.directions.plan)) return
  try {
    if ((await planOfProduct(db, provider, product)) === undefined)
      await admitProduct(deps, await readStripe(deps, (stripe) => stripe.products.retrieve(product)))
    await readUnreadPrices(deps, product)
  } catch (error) {
    // Gone meanwhile: then nothing is sold of it.
    if (!(error instanceof Problem) || !isMissing(error.cause)) throw error
  }
}

/**
 * All prices of a product that was taken up: they may have been heard of before it, when nothing was known of them. Done by
 * whoever meets it until somebody came to the end. One that cannot be read keeps neither its product nor the others out: its
 * own event is refused.
 */
export async function readUnreadPrices(deps: AdmitDeps, product: string): Promise<void> {
  const { db, provider } = deps
  const plan = await planOfProduct(db, provider, product)
  if (!plan?.pricesUnread) return
  const prices = await readStripe(deps, (stripe) =>
    all(stripe.prices.list({ product, type: 'recurring', active: true, limit: 100, expand: ['data.tiers'] })),
  )
  // Listed newest first.
  await admitReadable(deps, prices.toReversed())
  for (const { id: price } of prices) await attachLateItems(deps, { price, product })
  await markPricesRead(db, plan.key)
}

async function admitReadable(deps: AdmitDeps, prices: readonly Stripe.Price[]): Promise<Unreadable> {
  const refused = new Map<string, Problem>()
  for (const price of prices) {
    try {
      await admitPrice(deps, price)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'price_unreadable') throw error
      deps.log.warn({ err: error, price: price.id }, 'A price is left out.')
      refused.set(price.id, error)
    }
  }
  return refused
}
