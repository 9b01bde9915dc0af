import type { Discount } from '@lockstep/core/discount'
import { followDiscounts } from '@lockstep/core/discount-follow'
import type { Instant } from '@lockstep/core/instant'
import { amendContract, concludeContract } from '../../contract/conclude.ts'
import { newId } from '../../ids.ts'
import type { SubscriptionRow } from '../../invoice/follow-periods.ts'
import type { Trx } from '../../postgres/connect.ts'
import { ELSEWHERE, nobodyAsked } from '../plan-change/elsewhere.ts'

const DAY_SECONDS = 86_400

export interface ToAgree {
  readonly row: SubscriptionRow
  /** What is taken off, as it was seen now; undefined where that is as it was, or was ours to agree on. */
  readonly discounts: readonly Discount[] | undefined
  /** When it was made. */
  readonly createdAt: Instant
}

/**
 * The contract of a subscription that was made at the provider, of what that says it is. Nobody told us what text was
 * accepted, or where, so the contract names none; it was accepted when the subscription was made. One whose first payment
 * was never made is agreed on by nobody. Again, it changes nothing.
 */
export async function concludeElsewhere(
  trx: Trx,
  { row, discounts = [], createdAt }: ToAgree,
  at: Instant,
): Promise<void> {
  if (row.status === 'incomplete' || row.status === 'incomplete_expired') return
  const { id: subscriptionId, customerId, planVersionId, quantity, addons, itemNumbers, startedAt } = row
  await concludeContract(trx, {
    ...{ customerId, subscriptionId, planVersionId, quantity, addons, itemNumbers, discounts, at },
    trialDays: trialDays(row),
    startsAt: startedAt,
    requestOrigin: ELSEWHERE,
    accepted: nobodyAsked,
    acceptedAt: createdAt,
  })
}

/** A trial may end at any second; a day that it begins counts. */
function trialDays({ trialStart, trialEnd }: SubscriptionRow): number {
  return trialStart === null || trialEnd === null ? 0 : Math.ceil((trialEnd - trialStart) / DAY_SECONDS)
}

/**
 * Somebody gave or took a discount at the provider: a contract takes the place of the one before. One that was over when
 * the period began that runs there, or when that was told, ended by itself, though we may hear of that time later than of
 * what it brought.
 */
export async function agreeOnDiscounts(
  trx: Trx,
  { id: subscriptionId, customerId, currentPeriodStart }: SubscriptionRow,
  standing: readonly Discount[],
  { at, toldAt }: { readonly at: Instant; readonly toldAt: Instant },
): Promise<void> {
  const reached = Math.max(at, toldAt, currentPeriodStart)
  await amendContract(trx, {
    ...{ customerId, subscriptionId, contractId: newId('contract'), at },
    ...{ requestOrigin: ELSEWHERE, accepted: nobodyAsked },
    changed: ({ discounts }) => ({ discounts: followDiscounts(discounts, standing, reached) }),
  })
}
