import type { Money } from '@lockstep/core/money'
import { refuseToGiveBackMore } from '@lockstep/core/money-back'
import { Problem } from '@lockstep/core/problem'
import type { Db, Trx } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import type { CallDeps } from '../provider/stripe/call.ts'
import { readSettlement } from '../provider/stripe/settlement.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { deedsOn, lockInvoice } from '../store/money-back.ts'

const MOST_LOOKS = 3

/**
 * Looks at the provider what can be given back, decides, and records the intention; unless somebody else
 * began to give back of the same invoice in between: then it looks again. The provider checks a refund
 * against its payment alone, so that two at once could give back more than was paid.
 */
export async function beginMoneyBack<T>(
  { db }: { readonly db: Db },
  invoiceId: string,
  decide: () => Promise<T>,
  record: (trx: Trx, decided: T) => Promise<void>,
): Promise<T> {
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    const before = await deedsOn(db, invoiceId)
    if (before.making > 0) break
    const decided = await decide()
    const recorded = await transaction(db, async (trx) => {
      await lockInvoice(trx, invoiceId)
      if ((await deedsOn(trx, invoiceId)).count !== before.count) return false
      await record(trx, decided)
      return true
    })
    if (recorded) return decided
  }
  throw beingGivenBack(invoiceId)
}

/** It is known in a moment how much of it is left. */
export function beingGivenBack(invoiceId: string): Problem {
  const detail = `Money of ${invoiceId} is being given back at this moment.`
  return new Problem('money_back_in_progress', detail, { retryAfterSeconds: 2 })
}

/**
 * Asked right before each call, because what was decided may be hours old: a process died, or the provider was away, and
 * somebody gave back in the dashboard meanwhile. The provider counts refunds off what a credit note may be, but looks at
 * a refund's payment alone, and never at what a bank has taken back. https://docs.stripe.com/api/credit_notes/create
 */
export function whileItIsThere(
  deps: Pick<CallDeps, 'provider'>,
  { providerInvoice, amount, asRefund }: BackOfInvoice,
): () => Promise<Problem | undefined> {
  return async () => {
    const settlement = await readSettlement(deps, providerInvoice)
    try {
      refuseToGiveBackMore(settlement, amount, asRefund)
    } catch (error) {
      if (error instanceof Problem) return error
      throw error
    }
    return undefined
  }
}

interface BackOfInvoice {
  readonly providerInvoice: string
  /** Of what was paid. */
  readonly amount: Money
  readonly asRefund: boolean
}

/** The invoice at the provider, of which money can be given back; only a final one has a fixed amount. */
export function finalInvoice({ id, status, providerInvoiceId }: InvoiceRow): string {
  if (providerInvoiceId !== null && status !== 'current' && status !== 'closing' && status !== 'draft')
    return providerInvoiceId
  throw new Problem('invoice_not_final', `Invoice ${id} is ${status}: what is on it can still be changed.`)
}
