import { schedulePayments } from '../../provider/stripe/schedules.ts'
import { configureSubscription, costsSomething } from './configuration.ts'
import { notOffered } from './not-offered.ts'
import type { PurchaseStrategy } from './strategy.ts'
import { recordSubscription, subscribe } from './subscribe.ts'

/**
 * A fixed number of payments, one each period of the plan, the first at once; then it is over by itself.
 * A course has no trial: it begins with its first payment.
 */
export const course: PurchaseStrategy = {
  type: 'course',
  makes: 'subscription',
  slotOf: ({ key }) => key,
  paymentsOf: ({ payments }) => payments,
  *check(wanted, { plan }) {
    if (plan.payments === null) yield notOffered(`The plan ${plan.key} has no fixed number of payments.`)
    if (plan.trialDays > 0) yield notOffered(`The plan ${plan.key} has a trial, and a course begins at once.`)
    // A schedule replaces the discounts of its subscription.
    if ((wanted.coupons ?? []).length > 0)
      yield { ...notOffered('A course takes no coupons.'), pointer: '#/coupons' }
  },
  isDueNow: ({ quantity }, version) => costsSomething(version, quantity),
  async buy(deps, step, purchase) {
    const { plan } = purchase.version
    const configuration = await step(
      'configure subscription',
      () => configureSubscription(deps.db, purchase, { type: course.type, trialDays: 0 }),
      { repeatable: true },
    )
    const { id } = await subscribe(deps, step, purchase, configuration)
    await step(
      'schedule payments',
      async (operation) => {
        const schedule = await schedulePayments(deps, {
          operation,
          subscriptionId: purchase.subscriptionId,
          providerSubscription: id,
          items: configuration.items,
          interval: plan.interval,
          // As many intervals as there are payments: each one is paid at its beginning.
          intervals: plan.intervalCount * (plan.payments ?? 1),
        })
        return { id: schedule.id }
      },
      { operation: (key) => key },
    )
    // What was answered at the start knows nothing of its end: it is read again.
    return { id }
  },
  activate: recordSubscription,
}
