import { defineCatalog } from '@lockstep/core/catalog'
import { PAYER_SINCE } from './days.ts'

/** Of a currency: what the hundredth part of its unit, or in yen the unit, comes to in its smallest coins. */
const currencies = {
  usd: { coins: 1n, one: '0.01', two: '0.02', three: '0.03', ten: '0.10', fee: '20.00', newFee: '21.00' },
  jpy: { coins: 1n, one: '1', two: '2', three: '3', ten: '10', fee: '2000', newFee: '2100' },
  kwd: {
    coins: 10n,
    one: '0.010',
    two: '0.020',
    three: '0.030',
    ten: '0.100',
    fee: '6.000',
    newFee: '6.300',
  },
} as const
type Currency = keyof typeof currencies

const perUnit = { product: 'cloud', model: 'perUnit' } as const

const planOf = (currency: Currency) => {
  const { one, ten, fee } = currencies[currency]
  return {
    name: currency,
    product: 'cloud' as const,
    currency,
    interval: 'month' as const,
    prices: {
      fee: { kind: 'recurring' as const, model: 'flat' as const, amount: fee },
      seconds: { ...perUnit, meter: 'seconds' as const, unitAmount: one },
      requests: {
        meter: 'requests' as const,
        product: 'cloud' as const,
        model: 'graduated' as const,
        tiers: [
          { upTo: '100', unitAmount: ten },
          { upTo: null, unitAmount: one },
        ],
      },
      traffic: { ...perUnit, meter: 'traffic' as const, unitAmount: one, groupBy: ['region'] },
    },
  }
}

/** The same meters under other price keys, and other amounts. */
const otherPlanOf = (currency: Currency) => {
  const { two, three, fee } = currencies[currency]
  return {
    ...planOf(currency),
    name: `other ${currency}`,
    prices: {
      fee: { kind: 'recurring' as const, model: 'flat' as const, amount: fee },
      time: { ...perUnit, meter: 'seconds' as const, unitAmount: two },
      calls: { ...perUnit, meter: 'requests' as const, unitAmount: three },
      gigabytes: { ...perUnit, meter: 'traffic' as const, unitAmount: two },
    },
  }
}

/** A new version: the keys that it had, with the amounts of the other plan. */
const revisedPlanOf = (currency: Currency) => {
  const { newFee } = currencies[currency]
  const { time, calls, gigabytes } = otherPlanOf(currency).prices
  const fee = { kind: 'recurring' as const, model: 'flat' as const, amount: newFee }
  return {
    ...planOf(currency),
    prices: { fee, seconds: time, requests: calls, traffic: { ...gigabytes, groupBy: ['region'] } },
  }
}

const LEAST = 500n
const dollars = planOf('usd')

const sold = {
  currency: 'usd' as const,
  products: { cloud: { name: 'Cloud' } },
  meters: {
    seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' as const },
    requests: { name: 'Requests', unitLabel: 'request', aggregation: 'sum' as const },
    traffic: { name: 'Traffic', unitLabel: 'GB', aggregation: 'sum' as const, dimensions: ['region'] },
  },
  plans: {
    dollars,
    yen: planOf('jpy'),
    dinars: planOf('kwd'),
    // Its usage is billed by the month all the same.
    annual: { ...dollars, interval: 'year' as const, usageInterval: 'month' as const },
    least: {
      ...dollars,
      prices: { ...dollars.prices, least: { name: 'Least', model: 'minimum' as const, amount: '5.00' } },
    },
    'other-dollars': otherPlanOf('usd'),
    'other-yen': otherPlanOf('jpy'),
    'other-dinars': otherPlanOf('kwd'),
  },
}

export const catalog = defineCatalog(sold)

/** The catalogue with a new version of a plan. */
export const revisedCatalog = (plan: PlanKey) =>
  defineCatalog({ ...sold, plans: { ...sold.plans, [plan]: revisedPlanOf(plans[plan].currency) } })

/** Plans that somebody is registered on, with the one to which they may go in the middle of a period. */
export const plans = {
  dollars: { currency: 'usd', other: 'other-dollars' },
  yen: { currency: 'jpy', other: 'other-yen' },
  dinars: { currency: 'kwd', other: 'other-dinars' },
  annual: { currency: 'usd', other: null },
  least: { currency: 'usd', other: null },
} as const
export type PlanKey = keyof typeof plans
export const planKeys = Object.keys(plans) as PlanKey[]

export const meters = ['seconds', 'requests', 'traffic'] as const
export type Meter = (typeof meters)[number]
export type Used = Readonly<Record<Meter, bigint>>

/** The smallest coins of a hundredth of its currency's unit. */
export const coinsOf = (plan: PlanKey): bigint => currencies[plans[plan].currency].coins

export interface RatedPeriod {
  readonly start: number
  readonly end: number
  readonly used: Used
  /** By the prices of the plan, or of the version of its own, to which it was changed. */
  readonly isOnOther: boolean
}

/**
 * What a period's usage costs, by the price list as a person reads it: one a second and a gigabyte; ten a request up to
 * the hundredth, then one; at least five dollars a month, of a part of one its part. On the other plan two, three and two.
 */
export function owed(plan: PlanKey, { start, end, used, isOnOther }: RatedPeriod): bigint {
  const { seconds, requests, traffic } = used
  const coins = coinsOf(plan)
  if (isOnOther) return coins * (2n * seconds + 3n * requests + 2n * traffic)
  const atTen = requests < 100n ? requests : 100n
  const worth = coins * (seconds + 10n * atTen + (requests - atTen) + traffic)
  if (plan !== 'least') return worth
  // Months end on the last of theirs; only the first of the periods here may be cut short.
  const whole = start === PAYER_SINCE ? FEBRUARY_28 - PAYER_SINCE : end - start
  const least = (LEAST * BigInt(end - start)) / BigInt(whole)
  return worth < least ? least : worth
}

const FEBRUARY_28 = Date.UTC(2026, 1, 28) / 1000
