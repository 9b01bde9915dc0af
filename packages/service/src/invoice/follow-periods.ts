import { startsIn, termsOf } from '@lockstep/core/commitment'
import type { Instant } from '@lockstep/core/instant'
import { contains, type Period } from '@lockstep/core/period'
import { isTerminal } from '@lockstep/core/subscription'
import { usagePeriodAt } from '@lockstep/core/usage-cycle'
import type { Trx } from '../postgres/connect.ts'
import {
  changePeriodInvoice,
  changeTerms,
  endPromise,
  type InvoiceRow,
  openPeriodInvoice,
  updateInvoice,
} from '../store/invoices.ts'
import type { Row } from '../store/schema.ts'
import { moveAlerts } from '../store/spend-alerts.ts'
import { sqlTime } from '../store/time.ts'
import { cutPeriod, cutUsage } from '../store/usage.ts'
import { retell } from './cut-back.ts'
import { noteCutShort } from './cut-short.ts'
import { expectInvoice, expectTurn } from './expect-turn.ts'
import { isNothing, type PeriodChanges, periodChanges } from './period-changes.ts'
import type { InvoiceRhythm } from './rhythm.ts'
import { endPeriods, type TakenBack, takeBack } from './take-back.ts'

export type SubscriptionRow = Omit<Row<'subscription'>, 'createdAt'>

/** How a subscription's invoices have to follow it. */
interface Following {
  readonly changes: PeriodChanges
  readonly last: InvoiceRow | undefined
  readonly rhythm: InvoiceRhythm
  /** What was opened too early, because what came before it is heard of only now. */
  readonly back: TakenBack | undefined
}

/** Where it comes from that a subscription is as it is. */
export interface Origin {
  /** As it stood before; undefined of one that was not seen so far. */
  readonly known: SubscriptionRow | undefined
  /** It was made at the provider, and is seen for the first time. */
  readonly isTakenUp: boolean
}

/** Undefined where they need not at `now`; where they must, the gate has to be closed first. */
export async function mustFollow(
  trx: Trx,
  { subscription, known, rhythm, last, now }: Sight,
): Promise<Following | undefined> {
  const back =
    last &&
    known &&
    (await takeBack(trx, {
      ...{ known, subscription, last },
      currentStart: currentPeriod(subscription, rhythm, { last, from: null }, now).start,
    }))
  const newest = back?.cut ?? last
  const period = currentPeriod(subscription, rhythm, { last, from: newest?.periodStart ?? null }, now)
  const { trialStart, trialEnd } = subscription
  const trial =
    rhythm.isSplit || trialStart === null || trialEnd === null ? null : { start: trialStart, end: trialEnd }
  const changes = periodChanges(
    newest && {
      period: { start: newest.periodStart, end: newest.periodEnd },
      isCurrent: newest.status === 'current',
    },
    { ...subscription, period, trial },
    rhythm,
  )
  return isNothing(changes) && !back ? undefined : { changes, last: newest, rhythm, back }
}

/** A subscription as it is seen, beside what is known of it. */
interface Sight {
  readonly subscription: SubscriptionRow
  readonly known: SubscriptionRow | undefined
  readonly rhythm: InvoiceRhythm
  readonly last: InvoiceRow | undefined
  readonly now: Instant
}

/** The provider's own period, or the part of it whose usage is billed by itself: that one goes by the time. */
function currentPeriod(
  { status, endedAt, currentPeriodStart, currentPeriodEnd }: SubscriptionRow,
  rhythm: InvoiceRhythm,
  { last, from }: { readonly last: InvoiceRow | undefined; readonly from: Instant | null },
  now: Instant,
): Period {
  const paid = { start: currentPeriodStart, end: currentPeriodEnd }
  if (!rhythm.isSplit) return paid
  let at = now
  if (isTerminal(status) && endedAt !== null) at = Math.min(at, endedAt - 1)
  // While it is paused the provider bills nothing, and what is open stays so.
  if (status === 'paused' && last) at = Math.min(at, last.periodEnd - 1)
  // Of two processes whose clocks differ, none goes back.
  return usagePeriodAt(paid, Math.max(at, from ?? at), rhythm)
}

/**
 * Makes a subscription's invoices follow its periods: the one that is over closes, the ones that were
 * skipped have theirs, the one that runs is current. Part of the transaction that writes the
 * subscription; the customer's gate is closed.
 */
export async function followPeriods(
  trx: Trx,
  subscription: SubscriptionRow,
  { changes, last, rhythm, back }: Following,
  { known, isTakenUp }: Origin,
  now: Instant,
): Promise<void> {
  const { end, closes, opens } = changes
  const { customerId, planVersionId, currency, startedAt, trialStart, trialEnd } = subscription
  const trial = trialStart === null || trialEnd === null ? null : { start: trialStart, end: trialEnd }
  if (last && end !== null) await cutUsage(trx, customerId, end)
  const endsInside = (at: Instant) => rhythm.isSplit && at < subscription.currentPeriodEnd
  const retold = retell(opens, back?.undone ?? [], !isTerminal(subscription.status))
  // What goes by the time alone goes on where the pause ends; a period that began anew says when it ended.
  const isPauseOnly =
    rhythm.isSplit &&
    known?.status === 'paused' &&
    known.currentPeriodStart === subscription.currentPeriodStart
  const termsAt = (period: Period) =>
    termsOf(period, {
      cycle: rhythm.cycle,
      trial,
      currentStart: isPauseOnly ? now : subscription.currentPeriodStart,
      wasPaused: known?.status === 'paused',
      takenUp: isTakenUp && !known ? { startedAt, at: now } : null,
    })
  if (back) await endPeriods(trx, back, retold.ends, now)
  for (const { of, end } of retold.ends) {
    const period = { start: of.period.start, end }
    if (period.start < end) await changeTerms(trx, of.id, { planVersionId, period, terms: termsAt(period) })
  }
  if (last && closes && endsInside(end ?? last.periodEnd)) {
    await expectInvoice(trx, { ...last, periodEnd: end ?? last.periodEnd }, now)
  }
  const isReset = !back && closes && end !== null && end === subscription.billingCycleAnchor
  if (last && isReset && !isTerminal(subscription.status)) await noteCutShort(trx, last, end, now)
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
  for (const { period, from } of retold.opens) {
    const runs = period === retold.opens.at(-1)?.period && !isTerminal(subscription.status)
    const opened = {
      planVersionId,
      status: runs ? ('current' as const) : ('closing' as const),
      period,
      terms: termsAt(period),
    }
    const opening = from
      ? changePeriodInvoice(trx, from.row, opened)
      : openPeriodInvoice(trx, {
          ...opened,
          ...{ customerId, subscriptionId: subscription.id, currency, openedAt: now },
        })
    // Cut at its edges, a period is whole buckets of usage.
    const [id] = await Promise.all([opening, cutPeriod(trx, customerId, period)])
    if (id === undefined) continue
    // What is told of the time of one that nothing is left of is not told again.
    for (const { of } of retold.ends) if (contains(period, of.period.start)) await moveAlerts(trx, of.id, id)
    if (!endsInside(period.end)) continue
    const row = { id, customerId, periodEnd: period.end }
    await (runs ? expectTurn(trx, row, now) : expectInvoice(trx, row, now))
  }
  if (back && subscription.status === 'paused') await endPromise(trx, subscription.id, now)
}
