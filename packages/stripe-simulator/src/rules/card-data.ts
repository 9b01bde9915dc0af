/** A card as its holder reads it out. */
export interface CardData {
  readonly number: string
  readonly exp_month: number
  /** Four digits, or the last two of them. */
  readonly exp_year: number
  readonly cvc?: string | undefined
}

/** What is wrong with a card before any bank is asked: the codes of https://docs.stripe.com/testing#invalid-data */
export type CardFault = 'invalid_number' | 'incorrect_number' | ExpiryFault | 'invalid_cvc'
type ExpiryFault = 'invalid_expiry_month' | 'invalid_expiry_year'

const SAID = {
  invalid_number: { param: 'number', message: 'The card number is not a valid credit card number.' },
  incorrect_number: { param: 'number', message: 'Your card number is incorrect.' },
  invalid_expiry_month: { param: 'exp_month', message: "Your card's expiration month is invalid." },
  invalid_expiry_year: { param: 'exp_year', message: "Your card's expiration year is invalid." },
  invalid_cvc: { param: 'cvc', message: "Your card's security code is invalid." },
} as const

/** The parameter at fault, and Stripe's sentence for it. */
export function saidOf(fault: CardFault): { readonly param: string; readonly message: string } {
  return SAID[fault]
}

/** `at` is the present, in seconds since 1970. */
export function faultOf({ number, cvc, ...expiry }: CardData, at: number): CardFault | null {
  if (!/^\d{12,19}$/.test(number)) return 'invalid_number'
  if (!passesLuhn(number)) return 'incorrect_number'
  const expired = expiryFault(expiry, at)
  if (expired !== null) return expired
  return cvc === undefined || /^\d{3,4}$/.test(cvc) ? null : 'invalid_cvc'
}

/** A card is good to the end of its month. What is more than half a century away is nobody's year. */
export function expiryFault(
  { exp_month: month, exp_year: given }: Pick<CardData, 'exp_month' | 'exp_year'>,
  at: number,
): ExpiryFault | null {
  const now = new Date(at * 1000)
  const year = fullYear(given, at)
  if (month < 1 || month > 12) return 'invalid_expiry_month'
  if (year < now.getUTCFullYear() || year > now.getUTCFullYear() + 50) return 'invalid_expiry_year'
  return year === now.getUTCFullYear() && month <= now.getUTCMonth() ? 'invalid_expiry_month' : null
}

/** "A year up to 50 years in the past, such as 95": two digits mean the nearest such year. */
export function fullYear(year: number, at: number): number {
  if (year < 0 || year > 99) return year
  const now = new Date(at * 1000).getUTCFullYear()
  const near = now - (now % 100) + year
  if (near > now + 50) return near - 100
  return near < now - 50 ? near + 100 : near
}

/** ISO/IEC 7812-1: from the right every other digit twice, and the sum of all digits ends in 0. */
function passesLuhn(number: string): boolean {
  const digits = number.split('').reverse().map(Number)
  const sum = digits.reduce((total, digit, i) => {
    const weighed = i % 2 === 0 ? digit : digit * 2
    return total + (weighed > 9 ? weighed - 9 : weighed)
  }, 0)
  return sum % 10 === 0
}
