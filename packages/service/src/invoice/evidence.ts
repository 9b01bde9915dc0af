import type { Instant } from '@lockstep/core/instant'
import type { Db } from '../postgres/connect.ts'
import type { Page } from '../store/page.ts'
import { correctionsOf, type UsageCorrection } from '../store/usage-corrections.ts'
import { listUsageEvents, type UsageEvent } from '../store/usage-events.ts'
import { type ExpiredEvents, expiredEvents } from '../store/usage-expired.ts'
import { type GroupShown, groupsBehind } from './line-groups.ts'
import type { ShownInvoice, ShownLine } from './read.ts'

/** What stands behind the quantity of a line. */
export interface Evidence {
  /** Those that count now. */
  readonly events: Page<UsageEvent>
  /** What was corrected of them before the line was written down, oldest first. */
  readonly corrections: readonly UsageCorrection[]
  /** Those that count and are no longer kept, by month; oldest first. */
  readonly expired: readonly ExpiredEvents[]
  /** Which groups a line is made of, the greatest first; null where it is of one, or its meter has none. */
  readonly groups: readonly GroupShown[] | null
}

/** Nothing is used before 1970. */
const BEGINNING_OF_TIME: Instant = 0

/** Null where nothing was measured: a fee, a share, an adjustment. */
export async function evidenceOf(
  db: Db,
  shown: ShownInvoice,
  line: ShownLine,
  page: { readonly limit: number; readonly after?: string | undefined },
): Promise<Evidence | null> {
  const measured = measuredBy(shown, line)
  if (!measured) return null
  const { customerId, subscriptionId } = shown.invoice
  const behind = await groupsBehind(db, { customerId, subscriptionId, line, lines: shown.lines })
  const query = { ...measured, groups: behind.only }
  const [events, expired, corrections] = await Promise.all([
    listUsageEvents(db, { ...query, ...page }),
    expiredEvents(db, query),
    correctionsBehind(db, shown, line),
  ])
  return { events, expired, corrections, groups: behind.shown }
}

/** What was corrected of a line's events before it was written down, oldest first. */
export async function correctionsBehind(
  db: Db,
  shown: ShownInvoice,
  line: ShownLine,
): Promise<readonly UsageCorrection[]> {
  const measured = measuredBy(shown, line)
  if (!measured) return []
  const until: Instant = shown.invoice.finalizedAt ?? Number.POSITIVE_INFINITY
  return (await correctionsOf(db, measured)).filter(({ madeAt }) => madeAt <= until)
}

/** The same for many lines of one invoice: those of one meter and time, as groups have them, are one read. */
export function correctionsBehindLines(
  db: Db,
  shown: ShownInvoice,
): (line: ShownLine) => Promise<readonly UsageCorrection[]> {
  const reads = new Map<string, Promise<readonly UsageCorrection[]>>()
  return (line) => {
    const name = JSON.stringify(measuredBy(shown, line))
    const read = reads.get(name) ?? correctionsBehind(db, shown, line)
    reads.set(name, read)
    return read
  }
}

/** Whose usage of which meter a line measures, and of when. */
function measuredBy({ invoice }: ShownInvoice, { derivation, period }: ShownLine) {
  const measured = derivation?.measured
  if (!measured) return null
  // A level is made of every change before the period's end, however long ago.
  const start = measured.aggregation === 'timeWeightedSum' ? BEGINNING_OF_TIME : period.start
  return { customerId: invoice.customerId, meterKey: measured.meter, period: { start, end: period.end } }
}
