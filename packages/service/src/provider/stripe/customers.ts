import type { Address } from '@lockstep/core/address'
import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import { type CallDeps, callStripe } from './call.ts'
import { idOf } from './field.ts'
import { isOf, ownMetadata } from './metadata.ts'
import { isRefused } from './problems.ts'

/** Besides the payment method only what never changes: whoever asks gets the same customer. */
export interface CustomerToMake {
  readonly id: string
  /** Stripe's id of the clock it lives at. */
  readonly testClock: string | null
  /** When we recorded the customer, to know where to look for it. */
  readonly createdAt: Instant
  /** Attached by the same call, as what everything is charged to. Null: none. */
  readonly paymentMethod: string | null
}

export interface MadeCustomer {
  readonly id: string
  /** Attached, and the default. Absent: none was asked for, Stripe refused it, or somebody else's was taken. */
  readonly paymentMethod?: string
}

/** Clocks differ: what was made after our record may carry a time before it. */
const CLOCK_SKEW_SECONDS = 3600

/** The kind of the calls that say who a customer is. */
export const TELL_CUSTOMER = 'customer.update'

/** The one operation that may make a customer at Stripe, whoever asks for it. */
export const customerOperation = (customerId: string): string => `${customerId}/create`

/**
 * Makes a customer at Stripe; the same one however often and from wherever it is asked for. Who it is, is
 * told afterwards (`updateCustomer`): two who ask at once may know it by two names.
 *
 * A payment method is attached and becomes the default by the very call, which Stripe refuses whole where the method
 * is refused (https://docs.stripe.com/api/customers/create#create_customer-payment_method). Then the customer is made
 * without it: whoever attaches it by itself is told why that cannot be. `methodsNamed`: those that others who
 * make this customer at the same time may have said.
 */
export async function makeCustomer(
  deps: CallDeps,
  customer: CustomerToMake,
  methodsNamed: () => Promise<readonly string[]>,
): Promise<MadeCustomer> {
  const { paymentMethod } = customer
  const id = customerOperation(customer.id)
  const alone: Stripe.CustomerCreateParams = {
    ...(customer.testClock !== null && { test_clock: customer.testClock }),
    metadata: ownMetadata(deps.provider, id, { lockstep_customer: customer.id }),
  }
  const withMethod = (method: string) => ({
    ...alone,
    payment_method: method,
    invoice_settings: { default_payment_method: method },
  })
  const others = async () => [alone, ...(await methodsNamed()).map(withMethod)]
  let sent: Stripe.CustomerCreateParams | undefined
  const make = (body: Stripe.CustomerCreateParams) => {
    // Where it is found by a look, nothing is known of the words.
    sent = undefined
    return callStripe(
      deps,
      { id, kind: 'customer.create', subjectId: customer.id, body, others, settledByCaller: true },
      (stripe, options, words) => {
        sent = words
        return stripe.customers.create(words, options)
      },
      (stripe) => findCustomer(deps, stripe, customer),
    )
  }

  const wanted = paymentMethod === null ? alone : withMethod(paymentMethod)
  let made: Stripe.Customer | undefined
  for (let body: Stripe.CustomerCreateParams = wanted; !made; body = alone) {
    made = await make(body).catch((error) => {
      // What was refused may have been said by somebody else, with another method.
      if (sent === alone || !isRefused(error)) throw error
      return undefined
    })
  }
  const method = made.invoice_settings.default_payment_method
  // A test token such as `pm_card_visa` is another one each time: that it is ours, only the answer to our own words says.
  const isOurs = method !== null && (sent === wanted || idOf(method) === paymentMethod)
  return { id: made.id, ...(isOurs && { paymentMethod: idOf(method) }) }
}

/** What an earlier try made; its key cannot tell any more. */
async function findCustomer(
  { provider }: CallDeps,
  stripe: Stripe,
  { id, testClock, createdAt }: CustomerToMake,
): Promise<Stripe.Customer | undefined> {
  // Customers on a clock have simulated times, and are listed only by their clock.
  const where =
    testClock === null ? { created: { gte: createdAt - CLOCK_SKEW_SECONDS } } : { test_clock: testClock }
  for await (const found of stripe.customers.list({ ...where, limit: 100 })) {
    if (isOf(provider, customerOperation(id), found)) return found
  }
  return undefined
}

export interface CustomerProfile {
  /** Null: removed there. Left out, it stays as it is; so of the e-mail address. */
  readonly name?: string | null
  readonly email?: string | null
  /** Not known, it stays as it is; erased, it is removed. */
  readonly address: Address | null | 'erased'
  /** Added to what is there. */
  readonly metadata?: Readonly<Record<string, string>>
}

function toStripeAddress({ postalCode, line1, line2, city, state, country }: Address) {
  return {
    country,
    ...(line1 !== undefined && { line1 }),
    ...(line2 !== undefined && { line2 }),
    ...(city !== undefined && { city }),
    ...(state !== undefined && { state }),
    ...(postalCode !== undefined && { postal_code: postalCode }),
  }
}

/** Tells Stripe who the customer is now. */
export function updateCustomer(
  deps: CallDeps,
  operation: string,
  customer: { readonly id: string; readonly providerId: string },
  { name, email, address, metadata = {} }: CustomerProfile,
): Promise<Stripe.Customer> {
  const body = {
    ...(name !== undefined && { name: name ?? '' }),
    ...(email !== undefined && { email: email ?? '' }),
    ...(address && { address: address === 'erased' ? ('' as const) : toStripeAddress(address) }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  }
  return callStripe(
    deps,
    { id: operation, kind: TELL_CUSTOMER, subjectId: customer.id, body, repeatable: true },
    (stripe, options) => stripe.customers.update(customer.providerId, body, options),
  )
}
