import type { Address } from '@lockstep/core/address'
import type { AgreedTerms } from '@lockstep/core/agreed-terms'
import type { Accepted } from '../contract/acceptance.ts'
import type { Came } from '../store/coming.ts'
import type { WantedAddon } from './check-addons.ts'

/** What a caller asks for: the customer, the plan, and how it is bought and paid. */
export interface WantedRegistration {
  readonly externalId: string
  readonly name?: string | undefined
  readonly email?: string | undefined
  readonly testClock?: string | undefined
  /** Where the customer is, for the tax. */
  readonly address?: Address | undefined
  /** The sign-up plan of the catalogue unless given. */
  readonly plan?: string | undefined
  /** The key of a purchase strategy; the plan's own unless given. */
  readonly purchase?: string | undefined
  readonly currency?: string | undefined
  /** What the customer saw: a second look at the plan's terms. */
  readonly agreed?: AgreedTerms | undefined
  readonly quantity: number
  readonly addons?: readonly WantedAddon[] | undefined
  /** What is over begins anew: the plan's trial does not. */
  readonly withoutTrial?: true | undefined
  /** The plan's trial, also for who had one; given by the operator only. */
  readonly trial?: 'again' | undefined
  /** By key; each ends by its own duration. */
  readonly coupons?: readonly string[] | undefined
  readonly paymentMethod?: string | undefined
  /** The customer leaves one on a page of the provider's instead, and comes back to these addresses. */
  readonly paymentPage?: { readonly returnUrl: string; readonly cancelUrl?: string | undefined } | undefined
  /** The strategy's own unless given. */
  readonly slot?: string | undefined
  /** Where it came from, in the application's words. */
  readonly requestOrigin?: string | undefined
  /** Who accepts the contract, and where; the moment is the request's. */
  readonly acceptance?: Accepted | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

export interface Asked {
  /** The request's own name: the same when it is repeated. */
  readonly operation: string
  /** The id of the caller; absent where nobody asked us. */
  readonly requestedBy?: string | undefined
  /** This very moment unless given. */
  readonly came?: Came | undefined
  /** The caller may give plans that customers cannot choose. */
  readonly mayGivePlans: boolean
}
