import type { Db, Trx } from '../../postgres/connect.ts'
import type { WantedItem } from '../../provider/stripe/subscription-changes.ts'
import type { ObservedSubscriptionItem } from '../../provider/stripe/to-subscription.ts'
import type { Attached } from '../../store/addons.ts'
import { planOfProduct } from '../../store/inbound-plans.ts'
import type { ProviderAccount } from '../../store/mappings.ts'
import type { PlanVersion } from '../../store/plans.ts'
import { addonPrices } from '../observe/terms-seen.ts'
import { providerPrices } from '../provider-prices.ts'
import { wantedItems } from '../subscription-items.ts'

interface Stood {
  readonly id: string
  readonly items: readonly ObservedSubscriptionItem[]
  readonly version: PlanVersion
  readonly addons: readonly Attached[]
}

export interface OwnItems {
  /** The items that stand for the plan and its add-ons: what somebody else added is left alone. */
  readonly items: readonly ObservedSubscriptionItem[]
  /** What stands for the plan though its price is not ours; undefined where our own prices do. */
  readonly byProduct: ObservedSubscriptionItem | undefined
  /** Why it cannot be said which they are; undefined where it can. */
  readonly undecided: string | undefined
}

/**
 * Which items of a subscription a change is to take the place of. They carry our prices; of a subscription that was
 * made at Stripe, where no price of the plan is there, it is the one whose product the plan is linked to. Where it
 * cannot be said which, nothing may be changed: a new item beside the old one would be billed on top of it.
 */
export async function ownItems(
  db: Db | Trx,
  account: ProviderAccount,
  { id, items, version, addons }: Stood,
): Promise<OwnItems> {
  const wanted = await wantedItems(db, { version, quantity: 1, addons })
  const ofAll = pricesOf(wanted)
  // The plan's come first.
  const ofPlan = pricesOf(wanted.slice(0, providerPrices(version).length))
  const own = items.filter(({ price }) => ofAll.has(price))
  if (items.length === 0 || own.some(({ price }) => ofPlan.has(price)))
    return { items: own, byProduct: undefined, undecided: undefined }
  const ofAddons = new Set((await addonPrices(db, account, items)).map(({ providerId }) => providerId))
  const candidates: ObservedSubscriptionItem[] = []
  for (const item of items) {
    if (ofAddons.has(item.price)) continue
    const plan = await planOfProduct(db, account, item.product)
    if (plan?.key === version.plan.key) candidates.push(item)
  }
  const [byProduct, ...more] = candidates
  if (byProduct && more.length === 0) return { items: [byProduct, ...own], byProduct, undecided: undefined }
  const found = byProduct ? `${candidates.length} items are of its product` : 'no item is of its product'
  const undecided = `It cannot be said what ${id} pays at Stripe for the plan ${version.plan.key}: ${found}. Change it at Stripe.`
  return { items: [], byProduct: undefined, undecided }
}

/** Who stays on the plan keeps the price that is paid for it: only the number becomes another, if it has one. */
export function keepingPrice(
  { price, quantity: standing }: ObservedSubscriptionItem,
  quantity: number | undefined,
): WantedItem {
  return { providerPrice: price, quantity: standing === null ? null : (quantity ?? standing) }
}

const pricesOf = (items: readonly WantedItem[]) => new Set(items.map(({ providerPrice }) => providerPrice))
