import type { Instant } from '@lockstep/core/instant'
import { isFrozen } from '@lockstep/core/invoice'
import { isTerminal } from '@lockstep/core/subscription'
import type { Trx } from '../postgres/connect.ts'
import { type InvoiceRow, periodInvoicesSince, periodStated, updateInvoice } from '../store/invoices.ts'
import type { Row } from '../store/schema.ts'
import { sqlTime } from '../store/time.ts'
import { cutUsage } from '../store/usage.ts'
import { cutBackTo, type Retold, type Undone } from './cut-back.ts'
import { expectInvoice } from './expect-turn.ts'
import { periodOf } from './rate.ts'

/** Periods that were opened by the time alone, before what ended them was heard of. */
export interface TakenBack {
  readonly at: Instant
  /** The one that holds that moment, or ends with it, as it was. */
  readonly held: InvoiceRow
  /** The same once it ends there. */
  readonly cut: InvoiceRow
  /** Those that began then or later, oldest first. */
  readonly undone: readonly (Undone & { readonly row: InvoiceRow })[]
  /** Of all these, the final ones: what they carry too much, or too little, is to be rated again. */
  readonly final: readonly string[]
}

type Seen = Pick<
  Row<'subscription'>,
  'id' | 'status' | 'endedAt' | 'currentPeriodStart' | 'trialStart' | 'trialEnd'
>

interface Sight {
  readonly known: Seen
  readonly subscription: Seen
  readonly last: InvoiceRow
  /** Of the period that runs, or ran until the subscription ended. */
  readonly currentStart: Instant
}

/**
 * What of a subscription's periods has to be taken back. The provider's word of a month that time alone turned may
 * come after it turned: that it ended, was put on trial, or began its period anew before. Undefined where it did not,
 * mostly without asking: only what came after the start that was known of the provider's own period is news.
 */
export async function takeBack(
  trx: Trx,
  { known, subscription, last, currentStart }: Sight,
): Promise<TakenBack | undefined> {
  const { currentPeriodStart: since } = known
  const { id, status, endedAt, currentPeriodStart, trialStart, trialEnd } = subscription
  const moments = {
    edges: [currentPeriodStart, trialStart, trialEnd].filter(
      (edge) => edge !== null && since < edge && edge <= currentStart,
    ) as Instant[],
    over: isTerminal(status) && !isTerminal(known.status) ? endedAt : null,
  }
  const cutBack = (rows: readonly InvoiceRow[]) => cutBackTo(rows.map(periodOf), moments, currentStart)
  if (cutBack([last]) === null) return undefined
  const rows = await periodInvoicesSince(trx, id, since)
  // Of one that was taken back before nothing is left.
  const whole = rows.filter(({ periodStart, periodEnd }) => periodStart < periodEnd)
  const at = cutBack(whole)
  const cut = whole.findLast(({ periodStart }) => at !== null && periodStart < at)
  if (at === null || !cut) return undefined
  const undone = rows.filter(({ periodStart }) => periodStart >= at)
  return {
    at,
    held: cut,
    cut: { ...cut, periodEnd: Math.min(cut.periodEnd, at) },
    undone: undone.map((row) => ({
      ...{ row, id: row.id, period: periodOf(row), isCurrent: row.status === 'current' },
      isFixed: isFrozen(row.status) || row.providerInvoiceId !== null,
    })),
    final: [cut, ...undone].filter((row) => isFrozen(row.status)).map((row) => row.id),
  }
}

/** Ends the period that holds the moment there, and others where they are left to end. The gate is closed. */
export async function endPeriods(
  trx: Trx,
  { held, cut }: TakenBack,
  ends: Retold<TakenBack['undone'][number]>['ends'],
  now: Instant,
): Promise<void> {
  const undone = ends.map(({ of, end }) => ({ row: of.row, end }))
  for (const { row, end } of [{ row: held, end: cut.periodEnd }, ...undone]) {
    await cutUsage(trx, row.customerId, end)
    const isFinal = isFrozen(row.status)
    await updateInvoice(trx, row.id, {
      periodEnd: sqlTime(end),
      ...(end < row.periodStart ? { periodStart: sqlTime(end) } : {}),
      ...(isFinal && end !== row.periodEnd ? statedPeriod(row) : {}),
      ...(isFinal ? {} : { status: 'closing', dirty: true }),
    })
    if (!isFinal) await expectInvoice(trx, { ...row, periodEnd: end }, now)
  }
}

/** It was made out for the period that it had when it became final. */
function statedPeriod({ statedStart, statedEnd, periodStart, periodEnd }: InvoiceRow) {
  const { start, end } = periodStated({ statedStart, statedEnd, periodStart, periodEnd })
  return { statedStart: sqlTime(start), statedEnd: sqlTime(end) }
}
