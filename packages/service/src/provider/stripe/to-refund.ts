import type { Instant } from '@lockstep/core/instant'
import type { Money } from '@lockstep/core/money'
import type { RefundStatus } from '@lockstep/core/money-back'
import type Stripe from 'stripe'
import { fromStripeAmount } from './amount.ts'
import { idOrNull, present } from './field.ts'

/** A refund names its payment; which invoice that paid is looked up and put beside it. Null: none. */
export type RefundOfInvoice = Stripe.Refund & { readonly invoice?: string | null }

export interface ObservedRefund {
  readonly providerId: string
  readonly customer: string | null
  /** Undefined where it was not looked up: a payload does not say. */
  readonly invoice: string | null | undefined
  readonly status: RefundStatus
  readonly amount: Money
  readonly reason: string | null
  readonly failureReason: string | null
  readonly created: Instant
  readonly metadata: Readonly<Record<string, string>>
}

const statuses = ['pending', 'requires_action', 'succeeded', 'failed', 'canceled'] as const

/** Stripe's refund as ours. */
export function toRefund(refund: RefundOfInvoice): ObservedRefund {
  const status = statuses.find((one) => one === refund.status)
  if (status === undefined) throw new Error(`Refund ${refund.id} has a status that we do not know.`)
  return {
    providerId: refund.id,
    // Left out by older versions.
    customer: idOrNull(refund.customer ?? null, 'customer'),
    invoice: refund.invoice,
    status,
    amount: fromStripeAmount(present(refund.amount, 'amount'), refund.currency),
    reason: present(refund.reason, 'reason'),
    failureReason: refund.failure_reason ?? null,
    created: present(refund.created, 'created'),
    metadata: refund.metadata ?? {},
  }
}
