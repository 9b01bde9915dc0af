import { type Cancellation, checkCancellation } from '@lockstep/core/cancellation'
import type { Instant } from '@lockstep/core/instant'
import { isWorthSending } from '@lockstep/core/invoice'
import { type Money, sum } from '@lockstep/core/money'
import type { Period } from '@lockstep/core/period'
import { describeLine } from '../../invoice/describe.ts'
import { previewUnusedTime } from '../../provider/stripe/unused-time.ts'
import type { Subscription } from '../../store/subscriptions.ts'
import type { LookDeps } from '../look.ts'
import { customerTime } from '../observe/customer-time.ts'
import { planSync } from '../sync-invoice.ts'
import { targetOf } from './tell.ts'

export interface PreviewLine {
  readonly description: string
  readonly period: Period
  readonly amount: Money
}

export interface CancellationPreview {
  readonly endsAt: Instant
  readonly usage: readonly PreviewLine[]
  readonly unusedTime: readonly PreviewLine[]
  readonly toBill: Money
  readonly toGiveBack: Money
}

/** What ending a subscription would bill and give back: reckoned as the deed reckons it. Changes nothing. */
export async function previewCancellation(
  deps: LookDeps,
  subscription: Subscription,
  wanted: Cancellation,
): Promise<CancellationPreview> {
  const { id, customerId, currency, currentPeriodEnd } = subscription
  const now = await customerTime(deps.db, deps.clock, customerId)
  checkCancellation(subscription, wanted, now)
  const plan = await planSync(deps, id)
  const usage = (plan?.picture.lines ?? [])
    .filter(({ left }) => isWorthSending(left))
    .map((line) => ({ description: describeLine(line), period: line.line.period, amount: line.left.amount }))
  const toBill = sum(
    currency,
    usage.map(({ amount }) => amount),
  )
  const { when, unusedTime: how } = wanted
  const endsAt = when === 'now' ? now : when === 'periodEnd' ? currentPeriodEnd : when
  const nothing = sum(currency, [])
  // A trial, and what was never paid, has nothing that the provider could reckon back.
  if (when !== 'now' || subscription.status !== 'active')
    return { endsAt, usage, unusedTime: [], toBill, toGiveBack: nothing }
  const { providerId } = await targetOf(deps, id)
  const unused = await previewUnusedTime(deps, providerId, currency)
  const toGiveBack = how === 'keep' ? nothing : how === 'credit' ? unused.creditable : unused.refundable
  return { endsAt, usage, unusedTime: unused.lines, toBill, toGiveBack }
}
