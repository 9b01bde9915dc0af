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
  'assess tax': task(['user'], ['tax']),
  // Only of one who is linked already.
  'look for customer at provider': task(['user']),
  'create customer at provider': task(['user'], ['providerCustomer']),
  'link customer': task(['user', 'providerCustomer'], ['customer']),
  'update customer at provider': task(['customer']),
  // Only of whom somebody was forgotten: what that person left pays for nothing new.
  'pass erasure': task(['customer']),
  'open payment page': task(['customer'], ['paymentPage']),
  'await payment method': task(['paymentPage'], ['paymentMethod']),
  'attach payment method': task(['customer'], ['paymentMethod']),
  'set default payment method': task(['customer', 'paymentMethod']),
  'configure subscription': task(['membership', 'customer'], ['configuration']),
  'start subscription': task(['configuration'], ['subscription']),
  // The bank asks the customer; only where it does.
  'confirm payment': task(['subscription']),
  'schedule payments': task(['subscription']),
  'make invoice': task(['membership', 'customer'], ['invoice']),
  'pay invoice': task(['invoice']),
  // Of one who had something already: not before there is something to be charged for.
  'make payment method default': task(['paymentMethod']),
  'record purchase': task(['invoice']),
  'record subscription': task(['membership', 'subscription']),
  'conclude contract': task(['membership'], ['contract']),
  'note end of trial': task(['subscription']),
} as const satisfies Readonly<Record<string, Task>>

export type RegistrationTask = keyof typeof registrationTasks
