import type { Money } from '@lockstep/core/money'
import type { RefundReason } from '@lockstep/core/money-back'
import type Stripe from 'stripe'
import { toStripeAmount } from './amount.ts'
import { type CallDeps, callStripe, readStripe } from './call.ts'
import { idOrNull } from './field.ts'
import { isOf, ownMetadata } from './metadata.ts'
import type { RefundOfInvoice } from './to-refund.ts'

export interface RefundToMake {
  readonly id: string
  readonly customerId: string
  readonly invoiceId: string
  /** The payment that gives it back, at Stripe. */
  readonly payment: string
  readonly amount: Money
  readonly reason: RefundReason | null
}

/** Gives back, once. Stripe refuses what is more than is left of the payment. */
export function makeRefund(deps: CallDeps, operation: string, wanted: RefundToMake): Promise<Stripe.Refund> {
  const { id, customerId, invoiceId, payment, amount, reason } = wanted
  const body = {
    payment_intent: payment,
    amount: toStripeAmount(amount),
    ...(reason !== null && { reason }),
    metadata: ownMetadata(deps.provider, operation, {
      lockstep_customer: customerId,
      lockstep_invoice: invoiceId,
      lockstep_refund: id,
    }),
  } satisfies Stripe.RefundCreateParams
  return callStripe(
    deps,
    { id: operation, kind: 'refund.create', subjectId: id, body },
    (stripe, options) => stripe.refunds.create(body, options),
    async (stripe) => {
      for await (const found of stripe.refunds.list({ payment_intent: payment, limit: 100 })) {
        if (isOf(deps.provider, operation, found)) return found
      }
      return undefined
    },
  )
}

/** A refund with the invoice that its payment paid. */
export function fetchRefund(deps: Pick<CallDeps, 'provider'>, id: string): Promise<RefundOfInvoice> {
  return readStripe(deps, async (stripe) => {
    const refund = await stripe.refunds.retrieve(id)
    const payment = idOrNull(refund.payment_intent, 'payment_intent')
    if (payment === null) return { ...refund, invoice: null }
    const { data } = await stripe.invoicePayments.list({
      payment: { type: 'payment_intent', payment_intent: payment },
      limit: 1,
    })
    return { ...refund, invoice: idOrNull(data[0]?.invoice ?? null, 'invoice') }
  })
}
