import { areSameAddons } from '@lockstep/core/addon'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { newId } from '../../ids.ts'
import { newHolder } from '../../postgres/presence.ts'
import { transaction } from '../../postgres/transaction.ts'
import { observationOf, wasReplayed } from '../../provider/stripe/call.ts'
import { fetchSubscription } from '../../provider/stripe/fetch.ts'
import { idOf, idOrNull } from '../../provider/stripe/field.ts'
import { paymentOfInvoice } from '../../provider/stripe/first-payment.ts'
import { letGoOfMade, scheduleChange } from '../../provider/stripe/scheduled-changes.ts'
import { releaseSchedule, tellingOf } from '../../provider/stripe/schedules.ts'
import {
  changeSubscription,
  forgetHeldChange,
  invoiceApart,
  isHeldFor,
  payWith,
} from '../../provider/stripe/subscription-changes.ts'
import { removeAcceptance } from '../../store/contracts.ts'
import { changeProfile } from '../../store/customers.ts'
import { addDue } from '../../store/due.ts'
import { callMayBeDone, refusalOf, wasBegun } from '../../store/operations.ts'
import {
  markRefused,
  markScheduled,
  type PlanChange,
  readPlanChange,
  withdrawScheduled,
} from '../../store/plan-changes.ts'
import { loadPlanVersion } from '../../store/plans.ts'
import { readSubscription } from '../../store/subscriptions.ts'
import { problemOf } from '../../store/workflows.ts'
import { awaitCustomer } from '../await-customer.ts'
import { tellProvider } from '../change-customer.ts'
import { makeDefault, providePaymentMethod } from '../customer-at-provider.ts'
import { isRefusal, type Step, type WorkflowKind } from '../journal.ts'
import { type LookDeps, lookAt } from '../look.ts'
import { customerTime } from '../observe/customer-time.ts'
import { observe } from '../observe.ts'
import { observeAnswer } from '../observe-answer.ts'
import { collectPaymentMethod } from '../payment-page.ts'
import { syncSubscription } from '../sync-invoice.ts'
import { changedMeanwhile, isOtherThan } from './changed-meanwhile.ts'
import { discountsToTell, withCustomerOf } from './discounts.ts'
import { CHANGE_PLAN, type ChangeInput, PLANNED_CHANGE, PLANNED_TERMS } from './input.ts'
import { lastLook } from './planned-terms.ts'
import { scheduled } from './scheduled.ts'
import { makeEffective } from './take-effect.ts'
import { givenBackMeanwhile } from './unpaid-time.ts'

/**
 * Changes what a subscription runs on: from a recorded wish (begin.ts) to what both sides have. A refusal
 * leaves everything as it was, the payment method too; what was paid is never taken back.
 */
export function changePlanKind(deps: LookDeps): WorkflowKind {
  return {
    kind: CHANGE_PLAN,
    run: (step, { id, input }) => changePlan(deps, step, id, input as ChangeInput),
    async rolledBack(trx, { input }) {
      const { changeId } = input as ChangeInput
      await markRefused(trx, changeId)
      const change = await readPlanChange(trx, changeId)
      if (change?.state === 'refused') await removeAcceptance(trx, change.contractId)
    },
  }
}

async function changePlan(deps: LookDeps, step: Step, workflowId: string, input: ChangeInput): Promise<void> {
  await letGo(deps, step, input)
  const method = await providePayment(deps, step, workflowId, input)
  if (input.deed === 'schedule') await schedule(deps, step, input)
  const isDone = input.deed === 'change' && (await change(deps, step, workflowId, input, method))
  // What was bought with it pays for everything of the customer's from now on.
  if (method !== null)
    await makeDefault(deps, step, { ...input.customer, isNew: false }, method, input.subscription)
  // What was seen to be so took effect then; only what nobody can see is concluded here.
  if (input.deed !== 'schedule' && (!isDone || input.withdraws !== null)) await conclude(deps, step, input)
  await changeCustomer(deps, step, input)
}

/** What has taken effect is not made once more, whatever becomes of this change. */
async function letGo(
  deps: LookDeps,
  step: Step,
  { subscription, leftSchedule: scheduleId }: ChangeInput,
): Promise<void> {
  if (scheduleId === undefined || scheduleId === null) return
  await step('release schedule that is left', async (key) => {
    await releaseSchedule(deps, key, { subscriptionId: subscription.id, scheduleId })
    await lookAt(deps, { type: 'subscription', id: subscription.providerId })
  })
}

/** The method that the change is to be paid with; null where that is what pays already. */
async function providePayment(
  deps: LookDeps,
  step: Step,
  workflowId: string,
  input: ChangeInput,
): Promise<string | null> {
  const { paymentMethod, paymentPage, planVersionId } = input
  const customer = { ...input.customer, isNew: false }
  if (paymentMethod !== null) return providePaymentMethod(deps, step, customer, paymentMethod)
  if (paymentPage === null) return null
  const version = await loadPlanVersion(deps.db, planVersionId)
  const abandoned = 'plan_change_abandoned'
  return collectPaymentMethod(deps, step, { workflowId, customer, version }, paymentPage, { abandoned })
}

/** Has the provider change and bill it now, and writes down what it answered. Returns whether it took effect. */
async function change(
  deps: LookDeps,
  step: Step,
  workflowId: string,
  input: ChangeInput,
  method: string | null,
): Promise<boolean> {
  const { subscription, startsPeriod } = input
  // A period that ends early has no draft hour: what was used in it is told first.
  if (startsPeriod)
    await step('synchronize usage', async () => {
      await syncSubscription(deps, subscription.id, { reason: 'plan change', endsPeriod: true })
    })
  let answer: { readonly object: Stripe.Subscription; readonly observation: bigint } | undefined
  let billed: Stripe.Invoice | null = null
  const made = await step(
    'change at provider',
    async (operation, { withdrawn, intend, isFirst, isResumed }) => {
      const meanwhile = async () =>
        (isResumed ? await changedMeanwhile(deps, input) : undefined) ?? givenBackMeanwhile(deps, input)
      const own = { ...deps, intend, withdrawn }
      // What was begun is looked for first, by each try.
      if ((isResumed || input.credits) && !(await wasBegun(deps.db, operation))) refuseIf(await meanwhile())
      const { object, heldFor } = await tell(own, { isFirst, meanwhile }, input, operation, method).catch(
        async (error) => {
          // Told before what is refused, which leaves everything as it was.
          if (isRefusal(error) && (await wasBegun(deps.db, methodOf(operation))))
            await payAsBefore(deps, input, operation, method)
          // Decided by how it stood before somebody changed it at the provider, it is not what was wished by whoever sees that.
          if (error instanceof Problem && error.code === 'provider_refused')
            refuseIf(await changedMeanwhile(deps, input))
          throw error
        },
      )
      if (heldFor === null && !wasReplayed(object)) {
        const { subscription: changed, invoice } = invoiceApart(object)
        answer = { object: changed, observation: observationOf(object) }
        billed = invoice
      }
      return { id: object.id, heldFor }
    },
    {
      operation: (key) => key,
      undo: async ({ heldFor }, key) => {
        const { providerId: providerSubscription } = subscription
        if (heldFor !== null) {
          await forgetHeldChange(deps, `${key}/undo`, { providerSubscription, heldFor })
          await payAsBefore(deps, input, key, method)
        }
        await lookAt(deps, { type: 'subscription', id: providerSubscription })
      },
    },
  )
  const { heldFor } = made
  if (heldFor !== null) {
    await step('confirm payment', () => confirmPayment(deps, workflowId, input, heldFor))
    return false
  }
  return step('record change', async (_, { record }) => {
    let tookEffect = false
    // Before the change is seen, so that nobody sees what it billed as still to be billed.
    if (answer && billed)
      await observe(deps, {
        type: 'invoice',
        source: 'enclosed',
        observation: answer.observation,
        object: billed,
      })
    if (answer)
      await observeAnswer(deps, answer, async (trx, outcome) => {
        tookEffect = outcome.kind === 'applied' && outcome.tookEffect === input.changeId
        if (tookEffect) await record(trx, true, { isLast: method === null && isAllToDo(input) })
      })
    else await lookAt(deps, { type: 'subscription', id: subscription.providerId })
    return tookEffect || (await readPlanChange(deps.db, input.changeId))?.state === 'effective'
  })
}

const methodOf = (operation: string) => `${operation}/method`
const undoMethodOf = (operation: string) => `${operation}/undo-method`

/**
 * What was to pay for the change pays for nothing. Whoever has it paid by another one meanwhile keeps that, and of what is
 * over nothing is paid any more: Stripe refuses to be told of it.
 */
async function payAsBefore(
  deps: LookDeps,
  { subscription, formerMethod }: ChangeInput,
  operation: string,
  method: string | null,
): Promise<void> {
  const { default_payment_method: now, ended_at: endedAt } = await fetchSubscription(
    deps,
    subscription.providerId,
  )
  if (endedAt !== null || method === null || idOrNull(now, 'default_payment_method') !== method) return
  await payWith(deps, undoMethodOf(operation), subscription, formerMethod)
}

/** Refused, and its payment method taken back, when the run that heard so died: asked again, another one would pay for it. */
async function refuseIfTakenBack({ db }: LookDeps, operation: string): Promise<void> {
  if (!(await wasBegun(db, undoMethodOf(operation)))) return
  for (const id of [withCustomerOf(operation), operation]) refuseIf(problemOf(await refusalOf(db, id)))
}

function refuseIf(problem: Problem | undefined): void {
  if (problem) throw problem
}

/** What the provider was told is the whole of it: nothing is left to be withdrawn, and the customer stays who they are. */
function isAllToDo({ withdraws, profile }: ChangeInput): boolean {
  return withdraws === null && !isNewProfile(profile)
}

interface Telling {
  readonly isFirst: boolean
  /** Why it is not to be made any more, by what happened since it was decided. */
  meanwhile(): Promise<Problem | undefined>
}

/**
 * Without the customer first, because most banks do not ask. Where one does, once more in a way that holds
 * the change back until the customer has answered; that second call, once begun, is the only one that is
 * made again.
 */
async function tell(
  deps: LookDeps,
  { isFirst, meanwhile }: Telling,
  input: ChangeInput,
  operation: string,
  method: string | null,
): Promise<{ object: Stripe.Subscription; heldFor: string | null }> {
  const { subscription, items, prorationDate, startsPeriod, trialEnd } = input
  const discounts = await discountsToTell(deps, input, operation)
  const terms = {
    ...{ items, prorationDate, startsPeriod, trialEnd, discounts },
    subscriptionId: subscription.id,
    providerSubscription: subscription.providerId,
  }
  const second = {
    ...{ ...terms, operation: withCustomerOf(operation) },
    ...{ customerPresent: true, paymentMethod: null },
  }
  const unlessMoved = { ...deps, withdrawn: async () => (await deps.withdrawn?.()) ?? meanwhile() }
  const withCustomer = async () => {
    // Nothing can be looked up of it, so it is told also where all is given up by now, and taken back.
    const own = { ...deps, withdrawn: undefined }
    if (method !== null) await payWith(own, methodOf(operation), subscription, method)
    const object = await changeSubscription(unlessMoved, second)
    return { object, heldFor: isHeldFor(object, second.operation) ? second.operation : null }
  }
  if (!isFirst) await refuseIfTakenBack(deps, operation)
  if (!isFirst && (await wasBegun(deps.db, second.operation))) return withCustomer()
  try {
    const first = { ...terms, operation, customerPresent: false, paymentMethod: method }
    const object = await changeSubscription(unlessMoved, first)
    return { object, heldFor: null }
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'payment_action_required') throw error
    return withCustomer()
  }
}

/**
 * Waits until the invoice of the change is paid, or never will be. Until then everything is as it was: where it is not, what
 * the customer would pay for is not what was shown any more, and is given up.
 */
async function confirmPayment(
  deps: LookDeps,
  workflowId: string,
  input: ChangeInput,
  heldFor: string,
): Promise<void> {
  const { changeId, subscription, customer } = input
  const object = await fetchSubscription(deps, subscription.providerId)
  if (!isHeldFor(object, heldFor)) {
    await lookAt(deps, { type: 'subscription', id: subscription.providerId })
    if (object.metadata.lockstep_change === heldFor) return
    const { state } = (await readPlanChange(deps.db, changeId)) ?? {}
    if (state === 'effective') return
    refuseIf(isOtherThan(input, object))
    throw new Problem('payment_not_confirmed', 'The customer did not confirm the payment in time.')
  }
  const invoice = object.latest_invoice
  if (invoice === null) throw new Error(`The held change of ${object.id} has no invoice.`)
  const payment = await paymentOfInvoice(deps, idOf(invoice))
  if (payment.kind === 'failed') throw payment.problem
  if (payment.kind === 'made') throw notYetApplied()
  refuseIf(isOtherThan(input, object))
  throw await awaitCustomer(deps, { workflowId, customer }, { type: 'confirmPayment', url: payment.url })
}

/** Paid, and not yet so: tried again in a moment. */
function notYetApplied(): Problem {
  const detail = 'The payment provider has not applied a change that was paid.'
  return new Problem('provider_unavailable', detail, { retryAfterSeconds: 1 })
}

/** What was planned does not come any more, and the change is as it was wished: nobody waits for it. */
async function conclude(deps: LookDeps, step: Step, input: ChangeInput): Promise<void> {
  const { deed, withdraws, subscription, changeId } = input
  if (withdraws !== null) {
    await step('release schedule', async (key) => {
      if (deed === 'none') await refuseIfOther(deps, input)
      await releaseSchedule(deps, key, { subscriptionId: subscription.id, scheduleId: withdraws })
      await lookAt(deps, { type: 'subscription', id: subscription.providerId })
    })
  }
  await step('conclude change', () =>
    transaction(deps.db, async (trx) => {
      const change = await readPlanChange(trx, changeId)
      const now = await readSubscription(trx, subscription.id)
      if (!change || !now) throw new Error(`${changeId} is not there.`)
      if (withdraws !== null) await withdrawScheduled(trx, subscription.id)
      if (change.state === 'applying' && !isSo(now, change)) {
        if (deed === 'none') throw otherThanWished(subscription.id)
        throw new Error(`${subscription.id} was changed at the provider and is not seen to be.`)
      }
      const at = await customerTime(trx, deps.clock, change.customerId)
      await makeEffective(trx, { change, before: now, after: now }, at)
    }),
  )
}

type Terms = Pick<PlanChange, 'planVersionId' | 'quantity' | 'addons'>

const isSo = (now: Terms, change: Terms): boolean =>
  now.planVersionId === change.planVersionId &&
  now.quantity === change.quantity &&
  areSameAddons(now.addons, change.addons)

/** It is to stay as it is, and somebody may have made something else of it that nobody told us of. */
async function refuseIfOther(deps: LookDeps, { changeId, subscription }: ChangeInput): Promise<void> {
  await lookAt(deps, { type: 'subscription', id: subscription.providerId })
  const [now, change] = await Promise.all([
    readSubscription(deps.db, subscription.id),
    readPlanChange(deps.db, changeId),
  ])
  if (now && change && !isSo(now, change)) throw otherThanWished(subscription.id)
}

function otherThanWished(id: string): Problem {
  const detail = `${id} was changed at the payment provider meanwhile: ask for it as it is now.`
  return new Problem('subscription_not_changeable', detail)
}

/** Has the provider change it when the period is over. */
async function schedule(deps: LookDeps, step: Step, input: ChangeInput): Promise<void> {
  const { subscription, periodEnd, changeId, customer } = input
  const planned = await step(
    'schedule at provider',
    async (operation, { isResumed }) => {
      const wanted = { ...scheduled(input), operation }
      if (isResumed && !(await callMayBeDone(deps.db, tellingOf(operation)))) {
        const reason = await changedMeanwhile(deps, input)
        if (reason) await letGoOfMade(deps, wanted)
        refuseIf(reason)
      }
      try {
        const { id } = await scheduleChange(deps, wanted)
        return { id }
      } catch (error) {
        if (isRefusal(error)) await letGoOfMade(deps, wanted)
        throw error
      }
    },
    { operation: (key) => key },
  )
  await step('record schedule', async () => {
    await lookAt(deps, { type: 'subscription', id: subscription.providerId })
    await transaction(deps.db, async (trx) => {
      const change = { id: changeId, subscriptionId: subscription.id }
      await markScheduled(trx, change, { dueAt: periodEnd, providerScheduleId: planned.id })
      const at = deps.clock.now()
      const due = { customerId: customer.id, subjectId: changeId, at }
      await addDue(trx, { ...due, kind: PLANNED_TERMS, dueAt: lastLook(periodEnd) })
      await addDue(trx, { ...due, kind: PLANNED_CHANGE, dueAt: periodEnd })
    })
  })
}

/** Last, because it cannot be refused: who the customer is, here and then at the provider. */
async function changeCustomer(
  { db, clock }: LookDeps,
  step: Step,
  { customer, profile }: ChangeInput,
): Promise<void> {
  if (!isNewProfile(profile)) return
  await step('change customer', () =>
    transaction(db, async (trx) => {
      if (!(await changeProfile(trx, customer.id, profile))) return
      const workflow = { id: newId('workflow'), holder: newHolder() }
      await tellProvider(trx, { ...workflow, customerId: customer.id, at: clock.now() })
    }),
  )
}

function isNewProfile({ email, name }: ChangeInput['profile']): boolean {
  return email !== undefined || name !== undefined
}
