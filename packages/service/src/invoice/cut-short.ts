import type { Instant } from '@lockstep/core/instant'
import type { Trx } from '../postgres/connect.ts'
import { addDue } from '../store/due.ts'
import type { InvoiceRow } from '../store/invoices.ts'

/**
 * Due at once: the cycle was begun anew inside of a period (a change that begins one, a trial that is ended, the
 * dashboard), so the provider renews nothing at the period's end and makes no renewal's invoice of it.
 */
export const CUT_SHORT = 'period-cut-short'

export async function noteCutShort(
  trx: Trx,
  { id: subjectId, customerId }: Pick<InvoiceRow, 'id' | 'customerId'>,
  end: Instant,
  at: Instant,
): Promise<void> {
  await addDue(trx, { kind: CUT_SHORT, subjectId, customerId, dueAt: end, at })
}
