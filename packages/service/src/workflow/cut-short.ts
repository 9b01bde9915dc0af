import { isTerminal } from '@lockstep/core/subscription'
import { concludePeriods } from '../invoice/conclude.ts'
import { CUT_SHORT } from '../invoice/cut-short.ts'
import { type InvoiceRow, readInvoiceRow } from '../store/invoices.ts'
import { providerIdOf } from '../store/mappings.ts'
import type { DueKind } from './due.ts'
import type { LookDeps } from './look.ts'
import { customerTime } from './observe/customer-time.ts'
import { refreshInvoices } from './refresh.ts'

/**
 * A period was cut short. What was used in it went onto the invoice that the provider made of the new beginning, or
 * goes onto the next one; its own is closed without one, so that it does not wait for what never comes.
 */
export const cutShort: DueKind = {
  kind: CUT_SHORT,
  async run(deps, { subjectId }) {
    const { db, clock } = deps
    const ended = await waiting(deps, subjectId)
    if (ended === undefined) return 'nothing to do'
    const subscription = await providerIdOf(db, 'subscription', ended.subscriptionId)
    if (subscription === undefined) return 'nothing to do'
    // What that invoice billed is known before anything is said to be left.
    await refreshInvoices(deps, { subscription })
    const still = await waiting(deps, subjectId)
    if (still === undefined) return 'has an invoice'
    const now = await customerTime(db, clock, still.customerId)
    return (await concludePeriods(db, [still], 'carriedOver', now)) ? 'closed' : null
  },
}

/** As long as it has no invoice of the provider's. What has ended since is billed by the end. */
async function waiting(
  { db }: LookDeps,
  id: string,
): Promise<(InvoiceRow & { readonly subscriptionId: string }) | undefined> {
  const row = await readInvoiceRow(db, id)
  if (row?.subscriptionId == null || row.status !== 'closing' || row.providerInvoiceId !== null)
    return undefined
  const { status } = await db
    .selectFrom('subscription')
    .select('status')
    .where('id', '=', row.subscriptionId)
    .executeTakeFirstOrThrow()
  return isTerminal(status) ? undefined : { ...row, subscriptionId: row.subscriptionId }
}
