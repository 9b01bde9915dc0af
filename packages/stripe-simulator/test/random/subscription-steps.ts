import type Stripe from 'stripe'
import fc from '../../../../test/support/fast-check.ts'
import { DAY } from '../world.ts'
import { kind, PRORATIONS, which } from './step.ts'
import { now, pick, type Story, subscriptions } from './story.ts'

const MOST = 4

const item = fc.record({
  price: which,
  quantity: fc.integer({ min: 0, max: 12 }),
  metered: fc.constantFrom(false, false, false, false, true),
})

function itemParams(story: Story, given: { price: number; quantity: number; metered: boolean }) {
  const price = pick(given.metered ? story.metered : story.prices, given.price) as string
  return given.metered ? { price } : { price, quantity: given.quantity }
}

/** Most commands are for subscriptions that still run; now and then one that has ended is asked, too. */
async function one(story: Story, drawn: number): Promise<Stripe.Subscription | undefined> {
  const all = await subscriptions(story)
  const running = all.filter(({ status }) => status !== 'canceled' && status !== 'incomplete_expired')
  return pick(drawn % 20 === 0 ? all : running, drawn)
}

/** A change of one subscription; without any there is nothing to do. */
async function change(
  story: Story,
  drawn: number,
  params: (subscription: Stripe.Subscription) => Stripe.SubscriptionUpdateParams,
) {
  const subscription = await one(story, drawn)
  return subscription && story.stripe.subscriptions.update(subscription.id, params(subscription))
}

const create = kind(
  5,
  'subscribe',
  {
    items: fc.array(item, { minLength: 1, maxLength: 3 }),
    trial: fc.constantFrom(0, 0, 0, 2, 14, 45),
    anchor: fc.constantFrom(0, 0, 0, 9),
    coupon: fc.option(which, { freq: 2 }),
    tax: fc.option(which, { freq: 2 }),
    sent: fc.constantFrom(false, false, false, true),
    behavior: fc.constantFrom('allow_incomplete', 'default_incomplete', 'error_if_incomplete'),
    without: fc.constantFrom('create_invoice', 'cancel', 'pause'),
    method: fc.constantFrom(
      null,
      null,
      'pm_card_visa',
      'pm_card_chargeCustomerFail',
      'pm_card_threeDSecure2Required',
    ),
  },
  async (story, { items, trial, anchor, coupon, tax, sent, behavior, without, method }) => {
    const { stripe, customer, mode } = story
    if ((await subscriptions(story)).filter(({ ended_at }) => ended_at === null).length >= MOST)
      return undefined
    const params: Stripe.SubscriptionCreateParams = {
      customer,
      items: items.map((given) => itemParams(story, given)),
      billing_mode: { type: mode },
      payment_behavior: behavior as 'allow_incomplete',
    }
    if (trial > 0) {
      params.trial_period_days = trial
      params.trial_settings = { end_behavior: { missing_payment_method: without as 'cancel' } }
    } else if (anchor > 0) {
      params.billing_cycle_anchor = (await now(story)) + anchor * DAY
    }
    if (coupon !== null) params.discounts = [{ coupon: pick(story.coupons, coupon) as string }]
    if (tax !== null) params.default_tax_rates = [pick(story.taxRates, tax) as string]
    if (sent) {
      params.collection_method = 'send_invoice'
      params.days_until_due = 5
      delete params.payment_behavior
    } else if (method !== null) {
      params.default_payment_method = (await stripe.paymentMethods.attach(method, { customer })).id
    }
    return stripe.subscriptions.create(params)
  },
)

const behaviors = fc.constantFrom(
  'allow_incomplete',
  'allow_incomplete',
  'default_incomplete',
  'error_if_incomplete',
  'pending_if_incomplete',
)

const reprice = kind(
  6,
  'change an item',
  { on: which, which, to: item, proration: fc.constantFrom(...PRORATIONS), behavior: behaviors },
  (story, { on, which: index, to, proration, behavior }) =>
    change(story, on, ({ items }) => ({
      items: [{ id: pick(items.data, index)?.id as string, ...itemParams(story, to) }],
      proration_behavior: proration,
      payment_behavior: behavior as 'allow_incomplete',
    })),
)

const quantity = kind(
  4,
  'change a quantity',
  { on: which, which, quantity: fc.integer({ min: 0, max: 20 }), proration: fc.constantFrom(...PRORATIONS) },
  (story, { on, which: index, quantity: to, proration }) =>
    change(story, on, ({ items }) => {
      const licensed = items.data.filter(({ price }) => price.recurring?.usage_type === 'licensed')
      return {
        items: [{ id: pick(licensed, index)?.id as string, quantity: to }],
        proration_behavior: proration,
      }
    }),
)

const add = kind(
  3,
  'add an item',
  { on: which, item, proration: fc.constantFrom(...PRORATIONS) },
  (story, { on, item: added, proration }) =>
    change(story, on, () => ({ items: [itemParams(story, added)], proration_behavior: proration })),
)

const remove = kind(
  2,
  'remove an item',
  { on: which, which, proration: fc.constantFrom(...PRORATIONS) },
  (story, { on, which: index, proration }) =>
    change(story, on, ({ items }) => ({
      items: [{ id: pick(items.data, index)?.id as string, deleted: true }],
      proration_behavior: proration,
    })),
)

const settings = kind(
  4,
  'change its settings',
  {
    on: which,
    set: fc.constantFrom(
      'anchor',
      'trial',
      'trial end',
      'discount',
      'no discount',
      'tax',
      'no tax',
      'sent',
      'charged',
    ),
    which,
    proration: fc.constantFrom(...PRORATIONS),
  },
  async (story, { on, set, which: index, proration }) => {
    const params: Record<typeof set, Stripe.SubscriptionUpdateParams> = {
      anchor: { billing_cycle_anchor: { type: 'now' }, proration_behavior: proration },
      trial: { trial_end: (await now(story)) + (index % 40) * DAY + 3600, proration_behavior: proration },
      'trial end': { trial_end: 'now', proration_behavior: proration },
      discount: { discounts: [{ coupon: pick(story.coupons, index) as string }] },
      'no discount': { discounts: '' },
      tax: { default_tax_rates: [pick(story.taxRates, index) as string] },
      'no tax': { default_tax_rates: '' },
      sent: { collection_method: 'send_invoice', days_until_due: 3 },
      charged: { collection_method: 'charge_automatically' },
    }
    return change(story, on, () => params[set])
  },
)

const collection = kind(
  1,
  'pause collection',
  { on: which, behavior: fc.constantFrom('void', 'keep_as_draft', 'mark_uncollectible', '') },
  (story, { on, behavior }) =>
    change(story, on, () => ({ pause_collection: behavior === '' ? '' : { behavior: behavior as 'void' } })),
)

const pause = kind(
  1,
  'pause',
  { on: which, invoicing: fc.constantFrom('invoice', 'pending_invoice_item') },
  async (story, { on, invoicing }) => {
    const subscription = story.mode === 'flexible' ? await one(story, on) : undefined
    return (
      subscription &&
      story.stripe.subscriptions.pause(subscription.id, { invoicing_behavior: invoicing as 'invoice' })
    )
  },
)

const resume = kind(
  3,
  'resume',
  {
    on: which,
    anchor: fc.constantFrom('now', 'unchanged'),
    behavior: fc.constantFrom('resume_on_payment_success', 'resume_on_payment_attempt'),
  },
  async (story, { on, anchor, behavior }) => {
    const paused = (await subscriptions(story)).filter(({ status }) => status === 'paused')
    const subscription = pick(paused, on)
    return (
      subscription &&
      story.stripe.subscriptions.resume(subscription.id, {
        billing_cycle_anchor: { type: anchor as 'now' },
        payment_behavior: behavior as 'resume_on_payment_success',
      })
    )
  },
)

const planEnd = kind(
  2,
  'plan its end',
  { on: which, when: fc.constantFrom('period', 'date', 'never'), days: fc.integer({ min: 1, max: 70 }) },
  async (story, { on, when, days }) => {
    const params: Record<string, Stripe.SubscriptionUpdateParams> = {
      period: { cancel_at_period_end: true },
      date: { cancel_at: (await now(story)) + days * DAY },
      never: { cancel_at: '' },
    }
    return change(story, on, () => params[when] as Stripe.SubscriptionUpdateParams)
  },
)

const cancel = kind(
  1,
  'cancel',
  { on: which, prorate: fc.boolean(), invoice_now: fc.boolean() },
  async (story, { on, ...how }) => {
    const subscription = await one(story, on)
    return subscription && story.stripe.subscriptions.cancel(subscription.id, how)
  },
)

export const subscriptionSteps = [
  create,
  reprice,
  quantity,
  add,
  remove,
  settings,
  collection,
  pause,
  resume,
  planEnd,
  cancel,
]
