import { type DisputeStatus, disputeStatuses } from '@lockstep/core/dispute'
import type { Instant } from '@lockstep/core/instant'
import type { Money } from '@lockstep/core/money'
import type Stripe from 'stripe'
import { fromStripeAmount } from './amount.ts'
import { present } from './field.ts'

/**
 * A dispute names its charge; whose that was, and which invoice it paid, is looked up and put beside it. Null: nobody's,
 * none. Evidence is left out: it says who the customer is, and is answered at Stripe.
 */
export type DisputeOfCharge = Omit<Stripe.Dispute, 'evidence'> & {
  readonly customer?: string | null
  readonly invoice?: string | null
}

export interface ObservedDispute {
  readonly providerId: string
  /** Undefined where it was not looked up: a payload does not say. */
  readonly customer: string | null | undefined
  readonly invoice: string | null | undefined
  readonly status: DisputeStatus
  readonly amount: Money
  readonly reason: string
  readonly respondBy: Instant | null
  readonly created: Instant
}

/** Stripe's dispute as ours. */
export function toDispute(dispute: DisputeOfCharge): ObservedDispute {
  const status = disputeStatuses.find((one) => one === dispute.status)
  if (status === undefined) throw new Error(`Dispute ${dispute.id} has a status that we do not know.`)
  return {
    providerId: dispute.id,
    customer: dispute.customer,
    invoice: dispute.invoice,
    status,
    amount: fromStripeAmount(present(dispute.amount, 'amount'), dispute.currency),
    reason: present(dispute.reason, 'reason'),
    respondBy: present(dispute.evidence_details, 'evidence_details').due_by,
    created: present(dispute.created, 'created'),
  }
}
