import type Stripe from 'stripe'
import { objectsMadeBy } from '../../store/operations.ts'
import { methodsBrought } from '../../store/registrations.ts'
import { type CallDeps, callStripe, type Intention } from './call.ts'
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
      // A method carries nothing of ours before it is attached: it is one that nothing else brought, newest first.
      const [others, brought] = await Promise.all([
        objectsMadeBy(deps.db, { kind, subjectId: customerId, except: id }),
        methodsBrought(deps.db, customerId),
      ])
      for await (const method of stripe.customers.listPaymentMethods(customer, { limit: 100 })) {
        if (!others.has(method.id) && !brought.has(method.id)) return method
      }
      return undefined
    },
  )
}

/** Has everything that comes due charged to this method, but what names one of its own. */
export function setDefaultPaymentMethod(
  deps: CallDeps,
  operation: Pick<Intention, 'id' | 'settledByCaller'>,
  customer: { readonly id: string; readonly providerId: string },
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
