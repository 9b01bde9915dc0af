// What must hold whatever is done, in whatever order.
import fc from 'fast-check'
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { DAY, JAN_1, newWorld, type World } from './world.ts'

type Command =
  | { do: 'advance'; hours: number }
  | { do: 'card'; token: 'pm_card_visa' | 'pm_card_chargeCustomerFail' }
  | {
      do: 'change'
      price: number
      quantity: number
      behavior: 'create_prorations' | 'always_invoice' | 'none'
      held: boolean
    }
  | { do: 'suspend'; invoicing: 'invoice' | 'pending_invoice_item' }
  | { do: 'resume'; anchor: 'now' | 'unchanged'; success: boolean }
  | { do: 'void' }
  | { do: 'anchor' }
  | { do: 'charge'; amount: number }
  | { do: 'pay' }
  | { do: 'plan-end'; on: boolean }
  | { do: 'pause'; behavior: 'void' | 'keep_as_draft' | 'mark_uncollectible' | '' }
  | { do: 'cancel'; prorate: boolean; invoice: boolean }

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('advance' as const), hours: fc.integer({ min: 1, max: 900 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('card' as const),
      token: fc.constantFrom('pm_card_visa', 'pm_card_chargeCustomerFail'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      price: fc.integer({ min: 0, max: 3 }),
      quantity: fc.integer({ min: 0, max: 9 }),
      behavior: fc.constantFrom('create_prorations', 'always_invoice', 'none'),
      held: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('suspend' as const),
      invoicing: fc.constantFrom('invoice', 'pending_invoice_item'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('resume' as const),
      anchor: fc.constantFrom('now', 'unchanged'),
      success: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('void' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('anchor' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('charge' as const),
      amount: fc.integer({ min: -500, max: 5000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pay' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('plan-end' as const), on: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('pause' as const),
      behavior: fc.constantFrom('void', 'keep_as_draft', 'mark_uncollectible', ''),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('cancel' as const),
      prorate: fc.boolean(),
      invoice: fc.boolean(),
    }),
  },
)

interface Story {
  readonly world: World
  readonly customer: string
  readonly clock: string
  readonly subscription: string
  readonly prices: readonly string[]
}

/** Refusals are part of the conversation: a declined card, an ended subscription. A 500 is a bug. */
async function allowed(call: Promise<unknown>): Promise<void> {
  try {
    await call
  } catch (error) {
    if (((error as Stripe.errors.StripeError).statusCode ?? 500) >= 500) throw error
  }
}

async function run({ world, customer, clock, subscription, prices }: Story, step: Command): Promise<void> {
  const { stripe } = world
  switch (step.do) {
    case 'advance': {
      const { frozen_time: now } = await stripe.testHelpers.testClocks.retrieve(clock)
      return world.advance(clock, now + step.hours * 3600)
    }
    case 'card':
      await world.setCard(customer, step.token)
      return
    case 'change': {
      const { items } = await stripe.subscriptions.retrieve(subscription)
      const change = {
        items: [
          { id: items.data[0]?.id as string, price: prices[step.price] as string, quantity: step.quantity },
        ],
        proration_behavior: step.behavior,
        ...(step.held ? { payment_behavior: 'pending_if_incomplete' as const } : {}),
      }
      return allowed(stripe.subscriptions.update(subscription, change))
    }
    case 'suspend':
      return allowed(stripe.subscriptions.pause(subscription, { invoicing_behavior: step.invoicing }))
    case 'resume':
      return allowed(
        stripe.subscriptions.resume(subscription, {
          billing_cycle_anchor: { type: step.anchor },
          payment_behavior: step.success ? 'resume_on_payment_success' : 'resume_on_payment_attempt',
        }),
      )
    case 'void': {
      const [open] = (await stripe.invoices.list({ customer, status: 'open' })).data
      return open === undefined ? undefined : allowed(stripe.invoices.voidInvoice(open.id))
    }
    case 'anchor':
      return allowed(stripe.subscriptions.update(subscription, { billing_cycle_anchor: { type: 'now' } }))
    case 'charge':
      return allowed(
        stripe.invoiceItems.create({ customer, subscription, amount: step.amount, currency: 'usd' }),
      )
    case 'pay': {
      const [open] = (await stripe.invoices.list({ customer, status: 'open' })).data
      return open === undefined ? undefined : allowed(stripe.invoices.pay(open.id))
    }
    case 'plan-end':
      return allowed(stripe.subscriptions.update(subscription, { cancel_at_period_end: step.on }))
    case 'pause': {
      const pause = step.behavior === '' ? ('' as const) : { behavior: step.behavior }
      return allowed(stripe.subscriptions.update(subscription, { pause_collection: pause }))
    }
    case 'cancel':
      return allowed(
        stripe.subscriptions.cancel(subscription, { prorate: step.prorate, invoice_now: step.invoice }),
      )
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

async function check(
  { world, customer, subscription }: Story,
  terminal: string | null,
): Promise<string | null> {
  const { stripe } = world
  const invoices = await stripe.invoices
    .list({ customer, limit: 100, expand: ['data.payments'] })
    .autoPagingToArray({ limit: 1000 })
  for (const invoice of invoices) {
    const lines = await stripe.invoices
      .listLineItems(invoice.id, { limit: 100 })
      .autoPagingToArray({ limit: 300 })
    expect(sum(lines.map((line) => line.amount))).toBe(invoice.subtotal)
    expect(invoice.total).toBe(
      invoice.subtotal - sum((invoice.total_discount_amounts ?? []).map((off) => off.amount)),
    )
    if (invoice.status === 'draft') continue
    expect(invoice.amount_due).toBeGreaterThanOrEqual(0)
    // What is not due is on the balance, and what is due is not.
    const moved = (invoice.ending_balance ?? 0) - invoice.starting_balance
    expect(invoice.amount_due).toBe(invoice.total - moved)
    const paid = sum((invoice.payments?.data ?? []).map((payment) => payment.amount_paid ?? 0))
    expect(paid).toBe(invoice.status === 'paid' ? invoice.amount_due : 0)
    expect(invoice.amount_remaining).toBe(invoice.status === 'paid' ? 0 : invoice.amount_due)
  }
  const ledger = await stripe.customers
    .listBalanceTransactions(customer, { limit: 100 })
    .autoPagingToArray({ limit: 1000 })
  expect((await stripe.customers.retrieve(customer)) as Stripe.Customer).toMatchObject({
    balance: sum(ledger.map((entry) => entry.amount)),
  })
  const now = await stripe.subscriptions.retrieve(subscription)
  if (terminal !== null) expect(now.status).toBe(terminal)
  return now.status === 'canceled' || now.status === 'incomplete_expired' ? now.status : null
}

/** The newest snapshot of each object is what the object is now: no change went without its event. */
async function checkEvents({ world, customer, subscription }: Story): Promise<void> {
  const newest = new Map<string, Record<string, unknown>>()
  for (const event of await world.events()) {
    const object = event.data.object as unknown as Record<string, unknown>
    if (typeof object.id === 'string') newest.set(object.id, object)
  }
  const { stripe } = world
  const invoices = await stripe.invoices.list({ customer, limit: 100 })
  const shown = [await stripe.subscriptions.retrieve(subscription), ...invoices.data]
  for (const object of shown) {
    const { webhooks_delivered_at: _told, ...present } = JSON.parse(JSON.stringify(object)) as Record<
      string,
      unknown
    >
    expect(newest.get(object.id)).toMatchObject(present)
  }
}

test.each(['classic', 'flexible'] as const)(
  '%s: sums, states, periods and events hold',
  async (mode) => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 25 }), async (commands) => {
        const world = await newWorld()
        try {
          const product = (await world.product()).id
          const made = [
            await world.price(1000, { product }),
            await world.price(2999, { product }),
            await world.price(0, { product }),
            await world.price(20_000, { product, recurring: { interval: 'year' } }),
          ]
          const { id, clock } = await world.customer()
          const subscription = await world.stripe.subscriptions.create({
            customer: id,
            items: [{ price: made[0]?.id as string }],
            billing_mode: { type: mode },
          })
          const story = {
            world,
            customer: id,
            clock,
            subscription: subscription.id,
            prices: made.map((price) => price.id),
          }
          let terminal: string | null = null
          for (const step of commands) {
            await run(story, step)
            terminal = await check(story, terminal)
          }
          await checkEvents(story)
        } finally {
          await world.close()
        }
      }),
      { numRuns: 25, seed: 20_260_101, endOnFailure: true },
    )
  },
  120_000,
)

test('the periods of a year of renewals tile it without gap or overlap', async () => {
  const world = await newWorld()
  const price = await world.price(1000)
  const { id, clock } = await world.customer({ at: JAN_1 + 30 * DAY })
  const subscription = await world.stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
  for (let month = 1; month <= 12; month++) await world.advance(clock, JAN_1 + (30 + 31 * month) * DAY)
  const periods = (await world.invoices(subscription.id)).map((invoice) => invoice.lines.data[0]?.period)
  expect(periods.length).toBeGreaterThanOrEqual(13)
  for (const [i, period] of periods.entries()) {
    if (i > 0) expect(period?.start).toBe(periods[i - 1]?.end)
  }
  await world.close()
})
