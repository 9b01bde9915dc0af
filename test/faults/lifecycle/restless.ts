import { newId } from '@lockstep/service/ids'
import type Stripe from 'stripe'
import type { Payer } from '../../../packages/service/test/support/billing-world.ts'
import type { Random } from '../../support/random.ts'
import { gainOf, servedNow } from './books.ts'
import { DAY, HOUR } from './calendar.ts'
import { atProvider } from './coupon-commands.ts'
import { cards, iso, type Life, newLife } from './life.ts'
import { couponKeys, type PlanKey, prices } from './plans.ts'
import { reasonOf } from './reason.ts'
import type { Answer, Request, Stage } from './stage.ts'

/** What is asked of us, or done at the provider. */
type Move = readonly [name: string, run: () => Promise<unknown>]

const plans = Object.keys(prices) as PlanKey[]
const collections = ['keepAsDraft', 'markUncollectible', 'void'] as const

/**
 * One customer who does anything that there is, in any order and knowing nothing: plans, numbers, add-ons, coupons of
 * every duration wherever they are taken, and taken away, cards that fail, recover and are removed, ends with and without money back, pauses, new beginnings by every
 * road and under another address. Most of it is refused. Returns what was gained, or undefined.
 */
export async function wander(
  stage: Stage,
  seed: number,
  moves: number,
  settle: () => Promise<void>,
): Promise<string | undefined> {
  const life = await newLife(stage, seed, 'greedy')
  let now = life.expected.now
  let [served, tried] = [0, 0]
  try {
    await settle()
    for (let number = 0; number < moves; number += 1) {
      if (life.random.below(3) > 0) {
        const [name, run] = life.random.pick(await possible(stage, life, now))
        life.told.push(name)
        await run()
      } else {
        const { worth, isTrial, until } = await servedNow(stage, life.payer.customer, now)
        const to = Math.min(until, now + life.random.pick([HOUR, DAY, 20 * DAY, 40 * DAY]))
        life.told.push(`to ${iso(to)}`)
        await stage.world.turn(life.payer, iso(to))
        served += worth * (to - now)
        tried += isTrial ? to - now : 0
        now = to
      }
      await settle()
    }
    for (const { id } of await liveOf(stage, life.payer.customer))
      await stage.world.stripe.subscriptions.cancel(id)
    const gain = await gainOf(stage, { customer: life.payer.customer, now, served, tried })
    return gain && `${life.told.join('; ')}\n    ${gain}`
  } catch (error) {
    return `${life.told.join('; ')}\n    ${reasonOf(error)}`
  }
}

async function liveOf({ world: { stripe } }: Stage, customer: string): Promise<Stripe.Subscription[]> {
  const { data } = await stripe.subscriptions.list({ customer, limit: 100 })
  return data.filter(({ status }) => status !== 'incomplete_expired')
}

async function possible(stage: Stage, { random, payer }: Life, now: number): Promise<Move[]> {
  const { rows } = await stage.world.pool.query<{ id: string }>(
    'select id from subscription where customer_id = $1 order by created_at desc, id desc limit 1',
    [payer.customerId],
  )
  const path = `/v1/subscriptions/${rows[0]?.id}`
  const ask = (method: Request['method'], url: string, payload: object = {}): Move => [
    `${method} ${url.replace(/.*_[^/]{20,}/, '')} ${JSON.stringify(payload)}`,
    async () => sound(await stage.ask({ method, url, payload, key: newId('operation') })),
  ]
  const plan = random.pick(plans)
  const terms = { plan, quantity: plan === 'seats' ? 1 + random.below(9) : 1 }
  const addons = random.below(2) === 0 ? { addons: [{ addon: 'extra', quantity: random.below(4) }] } : {}
  const coupon = random.pick(couponKeys)
  const coupons = random.below(4) === 0 ? { coupons: [coupon] } : {}
  const when = random.pick([{}, {}, { when: 'now' }, { when: 'periodEnd' }])
  const paymentMethod = cards[random.pick(['pays', 'pays', 'declines', 'asks'] as const)]
  const email = `${random.below(1000)}@example.org`
  const asked = await openQuestion(stage, payer.customer)
  return [
    ...Array.from({ length: 5 }, () => ask('PATCH', path, { ...terms, ...addons, ...when, ...coupons })),
    ask('PATCH', path, { ...when, addons: [{ addon: 'extra', quantity: random.below(4) }] }),
    ask('PATCH', path, { coupons: [coupon] }),
    ask('PATCH', path, { plan, paymentMethod }),
    ask('PATCH', path, { paymentMethod }),
    ask('PATCH', path, { trial: 'end' }),
    ask('POST', `${path}/cancel`, { when: 'now', unusedTime: random.pick(['keep', 'credit', 'refund']) }),
    ask('POST', `${path}/cancel`, random.pick([{}, { at: iso(now + (1 + random.below(50)) * DAY) }])),
    ask('POST', `${path}/resume`),
    ask('POST', `${path}/pause`, { collection: random.pick(collections) }),
    ask('POST', `${path}/reactivate`, { plan, paymentMethod }),
    ask('POST', '/v1/registrations', {
      ...{ externalId: payer.externalId, plan, paymentMethod, email, ...addons, ...coupons },
      slot: random.pick(['default', 'second']),
    }),
    ...(asked === undefined ? [] : answers(stage, asked)),
    ...(await elsewhere(stage, payer, random)),
  ]
}

/** What the customer does in the portal, or on the telephone with whoever has the dashboard. */
async function elsewhere(stage: Stage, { customer }: Payer, random: Random): Promise<Move[]> {
  const { stripe } = stage.world
  const { data: cards } = await stripe.customers.listPaymentMethods(customer, { limit: 100 })
  const subscription = (await liveOf(stage, customer)).find(({ schedule }) => schedule === null)
  const kept = (subscription?.discounts ?? []).map((discount) => ({ discount: discount as string })).slice(1)
  const coupon = await atProvider(stage, 'coupon', random.pick(couponKeys))
  const update = (name: string, params: Stripe.SubscriptionUpdateParams): Move[] =>
    subscription === undefined ? [] : [[name, () => stripe.subscriptions.update(subscription.id, params)]]
  return [
    ...(cards.length === 0
      ? []
      : [
          [
            'a card is detached',
            () => stripe.paymentMethods.detach(random.pick(cards.map(({ id }) => id))),
          ] satisfies Move,
        ]),
    ['no card is the default', () => forgetDefault(stage, customer)],
    ...(subscription?.discounts.length
      ? update('the first coupon is taken away', { discounts: kept.length > 0 ? kept : '' })
      : update(`the coupon ${coupon} is given`, { discounts: [{ coupon }] })),
  ]
}

const forgetDefault = ({ world: { stripe } }: Stage, customer: string) =>
  stripe.customers.update(customer, { invoice_settings: { default_payment_method: '' } })

function answers({ world }: Stage, intent: string): Move[] {
  return (['succeed', 'succeed', 'fail'] as const).map((outcome) => [
    `the bank is told to ${outcome}`,
    async () => world.simulator.control.authenticate(intent, outcome),
  ])
}

async function openQuestion({ world: { stripe } }: Stage, customer: string): Promise<string | undefined> {
  const { data } = await stripe.paymentIntents.list({ customer, limit: 5 })
  return data.find(({ status }) => status === 'requires_action')?.id
}

/** Whatever is asked for in whatever state is done or refused, and nothing of ours breaks. */
function sound({ status, body }: Answer): void {
  if (status >= 500) throw new Error(`${status}: ${JSON.stringify(body)}`)
}
