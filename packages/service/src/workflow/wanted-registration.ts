/** What a caller asks for: the customer, the plan, and how it is paid. */
export interface WantedRegistration {
  readonly externalId: string
  readonly name?: string | undefined
  readonly email?: string | undefined
  readonly testClock?: string | undefined
  readonly plan: string
  readonly currency?: string | undefined
  readonly quantity: number
  readonly paymentMethod?: string | undefined
  readonly slot: string
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

export interface Asked {
  /** The request's own name: the same when it is repeated. */
  readonly operation: string
  /** The caller may give plans that customers cannot choose. */
  readonly mayGivePlans: boolean
}
