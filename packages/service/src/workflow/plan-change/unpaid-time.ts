import { formatInstant, type Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { timeBilledInVain } from '../../provider/stripe/unpaid-time.ts'
import type { LookDeps } from '../look.ts'

/**
 * Nothing is given back of time that nobody paid for. Stripe credits it as if it had been paid, also while the
 * invoice of a renewal is the draft that it is for an hour, and stops collecting that when the subscription ends:
 * who changed to less in that hour and ended it would keep the credit and never pay.
 * https://docs.stripe.com/billing/subscriptions/credit-proration-deferral
 */
export async function refuseUnpaidTime(
  deps: LookDeps,
  { id, providerId }: { readonly id: string; readonly providerId: string },
  at: Instant,
): Promise<void> {
  const until = await timeBilledInVain(deps, providerId, at)
  if (until === null) return
  const detail = `${id} has an invoice for the time until ${formatInstant(until)} that is not paid: what is unused of it is given back when it is. Try again then, or change it when the period is over.`
  throw new Problem('subscription_not_changeable', detail)
}
