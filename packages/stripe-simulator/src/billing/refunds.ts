import type { ChargeRow, RefundRow } from '../rows.ts'
import type { World } from '../world.ts'
import { endInquiry, refuseDisputed } from './disputes.ts'
import { behaviorOf } from './methods.ts'
import { refuseUnchargeable } from './refuse-unchargeable.ts'

export interface RefundOf {
  readonly amount: number
  readonly reason: RefundRow['reason']
  readonly metadata: Record<string, string>
}

/**
 * Gives money back. Card refunds succeed at once, except those of the two test cards whose refunds change
 * their state later. https://docs.stripe.com/refunds and https://docs.stripe.com/testing#refunds
 */
export function createRefund(world: World, charge: ChargeRow, of: RefundOf): RefundRow {
  refuseDisputed(world, charge)
  refuseUnchargeable(of.amount, charge.currency)
  const later = laterOf(world, charge)
  const now = world.now(charge.own.clock)
  const refund = world.refunds.insert({
    id: world.ids.next(isByCard(charge) ? 're' : 'pyr'),
    object: 'refund',
    amount: of.amount,
    balance_transaction: world.ids.next('txn'),
    charge: charge.id,
    created: now,
    currency: charge.currency,
    customer: charge.customer,
    customer_account: null,
    ...(isByCard(charge) ? { destination_details: toCard } : {}),
    metadata: of.metadata,
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason: of.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    ...(later === 'succeeded'
      ? { status: 'pending', pending_reason: 'processing' }
      : { status: 'succeeded' }),
    transfer_reversal: null,
    own: { clock: charge.own.clock, later },
  })
  const next = moveRefunded(world, reported(world, charge, of.reason), of.amount)
  world.emit('refund.created', refund)
  world.emit('charge.refunded', next)
  endInquiry(world, next)
  if (later !== null) {
    world.alarm('refund.settle', refund.id, charge.own.clock, now + world.settings.refundSeconds)
  }
  return refund
}

const toCard = {
  card: { type: 'refund', reference_status: 'pending', reference_type: 'acquirer_reference_number' },
  type: 'card',
}

/** What is not a card's is a payment, and so is what goes back of it. */
export function isByCard(charge: ChargeRow): boolean {
  return charge.payment_method_details?.type === 'card'
}

/**
 * "If you believe the charge to be fraudulent, specifying `fraudulent` as the reason" reports it. (As recorded of a charge
 * that was refunded so: the fixtures of Invoiced.) https://docs.stripe.com/api/refunds/create#create_refund-reason
 */
function reported(world: World, charge: ChargeRow, reason: RefundRow['reason']): ChargeRow {
  if (reason !== 'fraudulent') return charge
  return world.charges.patch(charge.id, { fraud_details: { user_report: 'fraudulent' } })
}

function laterOf(world: World, charge: ChargeRow): 'succeeded' | 'failed' | null {
  const method = world.paymentMethods.get(charge.payment_method)
  if (method === undefined) return null
  const behavior = behaviorOf(method)
  return behavior.on === 'succeeds' ? (behavior.refunds ?? null) : null
}

/** "Some time later" a pending refund succeeds, or one that had succeeded is sent back by the bank. */
export function settleRefund(world: World, id: string): void {
  const refund = world.refunds.must(id)
  const { later } = refund.own
  if (later === null || (refund.status !== 'pending' && refund.status !== 'succeeded')) return
  const failed = later === 'failed'
  const { pending_reason: _reason, ...settled } = refund
  world.refunds.replace({
    ...settled,
    status: later,
    ...(failed ? { failure_reason: 'unknown', failure_balance_transaction: world.ids.next('txn') } : {}),
    own: { ...refund.own, later: null },
  })
  const next = world.refunds.must(id)
  // What the bank sends back counts as never refunded.
  if (failed) {
    const charge = moveRefunded(world, world.charges.must(refund.charge), -refund.amount)
    world.emit('charge.updated', charge)
  }
  announceRefund(world, next)
  if (failed) world.emit('refund.failed', next)
}

/** Two events tell of one change of a refund. */
export function announceRefund(world: World, refund: RefundRow): void {
  const event = world.emit('refund.updated', refund)
  if (event === null) return
  const { object, previous_attributes: previous } = event.data
  world.emitSnapshot('charge.refund.updated', object, refund.own.clock, previous)
}

function moveRefunded(world: World, charge: ChargeRow, by: number): ChargeRow {
  const refunded = charge.amount_refunded + by
  return world.charges.patch(charge.id, {
    amount_refunded: refunded,
    refunded: refunded === charge.amount_captured,
  })
}
