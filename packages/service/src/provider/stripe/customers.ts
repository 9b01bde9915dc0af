import type { Address } from '@lockstep/core/address'
import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import { type CallDeps, callStripe } from './call.ts'
import { isOf, ownMetadata } from './metadata.ts'

/** Only what never changes: whoever asks sends the same under the same key, and gets the same customer. */
export interface CustomerToMake {
  readonly id: string
  /** Stripe's id of the clock it lives at. */
  readonly testClock: string | null
  /** When we recorded the customer, to know where to look for it. */
  readonly createdAt: Instant
}

/** Clocks differ: what was made after our record may carry a time before it. */
const CLOCK_SKEW_SECONDS = 3600

/** The one operation that may make a customer at Stripe, whoever asks for it. */
export const customerOperation = (customerId: string): string => `${customerId}/create`

/**
 * Makes a customer at Stripe; the same one however often and from wherever it is asked for. Who it is, is
 * told afterwards (`updateCustomer`): two who ask at once may know it by two names.
 */
export function makeCustomer(deps: CallDeps, customer: CustomerToMake): Promise<Stripe.Customer> {
  const id = customerOperation(customer.id)
  const body = {
    ...(customer.testClock !== null && { test_clock: customer.testClock }),
    metadata: ownMetadata(deps.provider, id, { lockstep_customer: customer.id }),
  }
  return callStripe(
    deps,
    { id, kind: 'customer.create', subjectId: customer.id, body, settledByCaller: true },
    (stripe, options) => stripe.customers.create(body, options),
    async (stripe) => {
      // Customers on a clock have simulated times, and are listed only by their clock.
      const where =
        customer.testClock === null
          ? { created: { gte: customer.createdAt - CLOCK_SKEW_SECONDS } }
          : { test_clock: customer.testClock }
      for await (const found of stripe.customers.list({ ...where, limit: 100 })) {
        if (isOf(deps.provider, id, found)) return found
      }
      return undefined
    },
  )
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
    { id: operation, kind: 'customer.update', subjectId: customer.id, body, repeatable: true },
    (stripe, options) => stripe.customers.update(customer.providerId, body, options),
  )
}
