import type Stripe from 'stripe'
import { answered, expectSame } from './answers.ts'
import type { Command } from './commands.ts'
import { given, running } from './discounts.ts'
import type { Life } from './life.ts'
import { listPrice, type Model } from './model.ts'
import { type CouponKey, comesOutEven, couponKeys, type Kind, coupons as sold } from './plans.ts'
import type { Stage } from './stage.ts'

/** Coupons given in the middle of a life and taken away, by us or in the dashboard. */
export function couponCommands({ expected: now, random, coupons, kind }: Life): Command[] {
  const has = running(now.discounts, now.now).map(({ coupon }) => coupon)
  const others = coupons.filter(
    (key) => now.discounts.every(({ coupon }) => coupon !== key) && mayBeUsed(key, now, kind),
  )
  const mayHave = [now.terms, now.scheduled ?? now.terms].every((terms) => comesOutEven(terms, kind))
  // Of one that came and went before anybody told us we may know, or not.
  const gone = couponKeys.filter(
    (key) => !has.includes(key) && (now.had.includes(key) || !now.untold.includes(key)),
  )
  return [
    ...(has.length > 0 ? [take(random.pick(has))] : []),
    ...(gone.length > 0 && random.below(4) === 0 ? [takeAgain(random.pick(gone))] : []),
    ...(others.length > 0 && mayHave ? [give(random.pick(others))] : []),
    ...(others.length > 0 && mayHave ? [giveInDashboard(random.pick(others), now)] : []),
    ...(has.length > 0 ? [takeInDashboard(random.pick(has), now)] : []),
  ]
}

/** What is good for one invoice comes where its fees use it up: whether usage would, the model does not know. */
function mayBeUsed(key: CouponKey, { terms, scheduled, pending }: Model, kind: Kind): boolean {
  if (kind === 'paying' || sold[key].duration !== 'once') return true
  return pending.length === 0 && [terms, scheduled ?? terms].every((its) => listPrice(its) > 0)
}

const withCoupon = (now: Model, coupon: CouponKey): Model => ({
  ...now,
  discounts: [...now.discounts, given(coupon, now.now)],
})

const withoutCoupon = (now: Model, coupon: CouponKey): Model => ({
  ...now,
  discounts: now.discounts.filter((one) => one.coupon !== coupon),
})

/** Given by us, it is agreed on like every other change of the terms. */
const give = (coupon: CouponKey): Command => ({
  name: `give the coupon ${coupon}`,
  isElsewhere: false,
  async run(stage, { payer, expected: now }) {
    const url = `/v1/subscriptions/${payer.subscriptionId}`
    const payload = { coupons: [coupon] }
    const { body } = await answered(stage, { method: 'PATCH', url, payload }, mayChange(now) ? 200 : 409)
    if (mayChange(now)) return { model: { ...withCoupon(now, coupon), had: [...now.had, coupon] } }
    expectSame('a coupon is refused', body.code, 'subscription_not_changeable')
    return { model: now }
  },
})

function mayChange({ status, cancelAt, scheduled }: Model): boolean {
  return (status === 'active' || status === 'trialing') && cancelAt === null && scheduled === null
}

/** Taken off by us, shown before or not. */
const take = (coupon: CouponKey): Command => ({
  name: `take the coupon ${coupon}`,
  isElsewhere: false,
  async run(stage, { payer, expected: now, random }) {
    const url = `/v1/subscriptions/${payer.subscriptionId}`
    const wish = { withoutCoupons: [coupon] }
    const status = mayChange(now) ? 200 : 409
    const preview =
      random.below(2) === 0
        ? await answered(stage, { method: 'POST', url: `${url}/preview`, payload: wish }, status)
        : undefined
    const payload = { ...wish, ...(preview?.status === 200 && { preview: preview.body.token }) }
    const { body } = await answered(stage, { method: 'PATCH', url, payload }, status)
    if (mayChange(now)) return { model: withoutCoupon(now, coupon) }
    expectSame('a coupon is not taken', body.code, 'subscription_not_changeable')
    return { model: now }
  },
})

/** What is gone already, or never was. */
const takeAgain = (coupon: CouponKey): Command => ({
  name: `take the coupon ${coupon}, which is not there`,
  isElsewhere: false,
  async run(stage, { payer, expected: now }) {
    const url = `/v1/subscriptions/${payer.subscriptionId}`
    const payload = { withoutCoupons: [coupon] }
    const isGone = now.had.includes(coupon)
    const { body } = await answered(stage, { method: 'PATCH', url, payload }, isGone ? 200 : 422)
    if (!isGone) expectSame('unknown to it', body.code, 'coupon_unknown')
    return { model: now }
  },
})

/** Behind a schedule what nobody hears of in time is lost with the period, as documented. */
const mayBeMissed = (now: Model) => !now.isManaged

const giveInDashboard = (coupon: CouponKey, now: Model): Command => ({
  name: `the dashboard gives the coupon ${coupon}`,
  isElsewhere: mayBeMissed(now),
  isToBeHeard: !mayBeMissed(now),
  async run(stage, { payer, expected }) {
    const standing = await discountsOf(stage, payer.subscription)
    await stage.world.stripe.subscriptions.update(payer.subscription, {
      discounts: [
        ...standing.map(({ id }) => ({ discount: id })),
        { coupon: await atProvider(stage, 'coupon', coupon) },
      ],
    })
    return { model: { ...withCoupon(expected, coupon), untold: [...expected.untold, coupon] } }
  },
})

const takeInDashboard = (coupon: CouponKey, now: Model): Command => ({
  name: `the dashboard takes the coupon ${coupon}`,
  isElsewhere: mayBeMissed(now),
  isToBeHeard: !mayBeMissed(now),
  async run(stage, { payer, expected }) {
    const standing = await discountsOf(stage, payer.subscription)
    const taken = await atProvider(stage, 'coupon', coupon)
    const kept = standing.filter(({ source }) => source.coupon !== taken)
    if (kept.length === standing.length) throw new Error(`The coupon ${coupon} is not there.`)
    // An empty list changes nothing, an empty text takes all: https://docs.stripe.com/api/subscriptions/update
    const discounts = kept.length > 0 ? kept.map(({ id }) => ({ discount: id })) : ('' as const)
    await stage.world.stripe.subscriptions.update(payer.subscription, { discounts })
    return { model: withoutCoupon(expected, coupon) }
  },
})

async function discountsOf({ world }: Stage, id: string): Promise<Stripe.Discount[]> {
  const { discounts } = await world.stripe.subscriptions.retrieve(id, { expand: ['discounts'] })
  return discounts as Stripe.Discount[]
}

/** What the provider calls something of ours. */
export async function atProvider(
  { world: { pool } }: Stage,
  type: 'coupon' | 'price',
  id: string,
): Promise<string> {
  const { rows } = await pool.query<{ providerId: string }>(
    'select provider_id as "providerId" from mapping where entity_type = $1 and entity_id = $2',
    [type, id],
  )
  const [found] = rows
  if (!found) throw new Error(`The provider does not know the ${type} ${id}.`)
  return found.providerId
}
