import { configureSubscription, costsSomething } from './configuration.ts'
import type { PurchaseStrategy } from './strategy.ts'
import { recordSubscription, subscribe } from './subscribe.ts'

/** A subscription that renews until somebody ends it. It begins with the trial of its plan, if any. */
export const membership: PurchaseStrategy = {
  type: 'membership',
  makes: 'subscription',
  slotOf: () => 'default',
  paymentsOf: () => null,
  check: () => [],
  isDueNow: ({ quantity }, version) => version.plan.trialDays === 0 && costsSomething(version, quantity),
  async buy(deps, step, purchase) {
    const { trialDays } = purchase.version.plan
    const configuration = await step(
      'configure subscription',
      () => configureSubscription(deps.db, purchase, { type: membership.type, trialDays }),
      { repeatable: true },
    )
    return subscribe(deps, step, purchase, configuration)
  },
  activate: recordSubscription,
}
