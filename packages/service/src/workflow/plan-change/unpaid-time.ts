import { formatInstant } from '@lockstep/core/instant'
import { formatMoney } from '@lockstep/core/money'
import { Problem } from '@lockstep/core/problem'
import { keptForTime, previewCreditedTime } from '../../provider/stripe/paid-time.ts'
import type { LookDeps } from '../look.ts'
import type { Decision } from './decide.ts'

/**
 * Nothing is given back of time that nobody paid for, and nothing twice. Stripe credits it as if it had been paid: while
 * the invoice of a renewal is the draft that it is for an hour, and no more collected once the subscription ends; also
 * where it was voided, credited or refunded. So a change may credit at most what was paid for that time and is still here.
 * https://docs.stripe.com/billing/subscriptions/credit-proration-deferral
 */
export async function refuseUnpaidTime(deps: LookDeps, decision: Decision): Promise<void> {
  const { subscription, prorationDate: at } = decision
  const { id, providerId: providerSubscription, currency } = subscription
  const credited = await previewCreditedTime(deps, { ...decision, providerSubscription })
  if (credited === null) return
  const kept = await keptForTime(deps, providerSubscription, { at, currency })
  if (credited.amount.minor <= kept.minor) return
  const [back, paid] = [credited.amount, kept].map((amount) => `${formatMoney(amount)} ${currency}`)
  const detail = `${back} would be given back for time of ${id} until ${formatInstant(credited.end)}, and ${paid} was paid for it and not given back since. Change it when that is paid, or when the period is over.`
  throw new Problem('subscription_not_changeable', detail)
}
