import { flowsIn } from '@lockstep/core/direction'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { transaction } from '../../postgres/transaction.ts'
import { fetchCustomer, fetchSubscription } from '../../provider/stripe/fetch.ts'
import { idOf } from '../../provider/stripe/field.ts'
import { isOwn } from '../../provider/stripe/metadata.ts'
import { isMissing } from '../../provider/stripe/problems.ts'
import { formerLink, markDeletedAtProvider } from '../../store/customers.ts'
import { linkedCustomers } from '../../store/drift.ts'
import {
  customersNamed,
  customersOfLinked,
  type LostCustomer,
  type LostLink,
  refusalOf,
  subscriptionsUnlinked,
} from '../../store/lost-links.ts'
import { link, lockLinks, mappingOf } from '../../store/mappings.ts'
import { isUnclaimed } from '../admit/taking-up.ts'
import { type LookDeps, lookAt } from '../look.ts'
import type { Drift } from './drift.ts'

/**
 * Customers of whom a subscription is linked and they are not, or one of them alone: either the link was lost, or it was lost that
 * they are deleted at the provider. Whoever carries our name there is found by that.
 */
export async function compareCustomersOfLinked(deps: LookDeps, only?: LostLink): Promise<Drift[]> {
  const lost = await customersOfLinked(deps.db, deps.provider, only)
  const drifts: Drift[] = []
  for (const one of lost) drifts.push(...(await judgeLost(deps, one, lost)))
  return drifts
}

async function judgeLost(
  deps: LookDeps,
  { entityId, providerId }: LostCustomer,
  all: readonly LostCustomer[],
): Promise<Drift[]> {
  const known = { entity: 'customer', entityId, providerId } as const
  const object = await customerThere(deps, providerId)
  if (object === undefined || object.deleted) {
    const reason = 'The customer was deleted there; that this is not said here was written by other hands.'
    const differences = [{ field: 'deleted', here: false, there: true }]
    return [{ ...known, kind: 'differs', differences, cause: 'changedHere', repair: 'look', reason }]
  }
  if (isOwn(deps.provider, object)) return []
  const missing = { ...known, kind: 'missingHere', differences: [] } as const
  const why = !isUnclaimed(object.metadata)
    ? 'it carries the name of another installation'
    : all.filter((one) => one.entityId === entityId).length > 1
      ? 'other subscriptions of theirs name other customers'
      : (await mappingOf(deps.db, deps.provider, 'customer', providerId))
        ? 'it is linked to another customer of ours'
        : undefined
  if (why === undefined) {
    const reason = 'A subscription of theirs is linked and belongs to this customer there: the link was lost.'
    return [{ ...missing, cause: 'unlinked', repair: 'link', reason }]
  }
  const reason = `A subscription of theirs is linked and belongs to this customer there, but ${why}.`
  return [{ ...missing, cause: 'unexplained', repair: null, reason }]
}

/** Customers who were made at the provider, of whom one of ours was made that is linked to none. */
export async function compareCustomersNamed(
  { db, provider }: LookDeps,
  objects: readonly Stripe.Customer[],
): Promise<Drift[]> {
  const unclaimed = objects.filter(({ metadata }) => isUnclaimed(metadata)).map(({ id }) => id)
  const lost = await customersNamed(db, provider, unclaimed)
  return lost.map(({ entityId, providerId }) => ({
    ...{ entity: 'customer', kind: 'missingHere', entityId, providerId, differences: [] },
    ...{ cause: 'unlinked', repair: 'link' },
    reason: 'A customer of ours was made of it and is linked to none: it was unlinked, or the link was lost.',
  }))
}

/** Subscriptions that somebody made at the provider for customers of ours, and that are linked to none of ours. */
export async function compareMadeThere(
  deps: LookDeps,
  objects: readonly Stripe.Subscription[],
): Promise<Drift[]> {
  const foreign = objects.filter((object) => !isOwn(deps.provider, object))
  const customers = await linkedCustomers(
    deps.db,
    deps.provider,
    foreign.map(({ customer }) => idOf(customer)),
  )
  const ours = new Set(customers.map(({ providerId }) => providerId))
  const ofOurs = foreign.filter(({ customer }) => ours.has(idOf(customer)))
  const lost = await lostSubscriptions(deps, ofOurs)
  const drifts: Drift[] = []
  for (const object of ofOurs) {
    const { id: providerId } = object
    const rows = lost.filter((one) => one.providerId === providerId)
    const missing = { entity: 'subscription', kind: 'missingHere', providerId, differences: [] } as const
    const [one] = rows
    if (one && rows.length === 1) {
      const reason = 'It was seen here, and the one row that it can have been linked to is linked to none.'
      drifts.push({ ...missing, entityId: one.entityId, cause: 'unlinked', repair: 'link', reason })
    } else if (isRunning(object)) {
      const reason =
        rows.length > 1
          ? `It was seen here, and its link was lost: several rows are linked to none that began with it (${rows.map(({ entityId }) => entityId).join(', ')}).`
          : `It was made at the provider for a customer of ours, and was not taken up here: ${await whyNot(deps, object)}`
      drifts.push({ ...missing, entityId: null, cause: 'unexplained', repair: null, reason })
    }
  }
  return drifts
}

/** Why a subscription that somebody made at the provider is none here. */
async function whyNot({ db, provider }: LookDeps, { id, metadata }: Stripe.Subscription): Promise<string> {
  if (!isUnclaimed(metadata)) return 'it carries the name of another installation.'
  const refusal = await refusalOf(db, id)
  if (refusal !== undefined) return `it was refused. ${refusal}`
  if (!flowsIn(provider.sync.directions.subscription))
    return 'subscriptions made there do not come in (LOCKSTEP_DIRECTIONS). An import takes it up.'
  return 'nothing told us of it. A change of it there does, or an import takes it up.'
}

/** Links again what the comparison found to have lost its link, unless either of the two is linked by now. */
export async function linkAgain(deps: LookDeps, entity: 'customer' | 'subscription', lost: LostLink) {
  const { entityId, providerId } = lost
  const { db, provider } = deps
  const [origin, at] =
    entity === 'customer' ? await customerCame(deps, lost) : await subscriptionCame(deps, lost)
  await transaction(db, async (trx) => {
    await lockLinks(trx, providerId)
    const theirs = await mappingOf(trx, provider, entity, providerId)
    const mapping = { entityType: entity, entityId, providerType: entity, providerId, origin, at } as const
    if (
      (theirs !== undefined && theirs.entityId !== entityId) ||
      (await link(trx, provider, mapping)) !== providerId
    )
      throw new Problem('mapping_exists', `${entityId} or ${providerId} was linked to another meanwhile.`)
  })
  await lookAt(deps, { type: entity, id: providerId })
}

async function customerCame({ db, provider }: LookDeps, lost: LostLink) {
  const [ofLinked] = await customersOfLinked(db, provider, lost)
  const named = await customersNamed(db, provider, [lost.providerId])
  const found = ofLinked ?? named.find(({ entityId }) => entityId === lost.entityId)
  if (!found) throw linkedMeanwhile(lost)
  const former = await formerLink(db, { customerId: lost.entityId, providerId: lost.providerId })
  // Who was here before is called what it is called here.
  return [former?.origin ?? (found.isTheirs ? 'webhook' : 'link'), found.linkedAt] as const
}

async function subscriptionCame(deps: LookDeps, lost: LostLink) {
  const object = await fetchSubscription(deps, lost.providerId)
  const [one, ...others] = await lostSubscriptions(deps, [object])
  if (!one || others.length > 0 || one.entityId !== lost.entityId) throw linkedMeanwhile(lost)
  return ['webhook', one.linkedAt] as const
}

const linkedMeanwhile = ({ entityId, providerId }: LostLink) =>
  new Problem('mapping_exists', `${entityId} or ${providerId} was linked meanwhile, or is not what it was.`)

function lostSubscriptions({ db, provider }: LookDeps, objects: readonly Stripe.Subscription[]) {
  const unclaimed = objects.filter(({ metadata }) => isUnclaimed(metadata))
  return subscriptionsUnlinked(
    db,
    provider,
    unclaimed.map(({ id, customer, start_date: startedAt, currency }) => ({
      ...{ id, customer: idOf(customer), startedAt, currency },
    })),
  )
}

/** Writes down again of a customer who is linked to none that they are deleted at the provider. */
export async function markDeleted(deps: LookDeps, lost: LostLink): Promise<void> {
  const object = await customerThere(deps, lost.providerId)
  if (object !== undefined && !object.deleted) return
  const [found] = await customersOfLinked(deps.db, deps.provider, lost)
  if (!found) return
  await transaction(deps.db, (trx) => markDeletedAtProvider(trx, lost.entityId, deps.clock.now()))
}

/** Undefined: the provider never had it, or has it no more. */
async function customerThere(deps: LookDeps, id: string) {
  try {
    return await fetchCustomer(deps, id)
  } catch (error) {
    if (error instanceof Problem && isMissing(error.cause)) return undefined
    throw error
  }
}

const isRunning = ({ status }: Stripe.Subscription) =>
  status !== 'canceled' && status !== 'incomplete_expired'
