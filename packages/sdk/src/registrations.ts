import type { Answer, BodyInput, QueryInput } from '@lockstep/api/define-route'
import * as registrations from '@lockstep/api/registrations'
import type { Asking } from './asking.ts'
import type { CallOptions } from './call.ts'
import { until, type WaitOptions } from './wait.ts'

/** A sign-up and what becomes of it. */
export function registrationCalls({ ask, list }: Asking) {
  return {
    create: (body: BodyInput<typeof registrations.createRegistration>, more?: CallOptions) =>
      ask(registrations.createRegistration, { body }, more),
    read: (id: string) => ask(registrations.readRegistration, { params: { id } }),
    resume: (id: string) => ask(registrations.resumeRegistration, { params: { id } }),
    cancel: (id: string) => ask(registrations.cancelRegistration, { params: { id } }),
    list: (query?: QueryInput<typeof registrations.listRegistrations>) =>
      list(registrations.listRegistrations, query),
    /** Reads it until it is completed, rolled back or parked, or the customer has to do something. */
    ended: (id: string, wait?: WaitOptions<Registration>) =>
      until(
        () => ask(registrations.readRegistration, { params: { id } }),
        ({ state }) => state !== 'running' && state !== 'failed' && state !== 'compensating',
        wait,
      ),
  }
}

export type Registration = Answer<typeof registrations.readRegistration>
export type NewRegistration = BodyInput<typeof registrations.createRegistration>
