import { type ItemNumbers, inAddon, numbersOf } from '@lockstep/core/item-numbers'
import type { ObservedSubscriptionItem } from '../../provider/stripe/to-subscription.ts'
import type { AddonVersion, Attached } from '../../store/addons.ts'
import type { PlanVersion } from '../../store/plans.ts'
import { providerPrices } from '../provider-prices.ts'
import type { WantedTermsItem } from '../subscription-items.ts'
import type { ChangeWish } from './wish.ts'

interface Change {
  readonly wish: Pick<ChangeWish, 'quantity'>
  readonly isOtherPlan: boolean
  readonly fromAddons: readonly Attached[]
}

/**
 * Of the items that shall stand there, those that a wish is about have the number that it comes to. What it does not concern
 * stays as it stands: it has its own number at the provider, whatever others have, and what was taken away there is not put
 * back by a change of something else.
 */
export function asTheyStand(
  wanted: readonly WantedTermsItem[],
  standing: readonly ObservedSubscriptionItem[],
  change: Change,
): WantedTermsItem[] {
  return wanted.flatMap((item): WantedTermsItem[] => {
    if (isConcerned(item, change)) return [item]
    const its = standing.find(({ price }) => price === item.providerPrice)
    return its ? [{ ...item, quantity: its.quantity }] : []
  })
}

/** A flat price beside others that come by number is not what their number is about. */
function isConcerned({ sold, number, price }: WantedTermsItem, change: Change): boolean {
  const isCounted = price.model !== 'flat' || !providerPrices(sold).some((its) => its.price.model !== 'flat')
  if ('plan' in sold) return change.isOtherPlan || (change.wish.quantity !== undefined && isCounted)
  const stood = change.fromAddons.find(({ version }) => version.id === sold.id)
  return !stood || (stood.quantity !== number && isCounted)
}

/** How many of each price stand there when the wish is carried out, where that is not what the quantities say. */
export function itemNumbersWanted(
  wanted: readonly WantedTermsItem[],
  plan: { readonly version: PlanVersion; readonly quantity: number },
  addons: readonly Attached[],
): ItemNumbers {
  const of = ({ version, quantity }: { version: PlanVersion | AddonVersion; quantity: number }) => {
    const its = wanted.filter(({ sold }) => sold.id === version.id)
    const together = providerPrices(version).map(({ price }) => price)
    return numbersOf(
      together,
      its.map(({ price, quantity: number }) => ({ key: price.key, quantity: number })),
      quantity,
    )
  }
  return Object.assign(
    of(plan),
    ...addons.map((addon) => inAddon(addon.version.addon.key, of(addon))),
  ) as ItemNumbers
}
