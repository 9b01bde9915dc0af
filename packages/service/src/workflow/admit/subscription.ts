import { Problem } from '@lockstep/core/problem'
import { isTerminal } from '@lockstep/core/subscription'
import type Stripe from 'stripe'
import { newId } from '../../ids.ts'
import { fetchCustomer } from '../../provider/stripe/fetch.ts'
import { idOf } from '../../provider/stripe/field.ts'
import { type ObservedSubscriptionItem, toSubscription } from '../../provider/stripe/to-subscription.ts'
import { lockCurrency } from '../../store/customers.ts'
import { planOfProduct } from '../../store/inbound-plans.ts'
import { entityIdOf } from '../../store/mappings.ts'
import { planOfItems } from '../../store/plans-of-items.ts'
import { reserveSlot } from '../../store/subscriptions.ts'
import type { Lack, LackMembers } from '../../store/unmapped-events.ts'
import { refuseDoubleMeter } from '../one-meter.ts'
import { admitCustomer, customerNeeded } from './customer.ts'
import { admitPrice, admitPricesOn } from './price.ts'
import { type AdmitDeps, isUnclaimed, takeUp } from './taking-up.ts'

/**
 * Our subscription for one that was made at Stripe: its customer and its plan are found by their links, or made, or
 * asked for, as the policy says. It gets the default slot where that is free; a second one is mirrored without, and is
 * put before a person where its plan bills a meter that the first one bills.
 */
export async function admitSubscription(deps: AdmitDeps, object: Stripe.Subscription): Promise<void> {
  if (!isUnclaimed(object.metadata)) return
  const customerId = await customerOf(deps, idOf(object.customer))
  if (customerId === undefined) return
  const planVersionId = await provideVersion(deps, object)
  await takeUp(deps, 'subscription', { providerType: 'subscription', providerId: object.id }, async (trx) => {
    const subscriptionId = newId('subscription')
    await lockCurrency(trx, customerId, object.currency)
    if (!isTerminal(object.status as Parameters<typeof isTerminal>[0])) {
      await refuseDoubleMeter(trx, { customerId, subscriptionId, planVersionId })
      await reserveSlot(trx, { customerId, slot: 'default', subscriptionId, at: deps.clock.now() })
    }
    return [{ entityType: 'subscription', entityId: subscriptionId }]
  })
}

/** Undefined: the customer is another installation's, or gone. */
async function customerOf(deps: AdmitDeps, providerId: string): Promise<string | undefined> {
  const { db, provider } = deps
  const known = await entityIdOf(db, provider, 'customer', providerId)
  if (known !== undefined) return known
  const object = await fetchCustomer(deps, providerId)
  if (object.deleted || !isUnclaimed(object.metadata)) return undefined
  if (provider.sync.missingCustomer === 'create') return admitCustomer(deps, object)
  throw customerNeeded(providerId)
}

/** Refuses where one is billed in another currency than its price is in: an amount of one would be taken for one of the other. */
export function itemsInItsCurrency(object: Stripe.Subscription): readonly ObservedSubscriptionItem[] {
  const { items, currency } = toSubscription({ ...object, items: { ...object.items, has_more: false } })
  const other = items.find(({ rhythm }) => rhythm.currency !== currency)
  if (!other) return items
  const detail = `Subscription ${object.id} is billed in ${currency}, and its price ${other.price} is in ${other.rhythm.currency}: what a price costs in other currencies (currency_options) is not read here. Give it a price in ${currency}.`
  throw new Problem('price_unreadable', detail)
}

/** Sees to it that the plan of its items has a version that is billed like them, and says which. */
async function provideVersion(deps: AdmitDeps, object: Stripe.Subscription): Promise<string> {
  const { db, provider } = deps
  const items = itemsInItsCurrency(object)
  const known = async () => (await planOfItems(db, provider, items))?.versionId
  const unreadable = await admitPricesOn(deps, object)
  const standing = await planOfItems(db, provider, items)
  const own = items.filter(({ price }) => standing?.prices.has(price)).map(({ product }) => product)
  for (const [index, { price, product }] of items.entries()) {
    // Beside the plan it is billed by Stripe alone; the first one, and another of the plan's product, say what it is on.
    const refusal = index === 0 || own.includes(product) ? unreadable.get(price) : undefined
    if (refusal) throw refusal
  }
  if (standing !== undefined) return standing.versionId
  for (const { price } of object.items.data) {
    await admitPrice(deps, price)
    const provided = await known()
    if (provided !== undefined) return provided
  }
  const named = [...new Set(items.map(({ product }) => product))]
  const missing: Lack[] = []
  for (const product of named) {
    const isLinked = (await planOfProduct(db, provider, product)) !== undefined
    missing.push({ entityType: isLinked ? 'plan_version' : 'plan', providerId: product })
  }
  for (const { price } of items) {
    const isLinked = (await entityIdOf(db, provider, 'price', price)) !== undefined
    if (!isLinked) missing.push({ entityType: 'price', providerId: price })
  }
  throw new Problem(
    'mapping_needed',
    `No plan here is billed like subscription ${object.id} of product ${named.join(', ')}. Link the product to a plan in this rhythm, or set LOCKSTEP_MISSING_PLAN to create.`,
    { members: { missing, items } satisfies LackMembers },
  )
}
