/** Who sells: the other party of every contract. */
export interface Seller {
  readonly name: string
  readonly address: string | null
  readonly email: string | null
  /** The seller's tax number, as it stands on invoices. */
  readonly taxId: string | null
  /** The text that customers accept: which version of it, and where it can be read. */
  readonly terms: { readonly version: string; readonly url: string | null } | null
}
