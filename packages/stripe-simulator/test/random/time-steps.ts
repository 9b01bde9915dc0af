import type Stripe from 'stripe'
import fc from '../../../../test/support/fast-check.ts'
import { DAY, HOUR } from '../world.ts'
import { kind, PRORATIONS, which } from './step.ts'
import { now, pick, type Story, subscriptions } from './story.ts'

const hours = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 30 }) },
  { weight: 5, arbitrary: fc.integer({ min: 31, max: 900 }) },
  { weight: 1, arbitrary: fc.integer({ min: 901, max: 2400 }) },
)

const turn = kind(10, 'turn the clock', { hours }, async (story, given) => {
  await story.world.advance(story.clock, (await now(story)) + given.hours * HOUR)
  return true
})

const use = kind(
  4,
  'use',
  { value: fc.integer({ min: 0, max: 40 }), daysAgo: fc.constantFrom(0, 0, 0, 3) },
  async (story, { value, daysAgo }) =>
    story.stripe.billing.meterEvents.create({
      event_name: 'calls',
      payload: { stripe_customer_id: story.customer, value: String(value) },
      timestamp: (await now(story)) - daysAgo * DAY,
    }),
)

function phase(story: Story, price: number, quantity: number, months: number) {
  return {
    items: [{ price: pick(story.prices, price) as string, quantity }],
    duration: { interval: 'month' as const, interval_count: months },
  }
}

const takeOver = kind(
  2,
  'schedule a change',
  {
    on: which,
    price: which,
    quantity: fc.integer({ min: 1, max: 6 }),
    proration: fc.constantFrom(...PRORATIONS),
    end: fc.constantFrom('release', 'cancel'),
  },
  async (story, { on, price, quantity, proration, end }) => {
    const { stripe } = story
    const free = (await subscriptions(story)).filter((one) => one.ended_at === null && one.schedule === null)
    const found = pick(free, on)
    if (found === undefined) return undefined
    const made = await stripe.subscriptionSchedules.create({ from_subscription: found.id })
    const [current] = made.phases
    if (current === undefined) return made
    return stripe.subscriptionSchedules.update(made.id, {
      end_behavior: end as 'release',
      phases: [
        {
          items: current.items.map((item) => ({
            price: item.price as string,
            ...(item.quantity === undefined ? {} : { quantity: item.quantity }),
          })),
          start_date: current.start_date,
          end_date: current.end_date,
        },
        { ...phase(story, price, quantity, 1), proration_behavior: proration },
      ],
    })
  },
)

const plan = kind(
  1,
  'schedule a start',
  { days: fc.integer({ min: 0, max: 40 }), prices: fc.array(which, { minLength: 1, maxLength: 3 }) },
  async (story, { days, prices }) => {
    if ((await subscriptions(story)).filter(({ ended_at }) => ended_at === null).length > 3) return undefined
    return story.stripe.subscriptionSchedules.create({
      customer: story.customer,
      start_date: days === 0 ? 'now' : (await now(story)) + days * DAY,
      phases: prices.map((price, index) => phase(story, price, index + 1, 1 + (index % 2))),
      billing_mode: { type: story.mode },
    } as Stripe.SubscriptionScheduleCreateParams)
  },
)

const end = kind(
  1,
  'end a schedule',
  { on: which, by: fc.constantFrom('release', 'cancel') },
  async ({ stripe, customer }, { on, by }) => {
    const schedules = (await stripe.subscriptionSchedules.list({ customer, limit: 100 })).data
    const found = pick(
      schedules.filter(({ status }) => status === 'active' || status === 'not_started'),
      on,
    )
    if (found === undefined) return undefined
    return by === 'release'
      ? stripe.subscriptionSchedules.release(found.id)
      : stripe.subscriptionSchedules.cancel(found.id)
  },
)

export const timeSteps = [turn, use, takeOver, plan, end]
