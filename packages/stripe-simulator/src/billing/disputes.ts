import { invalid } from '../errors.ts'
import type { ChargeRow, DisputeRow } from '../rows.ts'
import type { World } from '../world.ts'
import { reinstatement, withdrawal } from './dispute-funds.ts'
import { behaviorOf } from './methods.ts'

const DAY = 86_400
/** Stripe says between 7 and 21 days, by network; recorded of the test cards: the end (UTC) of the eighth day after. */
const RESPONSE_DAYS = 8
/** An inquiry that nobody escalates is closed after that. https://docs.stripe.com/disputes/how-disputes-work */
const INQUIRY_DAYS = 120

/**
 * The holder of a test card complains as soon as it was charged, of a hold when it is captured. A dispute takes the money back at once; an
 * inquiry asks first. https://docs.stripe.com/testing#disputes
 */
export function createDispute(world: World, charge: ChargeRow): void {
  const method = world.paymentMethods.get(charge.payment_method)
  const behavior = method === undefined ? null : behaviorOf(method)
  if (behavior?.on !== 'succeeds' || behavior.disputes === undefined) return
  const inquiry = behavior.disputes === 'inquiry'
  const now = world.now(charge.own.clock)
  const dispute = world.disputes.insert({
    id: world.ids.next('du'),
    object: 'dispute',
    amount: charge.amount_captured,
    balance_transactions: [],
    charge: charge.id,
    created: now,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: { ...blankEvidence, ...filledIn(world, charge) },
    evidence_details: {
      due_by: answerBy(now),
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: 'prefer_manual',
    is_charge_refundable: inquiry,
    livemode: false,
    metadata: {},
    network_reason_code: reasonCode(behavior.disputes),
    payment_intent: charge.payment_intent,
    payment_method_details: {
      card: {
        brand: method?.card?.brand ?? 'visa',
        case_type: inquiry ? 'inquiry' : 'chargeback',
        network: method?.card?.brand ?? 'visa',
        network_reason_code: reasonCode(behavior.disputes),
      },
      type: 'card',
    },
    reason: behavior.disputes === 'product_not_received' ? 'product_not_received' : 'fraudulent',
    status: inquiry ? 'warning_needs_response' : 'needs_response',
    own: { clock: charge.own.clock },
  } as unknown as DisputeRow)
  world.charges.patch(charge.id, { disputed: true })
  world.emit('charge.dispute.created', dispute)
  if (!inquiry) withdraw(world, dispute.id)
  const end = inquiry ? now + INQUIRY_DAYS * DAY : dispute.evidence_details.due_by
  world.alarm('dispute.due', dispute.id, dispute.own.clock, end)
}

/**
 * What Stripe knows of the payment is in the evidence from the beginning. (As recorded, of a customer without a name too:
 * Kiln-AI/stripe_world tests/conformance/cassettes/05_refunds_disputes.json.)
 */
function filledIn(world: World, charge: ChargeRow): Partial<DisputeRow['evidence']> {
  const customer = world.customers.get(charge.customer as string | null)
  return {
    customer_email_address: customer?.email ?? null,
    customer_name: charge.billing_details.name ?? customer?.name ?? customer?.description ?? null,
    product_description: charge.description,
  }
}

/** Whether somebody gathered evidence: what Stripe filled in is none. */
export function hasEvidence(world: World, { charge, evidence }: DisputeRow): boolean {
  const known = Object.entries(filledIn(world, world.charges.must(charge)))
  return Object.entries(evidence).some(
    ([name, text]) =>
      typeof text === 'string' && !known.some(([field, filled]) => field === name && filled === text),
  )
}

/** The last second of the day on which the bank waits no longer. */
function answerBy(now: number): number {
  return (Math.floor(now / DAY) + RESPONSE_DAYS + 1) * DAY - 1
}

/** Visa's word for why. (As recorded of 10.4 and 10: Kiln-AI/stripe_world tests/conformance/cassettes/11_ledger_payouts.json.) */
function reasonCode(why: 'fraudulent' | 'product_not_received' | 'inquiry'): string {
  return why === 'product_not_received' ? '13.1' : why === 'inquiry' ? '10' : '10.4'
}

/** The evidence texts that decide a test dispute. https://docs.stripe.com/testing#evidence */
const VERDICTS: Record<string, 'won' | 'lost' | 'escalated'> = {
  winning_evidence: 'won',
  losing_evidence: 'lost',
  escalate_inquiry_evidence: 'escalated',
}

/**
 * Sends what was gathered to the bank, once. Without one of the deciding texts the bank goes on thinking. Its verdict comes
 * right after the answer, which says that it is under review. (As recorded: Kiln-AI/stripe_world
 * tests/conformance/cassettes/11_ledger_payouts.json.)
 */
export function submitEvidence(world: World, id: string): DisputeRow {
  const dispute = world.disputes.must(id)
  const inquiry = isInquiry(dispute)
  world.alarm('dispute.due', id, dispute.own.clock, null)
  const sent = world.disputes.patch(id, {
    status: inquiry ? 'warning_under_review' : 'under_review',
    evidence_details: {
      ...dispute.evidence_details,
      past_due: world.now(dispute.own.clock) > (dispute.evidence_details.due_by ?? 0),
      submission_count: dispute.evidence_details.submission_count + 1,
      submission_method: 'manual',
    },
  })
  world.emit('charge.dispute.updated', sent)
  const verdict = VERDICTS[dispute.evidence.uncategorized_text ?? '']
  if (verdict === 'escalated') escalate(world, sent)
  else if (verdict !== undefined) closeDispute(world, id, inquiry ? 'warning_closed' : verdict)
  return sent
}

/** The end: the amount of what was won comes back to the account. */
export function closeDispute(
  world: World,
  id: string,
  status: 'won' | 'lost' | 'warning_closed',
): DisputeRow {
  const dispute = world.disputes.must(id)
  world.alarm('dispute.due', id, dispute.own.clock, null)
  // What was won can be given back.
  const refundable = status === 'won' || dispute.is_charge_refundable
  const closed = world.disputes.patch(id, { status, is_charge_refundable: refundable })
  world.emit('charge.dispute.closed', closed)
  if (status !== 'won') return closed
  const back = world.disputes.patch(id, {
    balance_transactions: [...closed.balance_transactions, reinstatement(world, closed)],
  })
  world.emit('charge.dispute.funds_reinstated', back)
  return back
}

/** Nobody answered in time. */
export function disputeDue(world: World, id: string): void {
  const dispute = world.disputes.must(id)
  closeDispute(world, id, isInquiry(dispute) ? 'warning_closed' : 'lost')
}

/** What is disputed cannot be refunded as well; an inquiry ends when all is given back. */
export function refuseDisputed(world: World, charge: ChargeRow): void {
  const dispute = world.disputes.by('charge', charge.id).find((row) => !row.is_charge_refundable)
  // Of what was won earlier versions kept that it is not refundable, and refunded it.
  if (dispute === undefined || dispute.status === 'won') return
  throw invalid(
    `Charge ${charge.id} has been charged back; cannot issue a refund.`,
    undefined,
    'charge_disputed',
  )
}

export function endInquiry(world: World, charge: ChargeRow): void {
  for (const dispute of world.disputes.by('charge', charge.id)) {
    if (charge.refunded && isInquiry(dispute) && dispute.status !== 'warning_closed') {
      closeDispute(world, dispute.id, 'warning_closed')
    }
  }
}

function escalate(world: World, { id }: DisputeRow): DisputeRow {
  const dispute = world.disputes.must(id)
  if (!isInquiry(dispute)) return dispute
  const due = answerBy(world.now(dispute.own.clock))
  const escalated = world.disputes.patch(id, {
    status: 'needs_response',
    is_charge_refundable: false,
    evidence_details: { ...dispute.evidence_details, due_by: due },
  })
  world.alarm('dispute.due', id, dispute.own.clock, due)
  world.emit('charge.dispute.updated', escalated)
  return withdraw(world, id)
}

function withdraw(world: World, id: string): DisputeRow {
  const dispute = world.disputes.must(id)
  const taken = world.disputes.patch(id, {
    balance_transactions: [...dispute.balance_transactions, withdrawal(world, dispute)],
  })
  world.emit('charge.dispute.funds_withdrawn', taken)
  return taken
}

function isInquiry({ status }: DisputeRow): boolean {
  return status.startsWith('warning_')
}

const blankEvidence: DisputeRow['evidence'] = {
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
}
