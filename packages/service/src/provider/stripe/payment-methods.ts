import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { objectsMadeBy } from '../../store/operations.ts'
import { type CallDeps, callStripe, type Intention } from './call.ts'
import { fetchCustomer } from './fetch.ts'
import { idOf } from './field.ts'

export interface PaymentMethodToAttach {
  readonly operation: string
  readonly customerId: string
  readonly providerCustomer: string
  /** Stripe's id, or in test mode a token such as `pm_card_visa`, of which each use makes a new one. */
  readonly paymentMethod: string
}

/** Attaches a payment method to its customer. A card that is declined is refused here. */
export function attachPaymentMethod(
  deps: CallDeps,
  attach: PaymentMethodToAttach,
): Promise<Stripe.PaymentMethod> {
  const { operation: id, customerId, providerCustomer: customer, paymentMethod } = attach
  const kind = 'payment_method.attach'
  return callStripe(
    deps,
    {
      id,
      kind,
      subjectId: customerId,
      body: { customer, paymentMethod },
      settledByCaller: true,
    },
    (stripe, options) => stripe.paymentMethods.attach(paymentMethod, { customer }, options),
    async (stripe) => {
      if (!isToken(paymentMethod)) {
        const method = await stripe.paymentMethods.retrieve(paymentMethod)
        return method.customer !== null && idOf(method.customer) === customer ? method : undefined
      }
      // A method carries nothing of ours before it is attached: it is one that no other call made, newest first.
      const others = await objectsMadeBy(deps.db, { kind, subjectId: customerId, except: id })
      for await (const method of stripe.customers.listPaymentMethods(customer, { limit: 100 })) {
        if (!others.has(method.id)) return method
      }
      return undefined
    },
  )
}

/** Has everything that comes due charged to this method. Settled by the step that it is. */
export function setDefaultPaymentMethod(
  deps: CallDeps,
  operation: string,
  customer: ProvidedCustomer,
  paymentMethod: string,
): Promise<Stripe.Customer> {
  return setDefault(deps, { id: operation, settledByCaller: true }, customer, paymentMethod)
}

/** What everything that comes due is charged to; null while there is none. */
export async function defaultPaymentMethod(
  deps: Pick<CallDeps, 'provider'>,
  providerCustomer: string,
): Promise<string | null> {
  const customer = await fetchCustomer(deps, providerCustomer)
  const method = customer.deleted ? null : customer.invoice_settings.default_payment_method
  return method === null ? null : idOf(method)
}

/** Gives the place back to the method before, if it was not given to another one since. */
export async function restoreDefaultPaymentMethod(
  deps: CallDeps,
  operation: string,
  customer: ProvidedCustomer,
  { taken, before }: { readonly taken: string; readonly before: string },
): Promise<void> {
  if ((await defaultPaymentMethod(deps, customer.providerId)) !== taken) return
  try {
    await setDefault(deps, { id: operation }, customer, before)
  } catch (error) {
    // Taken off the customer meanwhile: there is nothing to go back to.
    if (!(error instanceof Problem) || error.code !== 'provider_refused') throw error
  }
}

interface ProvidedCustomer {
  readonly id: string
  readonly providerId: string
}

function setDefault(
  deps: CallDeps,
  operation: Pick<Intention, 'id' | 'settledByCaller'>,
  customer: ProvidedCustomer,
  paymentMethod: string,
): Promise<Stripe.Customer> {
  const body = { invoice_settings: { default_payment_method: paymentMethod } }
  const kind = 'customer.default_payment_method'
  return callStripe(
    deps,
    { ...operation, kind, subjectId: customer.id, body, repeatable: true },
    (stripe, options) => stripe.customers.update(customer.providerId, body, options),
  )
}

/** Stripe's test tokens have names where ids have random characters. */
function isToken(paymentMethod: string): boolean {
  return paymentMethod.startsWith('pm_card_')
}
