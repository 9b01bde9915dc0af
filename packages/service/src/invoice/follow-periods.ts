import { startsIn, termsOf } from '@lockstep/core/commitment'
import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import { isTerminal } from '@lockstep/core/subscription'
import { usagePeriodAt } from '@lockstep/core/usage-cycle'
import type { Trx } from '../postgres/connect.ts'
import { type InvoiceRow, openPeriodInvoice, updateInvoice } from '../store/invoices.ts'
import type { Row } from '../store/schema.ts'
import { sqlTime } from '../store/time.ts'
import { cutPeriod, cutUsage } from '../store/usage.ts'
import { expectInvoice, expectTurn } from './expect-turn.ts'
import { isNothing, type PeriodChanges, periodChanges } from './period-changes.ts'
import type { InvoiceRhythm } from './rhythm.ts'

export type SubscriptionRow = Omit<Row<'subscription'>, 'createdAt'>

/** How a subscription's invoices have to follow it. */
interface Following {
  readonly changes: PeriodChanges
  readonly last: InvoiceRow | undefined
  readonly rhythm: InvoiceRhythm
}

/** Where it comes from that a subscription is as it is. */
export interface Origin {
  /** As it stood before; undefined of one that was not seen so far. */
  readonly known: SubscriptionRow | undefined
  /** It was made at the provider, and is seen for the first time. */
  readonly isTakenUp: boolean
}

/** Undefined where they need not at `now`; where they must, the gate has to be closed first. */
export function mustFollow(
  subscription: SubscriptionRow,
  rhythm: InvoiceRhythm,
  last: InvoiceRow | undefined,
  now: Instant,
): Following | undefined {
  const changes = periodChanges(
    last && {
      period: { start: last.periodStart, end: last.periodEnd },
      isCurrent: last.status === 'current',
    },
    {
      ...subscription,
      period: currentPeriod(subscription, rhythm, last, now),
    },
    rhythm,
  )
  return isNothing(changes) ? undefined : { changes, last, rhythm }
}

/** The provider's own period, or the part of it whose usage is billed by itself: that one goes by the time. */
function currentPeriod(
  { status, endedAt, currentPeriodStart, currentPeriodEnd }: SubscriptionRow,
  rhythm: InvoiceRhythm,
  last: InvoiceRow | undefined,
  now: Instant,
): Period {
  const paid = { start: currentPeriodStart, end: currentPeriodEnd }
  if (!rhythm.isSplit) return paid
  let at = now
  if (isTerminal(status) && endedAt !== null) at = Math.min(at, endedAt - 1)
  // While it is paused the provider bills nothing, and what is open stays so.
  if (status === 'paused' && last) at = Math.min(at, last.periodEnd - 1)
  // Of two processes whose clocks differ, none goes back.
  return usagePeriodAt(paid, Math.max(at, last?.periodStart ?? at), rhythm)
}

/**
 * Makes a subscription's invoices follow its periods: the one that is over closes, the ones that were
 * skipped have theirs, the one that runs is current. Part of the transaction that writes the
 * subscription; the customer's gate is closed.
 */
export async function followPeriods(
  trx: Trx,
  subscription: SubscriptionRow,
  { changes, last, rhythm }: Following,
  { known, isTakenUp }: Origin,
  now: Instant,
): Promise<void> {
  const { end, closes, opens } = changes
  const { customerId, planVersionId, currency, startedAt, trialStart, trialEnd } = subscription
  const trial = trialStart === null || trialEnd === null ? null : { start: trialStart, end: trialEnd }
  if (last && end !== null) await cutUsage(trx, customerId, end)
  const endsInside = (at: Instant) => rhythm.isSplit && at < subscription.currentPeriodEnd
  if (last && closes && endsInside(end ?? last.periodEnd)) {
    await expectInvoice(trx, { ...last, periodEnd: end ?? last.periodEnd }, now)
  }
  // Its end moved: it turns at the new one.
  if (last && end !== null && !closes && endsInside(end)) {
    await expectTurn(trx, { ...last, periodEnd: end }, now)
  }
  if (last && (end !== null || closes)) {
    await updateInvoice(trx, last.id, {
      dirty: true,
      ...(end === null ? {} : { periodEnd: sqlTime(end) }),
      // One that is over stays what it was; the trial of the subscription may be another by now.
      ...(closes
        ? { status: 'closing' }
        : { inTrial: startsIn({ start: last.periodStart, end: last.periodEnd }, trial) }),
    })
  }
  for (const period of opens) {
    const runs = period === opens.at(-1) && !isTerminal(subscription.status)
    const opening = openPeriodInvoice(trx, {
      customerId,
      subscriptionId: subscription.id,
      planVersionId,
      currency,
      status: runs ? 'current' : 'closing',
      period,
      terms: termsOf(period, {
        cycle: rhythm.cycle,
        trial,
        // What goes by the time alone goes on where the pause ends.
        currentStart: rhythm.isSplit && known?.status === 'paused' ? now : subscription.currentPeriodStart,
        wasPaused: known?.status === 'paused',
        takenUp: isTakenUp && !known ? { startedAt, at: now } : null,
      }),
      openedAt: now,
    })
    // Cut at its edges, a period is whole buckets of usage.
    const [opened] = await Promise.all([opening, cutPeriod(trx, customerId, period)])
    if (opened === undefined || !endsInside(period.end)) continue
    const row = { id: opened, customerId, periodEnd: period.end }
    await (runs ? expectTurn(trx, row, now) : expectInvoice(trx, row, now))
  }
}
