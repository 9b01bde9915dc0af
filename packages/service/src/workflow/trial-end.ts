import { isTerminal } from '@lockstep/core/subscription'
import type { Db } from '../postgres/connect.ts'
import { endSubscription, extendTrial } from '../provider/stripe/subscriptions.ts'
import { addDue, type Due } from '../store/due.ts'
import { callMayBeDone } from '../store/operations.ts'
import { readRegistration } from '../store/registrations.ts'
import { readSignUp } from '../store/sign-up.ts'
import { listHistory } from '../store/subscription-history.ts'
import { readSubscription, type Subscription } from '../store/subscriptions.ts'
import { hasStopped } from '../store/workflows.ts'
import { beginRegistration } from './begin-registration.ts'
import type { DueDeps, DueKind } from './due.ts'
import { lookAt } from './look.ts'
import { TRIAL_END } from './note-trial-end.ts'

const SECONDS_PER_DAY = 86_400
/** Of the second end that a trial has: it is prolonged once. */
const EXTENDED = 'extended'

/**
 * The trial of the sign-up plan is over and nobody has chosen: the catalogue says what follows. A
 * subscription that is on another plan by now, or over, made its choice.
 */
export const trialEnd: DueKind = {
  kind: TRIAL_END,
  async run(deps, due) {
    const [subscriptionId = '', again] = due.subjectId.split('/')
    const subscription = await readSubscription(deps.db, subscriptionId)
    const signUp = await readSignUp(deps.db)
    if (!subscription?.providerId || !signUp) return 'nothing to do'
    const { id, planKey, status, providerId } = subscription
    if (planKey !== signUp.plan || isToEnd(subscription, due)) return 'a choice was made'
    // Ended by us, and we died before it went on; one that the user ended stays ended.
    const end = `${due.id}/end`
    const isMoving = signUp.afterTrial.policy === 'moveTo' && (await isEndedByUs(deps.db, id, end))
    if (isTerminal(status) && !isMoving) return 'a choice was made'
    if (signUp.afterTrial.policy === 'extend' && again !== EXTENDED)
      return extend(deps, due, { ...subscription, providerId }, signUp.afterTrial.days)

    if (!isTerminal(status)) {
      await endSubscription(deps, end, { id, providerId })
      await lookAt(deps, { type: 'subscription', id: providerId })
    }
    if (signUp.afterTrial.policy !== 'moveTo') return 'expired'
    return moveTo(deps, due, subscription, signUp.afterTrial.plan)
  },
}

/** Somebody planned its end for that moment, and the provider has not come to that yet. */
function isToEnd({ status, cancelAt, cancelAtPeriodEnd }: Subscription, { dueAt }: Due): boolean {
  return !isTerminal(status) && (cancelAtPeriodEnd || (cancelAt !== null && cancelAt <= dueAt))
}

/** The call may have done it, and nothing did that is known here: somebody's deed, a planned end, a failed payment. */
async function isEndedByUs(db: Db, id: string, end: string): Promise<boolean> {
  const [mayBeDone, [last]] = await Promise.all([callMayBeDone(db, end), listHistory(db, id, { limit: 1 })])
  return mayBeDone && (last?.cause === 'provider' || last?.cause === 'found')
}

async function extend(
  deps: DueDeps,
  due: Due,
  { id, customerId, providerId }: Subscription & { readonly providerId: string },
  days: number,
): Promise<string> {
  const until = due.dueAt + days * SECONDS_PER_DAY
  await extendTrial(deps, `${due.id}/extend`, { id, providerId }, until)
  await lookAt(deps, { type: 'subscription', id: providerId })
  const subjectId = `${id}/${EXTENDED}`
  await addDue(deps.db, { customerId, kind: TRIAL_END, subjectId, dueAt: until, at: deps.clock.now() })
  return `extended by ${days} days`
}

/**
 * On to the other plan as anybody would come to it: by a registration of its own, with its own contract. It stays due
 * as long as somebody is at work on that; where it stopped otherwise than done, for the customer perhaps, that is said.
 */
async function moveTo(
  deps: DueDeps,
  due: Due,
  { externalId, slot }: Subscription,
  plan: string,
): Promise<string | null> {
  const wanted = {
    externalId,
    plan,
    quantity: 1,
    slot: slot ?? 'default',
    // With the trial of that plan, if it has one: the catalogue says that it follows.
    trial: 'again' as const,
    requestOrigin: 'lockstep/trial-end',
  }
  const asked = { operation: `${due.id}/move`, mayGivePlans: true }
  const { registrationId, workflow } = await beginRegistration(deps, wanted, asked)
  if (workflow) {
    deps.workflows.begin(workflow.id, workflow.holder)
    await deps.workflows.settled(workflow.id, PATIENCE_SECONDS)
  }
  const registration = await readRegistration(deps.db, registrationId)
  if (!registration) throw new Error(`There is no registration ${registrationId}.`)
  const { state } = registration
  if (state === 'completed') return `moved to ${plan} by ${registrationId}`
  // One that failed is tried again by itself.
  const hasHalted = state !== 'failed' && hasStopped(state)
  return hasHalted ? `to ${plan} by ${registrationId}: ${state}` : null
}

const PATIENCE_SECONDS = 20
