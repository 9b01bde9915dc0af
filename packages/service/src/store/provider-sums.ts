/**
 * What the provider's final invoice says between its lines and what is due, in the provider's own units; as it was when
 * the invoice became final.
 */
export interface ProviderSums {
  /** What each discount took off, above zero, by the provider's id of it. */
  readonly discounts: readonly { readonly discount: string; readonly amount: number }[]
  readonly taxes: readonly {
    /** Null where the provider names none. */
    readonly rate: string | null
    readonly amount: number
    readonly inclusive: boolean
    readonly taxable: number | null
  }[]
  /** The total without any tax; null where the provider does not say. */
  readonly withoutTax: number | null
  /** What the customer's balance was before and after it; below zero it is credit. */
  readonly startingBalance: number
  readonly endingBalance: number | null
}
