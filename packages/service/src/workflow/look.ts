import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { forgetDraft } from '../invoice/forget-draft.ts'
import { transaction } from '../postgres/transaction.ts'
import { type CallDeps, readStripe } from '../provider/stripe/call.ts'
import { fetchDispute } from '../provider/stripe/disputes.ts'
import { fetchCustomer, fetchInvoice, fetchSubscription } from '../provider/stripe/fetch.ts'
import { idOf } from '../provider/stripe/field.ts'
import { isOwn } from '../provider/stripe/metadata.ts'
import { isCustomerMissing, isMissing } from '../provider/stripe/problems.ts'
import { fetchRefund } from '../provider/stripe/refunds.ts'
import { fetchSchedule } from '../provider/stripe/schedules.ts'
import { couponParts } from '../provider/stripe/whole-coupon.ts'
import { invoicesOfProvider } from '../store/invoices.ts'
import { entityIdOf, providerIdOf } from '../store/mappings.ts'
import { forgetPendingItem } from '../store/pending-items.ts'
import { openChanges, withdrawGone } from '../store/plan-changes.ts'
import { markGone, nextObservation, readObject } from '../store/provider-objects.ts'
import { admit } from './admit.ts'
import { retireCoupon } from './observe/coupon.ts'
import { forgetCustomer } from './observe/customer.ts'
import type { Effect } from './observe/noun.ts'
import { retireProduct } from './observe/product.ts'
import { type ObserveDeps, type Observed, type Outcome, observe, type Settle } from './observe.ts'

export type LookDeps = ObserveDeps & CallDeps

export interface ObjectToLookAt {
  readonly type: Observed['type']
  readonly id: string
  /** The newest event that made us look; what is fetched is at least as new. */
  readonly eventCreated?: Instant | undefined
  /** Of an invoice: its subscription was just looked at. */
  readonly subscriptionSeen?: boolean | undefined
}

/** `gone`: Stripe has no such object any more. */
export type Look = Outcome | { readonly kind: 'gone' }

/**
 * Fetches one object and observes it. An invoice that is seen before its subscription, or
 * before the period that it bills, waits for it here: the subscription is looked at first.
 */
export async function lookAt(
  deps: LookDeps,
  target: ObjectToLookAt,
  settle?: (outcome: Look) => Settle,
): Promise<Look> {
  const observation = await nextObservation(deps.db)
  let observed: Observed
  try {
    observed = await fetchObserved(deps, target, observation)
  } catch (error) {
    if (!isGone(error)) throw error
    await transaction(deps.db, async (trx) => {
      await markGone(trx, target, observation, deps.clock.now())
      if (target.type === 'invoice') await forgetDraft(trx, target.id)
      if (target.type === 'invoiceitem') await forgetPendingItem(trx, target.id)
      if (target.type === 'product') await retireProduct(trx, target.id, deps.clock.now())
      if (target.type === 'coupon') await retireCoupon(trx, target.id, deps.clock.now())
      if (target.type === 'subscription_schedule') await withdrawGone(trx, target.id)
      if (target.type === 'customer') await forgetCustomer(trx, target.id, deps.clock.now())
      await settle?.({ kind: 'gone' })(trx, { kind: 'stale' })
    })
    return { kind: 'gone' }
  }
  await admit(deps, observed)
  const outcome = await observe(deps, observed, settle && ((trx, written) => settle(written)(trx, written)))
  if (outcome.kind === 'applied') await knowSchedule(deps, observed, outcome)
  if (outcome.kind !== 'subscriptionBehind') return outcome
  const subscription = await lookAt(deps, { type: 'subscription', id: outcome.providerId })
  const looked = await lookAt(deps, { ...target, subscriptionSeen: true }, settle)
  const toSync = subscription.kind === 'applied' ? subscription.syncSubscription : undefined
  return looked.kind === 'applied'
    ? { ...looked, syncSubscription: looked.syncSubscription ?? toSync }
    : looked
}

/**
 * What stands on a subscription already when it is met may have been planned long before anything was heard of it. One of
 * ours was known before it had any, and what is planned here says itself what comes. Where it names the schedule of a planned
 * change no more, that one says what became of it.
 */
export async function knowSchedule(
  deps: LookDeps,
  observed: Observed,
  { unscheduled }: Effect,
): Promise<void> {
  if (unscheduled !== undefined) await lookAt(deps, { type: 'subscription_schedule', id: unscheduled })
  if (observed.type !== 'subscription' || (observed.object.schedule ?? null) === null) return
  if (isOwn(deps.provider, observed.object)) return
  const key = { type: 'subscription_schedule', id: idOf(observed.object.schedule ?? '') } as const
  if ((await readObject(deps.db, key)) !== undefined) return
  const { db, provider } = deps
  const id = await entityIdOf(db, provider, 'subscription', observed.object.id)
  if (id === undefined || Object.keys(await openChanges(db, id)).length > 0) return
  await lookAt(deps, key)
}

/** A call was refused because its customer is not there: what became of it is looked at. */
export async function lookIfDeleted(deps: LookDeps, error: unknown, customerId: string): Promise<void> {
  if (!(error instanceof Problem) || !isCustomerMissing(error.cause)) return
  const id = await providerIdOf(deps.db, 'customer', customerId)
  if (id !== undefined) await lookAt(deps, { type: 'customer', id })
}

/** What Stripe has no more is either missing or says that it was deleted. */
function isGone(error: unknown): boolean {
  return error instanceof Problem && isMissing(error.cause)
}

/** What is about an invoice that was not seen so far waits until it is. */
async function knowInvoice(deps: LookDeps, id: string | null): Promise<void> {
  if (id === null || (await invoicesOfProvider(deps.db, [id])).length > 0) return
  await lookAt(deps, { type: 'invoice', id })
}

async function fetchObserved(
  deps: LookDeps,
  { type, id, eventCreated, subscriptionSeen }: ObjectToLookAt,
  observation: bigint,
): Promise<Observed> {
  const how = { observation, source: 'fetch' as const, eventCreated, subscriptionSeen }
  switch (type) {
    case 'customer':
      return { ...how, type, object: await fetchCustomer(deps, id) }
    case 'subscription':
      return { ...how, type, object: await fetchSubscription(deps, id) }
    case 'invoice':
      return { ...how, type, object: await fetchInvoice(deps, id) }
    case 'invoiceitem':
      return { ...how, type, object: await readStripe(deps, (stripe) => stripe.invoiceItems.retrieve(id)) }
    case 'credit_note': {
      const object = await readStripe(deps, (stripe) => stripe.creditNotes.retrieve(id))
      await knowInvoice(deps, idOf(object.invoice))
      return { ...how, type, object }
    }
    case 'refund': {
      const object = await fetchRefund(deps, id)
      await knowInvoice(deps, object.invoice ?? null)
      return { ...how, type, object }
    }
    case 'dispute': {
      const object = await fetchDispute(deps, id)
      await knowInvoice(deps, object.invoice ?? null)
      return { ...how, type, object }
    }
    case 'product': {
      const object = await readStripe(deps, (stripe) => stripe.products.retrieve(id))
      return { ...how, type, object }
    }
    case 'price': {
      const object = await readStripe(deps, (stripe) => stripe.prices.retrieve(id, { expand: ['tiers'] }))
      return { ...how, type, object }
    }
    case 'coupon': {
      const object = await readStripe(deps, (stripe) =>
        stripe.coupons.retrieve(id, { expand: [...couponParts] }),
      )
      return { ...how, type, object }
    }
    case 'promotion_code': {
      const object = await readStripe(deps, (stripe) => stripe.promotionCodes.retrieve(id))
      return { ...how, type, object }
    }
    case 'subscription_schedule':
      return { ...how, type, object: await fetchSchedule(deps, id) }
    case 'checkout_session': {
      const object = await readStripe(deps, (stripe) => stripe.checkout.sessions.retrieve(id))
      return { ...how, type, object }
    }
    case 'test_clock': {
      const object = await readStripe(deps, (stripe) => stripe.testHelpers.testClocks.retrieve(id))
      return { ...how, type, object }
    }
  }
}
