import type { Currency } from '@lockstep/core/money'

/**
 * The least that Stripe charges, in its own unit, where the account settles in the same currency; where it settles in
 * another one, that one's counts, after conversion. https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
 */
const MINIMUM: Readonly<Record<Currency, bigint>> = {
  ...{
    usd: 50n,
    aed: 200n,
    aud: 50n,
    bgn: 100n,
    brl: 50n,
    cad: 50n,
    chf: 50n,
    czk: 1500n,
    dkk: 250n,
    eur: 50n,
  },
  ...{ gbp: 30n, hkd: 400n, huf: 17_500n, inr: 50n, jpy: 50n, mxn: 1000n, myr: 200n, nok: 300n, nzd: 50n },
  ...{ pln: 200n, ron: 200n, sek: 300n, sgd: 50n, thb: 1000n },
}

/** Of a currency for which Stripe lists none, one of its units. */
export const minimumCharge = (currency: Currency): bigint => MINIMUM[currency] ?? 1n
