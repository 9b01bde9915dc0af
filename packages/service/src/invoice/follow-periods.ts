import { startsIn, termsOf } from '@lockstep/core/commitment'
import type { Instant } from '@lockstep/core/instant'
import { isTerminal } from '@lockstep/core/subscription'
import type { Trx } from '../postgres/connect.ts'
import { type InvoiceRow, openPeriodInvoice, updateInvoice } from '../store/invoices.ts'
import type { Row } from '../store/schema.ts'
import { sqlTime } from '../store/time.ts'
import { cutPeriod, cutUsage } from '../store/usage.ts'
import { isNothing, type PeriodChanges, periodChanges } from './period-changes.ts'
import type { Rhythm } from './periods.ts'

export type SubscriptionRow = Omit<Row<'subscription'>, 'createdAt'>

/** How a subscription's invoices have to follow it. */
interface Following {
  readonly changes: PeriodChanges
  readonly last: InvoiceRow | undefined
  readonly rhythm: Rhythm
}

/** Where it comes from that a subscription is as it is. */
export interface Origin {
  /** As it stood before; undefined of one that was not seen so far. */
  readonly known: SubscriptionRow | undefined
  /** It was made at the provider, and is seen for the first time. */
  readonly isTakenUp: boolean
}

/** Undefined where they need not; where they must, the gate has to be closed first. */
export function mustFollow(
  subscription: SubscriptionRow,
  rhythm: Rhythm,
  last: InvoiceRow | undefined,
): Following | undefined {
  const changes = periodChanges(
    last && {
      period: { start: last.periodStart, end: last.periodEnd },
      isCurrent: last.status === 'current',
    },
    {
      ...subscription,
      period: { start: subscription.currentPeriodStart, end: subscription.currentPeriodEnd },
    },
    rhythm,
  )
  return isNothing(changes) ? undefined : { changes, last, rhythm }
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
    const opened = openPeriodInvoice(trx, {
      customerId,
      subscriptionId: subscription.id,
      planVersionId,
      currency,
      status: runs ? 'current' : 'closing',
      period,
      terms: termsOf(period, {
        cycle: rhythm.cycle,
        trial,
        currentStart: subscription.currentPeriodStart,
        wasPaused: known?.status === 'paused',
        takenUp: isTakenUp && !known ? { startedAt, at: now } : null,
      }),
      openedAt: now,
    })
    // Cut at its edges, a period is whole buckets of usage.
    await Promise.all([opened, cutPeriod(trx, customerId, period)])
  }
}
