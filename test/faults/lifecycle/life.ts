import type { Payer } from '../../../packages/service/test/support/billing-world.ts'
import { type Random, seeded } from '../../support/random.ts'
import { given } from './discounts.ts'
import { begin, type Card, type Model } from './model.ts'
import { type CouponKey, comesOutEven, couponKeys, type Kind, coupons as sold, type Terms } from './plans.ts'
import type { Stage } from './stage.ts'

/** One customer's life by random commands, and how it should stand after each of them. */
export interface Life {
  readonly seed: number
  readonly random: Random
  readonly kind: Kind
  /** Coupons that may come in this life: beside usage, those that leave of it whole cents. */
  readonly coupons: readonly CouponKey[]
  readonly told: string[]
  /** One after the other, of one customer. */
  readonly payers: Payer[]
  payer: Payer
  expected: Model
  /** Something happened without us since we heard of all. */
  isBehind: boolean
}

const days = ['2026-01-10', '2026-01-28', '2026-01-29', '2026-01-30', '2026-01-31', '2028-02-29']
export const cards: Readonly<Record<Exclude<Card, 'none'>, string>> = {
  pays: 'pm_card_visa',
  declines: 'pm_card_chargeCustomerFail',
  asks: 'pm_card_authenticationRequired',
}

export const iso = (at: number): string => new Date(at * 1000).toISOString().replace('.000', '')

export async function newLife(
  { world }: Stage,
  seed: number,
  /** One that pays and has no coupon: every cent that it gains is somebody's loss. */
  who: 'anybody' | 'greedy' = 'anybody',
): Promise<Life> {
  const random = seeded(seed)
  const kind = who === 'greedy' ? 'paying' : random.pick(['metered', 'paying', 'paying'] as const)
  const now = Date.parse(`${random.pick(days)}T09:30:00Z`) / 1000
  const plan = random.pick(['plain', 'trying', 'seats', 'large', 'year', 'free'] as const)
  const quantity = plan === 'seats' ? 1 + random.below(9) : 1
  const redeemable = couponsOf(kind, random)
  const mayHave = redeemable.length > 0 && comesOutEven({ plan, quantity, extras: 0 }, kind)
  const isDiscounted = who !== 'greedy' && mayHave && random.below(3) === 0
  const coupons = isDiscounted ? [random.pick(redeemable)] : []
  const extras = plan !== 'year' && random.below(3) === 0 ? 1 + random.below(3) : 0
  const wish: Terms = { plan, quantity, extras }
  const terms = isDiscounted && !comesOutEven(wish, kind) ? { ...wish, extras: 0 } : wish
  const discounts = coupons.map((coupon) => given(coupon, now))
  const addons = terms.extras > 0 ? [{ addon: 'extra', quantity: terms.extras }] : []
  const payer = await world.register(plan, iso(now), { quantity, coupons, addons })
  const expected = begin(now, { terms, card: 'pays', discounts, withTrial: true })
  const how = `${plan} × ${quantity} with ${terms.extras} extras${coupons.map((coupon) => ` and the coupon ${coupon}`).join('')}`
  const told = [`${kind}, ${how} from ${iso(now)}`]
  return { seed, random, kind, coupons: redeemable, told, payers: [payer], payer, expected, isBehind: false }
}

/** Beside usage in two lives of three: in the others as much is used as comes to mind. */
function couponsOf(kind: Kind, random: Random): readonly CouponKey[] {
  if (kind === 'paying') return couponKeys
  return random.pick([couponKeys, couponKeys.filter((key) => sold[key].duration !== 'once'), []])
}
