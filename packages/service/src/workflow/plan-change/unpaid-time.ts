import { formatInstant, type Instant } from '@lockstep/core/instant'
import { formatMoney, money } from '@lockstep/core/money'
import { Problem } from '@lockstep/core/problem'
import { type CreditedTime, keptForTime, previewCreditedTime } from '../../provider/stripe/paid-time.ts'
import { moneyOnItsWay } from '../../store/money-back.ts'
import { beingGivenBack } from '../begin-money-back.ts'
import type { LookDeps } from '../look.ts'
import type { Decision } from './decide.ts'
import type { ChangeInput } from './input.ts'

/**
 * A refund or a credit note that was begun so long ago, and is not made yet, is stuck: what was sent of it is in the provider's
 * books by now, and before it is sent once more it is held against them, so what a change has credited by then is not given back
 * again. Nobody waits for it.
 */
const STUCK_SECONDS = 600

/**
 * Nothing is given back of time that nobody paid for, and nothing twice. Stripe credits it as if it had been paid: while
 * the invoice of a renewal is the draft that it is for an hour, and no more collected once the subscription ends; also
 * where it was voided, credited or refunded. So a change may credit at most what was paid for that time and is still here.
 * https://docs.stripe.com/billing/subscriptions/credit-proration-deferral
 */
export async function refuseUnpaidTime(deps: LookDeps, decision: Decision): Promise<CreditedTime | null> {
  const { subscription, prorationDate } = decision
  const providerSubscription = subscription.providerId
  const credited = await previewCreditedTime(deps, { ...decision, providerSubscription })
  if (credited === null) return null
  const problem = await whyNotKept(deps, { subscription, prorationDate, credited })
  if (problem) throw problem
  return credited
}

/**
 * Asked right before the provider is told, because what was decided may be hours old: a process died, the provider was
 * away, or the customer took their time, and somebody gave the money back meanwhile.
 */
export async function givenBackMeanwhile(
  deps: LookDeps,
  { subscription, prorationDate, credits }: ChangeInput,
): Promise<Problem | undefined> {
  // A change that was recorded before amounts were says nothing.
  if (credits === undefined || credits === null) return undefined
  const { minor, currency, end } = credits
  const credited = { amount: money(BigInt(minor), currency), end }
  return whyNotKept(deps, { subscription, prorationDate, credited })
}

interface CreditAsked {
  readonly subscription: { readonly id: string; readonly providerId: string }
  readonly prorationDate: Instant
  readonly credited: CreditedTime
}

async function whyNotKept(
  deps: LookDeps,
  { subscription: { id, providerId }, prorationDate: at, credited }: CreditAsked,
): Promise<Problem | undefined> {
  const { currency } = credited.amount
  // What is on its way back is not seen at the provider yet.
  const [invoice] = await moneyOnItsWay(deps.db, id, deps.clock.now() - STUCK_SECONDS)
  if (invoice !== undefined) throw beingGivenBack(invoice)
  const kept = await keptForTime(deps, providerId, { at, currency })
  if (credited.amount.minor <= kept.minor) return undefined
  const [back, paid] = [credited.amount, kept].map((amount) => `${formatMoney(amount)} ${currency}`)
  const detail = `${back} would be given back for time of ${id} until ${formatInstant(credited.end)}, and ${paid} was paid for it and not given back since. Change it when that is paid, or when the period is over.`
  return new Problem('subscription_not_changeable', detail)
}
