import { defineCatalog } from '@lockstep/core/catalog'

/** Of a currency: what the hundredth part of its unit, or in yen the unit, comes to in its smallest coins. */
const currencies = {
  usd: { coins: 1n, one: '0.01', ten: '0.10', fee: '20.00' },
  jpy: { coins: 1n, one: '1', ten: '10', fee: '2000' },
  kwd: { coins: 10n, one: '0.010', ten: '0.100', fee: '6.000' },
} as const

const planOf = (currency: keyof typeof currencies) => {
  const { one, ten, fee } = currencies[currency]
  return {
    name: currency,
    product: 'cloud' as const,
    currency,
    interval: 'month' as const,
    prices: {
      fee: { kind: 'recurring' as const, model: 'flat' as const, amount: fee },
      seconds: {
        meter: 'seconds' as const,
        product: 'cloud' as const,
        model: 'perUnit' as const,
        unitAmount: one,
      },
      requests: {
        meter: 'requests' as const,
        product: 'cloud' as const,
        model: 'graduated' as const,
        tiers: [
          { upTo: '100', unitAmount: ten },
          { upTo: null, unitAmount: one },
        ],
      },
    },
  }
}

export const catalog = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' } },
  meters: {
    seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' },
    requests: { name: 'Requests', unitLabel: 'request', aggregation: 'sum' },
  },
  plans: {
    dollars: planOf('usd'),
    yen: planOf('jpy'),
    dinars: planOf('kwd'),
    // Its usage is billed by the month all the same.
    annual: { ...planOf('usd'), interval: 'year' as const, usageInterval: 'month' as const },
  },
})

export const plans = ['dollars', 'yen', 'dinars', 'annual'] as const
export type PlanKey = (typeof plans)[number]

export const meters = ['seconds', 'requests'] as const
export type Used = Readonly<Record<(typeof meters)[number], bigint>>

/** What a period's usage costs, by the price list as a person reads it: one a second; ten a request up to the hundredth, then one. */
export function owed(plan: PlanKey, { seconds, requests }: Used): bigint {
  const coins = currencies[plan === 'yen' ? 'jpy' : plan === 'dinars' ? 'kwd' : 'usd'].coins
  const atTen = requests < 100n ? requests : 100n
  return coins * (seconds + 10n * atTen + (requests - atTen))
}
