import type { Instant } from '@lockstep/core/instant'
import type { RegistrationWithSteps } from '../store/registrations.ts'
import { type RegistrationTask, registrationTasks } from './registration-tasks.ts'

/** What the customer has to do before a registration goes on; kept with its workflow. */
export interface RequiredAction {
  readonly type: 'providePaymentMethod' | 'confirmPayment'
  readonly url: string
  /** In the customer's own time. */
  readonly expiresAt: Instant
}

/** Handed on, but nothing that anybody could find afterwards. */
const PASSING: readonly string[] = ['configuration', 'membership', 'paymentPage', 'tax']

/** What a registration that came to nothing made and left: what its steps handed on and nobody took back. */
export function remainsOf({ state, steps }: RegistrationWithSteps): string[] {
  if (state !== 'rolledBack' && state !== 'parked') return []
  return steps
    .filter((step) => step.state === 'done')
    .flatMap(({ name }): readonly string[] => registrationTasks[name as RegistrationTask]?.handsOn ?? [])
    .filter((thing) => !PASSING.includes(thing))
}
