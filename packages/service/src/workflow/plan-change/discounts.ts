import type { ContractDocument } from '@lockstep/core/contract'
import type { Db, Trx } from '../../postgres/connect.ts'
import type { DiscountParam } from '../../provider/stripe/subscription-changes.ts'
import { documentsOf } from '../../store/contracts.ts'
import { readPlanChange } from '../../store/plan-changes.ts'
import { discountsSeen } from '../../store/provider-discounts.ts'
import type { LookDeps } from '../look.ts'
import { couponsAtProvider } from '../purchase/configuration.ts'
import type { ChangeInput } from './input.ts'
import { readStanding, type Standing } from './standing.ts'
import type { ChangeWish } from './wish.ts'

interface ChangedDiscounts {
  /** All from now on, in order, as the provider is told; null where they stay as they are. */
  readonly discounts: readonly DiscountParam[] | null
  /** Of the coupons that are not to run any more, the ones that do. */
  readonly withoutCoupons: readonly string[]
}

/** What a wish makes of the discounts that stand: those that stay, in their order, and what is redeemed behind them. */
export async function changedDiscounts(
  db: Db,
  { discounts }: Standing,
  { coupons = [], withoutCoupons = [] }: ChangeWish,
): Promise<ChangedDiscounts> {
  const standing =
    withoutCoupons.length === 0 ? new Map<string, string>() : await couponsOfDiscounts(db, discounts)
  const stays = (id: string) => !withoutCoupons.includes(standing.get(id) ?? '')
  const taken = new Set(discounts.filter((id) => !stays(id)).map((id) => standing.get(id)))
  if (coupons.length === 0 && taken.size === 0) return { discounts: null, withoutCoupons: [] }
  const added = await couponsAtProvider(db, coupons)
  return {
    discounts: [
      ...discounts.filter(stays).map((discount) => ({ discount })),
      ...added.map((coupon) => ({ coupon })),
    ],
    withoutCoupons: withoutCoupons.filter((key) => taken.has(key)),
  }
}

/**
 * What a change makes of the discounts that run at this moment. All of them are told together, and what was decided may be
 * hours old: what somebody gave at the provider meanwhile is among them, and what was taken is not. Null where the change
 * has nothing to say of them.
 */
export async function discountsToTell(
  deps: LookDeps,
  { changeId, subscription, discounts }: ChangeInput,
): Promise<readonly DiscountParam[] | null> {
  if (discounts === null) return null
  const change = await readPlanChange(deps.db, changeId)
  if (!change) throw new Error(`${changeId} is not there.`)
  const standing = await readStanding(deps, subscription.providerId, undefined)
  return (await changedDiscounts(deps.db, standing, change)).discounts
}

/** Keys of coupons by the provider's discounts that came of them; without those that no coupon here is known of. */
async function couponsOfDiscounts(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  const seen = await discountsSeen(db, ids)
  return new Map(
    seen.flatMap(({ id, terms: { coupon } }) => (coupon === null ? [] : [[id, coupon] as const])),
  )
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
