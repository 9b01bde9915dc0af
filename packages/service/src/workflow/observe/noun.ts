import type { Instant } from '@lockstep/core/instant'
import type { AddedUp } from '../../invoice/add-up.ts'
import type { Db, Trx } from '../../postgres/connect.ts'

/** Whose an object is. Objects of nobody's of ours are not looked at any further. */
export interface Owner {
  /** Whose gate is closed when usage has to stand still; null where no usage is concerned. */
  readonly customerId: string | null
}

/** What writing an object down leaves to be done. */
export interface Effect {
  /** A subscription whose lines should be sent now and not by the schedule. */
  readonly syncSubscription?: string | undefined
  /** The plan change of ours that took effect by it. */
  readonly tookEffect?: string | undefined
  /** A schedule by which a change is planned here, and which the subscription does not name. */
  readonly unscheduled?: string | undefined
}

export interface Writing<Stripe, O extends Owner> {
  readonly object: Stripe
  readonly owner: O
  readonly source: 'event' | 'fetch' | 'write' | 'enclosed'
  /** When the newest event was made that told of it, by the clock that the object is on; null where none did. */
  readonly eventCreated: Instant | null
  /** The customer's own time. */
  readonly now: () => Promise<Instant>
  /** Its subscription was just looked at: there is nothing to wait for. */
  readonly subscriptionSeen: boolean
  /** Whether the customer's usage stands still; where it must and does not, throw {@link GateNeeded}. */
  readonly gateClosed: boolean
  /** From before the gate was closed: what holds of it is to be found out. */
  readonly inAdvance: AddedUp | undefined
}

/** How one kind of Stripe's objects becomes ours. */
export interface Noun<Stripe extends { readonly id: string }, O extends Owner> {
  /** Null: not ours. Reads only, before the transaction. */
  owner(db: Db, object: Stripe): Promise<O | null>
  /** A first guess, so that the gate can be the first thing in the transaction. */
  needsGate(db: Db, object: Stripe, owner: O): Promise<boolean>
  /** What is better added up before the gate is closed. */
  addUp?(db: Db, object: Stripe, owner: O): Promise<AddedUp | undefined>
  /** Part of the transaction that records the object. */
  write(trx: Trx, writing: Writing<Stripe, O>): Promise<Effect>
}

/** The transaction has to begin again with the gate closed: the first guess was wrong. */
export class GateNeeded extends Error {}

/** A payload that cannot be the object's newest state. It has to be fetched. */
export class Implausible extends Error {}

/** The object names ten of its lines, and all of them are needed. It has to be fetched. */
export class Incomplete extends Error {}

/** The object belongs to a subscription of ours that was not yet seen so far. It has to be looked at first. */
export class SubscriptionBehind extends Error {
  readonly providerId: string

  constructor(providerId: string) {
    super(`Subscription ${providerId} has to be looked at first.`)
    this.providerId = providerId
  }
}
