import type { ContractDocument } from '@lockstep/core/contract'
import { formatInstant, type Instant } from '@lockstep/core/instant'
import type { Db, Trx } from '../../postgres/connect.ts'
import type { DiscountParam } from '../../provider/stripe/subscription-changes.ts'
import { documentsOf } from '../../store/contracts.ts'
import { callMayBeDone } from '../../store/operations.ts'
import { readPlanChange, redeemOnly } from '../../store/plan-changes.ts'
import { discountsSeen } from '../../store/provider-discounts.ts'
import type { LookDeps } from '../look.ts'
import { couponsAtProvider } from '../purchase/configuration.ts'
import type { ChangeInput } from './input.ts'
import { readStanding, type Standing } from './standing.ts'
import type { ChangeWish } from './wish.ts'

/** Once more, with the customer, where the first call was refused because the bank asks. */
export const withCustomerOf = (operation: string) => `${operation}/with-customer`

interface ChangedDiscounts {
  /** All from now on, in order, as the provider is told; null where they stay as they are. */
  readonly discounts: readonly DiscountParam[] | null
  /** Of the coupons that are wished for, the ones to redeem: one that runs already is had as it is. */
  readonly coupons: readonly string[]
  /** Of the coupons that are not to run any more, the ones that do. */
  readonly withoutCoupons: readonly string[]
}

/**
 * What a wish makes of the discounts that stand: those that stay, in their order, and what is redeemed behind them. One that has
 * run out `at` that moment takes nothing off any more, though the provider may show it until the next invoice: it is gone.
 */
export async function changedDiscounts(
  db: Db,
  { discounts }: Standing,
  { coupons = [], withoutCoupons = [] }: ChangeWish,
  at?: Instant,
): Promise<ChangedDiscounts> {
  if (coupons.length + withoutCoupons.length === 0) return { discounts: null, coupons, withoutCoupons }
  const standing = new Map((await discountsSeen(db, discounts)).map(({ id, terms }) => [id, terms]))
  const couponOf = (id: string) => standing.get(id)?.coupon ?? undefined
  const hasRunOut = (id: string) => {
    const end = standing.get(id)?.end ?? null
    return at !== undefined && end !== null && end <= formatInstant(at)
  }
  const stays = (id: string) => hasRunOut(id) || !withoutCoupons.includes(couponOf(id) ?? '')
  const taken = new Set(discounts.filter((id) => !stays(id)).map(couponOf))
  const kept = discounts.filter(stays)
  const running = new Set(kept.map(couponOf))
  const redeemed = coupons.filter((key) => !running.has(key))
  const gone = withoutCoupons.filter((key) => taken.has(key))
  if (redeemed.length + gone.length === 0) return { discounts: null, coupons: [], withoutCoupons: [] }
  const added = await couponsAtProvider(db, redeemed)
  return {
    discounts: [...kept.map((discount) => ({ discount })), ...added.map((coupon) => ({ coupon }))],
    coupons: redeemed,
    withoutCoupons: gone,
  }
}

/**
 * What a change makes of the discounts that run at this moment. All of them are told together, and what was decided may be
 * hours old: what somebody gave at the provider meanwhile is among them, and what was taken is not. A coupon of the change
 * that was given there meanwhile is not redeemed once more, whether it runs or is used up by now, and the change says so.
 * Null where it has nothing to say of them.
 */
export async function discountsToTell(
  deps: LookDeps,
  { changeId, subscription, discounts, agreedBefore }: ChangeInput,
  operation: string,
): Promise<readonly DiscountParam[] | null> {
  const { db } = deps
  if (discounts === null) return null
  const standing = await readStanding(deps, subscription.providerId, undefined)
  const [change, agreed, ...mayBeTold] = await Promise.all([
    readPlanChange(db, changeId),
    couponsAgreed(db, subscription.id),
    callMayBeDone(db, operation),
    callMayBeDone(db, withCustomerOf(operation)),
  ])
  if (!change) throw new Error(`${changeId} is not there.`)
  const isNew = (key: string) => agreedBefore === undefined || agreedBefore.includes(key) || !agreed.has(key)
  const { withoutCoupons } = change
  const changed = await changedDiscounts(db, standing, {
    coupons: change.coupons.filter(isNew),
    withoutCoupons,
  })
  // Once it may have been told, what runs may be what it redeemed itself.
  if (!mayBeTold.includes(true) && changed.coupons.length < change.coupons.length)
    await redeemOnly(db, changeId, changed.coupons)
  return changed.discounts
}

/** Keys of the coupons that run for a subscription, or were ever agreed on for it. */
export async function couponsEverHad(
  db: Db | Trx,
  { id, discounts }: { readonly id: string; readonly discounts: readonly string[] },
): Promise<Set<string>> {
  const [agreed, standing] = await Promise.all([couponsAgreed(db, id), discountsSeen(db, discounts)])
  return new Set([...agreed, ...standing.flatMap(({ terms: { coupon } }) => coupon ?? [])])
}

/** Keys of the coupons that were ever agreed on for a subscription, whatever became of them. */
export async function couponsAgreed(db: Db | Trx, subscriptionId: string): Promise<Set<string>> {
  const documents = await documentsOf(db, subscriptionId)
  return new Set(
    documents.flatMap((text) =>
      (JSON.parse(text) as ContractDocument).agreement.discounts.flatMap(({ coupon }) => coupon ?? []),
    ),
  )
}
