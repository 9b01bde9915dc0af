import { type AttachedAddon, areSameAddons } from '@lockstep/core/addon'
import type { Plan } from '@lockstep/core/plan'
import { type ChangeDirection, directionOf } from '@lockstep/core/plan-change'
import { plannedTerms, type TermsOfVersion } from '@lockstep/core/planned-terms'
import type { Trx } from '../../postgres/connect.ts'
import { type Attached, attachedOf, loadAttached, soldOf } from '../../store/addons.ts'
import type { ProviderAccount } from '../../store/mappings.ts'
import { loadPlanVersion, type PlanVersion } from '../../store/plans.ts'
import type { FromTerms, ToldTerms } from '../../store/schema/plan-changes.ts'
import type { Row } from '../../store/schema.ts'
import { comesByNumber } from '../check-registration.ts'
import { providerPrices } from '../provider-prices.ts'
import { type ItemsWanted, itemsWanted } from './items-wanted.ts'
import type { Standing } from './standing.ts'

export interface ComesTo {
  /** What it makes another, as that stood when it was decided; the rest as it stands. */
  readonly from: FromTerms
  readonly to: ToldTerms
  readonly direction: ChangeDirection
  /** Of what stands, and of what comes. */
  readonly plans: { readonly now: Plan; readonly next: Plan }
  readonly items: ItemsWanted
}

interface Waiting {
  readonly subscription: Row<'subscription'>
  readonly change: Row<'planChange'>
  readonly standing: Standing
}

/** What a change that waits makes of its subscription as that stands now: {@link plannedTerms}, and the items that stand for it. */
export async function comesTo(
  trx: Trx,
  account: ProviderAccount,
  { subscription, change, standing }: Waiting,
): Promise<ComesTo> {
  const [now, next] = [
    await loadPlanVersion(trx, subscription.planVersionId),
    await loadPlanVersion(trx, change.planVersionId),
  ]
  const recorded = {
    ...{ planVersionId: change.fromPlanVersionId, quantity: change.fromQuantity },
    addons: change.fromAddons,
  }
  const isOfQuantity = changesQuantity(change, next)
  const keepsQuantity = comesByNumber(now) && comesByNumber(next)
  const planned = { from: recorded, to: change, isOfQuantity }
  const { from, to } = plannedTerms(planned, subscription, { keepsQuantity })
  const version = to.planVersionId === now.id ? now : next
  // What stays and has another rhythm than the plan is somebody else's item beside it.
  const goesAlong = ({ version: { addon } }: Attached) =>
    addon.interval === version.plan.interval && addon.intervalCount === version.plan.intervalCount
  const { id, itemNumbers } = subscription
  const attached = (await loadAttached(trx, subscription.addons)).filter(
    (one) => goesAlong(one) || isTakenOff(attachedOf(one), to),
  )
  const addons = (await loadAttached(trx, to.addons)).filter(goesAlong)
  const { quantity } = to
  const items = await itemsWanted(
    trx,
    account,
    { id, items: standing.items, version: now, addons: attached, itemNumbers },
    { version, quantity, addons, wishedQuantity: isOfQuantity ? quantity : undefined },
  )
  const comes = { quantity, addons: addons.map(attachedOf), itemNumbers: items.itemNumbers }
  const former = {
    plan: (await loadPlanVersion(trx, from.planVersionId)).plan,
    ...{ quantity: from.quantity, addons: (await loadAttached(trx, from.addons)).map(soldOf) },
  }
  return {
    from: { ...from, itemNumbers: isOfQuantity ? change.fromItemNumbers : items.itemNumbers },
    to: { ...comes, planVersionId: version.id },
    direction: directionOf(former, { ...comes, plan: version.plan, addons: addons.map(soldOf) }),
    plans: { now: now.plan, next: version.plan },
    items,
  }
}

const isTakenOff = ({ addon, version }: AttachedAddon, { addons }: TermsOfVersion) =>
  !addons.some((one) => one.addon === addon && one.version === version)

/** Whether the number of the plan is a part of what becomes another, or how many of one of its prices there are. */
function changesQuantity(change: Row<'planChange'>, plan: PlanVersion): boolean {
  if (change.quantity !== change.fromQuantity) return true
  if (change.planVersionId !== change.fromPlanVersionId) return false
  const { itemNumbers, fromItemNumbers } = change
  // What was recorded before they were changes nothing else, if it is about them.
  if (fromItemNumbers === null) return areSameAddons(change.fromAddons, change.addons)
  return providerPrices(plan).some(({ price: { key } }) => {
    const [before, after] = [fromItemNumbers, itemNumbers].map((all) => Object.hasOwn(all, key) && all[key])
    return before !== after
  })
}
