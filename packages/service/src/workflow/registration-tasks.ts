import type { Task } from './journal.ts'

const task = (needs: readonly string[], handsOn: readonly string[] = []): Task => ({ needs, handsOn })

/**
 * The tasks of a registration in the order in which they come, each with what it needs of earlier ones
 * and what it hands on. Which of them a registration has, its request and its purchase strategy decide.
 */
export const registrationTasks = {
  'record user': task([], ['user']),
  // The place for one live subscription: taken before anybody outside is asked for anything.
  'reserve membership': task(['user'], ['membership']),
  'create customer at provider': task(['user'], ['providerCustomer']),
  'link customer': task(['user', 'providerCustomer'], ['customer']),
  'update customer at provider': task(['customer']),
  'attach payment method': task(['customer'], ['paymentMethod']),
  'set default payment method': task(['customer', 'paymentMethod']),
  'configure subscription': task(['membership', 'customer'], ['configuration']),
  'start subscription': task(['configuration'], ['subscription']),
  'record subscription': task(['membership', 'subscription']),
  'conclude contract': task(['membership'], ['contract']),
} as const satisfies Readonly<Record<string, Task>>

export type RegistrationTask = keyof typeof registrationTasks
