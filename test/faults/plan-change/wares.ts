import { type Catalog, defineCatalog } from '@lockstep/core/catalog'
import type { Random } from '../../support/random.ts'

/** Amounts of chance in each: no, two and three decimals; a dinar is charged in tens of fils. */
const currencies = [
  { currency: 'usd', amount: (units: number) => (units / 100).toFixed(2) },
  { currency: 'jpy', amount: (units: number) => `${units}` },
  { currency: 'kwd', amount: (units: number) => ((units * 10) / 1000).toFixed(3) },
] as const

export type WareCurrency = (typeof currencies)[number]['currency']
export const wareCurrencies: readonly WareCurrency[] = currencies.map(({ currency }) => currency)

export const planNames = ['small', 'large', 'quarter', 'year', 'week', 'seats', 'both', 'free'] as const
export type PlanName = (typeof planNames)[number] | 'trial'

interface Rhythm {
  readonly interval: 'week' | 'month' | 'year'
  readonly intervalCount?: number
}

export const rhythms: Readonly<Record<PlanName, Rhythm>> = {
  free: { interval: 'month' },
  trial: { interval: 'month' },
  small: { interval: 'month' },
  large: { interval: 'month' },
  quarter: { interval: 'month', intervalCount: 3 },
  year: { interval: 'year' },
  week: { interval: 'week' },
  seats: { interval: 'month' },
  both: { interval: 'month' },
}

/** Those that are had by number. */
export const isByNumber = (plan: PlanName): boolean => plan === 'seats' || plan === 'both'

/** Those that are paid by the month: the add-ons go with them, and with no other. */
export const takesAddons = (plan: PlanName): boolean =>
  rhythms[plan].interval === 'month' && rhythms[plan].intervalCount === undefined

export const addonNames = ['extra', 'block'] as const
export const couponNames = ['share', 'once', 'amount', 'months'] as const

/** Plans of several rhythms, a free one, one with a trial, some by number, one of two prices; and what goes beside them. */
export function chanceWares(random: Random): Catalog {
  const recurring = { kind: 'recurring' } as const
  const each = currencies.map(({ currency, amount }) => {
    const flat = (most: number) => ({ ...recurring, model: 'flat', amount: amount(1 + random.below(most)) })
    const seat = (most: number) => ({
      ...recurring,
      model: 'perUnit',
      unitAmount: amount(1 + random.below(most)),
    })
    const plan = (name: PlanName, prices: object, more: object = {}) =>
      [`${currency}-${name}`, { name, product: 'app', currency, ...rhythms[name], prices, ...more }] as const
    const addon = (name: string, price: object) =>
      [
        `${currency}-${name}`,
        { name, product: 'app', currency, interval: 'month', prices: { one: price } },
      ] as const
    const coupon = (name: string, more: object) => [`${currency}-${name}`, { name, ...more }] as const
    return {
      plans: [
        plan('free', { fee: { ...recurring, model: 'flat', amount: amount(0) } }),
        plan('trial', { fee: flat(9_000) }, { trialDays: 14 }),
        plan('small', { fee: flat(9_000) }),
        plan('large', { fee: flat(9_000) }),
        plan('quarter', { fee: flat(9_000) }),
        plan('year', { fee: flat(9_000) }),
        plan('week', { fee: flat(9_000) }),
        plan('seats', { seat: seat(9_000) }),
        plan('both', { fee: flat(9_000), seat: seat(9_000) }),
      ],
      addons: [addon('extra', seat(2_000)), addon('block', flat(2_000))],
      coupons: [
        coupon('share', { percentOff: `${1 + random.below(99)}.25`, duration: 'forever' }),
        coupon('once', { percentOff: `${1 + random.below(100)}`, duration: 'once' }),
        coupon('amount', { amountOff: amount(1 + random.below(3_000)), currency, duration: 'forever' }),
        coupon('months', { percentOff: '33.33', duration: 'repeating', durationInMonths: 2 }),
      ],
    }
  })
  const all = <K extends 'plans' | 'addons' | 'coupons'>(noun: K) =>
    Object.fromEntries(each.flatMap((of) => of[noun] as readonly (readonly [string, object])[]))
  return defineCatalog({
    currency: 'usd',
    products: { app: { name: 'App' } },
    coupons: all('coupons') as never,
    plans: all('plans') as never,
    addons: all('addons') as never,
  })
}
