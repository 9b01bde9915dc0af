/** Where somebody is. What is not known is left out; the country is ISO 3166-1, two capital letters. */
export interface Address {
  readonly line1?: string | undefined
  readonly line2?: string | undefined
  readonly city?: string | undefined
  readonly postalCode?: string | undefined
  /** A state, province or region. */
  readonly state?: string | undefined
  readonly country: string
}
