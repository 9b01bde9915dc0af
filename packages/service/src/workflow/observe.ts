import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import type { Clock } from '../clock.ts'
import type { AddedUp } from '../invoice/add-up.ts'
import type { Log } from '../log.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import type { Transact } from '../postgres/shared-transaction.ts'
import { transaction } from '../postgres/transaction.ts'
import { ownReference } from '../provider/stripe/field.ts'
import type { DisputeOfCharge } from '../provider/stripe/to-dispute.ts'
import type { RefundOfInvoice } from '../provider/stripe/to-refund.ts'
import { settleSeen } from '../store/operations.ts'
import { distrust, recordAnswer, recordFirstSight, recordPayload } from '../store/provider-objects.ts'
import { closeGate } from '../usage/gate.ts'
import { checkoutSessionNoun } from './observe/checkout-session.ts'
import { couponNoun, promotionCodeNoun } from './observe/coupon.ts'
import { creditNoteNoun } from './observe/credit-note.ts'
import { customerNoun } from './observe/customer.ts'
import { customerTime } from './observe/customer-time.ts'
import { disputeNoun } from './observe/dispute.ts'
import { invoiceNoun } from './observe/invoice.ts'
import { invoiceItemNoun } from './observe/invoice-item.ts'
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
import { scheduleNoun } from './observe/schedule.ts'
import { subscriptionNoun } from './observe/subscription.ts'
import { testClockNoun } from './observe/test-clock.ts'

export interface ObserveDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
}

type How = {
  /** Drawn before the fetch or write began, or when the event was received: `nextObservation`. */
  readonly observation: bigint
  /** Of an invoice: its subscription was just looked at. */
  readonly subscriptionSeen?: boolean | undefined
} & (
  | {
      readonly source: 'event'
      readonly eventId: string
      readonly eventCreated: Instant
      /** It came last of so many of its second: of all that were known. */
      readonly ofSecond?: number | undefined
    }
  | {
      readonly source: 'fetch' | 'write'
      /** The newest event of the object that this has seen. */
      readonly eventCreated?: Instant | undefined
    }
  /** It stood in the answer to a call that changed another object: taken only if nothing was seen of it so far. */
  | { readonly source: 'enclosed'; readonly eventCreated?: undefined }
)

export type Observed = How &
  (
    | { readonly type: 'customer'; readonly object: Stripe.Customer | Stripe.DeletedCustomer }
    | { readonly type: 'product'; readonly object: Stripe.Product | Stripe.DeletedProduct }
    | { readonly type: 'price'; readonly object: Stripe.Price | Stripe.DeletedPrice }
    | { readonly type: 'subscription'; readonly object: Stripe.Subscription }
    | { readonly type: 'invoice'; readonly object: Stripe.Invoice }
    | { readonly type: 'invoiceitem'; readonly object: Stripe.InvoiceItem | Stripe.DeletedInvoiceItem }
    | { readonly type: 'credit_note'; readonly object: Stripe.CreditNote }
    | { readonly type: 'refund'; readonly object: RefundOfInvoice }
    | { readonly type: 'dispute'; readonly object: DisputeOfCharge }
    | { readonly type: 'coupon'; readonly object: Stripe.Coupon | Stripe.DeletedCoupon }
    | { readonly type: 'promotion_code'; readonly object: Stripe.PromotionCode }
    | { readonly type: 'subscription_schedule'; readonly object: Stripe.SubscriptionSchedule }
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
export async function observe(
  deps: ObserveDeps,
  observed: Observed,
  settle: Settle = async () => {},
  transact: Transact = transaction,
): Promise<Outcome> {
  return asNoun(observed, (noun, object) => observeAs(deps, noun, observed, object, settle, transact))
}

/** Whether an object is ours, by what it says of itself and by what we know. */
export async function isOurs(db: Db, observed: Observed): Promise<boolean> {
  try {
    return await asNoun(observed, async (noun, object) => (await noun.owner(db, object)) !== null)
  } catch (error) {
    // A payload that does not say whose it is may be ours: it is looked up.
    if (error instanceof SubscriptionBehind || error instanceof Incomplete) return true
    throw error
  }
}

/** An object whose owner is known, to be written down in a transaction that it may share with others. */
export interface Ready {
  readonly customerId: string
  /** Refuses, by an error, what it cannot write there. */
  write(trx: Trx): Promise<Outcome>
}

/**
 * Makes ready what needs no transaction of its own: an object of a customer's of ours whose usage need not stand still.
 * Undefined for everything else, which {@link observe} takes and says why.
 */
export async function makeReady(deps: ObserveDeps, observed: Observed): Promise<Ready | undefined> {
  return asNoun(observed, async (noun, object) => {
    const owner = await noun.owner(deps.db, object)
    if (!owner || owner.customerId === null) return undefined
    if (await noun.needsGate(deps.db, object, owner)) return undefined
    const write = (trx: Trx) =>
      writeIn(trx, deps, noun, observed, object, owner, open, ownTime(trx, deps.clock, owner))
    return { customerId: owner.customerId, write }
  })
}

/** Calls `use` with the noun that an object stands for. */
function asNoun<R>(
  observed: Observed,
  use: <S extends { readonly id: string }, O extends Owner>(noun: Noun<S, O>, object: S) => R,
): R {
  switch (observed.type) {
    case 'customer':
      return use(customerNoun, observed.object)
    case 'product':
      return use(productNoun, observed.object)
    case 'price':
      return use(priceNoun, observed.object)
    case 'subscription':
      return use(subscriptionNoun, observed.object)
    case 'invoice':
      return use(invoiceNoun, observed.object)
    case 'invoiceitem':
      return use(invoiceItemNoun, observed.object)
    case 'credit_note':
      return use(creditNoteNoun, observed.object)
    case 'refund':
      return use(refundNoun, observed.object)
    case 'dispute':
      return use(disputeNoun, observed.object)
    case 'coupon':
      return use(couponNoun, observed.object)
    case 'promotion_code':
      return use(promotionCodeNoun, observed.object)
    case 'subscription_schedule':
      return use(scheduleNoun, observed.object)
    case 'checkout_session':
      return use(checkoutSessionNoun, observed.object)
    case 'test_clock':
      return use(testClockNoun, observed.object)
  }
}

async function observeAs<S extends { readonly id: string }, O extends Owner>(
  deps: ObserveDeps,
  noun: Noun<S, O>,
  how: How & Pick<Observed, 'type'>,
  object: S,
  settle: Settle,
  transact: Transact,
): Promise<Outcome> {
  const { db, log } = deps
  try {
    const owner = await noun.owner(db, object)
    if (!owner) {
      await transaction(db, (trx) => settle(trx, { kind: 'foreign' }))
      return { kind: 'foreign' }
    }
    const gate = await noun.needsGate(db, object, owner)
    const closed = async () => ({ inAdvance: await noun.addUp?.(db, object, owner) })
    try {
      return await write(deps, noun, how, object, owner, gate ? await closed() : open, settle, transact)
    } catch (error) {
      if (!(error instanceof GateNeeded) || gate) throw error
      return await write(deps, noun, how, object, owner, await closed(), settle, transact)
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

/** How the gate is while an object is written down. */
type Gate = typeof open | { readonly inAdvance: AddedUp | undefined }
const open = 'open'

/** The call of ours that made an object: seen, it was done, also if its answer was lost. */
function operationOf(object: object): string | null {
  const metadata = 'metadata' in object ? (object.metadata as Record<string, string> | null) : null
  return ownReference(metadata).operation
}

async function write<S extends { readonly id: string }, O extends Owner>(
  deps: ObserveDeps,
  noun: Noun<S, O>,
  how: How & Pick<Observed, 'type'>,
  object: S,
  owner: O,
  gate: Gate,
  settle: Settle,
  transact: Transact,
): Promise<Outcome> {
  return transact(deps.db, async (trx) => {
    const now = ownTime(trx, deps.clock, owner)
    const outcome = await writeIn(trx, deps, noun, how, object, owner, gate, now)
    if (outcome.kind === 'applied') await settle(trx, outcome, now)
    return outcome
  })
}

async function writeIn<S extends { readonly id: string }, O extends Owner>(
  trx: Trx,
  { clock }: ObserveDeps,
  noun: Noun<S, O>,
  how: How & Pick<Observed, 'type'>,
  object: S,
  owner: O,
  gate: Gate,
  now: () => Promise<Instant>,
): Promise<Outcome> {
  const { source, subscriptionSeen = false } = how
  const gateClosed = gate !== open
  const closing = gateClosed && owner.customerId !== null ? closeGate(trx, owner.customerId) : undefined
  const at = clock.now()
  const [isNewer] = await Promise.all([record(trx, how, object, at), closing])
  if (!isNewer) {
    // An event overtook the answer of our own call. Which is newer is not known: the next one is looked up.
    if (source === 'write') await distrust(trx, { type: how.type, id: object.id })
    return { kind: 'stale' }
  }
  // Of our own call the run says so that made it, with the result of its step.
  const made = source === 'write' ? null : operationOf(object)
  const settled = made === null ? undefined : settleSeen(trx, made, object.id, at)
  const inAdvance = gate === open ? undefined : gate.inAdvance
  const eventCreated = how.eventCreated ?? null
  const writing = { object, owner, source, eventCreated, now, gateClosed, inAdvance, subscriptionSeen }
  const [effect] = await Promise.all([noun.write(trx, writing), settled])
  return { kind: 'applied', ...effect }
}

/** The customer's own time, asked for once. */
function ownTime(trx: Trx, clock: Clock, { customerId }: Owner): () => Promise<Instant> {
  let time: Promise<Instant> | undefined
  return () => {
    time ??= customerTime(trx, clock, customerId)
    return time
  }
}

/** False: something as new is known. */
function record(
  trx: Trx,
  how: How & Pick<Observed, 'type'>,
  object: { readonly id: string },
  at: Instant,
): Promise<boolean> {
  const { type, observation } = how
  const seen = { type, id: object.id, observation, at }
  if (how.source === 'enclosed') return recordFirstSight(trx, { ...seen, raw: object })
  return how.source === 'event'
    ? recordPayload(trx, {
        ...seen,
        eventId: how.eventId,
        eventCreated: how.eventCreated,
        ofSecond: how.ofSecond,
      })
    : recordAnswer(trx, { ...seen, raw: object, eventCreated: how.eventCreated ?? null })
}
