import { usageCycleOf } from '@lockstep/core/usage-cycle'
import type { Db, Trx } from '../postgres/connect.ts'
import { loadPlanVersion } from '../store/plans.ts'
import type { Row } from '../store/schema.ts'
import type { Rhythm } from './periods.ts'

/** Of a subscription's invoices: its cycle is that of the fees, or of usage that is billed more often. */
export interface InvoiceRhythm extends Rhythm {
  /** Usage is billed more often than the fees: one period of the provider's is several of ours. */
  readonly isSplit: boolean
}

/** By what a subscription's invoices follow each other. */
export async function rhythmOf(
  db: Db | Trx,
  row: Pick<Row<'subscription'>, 'planVersionId' | 'billingCycleAnchor' | 'trialEnd'>,
): Promise<InvoiceRhythm> {
  const { plan } = await loadPlanVersion(db, row.planVersionId)
  return {
    cycle: usageCycleOf(plan, row.billingCycleAnchor),
    isSplit: plan.usageInterval !== null,
    trialEnd: row.trialEnd,
  }
}
