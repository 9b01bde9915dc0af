import type Stripe from 'stripe'
import type { BillingWorld } from '../../../packages/service/test/support/billing-world.ts'
import type { Random } from '../../support/random.ts'

/** An account in which everything is made at Stripe, on one clock. */
export interface Account {
  readonly world: BillingWorld
  readonly random: Random
  readonly clock: string
  readonly products: readonly Stripe.Product[]
  readonly prices: Stripe.Price[]
  readonly coupons: readonly string[]
  readonly subscriptions: readonly string[]
}

/** Something that a person does in the dashboard, or a customer in the portal. */
export type Move = (account: Account, subscription: Stripe.Subscription) => Promise<unknown>

const DAY = 86_400

export const moves: Readonly<Record<string, Move>> = {
  'takes another price': async (account, { id, items }) => {
    const price = another(account, items)
    if (price) await change(account, id, { items: [{ id: first(items).id, price: price.id }] })
  },
  'takes one more item': async (account, { id, items }) => {
    const price = another(account, items)
    if (!price) return
    await account.world.stripe.subscriptionItems.create({ subscription: id, price: price.id, quantity: 2 })
  },
  'gives an item up': async ({ world }, { items }) => {
    const [, last] = items.data
    if (last) await world.stripe.subscriptionItems.del(last.id)
  },
  'has another number': (account, { id, items }) =>
    change(account, id, { items: [{ id: first(items).id, quantity: account.random.below(5) }] }),
  'begins its cycle anew': (account, { id }) =>
    change(account, id, { billing_cycle_anchor: { type: 'now' } }),
  'is in a trial': (account, { id, items }) =>
    change(account, id, { trial_end: first(items).current_period_end + account.random.below(20) * DAY }),
  'is not collected': (account, { id }) =>
    change(account, id, {
      pause_collection: {
        behavior: account.random.pick(['void', 'keep_as_draft', 'mark_uncollectible'] as const),
      },
    }),
  'is collected again': (account, { id }) => change(account, id, { pause_collection: '' }),
  'is going to end': (account, { id }) => change(account, id, { cancel_at_period_end: true }),
  'is going to end on a day': (account, { id, items }) =>
    change(account, id, { cancel_at: first(items).current_period_end + account.random.below(40) * DAY }),
  'is not going to end': (account, { id, cancel_at_period_end: atEnd }) =>
    change(account, id, atEnd ? { cancel_at_period_end: false } : { cancel_at: '' }),
  ends: async ({ world, random }, { id }) => {
    const how = random.pick([{}, { invoice_now: true, prorate: true }])
    if (random.below(3) === 0) await world.stripe.subscriptions.cancel(id, how)
  },
  'has coupons': (account, { id }) =>
    change(account, id, { discounts: [{ coupon: account.random.pick(account.coupons) }] }),
  'has no coupons': (account, { id }) => change(account, id, { discounts: '' }),
  'is planned to change': async (account, { id, items }) => {
    const price = another(account, items)
    if (!price) return
    const { stripe } = account.world
    const schedule = await stripe.subscriptionSchedules.create({ from_subscription: id })
    const [phase] = schedule.phases
    if (!phase) throw new Error(`${schedule.id} has no phase.`)
    const now = phase.items.map(({ price: its, quantity }) => ({ price: idOf(its), quantity: quantity ?? 1 }))
    await stripe.subscriptionSchedules.update(schedule.id, {
      phases: [
        { items: now, start_date: phase.start_date, end_date: phase.end_date },
        { items: [{ price: price.id, quantity: 1 }], duration: { interval: 'month', interval_count: 3 } },
      ],
    })
  },
  'is not planned to change': async ({ world }, { schedule }) => {
    if (schedule !== null) await world.stripe.subscriptionSchedules.release(idOf(schedule))
  },
  'is billed something beside': async ({ world, random }, { id, customer, currency }) => {
    const amount = 10 * (1 + random.below(50))
    await world.stripe.invoiceItems.create({ customer: idOf(customer), subscription: id, currency, amount })
  },
  'has its bill paid elsewhere': async ({ world }, { id }) => {
    const [open] = (await world.stripe.invoices.list({ subscription: id, status: 'open' })).data
    if (open) await world.stripe.invoices.pay(open.id, { paid_out_of_band: true })
  },
  'has its bill voided': async ({ world }, { id }) => {
    const [open] = (await world.stripe.invoices.list({ subscription: id, status: 'open' })).data
    if (open) await world.stripe.invoices.voidInvoice(open.id)
  },
  'is given something back': async ({ world }, { id }) => {
    const [paid] = (await world.stripe.invoices.list({ subscription: id, status: 'paid' })).data
    if (!paid || paid.total < 100) return
    await world.stripe.creditNotes.create({ invoice: paid.id, amount: 50, credit_amount: 50 })
  },
  'has a card that fails': async (account, { id, customer }) => {
    const { stripe } = account.world
    const card = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
      customer: idOf(customer),
    })
    await change(account, id, { default_payment_method: card.id })
  },
  'has a card that pays': async (account, { id, customer }) => {
    const { stripe } = account.world
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: idOf(customer) })
    await change(account, id, { default_payment_method: card.id })
  },
  'is called otherwise': ({ world, random }, { customer }) =>
    world.stripe.customers.update(idOf(customer), { name: `Payer ${random.below(1000)}` }),
  'is deleted with its customer': async ({ world, random }, { customer }) => {
    if (random.below(3) === 0) await world.stripe.customers.del(idOf(customer))
  },
  'sees a new price': async (account) => {
    const { world, random, products, prices } = account
    const terms = { product: random.pick(products).id, currency: random.pick(['usd', 'jpy', 'kwd']) }
    prices.push(
      await world.stripe.prices.create({
        ...terms,
        unit_amount: 10 * (30 + random.below(50)),
        recurring: { interval: 'month' },
      }),
    )
  },
  'sees a price archived': async ({ world, random, prices }) => {
    const price = random.pick(prices)
    await world.stripe.prices.update(price.id, { active: random.below(2) === 0 })
  },
  'sees a product called otherwise': async ({ world, random, products }) => {
    const name = `Team ${random.below(1000)}`
    await world.stripe.products.update(random.pick(products).id, { name, active: random.below(4) > 0 })
  },
  'sees time go by': async (account) => {
    await turn(account, 1 + account.random.below(40))
  },
}

/** Turns the clock by days, and waits until all that falls due is done. */
async function turn({ world, clock }: Account, days: number): Promise<void> {
  const { frozen_time: now } = await world.stripe.testHelpers.testClocks.retrieve(clock)
  await world.stripe.testHelpers.testClocks.advance(clock, { frozen_time: now + days * DAY })
  // As long as the machine needs: it is not the time that is tested.
  const { idle } = await world.simulator.control.idle({ timeoutMs: 600_000 })
  if (!idle) throw new Error('The clock does not come to rest.')
}

const change = ({ world }: Account, id: string, params: Stripe.SubscriptionUpdateParams) =>
  world.stripe.subscriptions.update(id, params)

/** A price that goes with the others of a subscription, and is not among them. */
function another({ random, prices }: Account, items: Stripe.Subscription['items']): Stripe.Price | undefined {
  const { price } = first(items)
  const fitting = prices.filter(
    (one) =>
      one.currency === price.currency &&
      one.recurring?.interval_count === price.recurring?.interval_count &&
      !items.data.some((item) => item.price.id === one.id),
  )
  return fitting.length === 0 ? undefined : random.pick(fitting)
}

function first({ data }: Stripe.Subscription['items']): Stripe.SubscriptionItem {
  const [item] = data
  if (!item) throw new Error('A subscription without an item.')
  return item
}

const idOf = (named: string | { readonly id: string }): string =>
  typeof named === 'string' ? named : named.id
