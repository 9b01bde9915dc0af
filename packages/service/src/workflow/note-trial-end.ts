import { addDue } from '../store/due.ts'
import { readSignUp } from '../store/sign-up.ts'
import { readSubscription } from '../store/subscriptions.ts'
import type { Step } from './journal.ts'
import type { Purchase, PurchaseDeps } from './purchase/strategy.ts'

export const TRIAL_END = 'trial-end'

/** The trial of the sign-up plan asks for a choice: what follows without one is due when it ends. */
export async function noteTrialEnd(
  { db, clock }: PurchaseDeps,
  step: Step,
  { customer, subscriptionId, version }: Purchase,
): Promise<void> {
  if (version.plan.trialDays === 0) return
  const signUp = await readSignUp(db)
  if (signUp?.plan !== version.plan.key) return
  await step('note end of trial', async () => {
    const subscription = await readSubscription(db, subscriptionId)
    if (!subscription?.trialEnd) return
    await addDue(db, {
      customerId: customer.id,
      kind: TRIAL_END,
      subjectId: subscriptionId,
      dueAt: subscription.trialEnd,
      at: clock.now(),
    })
  })
}
