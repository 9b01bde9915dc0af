import { Problem, type ProblemCode } from '@lockstep/core/problem'
import { closePaymentPage, openPaymentPage, readPaymentPage } from '../provider/stripe/payment-pages.ts'
import { awaitCustomer } from './await-customer.ts'
import { chargeTo, type LinkedCustomer } from './customer-at-provider.ts'
import type { Step } from './journal.ts'
import type { Purchase, PurchaseDeps } from './purchase/strategy.ts'

export interface WantedPage {
  readonly returnUrl: string
  readonly cancelUrl: string | null
}

/**
 * Sends the customer to a page of the provider's to leave a payment method, and waits. Coming back and
 * the provider's event both only wake the workflow: whichever is first, it looks, and goes on once.
 */
export async function collectPaymentMethod(
  deps: PurchaseDeps,
  step: Step,
  purchase: Pick<Purchase, 'workflowId' | 'version'> & { readonly customer: LinkedCustomer },
  { returnUrl, cancelUrl }: WantedPage,
  { abandoned = 'registration_abandoned' }: { readonly abandoned?: ProblemCode } = {},
): Promise<string | null> {
  const { customer, workflowId, version } = purchase
  const page = await step(
    'open payment page',
    async (operation) => {
      const { id } = await openPaymentPage(deps, {
        operation,
        workflowId,
        customerId: customer.id,
        providerCustomer: customer.providerId,
        currency: version.plan.currency,
        returnUrl,
        cancelUrl,
      })
      return { id }
    },
    { operation: (key) => key, undo: ({ id }, key) => closePaymentPage(deps, `${key}/undo`, id) },
  )
  const method = await step('await payment method', async () => {
    const state = await readPaymentPage(deps, page.id)
    if (state.kind === 'left') return { id: state.paymentMethod }
    if (state.kind === 'open')
      throw await awaitCustomer(deps, purchase, { type: 'providePaymentMethod', url: state.url })
    throw new Problem(abandoned, 'The page for the payment method was closed without one.')
  })
  return chargeTo(deps, step, customer, method.id)
}
