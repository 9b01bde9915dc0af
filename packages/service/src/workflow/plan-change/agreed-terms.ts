import { type Agreement, agreementOf, type ContractDocument } from '@lockstep/core/contract'
import { discountsAt } from '@lockstep/core/discount'
import type { Feature } from '@lockstep/core/feature'
import type { Instant } from '@lockstep/core/instant'
import type { ItemNumbers } from '@lockstep/core/item-numbers'
import { withOwnPrices } from '@lockstep/core/price-override'
import type { Db, Trx } from '../../postgres/connect.ts'
import { type Attached, agreedOf } from '../../store/addons.ts'
import { type ContractRow, readContractInForce } from '../../store/contracts.ts'
import { readFeatures } from '../../store/features.ts'
import type { PlanVersion } from '../../store/plans.ts'
import { overridesOf } from '../../store/price-overrides.ts'
import { agreedDiscounts } from '../agreed-discounts.ts'

export interface NewTerms {
  readonly subscriptionId: string
  readonly version: PlanVersion
  readonly quantity: number
  readonly addons: readonly Attached[]
  readonly itemNumbers: ItemNumbers
  /** Keys of coupons that are redeemed beside the discounts that run. */
  readonly coupons: readonly string[]
  /** Keys of those whose discounts run no more. */
  readonly withoutCoupons: readonly string[]
  readonly at: Instant
}

/**
 * What becomes different in the agreement of a subscription. Its beginning and its trial stay as they were
 * agreed: a change begins neither anew.
 */
export async function changedAgreement(
  db: Db | Trx,
  current: Agreement,
  { subscriptionId, version, quantity, addons, itemNumbers, coupons, withoutCoupons, at }: NewTerms,
  features?: readonly Feature[],
): Promise<Partial<Agreement>> {
  const running = discountsAt(current.discounts, at).filter(
    ({ coupon }) => coupon === null || !withoutCoupons.includes(coupon),
  )
  // They stay with it from plan to plan; also one that begins with the next period is agreed on.
  const overrides = await overridesOf(db, [subscriptionId])
  const prices = withOwnPrices(version.plan.prices, overrides, Number.POSITIVE_INFINITY)
  const {
    startsAt: _startsAt,
    trial: _trial,
    ...changed
  } = agreementOf({
    plan: { ...version.plan, prices },
    version: version.version,
    versionId: version.id,
    features: features ?? (await readFeatures(db)),
    quantity,
    addons: addons.map(agreedOf),
    itemNumbers,
    discounts: [...running, ...(await agreedDiscounts(db, coupons, at))],
    startsAt: at,
  })
  // Said even where there are none: what is not mentioned stays.
  return { addons: [], itemNumbers: {}, ...changed }
}

export interface InForce {
  readonly contract: ContractRow
  readonly agreement: Agreement
}

/** What a subscription runs by; undefined of one that was never agreed on here. */
export async function agreementInForce(db: Db | Trx, subscriptionId: string): Promise<InForce | undefined> {
  const contract = await readContractInForce(db, subscriptionId)
  if (!contract) return undefined
  return { contract, agreement: (JSON.parse(contract.document) as ContractDocument).agreement }
}
