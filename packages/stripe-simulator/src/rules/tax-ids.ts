import { invalid } from '../errors.ts'

/** What a register says of an id. */
export type VerificationStatus = 'pending' | 'unavailable' | 'unverified' | 'verified'

/** The types whose numbers a government's register answers for. https://docs.stripe.com/billing/customer/tax-ids#validation */
const VERIFIED_TYPES = new Set(['au_abn', 'eu_vat', 'gb_vat'])

/** "Test tax IDs": what the digits of an id make of its verification. https://docs.stripe.com/billing/customer/tax-ids */
const MAGIC: readonly [digits: string, status: VerificationStatus][] = [
  ['000000000', 'verified'],
  ['111111111', 'unverified'],
  ['222222222', 'pending'],
]

/**
 * Numbers of the member states and of Northern Ireland, as their registers give them out: "DE123" was refused by Stripe.
 * https://ec.europa.eu/taxation_customs/vies/#/faq and the examples of https://docs.stripe.com/billing/customer/tax-ids#supported-tax-id
 */
const europeanForms = [
  'ATU\\d{8}',
  'BE[01]\\d{9}',
  'BG\\d{9,10}',
  'CY\\d{8}[A-Z]',
  'CZ\\d{8,10}',
  'DE\\d{9}',
  'DK\\d{8}',
  'EE\\d{9}',
  'EL\\d{9}',
  'ES[0-9A-Z]\\d{7}[0-9A-Z]',
  'FI\\d{8}',
  'FR[0-9A-Z]{2}\\d{9}',
  'HR\\d{11}',
  'HU\\d{8}',
  'IE\\d[0-9A-Z+*]\\d{5}[A-Z]{1,2}',
  'IT\\d{11}',
  'LT(\\d{9}|\\d{12})',
  'LU\\d{8}',
  'LV\\d{11}',
  'MT\\d{8}',
  'NL[0-9A-Z+*]{12}',
  'PL\\d{10}',
  'PT\\d{9}',
  'RO\\d{2,10}',
  'SE\\d{12}',
  'SI\\d{8}',
  'SK\\d{10}',
  'XI(\\d{9}|\\d{12}|(GD|HA)\\d{3})',
]

/** The forms that are checked; a value of another type is taken as it is. */
const FORMS: Record<string, RegExp> = {
  au_abn: /^\d{9,11}$/,
  br_cnpj: /^\d{2}\.?\d{3}\.?\d{3}\/?\d{4}-?\d{2}$/,
  ca_bn: /^\d{9}$/,
  eu_vat: new RegExp(`^(${europeanForms.join('|')})$`),
  gb_vat: /^(GB)?(\d{9}|\d{12})$/,
  us_ein: /^\d{2}-?\d{7}$/,
}

export function checkTaxId(type: string, value: string, param: string): void {
  if (FORMS[type]?.test(value) === false) {
    throw invalid(`Invalid value for ${type}.`, param, 'tax_id_invalid')
  }
}

/** The country of an id: the type's, or for the European Union the one that the value begins with. */
export function taxIdCountry(type: string, value: string): string | null {
  const prefix = type.slice(0, 2).toUpperCase()
  if (prefix !== 'EU') return prefix
  const country = /^[A-Z]{2}/.exec(value)?.[0] ?? null
  // Greece writes EL on its numbers and is GR everywhere else.
  return country === 'EL' ? 'GR' : country
}

/** What the verification comes to in the end; ids without a magic number are never answered for here. */
export function verificationOf(type: string, value: string): VerificationStatus {
  if (!VERIFIED_TYPES.has(type)) return 'unavailable'
  return MAGIC.find(([digits]) => value.endsWith(digits))?.[1] ?? 'pending'
}
