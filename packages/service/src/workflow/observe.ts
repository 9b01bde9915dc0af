import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import { ownReference } from '../provider/stripe/field.ts'
import type { RefundOfInvoice } from '../provider/stripe/to-refund.ts'
import { settleSeen } from '../store/operations.ts'
import { distrust, recordAnswer, recordPayload } from '../store/provider-objects.ts'
import { closeGate } from '../usage/gate.ts'
import { checkoutSessionNoun } from './observe/checkout-session.ts'
import { creditNoteNoun } from './observe/credit-note.ts'
import { customerNoun } from './observe/customer.ts'
import { customerTime } from './observe/customer-time.ts'
import { invoiceNoun } from './observe/invoice.ts'
import {
  type Effect,
  GateNeeded,
  Implausible,
  Incomplete,
  type Noun,
  type Owner,
  SubscriptionBehind,
} from './observe/noun.ts'
import { priceNoun } from './observe/price.ts'
import { productNoun } from './observe/product.ts'
import { refundNoun } from './observe/refund.ts'
import { subscriptionNoun } from './observe/subscription.ts'
import { testClockNoun } from './observe/test-clock.ts'

export interface ObserveDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
}

interface How {
  /** Drawn before the fetch or write began, or when the event was received: `nextObservation`. */
  readonly observation: bigint
  readonly source: 'event' | 'fetch' | 'write'
  /** The newest event of the object that this has seen. */
  readonly eventCreated?: Instant | undefined
  /** Of an invoice: its subscription was just looked at. */
  readonly subscriptionSeen?: boolean | undefined
}

export type Observed = How &
  (
    | { readonly type: 'customer'; readonly object: Stripe.Customer | Stripe.DeletedCustomer }
    | { readonly type: 'product'; readonly object: Stripe.Product | Stripe.DeletedProduct }
    | { readonly type: 'price'; readonly object: Stripe.Price | Stripe.DeletedPrice }
    | { readonly type: 'subscription'; readonly object: Stripe.Subscription }
    | { readonly type: 'invoice'; readonly object: Stripe.Invoice }
    | { readonly type: 'credit_note'; readonly object: Stripe.CreditNote }
    | { readonly type: 'refund'; readonly object: RefundOfInvoice }
    | { readonly type: 'checkout_session'; readonly object: Stripe.Checkout.Session }
    | { readonly type: 'test_clock'; readonly object: Stripe.TestHelpers.TestClock }
  )

export type Outcome =
  /** Written down. */
  | ({ readonly kind: 'applied' } & Effect)
  /** Something newer is known. Of an event: fetch the object. */
  | { readonly kind: 'stale' }
  /** Somebody else's: not kept. */
  | { readonly kind: 'foreign' }
  /** The object lacks part of a list: fetch it whole. */
  | { readonly kind: 'incomplete' }
  /** Look at this subscription first. */
  | { readonly kind: 'subscriptionBehind'; readonly providerId: string }

/**
 * Done in the transaction that writes the object down: an event is processed there, and only there. `now`: of an
 * object that was applied, the customer's own time.
 */
export type Settle = (trx: Trx, outcome: Outcome, now?: () => Promise<Instant>) => Promise<void>

/**
 * The one way in for everything we learn of Stripe's objects: events, fetches and the answers of our
 * own calls, in whatever order they come. One transaction writes the object, the noun it stands for
 * and what follows from it; what is older than what we know changes nothing.
 *
 * The order of locks: the customer's gate, the object, its subscription, the invoices.
 */
export async function observe(deps: ObserveDeps, observed: Observed, settle?: Settle): Promise<Outcome> {
  switch (observed.type) {
    case 'customer':
      return observeAs(deps, customerNoun, observed, observed.object, settle)
    case 'product':
      return observeAs(deps, productNoun, observed, observed.object, settle)
    case 'price':
      return observeAs(deps, priceNoun, observed, observed.object, settle)
    case 'subscription':
      return observeAs(deps, subscriptionNoun, observed, observed.object, settle)
    case 'invoice':
      return observeAs(deps, invoiceNoun, observed, observed.object, settle)
    case 'credit_note':
      return observeAs(deps, creditNoteNoun, observed, observed.object, settle)
    case 'refund':
      return observeAs(deps, refundNoun, observed, observed.object, settle)
    case 'checkout_session':
      return observeAs(deps, checkoutSessionNoun, observed, observed.object, settle)
    case 'test_clock':
      return observeAs(deps, testClockNoun, observed, observed.object, settle)
  }
}

/** Whether an object is ours, by what it says of itself and by what we know. */
export async function isOurs(db: Db, observed: Observed): Promise<boolean> {
  try {
    switch (observed.type) {
      case 'customer':
        return (await customerNoun.owner(db, observed.object)) !== null
      case 'product':
        return (await productNoun.owner(db, observed.object)) !== null
      case 'price':
        return (await priceNoun.owner(db, observed.object)) !== null
      case 'subscription':
        return (await subscriptionNoun.owner(db, observed.object)) !== null
      case 'invoice':
        return (await invoiceNoun.owner(db, observed.object)) !== null
      case 'credit_note':
        return (await creditNoteNoun.owner(db, observed.object)) !== null
      case 'refund':
        return (await refundNoun.owner(db, observed.object)) !== null
      case 'checkout_session':
        return (await checkoutSessionNoun.owner(db, observed.object)) !== null
      case 'test_clock':
        return (await testClockNoun.owner(db, observed.object)) !== null
    }
  } catch (error) {
    if (error instanceof SubscriptionBehind) return true
    throw error
  }
}

async function observeAs<S extends { readonly id: string }, O extends Owner>(
  deps: ObserveDeps,
  noun: Noun<S, O>,
  how: How & Pick<Observed, 'type'>,
  object: S,
  settle: Settle = async () => {},
): Promise<Outcome> {
  const { db, log } = deps
  try {
    const owner = await noun.owner(db, object)
    if (!owner) {
      await transaction(db, (trx) => settle(trx, { kind: 'foreign' }))
      return { kind: 'foreign' }
    }
    const gate = await noun.needsGate(db, object, owner)
    try {
      return await write(deps, noun, how, object, owner, gate, settle)
    } catch (error) {
      if (!(error instanceof GateNeeded) || gate) throw error
      return await write(deps, noun, how, object, owner, true, settle)
    }
  } catch (error) {
    if (error instanceof Implausible) return { kind: 'stale' }
    if (error instanceof Incomplete) return { kind: 'incomplete' }
    if (error instanceof SubscriptionBehind)
      return { kind: 'subscriptionBehind', providerId: error.providerId }
    log.warn(
      { err: error, type: how.type, object: object.id },
      'What the provider said could not be written down.',
    )
    throw error
  }
}

/** The call of ours that made an object: seen, it was done, also if its answer was lost. */
function operationOf(object: object): string | null {
  const metadata = 'metadata' in object ? (object.metadata as Record<string, string> | null) : null
  return ownReference(metadata).operation
}

async function write<S extends { readonly id: string }, O extends Owner>(
  { db, clock }: ObserveDeps,
  noun: Noun<S, O>,
  { type, observation, source, eventCreated, subscriptionSeen = false }: How & Pick<Observed, 'type'>,
  object: S,
  owner: O,
  gateClosed: boolean,
  settle: Settle,
): Promise<Outcome> {
  return transaction(db, async (trx) => {
    const closing = gateClosed && owner.customerId !== null ? closeGate(trx, owner.customerId) : undefined
    const at = clock.now()
    const sighting = { type, id: object.id, raw: object, observation, eventCreated: eventCreated ?? null, at }
    const record = source === 'event' ? recordPayload : recordAnswer
    const [isNewer] = await Promise.all([record(trx, sighting), closing])
    if (!isNewer) {
      // An event overtook the answer of our own call. Which is newer is not known: the next one is looked up.
      if (source === 'write') await distrust(trx, sighting)
      return { kind: 'stale' }
    }
    // Of our own call the run says so that made it, with the result of its step.
    const made = source === 'write' ? null : operationOf(object)
    const settled = made === null ? undefined : settleSeen(trx, made, object.id, at)
    let time: Promise<Instant> | undefined
    const now = () => {
      time ??= customerTime(trx, clock, owner.customerId)
      return time
    }
    const writing = { object, owner, source, now, gateClosed, subscriptionSeen }
    const [effect] = await Promise.all([noun.write(trx, writing), settled])
    const outcome: Outcome = { kind: 'applied', ...effect }
    await settle(trx, outcome, now)
    return outcome
  })
}
