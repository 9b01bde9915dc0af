import type { Money } from '@lockstep/core/money'
import type { CreditNoteReason, WayBack } from '@lockstep/core/money-back'
import type Stripe from 'stripe'
import { toStripeAmount } from './amount.ts'
import { type CallDeps, callStripe, readStripe } from './call.ts'
import { isOf, ownMetadata } from './metadata.ts'
import { type ObservedCreditNote, toCreditNote } from './to-credit-note.ts'

export interface CreditNoteToMake {
  readonly providerInvoice: string
  readonly total: Money
  /** Of it what was paid already, and where that goes. */
  readonly postPayment: Money
  readonly paidPart: WayBack
  readonly reason: CreditNoteReason | null
  /** Written on it for the customer. */
  readonly memo?: string
}

/** One that is recorded, under our own names. */
export interface IntendedCreditNote extends CreditNoteToMake {
  readonly id: string
  readonly customerId: string
  readonly invoiceId: string
}

/** What would be made, computed by Stripe. */
export async function previewCreditNote(
  deps: Pick<CallDeps, 'provider'>,
  wanted: CreditNoteToMake,
): Promise<ObservedCreditNote> {
  return toCreditNote(await readStripe(deps, (stripe) => stripe.creditNotes.preview(paramsOf(wanted))))
}

/** Makes what the preview showed, once: the note, and with it the refund or the credit on the balance. */
export function makeCreditNote(
  deps: CallDeps,
  operation: string,
  wanted: IntendedCreditNote,
): Promise<Stripe.CreditNote> {
  const { id, customerId, invoiceId, providerInvoice: invoice } = wanted
  const body = {
    ...paramsOf(wanted),
    metadata: ownMetadata(deps.provider, operation, {
      lockstep_customer: customerId,
      lockstep_invoice: invoiceId,
      lockstep_credit_note: id,
    }),
  } satisfies Stripe.CreditNoteCreateParams
  return callStripe(
    deps,
    { id: operation, kind: 'credit_note.create', subjectId: id, body },
    (stripe, options) => stripe.creditNotes.create(body, options),
    async (stripe) => {
      for await (const found of stripe.creditNotes.list({ invoice, limit: 100 })) {
        if (isOf(deps.provider, operation, found)) return found
      }
      return undefined
    },
  )
}

/** The same for the preview and for the deed. */
function paramsOf({ providerInvoice, total, postPayment, paidPart, reason, memo }: CreditNoteToMake) {
  const back = toStripeAmount(postPayment)
  return {
    invoice: providerInvoice,
    amount: toStripeAmount(total),
    ...(back > 0 && { [fields[paidPart]]: back }),
    ...(reason !== null && { reason }),
    ...(memo !== undefined && { memo }),
  }
}

const fields = {
  refund: 'refund_amount',
  balance: 'credit_amount',
  outOfBand: 'out_of_band_amount',
} as const satisfies Record<WayBack, keyof Stripe.CreditNoteCreateParams>
