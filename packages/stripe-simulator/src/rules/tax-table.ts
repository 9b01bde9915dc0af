/** Where a customer is, as far as taxes ask. */
export interface TaxLocation {
  readonly country: string
  /** Two letters of a state of the United States or a province of Canada; elsewhere null. */
  readonly state: string | null
}

export interface LocalTax {
  readonly name: string
  readonly type: 'vat' | 'gst' | 'hst' | 'jct' | 'sales_tax'
  /** The percentage, in text. */
  readonly percent: string
}

const VAT: Record<string, string> = {
  AT: '20',
  BE: '21',
  BG: '20',
  CH: '8.1',
  CY: '19',
  CZ: '21',
  DE: '19',
  DK: '25',
  EE: '24',
  ES: '21',
  FI: '25.5',
  FR: '20',
  GB: '20',
  GR: '24',
  HR: '25',
  HU: '27',
  IE: '23',
  IT: '22',
  LT: '21',
  LU: '17',
  LV: '21',
  MT: '18',
  NL: '21',
  NO: '25',
  PL: '23',
  PT: '23',
  RO: '21',
  SE: '25',
  SI: '22',
  SK: '23',
}

const ELSEWHERE: Record<string, LocalTax> = {
  AU: { name: 'GST', type: 'gst', percent: '10' },
  JP: { name: 'Consumption tax', type: 'jct', percent: '10' },
  NZ: { name: 'GST', type: 'gst', percent: '15' },
  SG: { name: 'GST', type: 'gst', percent: '9' },
}

/** States of the United States that tax software; the rate of the state, without counties and cities. */
const SALES_TAX: Record<string, string> = { NY: '4', PA: '6', TX: '6.25', WA: '6.5' }

/**
 * The one rule of automatic tax here: a rate by country, in the United States by state. The real service
 * knows registrations, product codes and thousands of districts; amounts are not to be compared with it.
 * Null where nothing is collected. https://docs.stripe.com/tax/supported-countries
 */
export function taxAt({ country, state }: TaxLocation): LocalTax | null {
  if (country === 'US') return named('Sales tax', 'sales_tax', SALES_TAX[state ?? ''])
  if (country === 'CA') return { name: 'GST', type: 'gst', percent: '5' }
  return ELSEWHERE[country] ?? named('VAT', 'vat', VAT[country])
}

function named(name: string, type: LocalTax['type'], percent: string | undefined): LocalTax | null {
  return percent === undefined ? null : { name, type, percent }
}

interface Address {
  readonly country?: string | null | undefined
  readonly state?: string | null | undefined
}

/** The location of an address, or null when it does not say enough: the United States need a state. */
export function locationOf(address: Address | null | undefined): TaxLocation | null {
  const country = address?.country?.toUpperCase() ?? ''
  const state = address?.state?.toUpperCase() ?? null
  if (!/^[A-Z]{2}$/.test(country)) return null
  if (country !== 'US' && country !== 'CA') return { country, state: null }
  return state === null && country === 'US' ? null : { country, state }
}
