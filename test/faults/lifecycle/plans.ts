import { defineCatalog } from '@lockstep/core/catalog'

/** What a subscription runs on, in the model's words. */
export interface Terms {
  readonly plan: PlanKey
  readonly quantity: number
  /** Pieces of the one add-on that there is; 0 for none. */
  readonly extras: number
}

export type PlanKey = keyof typeof prices

/** Cents of one period, each, and how many months it has. */
export const prices = {
  free: { cents: 0, months: 1 },
  small: { cents: 799, months: 1 },
  plain: { cents: 2000, months: 1 },
  large: { cents: 4999, months: 1 },
  seats: { cents: 750, months: 1 },
  year: { cents: 20_001, months: 12 },
  trying: { cents: 2000, months: 1 },
} as const

export const TRIAL_DAYS = 14
/** Cents a month for each piece of the add-on, which goes with every plan but the yearly one. */
export const EXTRA_CENTS = 500

/** Percents that never come to half a cent, in whatever order they are taken off. */
export const coupons = {
  fifth: { name: 'A fifth', percentOff: '20', duration: 'forever' },
  season: { name: 'Season', percentOff: '30', duration: 'repeating', durationInMonths: 2 },
  welcome: { name: 'Welcome', percentOff: '40', duration: 'once' },
} as const

/** What any of the coupons, and all of them together, leave whole cents of. */
export const EVEN_CENTS = 250

/** With usage and a card that always pays; or with everything else. Both at once no short model tells. */
export type Kind = 'metered' | 'paying'

/** Whether coupons take whole cents off each of several lines: on which of them an odd cent falls, Stripe does not say. */
export function comesOutEven({ plan, quantity, extras }: Terms, kind: Kind): boolean {
  return (extras === 0 && kind === 'paying') || (prices[plan].cents * quantity) % EVEN_CENTS === 0
}

export type CouponKey = keyof typeof coupons
export const couponKeys = Object.keys(coupons) as CouponKey[]

const compute = { meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount: '0.01' } as const

function plan(key: PlanKey) {
  const amount = (prices[key].cents / 100).toFixed(2)
  const fee =
    key === 'seats'
      ? ({ kind: 'recurring', model: 'perUnit', unitAmount: amount } as const)
      : ({ kind: 'recurring', model: 'flat', amount } as const)
  return {
    name: `The ${key} plan`,
    product: 'cloud' as const,
    interval: prices[key].months === 12 ? ('year' as const) : ('month' as const),
    ...(key === 'trying' && { trialDays: TRIAL_DAYS }),
    prices: { fee, compute },
  }
}

/** As it is written in a request. */
export const wares = {
  currency: 'usd',
  products: { cloud: { name: 'Cloud' }, compute: { name: 'Compute', unitLabel: 'second' } },
  meters: { seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
  coupons,
  addons: {
    extra: {
      name: 'Extra',
      product: 'cloud',
      interval: 'month',
      prices: {
        each: { kind: 'recurring', model: 'perUnit', unitAmount: (EXTRA_CENTS / 100).toFixed(2) },
      },
    },
  },
  plans: {
    free: plan('free'),
    small: plan('small'),
    plain: plan('plain'),
    large: plan('large'),
    seats: plan('seats'),
    year: plan('year'),
    trying: plan('trying'),
  },
} as const

export const catalog = defineCatalog(wares)
