import type { Instant } from '@lockstep/core/instant'
import type { Trx } from '../postgres/connect.ts'
import { spread } from '../spread.ts'
import { addDue } from '../store/due.ts'
import type { InvoiceRow } from '../store/invoices.ts'

/** Due at the end of a period that only time ends: inside of the one that the provider's fees are paid for. */
export const USAGE_PERIOD = 'usage-period'

/**
 * Due shortly before it: where nothing was told of the month so far, the provider would make no invoice when it ends,
 * and so leave no hour in which the last of the month still goes onto it.
 */
export const USAGE_TELL = 'usage-tell'

/** Not closer to the end than the provider's clock and ours may differ, and a queue may be long. */
const TOLD_BEFORE_SECONDS = 600

/** Many months end in one second: they are told one after the other, over so long before. */
const TOLD_OVER_SECONDS = 600

/** Due when the provider's invoice of such a period should long be there. */
export const USAGE_INVOICE = 'usage-invoice'

/**
 * The provider makes an invoice of what is pending within minutes of the interval's end ("approximately", it says),
 * and none where nothing is: after a day there will be none.
 * https://docs.stripe.com/api/subscriptions/object#subscription_object-next_pending_invoice_item_invoice
 */
export const USAGE_INVOICE_WITHIN_SECONDS = 86_400

type Ending = Pick<InvoiceRow, 'id' | 'customerId' | 'periodEnd'>

/** Of each end that a period has had there is one: where that moves, what was due at the old one finds nothing over. */
export async function expectTurn(
  trx: Trx,
  { id, customerId, periodEnd }: Ending,
  at: Instant,
): Promise<void> {
  const subjectId = `${id}/${periodEnd}`
  const tellAt = periodEnd - TOLD_BEFORE_SECONDS - spread(id, TOLD_OVER_SECONDS)
  await addDue(trx, { kind: USAGE_TELL, subjectId, customerId, dueAt: tellAt, at })
  await addDue(trx, { kind: USAGE_PERIOD, subjectId, customerId, dueAt: periodEnd, at })
}

/** The id of the invoice whose period is to turn. */
export function invoiceOfTurn(subjectId: string): string {
  const [id = subjectId] = subjectId.split('/')
  return id
}

/** Not of one that is over for so long: the next sync, which every period has to have, sees that none was made. */
export async function expectInvoice(
  trx: Trx,
  { id, customerId, periodEnd }: Ending,
  at: Instant,
): Promise<void> {
  const dueAt = periodEnd + USAGE_INVOICE_WITHIN_SECONDS
  if (dueAt <= at) return
  await addDue(trx, { kind: USAGE_INVOICE, subjectId: id, customerId, dueAt, at })
}
