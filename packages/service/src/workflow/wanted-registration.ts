import type { Accepted } from '../contract/acceptance.ts'

/** What a caller asks for: the customer, the plan, and how it is bought and paid. */
export interface WantedRegistration {
  readonly externalId: string
  readonly name?: string | undefined
  readonly email?: string | undefined
  readonly testClock?: string | undefined
  readonly plan: string
  /** The key of a purchase strategy; a membership unless given. */
  readonly purchase?: string | undefined
  readonly currency?: string | undefined
  readonly quantity: number
  readonly paymentMethod?: string | undefined
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
  /** The caller may give plans that customers cannot choose. */
  readonly mayGivePlans: boolean
}
