/**
 * The least that can be charged, in the minor unit, per settlement currency.
 * https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
 */
const MINIMUM: Record<string, number> = {
  usd: 50,
  aed: 200,
  aud: 50,
  bgn: 100,
  brl: 50,
  cad: 50,
  chf: 50,
  czk: 1500,
  dkk: 250,
  eur: 50,
  gbp: 30,
  hkd: 400,
  huf: 17500,
  inr: 50,
  jpy: 50,
  mxn: 1000,
  myr: 200,
  nok: 300,
  nzd: 50,
  pln: 200,
  ron: 200,
  sek: 300,
  sgd: 50,
  thb: 1000,
}

/** What can be charged in. https://docs.stripe.com/currencies#presentment-currencies */
const SUPPORTED = new Set(
  `usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp
   cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils inr
   isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mro mur mvr mwk mxn
   myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos
   srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw`.split(
    /\s+/,
  ),
)

export function isSupported(currency: string): boolean {
  return SUPPORTED.has(currency)
}

/** All of them, in the order of Stripe's refusals. */
export function supportedCurrencies(): string {
  return [...SUPPORTED].join(', ')
}

const ZERO_DECIMAL = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '))
const THREE_DECIMAL = new Set('bhd jod kwd omr tnd'.split(' '))
const HUNDREDS_ONLY = new Set(['isk', 'ugx'])
const SYMBOL: Record<string, string> = { usd: '$', eur: '€', gbp: '£', jpy: '¥', cad: 'CA$', aud: 'A$' }

/** Currencies that Stripe lists no minimum for are held to one minor unit. */
export function minimumCharge(currency: string): number {
  return MINIMUM[currency] ?? 1
}

/**
 * What is charged and refunded is a multiple of this, in the minor unit: the last digit of three-decimal
 * currencies is 0, and króna and shilling are written with two decimals that are always 00.
 * https://docs.stripe.com/currencies#three-decimal and #special-cases
 */
export function chargeStep(currency: string): number {
  if (THREE_DECIMAL.has(currency)) return 10
  return HUNDREDS_ONLY.has(currency) ? 100 : 1
}

/**
 * The most that one amount may be, in the minor unit: eight digits, and twelve of rupiah.
 * https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
 */
export function largestAmount(currency: string): number {
  return currency === 'idr' ? 999_999_999_999 : 99_999_999
}

/** For descriptions of lines: `$5,000.00`, `¥1,000`, `12.50 CHF`. */
export function formatMoney(decimalMinor: string, currency: string): string {
  const places = ZERO_DECIMAL.has(currency) ? 0 : THREE_DECIMAL.has(currency) ? 3 : 2
  const [whole = '0', finer = ''] = decimalMinor.replace('-', '').split('.')
  const digits = whole.padStart(places + 1, '0')
  const major = (places === 0 ? digits : digits.slice(0, -places)).replace(/\B(?=(\d{3})+$)/g, ',')
  const minor = (places === 0 ? '' : digits.slice(-places)) + finer
  const number = `${decimalMinor.startsWith('-') ? '-' : ''}${major}${minor === '' ? '' : `.${minor}`}`
  const symbol = SYMBOL[currency]
  return symbol === undefined ? `${number} ${currency.toUpperCase()}` : `${symbol}${number}`
}
