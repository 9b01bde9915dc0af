import { formatInstant, type Instant } from '@lockstep/core/instant'
import type { RegistrationWithSteps } from '../../store/registrations.ts'
import { awaitsCustomer, problemOf } from '../../store/workflows.ts'
import type { TaxAssessment } from '../../tax/port.ts'
import { findStrategy, purchaseStrategies } from '../../workflow/purchase/strategies.ts'
import { type RequiredAction, remainsOf } from '../../workflow/registration-record.ts'
import { type RegistrationTask, registrationTasks } from '../../workflow/registration-tasks.ts'

/** A registration as its readers see it: the tasks with what they need and hand on, and what is left. */
export function registrationToApi(registration: RegistrationWithSteps) {
  const { id, customerId, externalId, planKey, planVersion, purchase, requestOrigin, slot } = registration
  const { subscriptionId, stage, cause } = registration
  const state = awaitsCustomer(registration) ? 'requiresAction' : registration.state
  const problem = problemOf(registration.problem)
  return {
    id,
    customer: customerId,
    externalId,
    plan: planKey,
    planVersion,
    purchase,
    requestOrigin,
    slot,
    subscription: makesInvoice(purchase) ? null : subscriptionId,
    state,
    stage,
    steps: [...registration.steps.map(recordedStep), ...unfinishedStep({ ...registration, state })],
    action: actionOf(registration),
    problem: problem ? { code: problem.code, title: problem.title, detail: problem.detail } : null,
    cause,
    tax: registration.tax as TaxAssessment | null,
    remains: remainsOf(registration),
    nextAttemptAt: state === 'failed' || state === 'compensating' ? timeOf(registration.nextAttemptAt) : null,
    createdAt: formatInstant(registration.createdAt),
    endedAt: timeOf(registration.endedAt),
  }
}

function recordedStep({ name, state, startedAt, endedAt }: RegistrationWithSteps['steps'][number]) {
  return { name, state, ...taskOf(name), startedAt: timeOf(startedAt), endedAt: formatInstant(endedAt) }
}

const outcomes = {
  running: 'running',
  requiresAction: 'waiting',
  failed: 'failed',
  parked: 'failed',
  compensating: 'failed',
  rolledBack: 'failed',
} as const

/** The step at which it stands, if it was begun and is not done. */
function unfinishedStep({ state, stage, stageStartedAt, steps }: RegistrationWithSteps) {
  if (stage === null || stageStartedAt === null || state === 'completed') return []
  if (steps.some(({ name }) => name === stage)) return []
  const startedAt = formatInstant(stageStartedAt)
  return [{ name: stage, state: outcomes[state], ...taskOf(stage), startedAt, endedAt: null }]
}

function taskOf(name: string) {
  return registrationTasks[name as RegistrationTask] ?? { needs: [], handsOn: [] }
}

function actionOf({ action }: RegistrationWithSteps) {
  if (action === null) return null
  const { type, url, expiresAt } = action as RequiredAction
  return { type, url, expiresAt: formatInstant(expiresAt) }
}

function makesInvoice(purchase: string): boolean {
  return findStrategy(purchaseStrategies, purchase)?.makes === 'invoice'
}

const timeOf = (at: Instant | null) => (at === null ? null : formatInstant(at))
