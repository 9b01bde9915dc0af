import type { Instant } from '@lockstep/core/instant'
import type { Db } from '../postgres/connect.ts'
import type { Page } from '../store/page.ts'
import { correctionsOf, type UsageCorrection } from '../store/usage-corrections.ts'
import { listUsageEvents, type UsageEvent } from '../store/usage-events.ts'
import type { ShownInvoice, ShownLine } from './read.ts'

/** What stands behind the quantity of a line. */
export interface Evidence {
  /** Those that count now. */
  readonly events: Page<UsageEvent>
  /** What was corrected of them before the line was written down, oldest first. */
  readonly corrections: readonly UsageCorrection[]
}

/** Nothing is used before 1970. */
const BEGINNING_OF_TIME: Instant = 0

/** Null where nothing was measured: a fee, a share, an adjustment. */
export async function evidenceOf(
  db: Db,
  { invoice }: ShownInvoice,
  { derivation, period }: ShownLine,
  page: { readonly limit: number; readonly after?: string | undefined },
): Promise<Evidence | null> {
  const measured = derivation?.measured
  if (!measured) return null
  // A level is made of every change before the period's end, however long ago.
  const start = measured.aggregation === 'timeWeightedSum' ? BEGINNING_OF_TIME : period.start
  const of = { customerId: invoice.customerId, meterKey: measured.meter, period: { start, end: period.end } }
  const [events, corrections] = await Promise.all([
    listUsageEvents(db, { ...of, ...page }),
    correctionsOf(db, of),
  ])
  const until: Instant = invoice.finalizedAt ?? Number.POSITIVE_INFINITY
  return { events, corrections: corrections.filter(({ madeAt }) => madeAt <= until) }
}
