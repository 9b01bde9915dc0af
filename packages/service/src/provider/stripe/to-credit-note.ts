import type { Instant } from '@lockstep/core/instant'
import { add, type Money, subtract, sum } from '@lockstep/core/money'
import type { CreditNoteStatus } from '@lockstep/core/money-back'
import type Stripe from 'stripe'
import { fromStripeAmount } from './amount.ts'
import { idOf, idOrNull, present } from './field.ts'

export interface ObservedCreditNote {
  readonly providerId: string
  readonly customer: string | null
  readonly invoice: string
  readonly status: CreditNoteStatus
  readonly total: Money
  readonly prePayment: Money
  readonly refunded: Money
  readonly credited: Money
  readonly outOfBand: Money
  readonly reason: string | null
  readonly number: string
  readonly pdf: string
  /** The refunds that belong to it. */
  readonly refunds: readonly string[]
  readonly created: Instant
  readonly metadata: Readonly<Record<string, string>>
}

const statuses = ['issued', 'void'] as const

/** Stripe's credit note as ours. What is neither refunded nor settled outside went to the balance. */
export function toCreditNote(note: Stripe.CreditNote): ObservedCreditNote {
  const { currency } = note
  const status = statuses.find((one) => one === note.status)
  if (status === undefined) throw new Error(`Credit note ${note.id} has a status that we do not know.`)
  const amount = (value: number, name: string) => fromStripeAmount(present(value, name), currency)
  const prePayment = amount(note.pre_payment_amount, 'pre_payment_amount')
  const postPayment = amount(note.post_payment_amount, 'post_payment_amount')
  const refunds = present(note.refunds, 'refunds')
  const refunded = sum(
    currency,
    refunds.map((part) => amount(part.amount_refunded, 'refunds.amount_refunded')),
  )
  const outOfBand = amount(note.out_of_band_amount ?? 0, 'out_of_band_amount')
  return {
    providerId: note.id,
    customer: idOrNull(note.customer, 'customer'),
    invoice: idOf(note.invoice),
    status,
    total: add(prePayment, postPayment),
    prePayment,
    refunded,
    credited: subtract(postPayment, add(refunded, outOfBand)),
    outOfBand,
    reason: note.reason,
    number: note.number,
    pdf: note.pdf,
    refunds: refunds.flatMap(({ refund }) => (refund ? [idOf(refund)] : [])),
    created: present(note.created, 'created'),
    metadata: note.metadata ?? {},
  }
}
