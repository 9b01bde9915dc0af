import { newId } from '@lockstep/service/ids'
import type { Random } from '../../support/random.ts'
import { iso } from '../lifecycle/life.ts'
import type { Terms } from './third-opinion.ts'
import { addonNames, couponNames, isByNumber, planNames, takesAddons, wareCurrencies } from './wares.ts'

const DAY = 86_400

export interface Start {
  readonly terms: Terms
  readonly at: number
  readonly coupons: readonly string[]
}

/** Each currency in turn; each fourth on trial; begun on one of the last days of a month or the first of the next. */
export function chanceStart(random: Random, seed: number): Start {
  const currency = wareCurrencies[seed % wareCurrencies.length] ?? 'usd'
  const month = random.below(12)
  const at = Date.UTC(2026, month, 28 + random.below(4), random.below(24), random.below(60)) / 1000
  const plan = seed % 4 === 3 ? 'trial' : random.pick(planNames)
  const quantity = isByNumber(plan) ? 1 + random.below(40) : 1
  const coupons = seed % 5 === 4 ? [`${currency}-${random.pick(couponNames)}`] : []
  return { terms: { currency, plan, quantity, addons: {} }, at, coupons }
}

export interface Wish {
  readonly to: Terms
  readonly coupon: string | undefined
  readonly endsTrial: boolean
  /** As a request says it. */
  readonly payload: object
}

interface Moment {
  readonly at: number
  readonly isTrial: boolean
  readonly mayHaveCoupon: boolean
}

/** Another plan, number and add-ons; sometimes a coupon; of a trial sometimes its end, now or some time. */
export function chanceChange(random: Random, from: Terms, { at, isTrial, mayHaveCoupon }: Moment): Wish {
  const { currency } = from
  const plan = random.pick(planNames)
  const quantity = isByNumber(plan) ? 1 + random.below(40) : 1
  const named = takesAddons(plan) ? someAddons(random) : noAddons(from)
  const addons = { ...from.addons, ...named }
  const coupon =
    mayHaveCoupon && random.below(6) === 0 ? `${currency}-${random.pick(couponNames)}` : undefined
  const trial = isTrial ? random.pick(['goesOn', 'ends', 'endsSometime'] as const) : 'goesOn'
  return {
    to: { currency, plan, quantity, addons },
    coupon,
    endsTrial: trial === 'ends',
    payload: {
      ...{ plan: `${currency}-${plan}`, quantity, when: 'now' },
      addons: Object.entries(named).map(([addon, number]) => ({
        addon: `${currency}-${addon}`,
        quantity: number,
      })),
      ...(coupon !== undefined && { coupons: [coupon] }),
      ...(trial === 'ends' && { trial: 'end' }),
      ...(trial === 'endsSometime' && { trialEnd: iso(at + (1 + random.below(60)) * DAY) }),
    },
  }
}

/** Some come, some go, some change their number. */
function someAddons(random: Random): Record<string, number> {
  const all = addonNames.map(
    (addon) => [addon, addon === 'extra' ? random.below(5) : random.below(2)] as const,
  )
  return Object.fromEntries(all.filter(() => random.below(2) === 0))
}

/** What does not go with the plan goes. */
function noAddons({ addons }: Terms): Record<string, number> {
  return Object.fromEntries(
    Object.entries(addons).flatMap(([addon, number]) => (number > 0 ? [[addon, 0]] : [])),
  )
}

/** A request of its own. */
export const keyed = (): string => newId('operation')
