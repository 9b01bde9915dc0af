import type { Address } from '@lockstep/core/address'

export const taxProviders = ['none', 'stripe', 'avalara'] as const

export type TaxProvider = (typeof taxProviders)[number]

/** What has become of the tax of a registration. */
export interface TaxAssessment {
  readonly provider: TaxProvider
  /**
   * `none`: nobody asks for it. `automatic`: the payment provider computes it on each invoice.
   * `assessed`: an answer is in `metadata`. `unavailable`: nobody could be asked, and it went on untaxed:
   * a person has to look.
   */
  readonly status: 'none' | 'automatic' | 'assessed' | 'unavailable'
  /** Kept with the customer at the payment provider, with `lockstep_` before each name. */
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Tells what has to be known about a customer's tax before the customer is made at the payment
 * provider. A Problem below 500 says that the customer cannot be taxed as they are; one of 500 and up,
 * that nobody could be asked now.
 */
export interface TaxPort {
  readonly provider: TaxProvider
  /** Whether invoices are to be taxed by the payment provider itself. */
  readonly isAutomatic: boolean
  assess(address: Address | null): Promise<TaxAssessment>
}

/** What to do while the tax provider is away: wait for it, or go on untaxed and say so. */
export type WhenTaxIsDown = 'block' | 'untaxed'

export interface Tax {
  readonly port: TaxPort
  readonly whenDown: WhenTaxIsDown
}
