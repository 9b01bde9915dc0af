// The event sets of Stripe's life-cycle cases (docs.stripe.com/billing/subscriptions/webhooks, docs.stripe.com/api/events/types)
// as one table: what happens in a case, as a set, and which of it must come before which.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DAY, HOUR, JAN_1, newWorld, type World } from './world.ts'

const FEB_1 = JAN_1 + 31 * DAY

let world: World
let unpaid: World
beforeAll(async () => {
  world = await newWorld()
  unpaid = await newWorld({ settings: { afterRetries: 'unpaid' } })
})
afterAll(async () => {
  await world.close()
  await unpaid.close()
})

type Story = (at: World) => Promise<() => Promise<unknown>>

async function running(at: World, card = 'pm_card_visa') {
  const ada = await at.customer({ card })
  const price = (await at.price(3100)).id
  const subscription = await at.stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  return { ada, price, id: subscription.id, item: subscription.items.data[0]?.id as string }
}

/** The renewal of February could not be paid. */
async function late(at: World) {
  const story = await running(at)
  await at.setCard(story.ada.id, 'pm_card_chargeCustomerFail')
  await at.advance(story.ada.clock, FEB_1 + 2 * HOUR)
  return story
}

/** The renewal's last retry: 3, 5 and 7 days after the failures before it. */
const lastRetry = FEB_1 + HOUR + 15 * DAY

async function openInvoice(at: World) {
  const ada = await at.customer()
  const made = await at.stripe.invoices.create({ customer: ada.id, auto_advance: false })
  await at.stripe.invoiceItems.create({ customer: ada.id, invoice: made.id, amount: 500, currency: 'usd' })
  return at.stripe.invoices.finalizeInvoice(made.id)
}

async function phases(at: World, when: 'period' | 'inside') {
  const { ada, price, id } = await running(at)
  const cheap = (await at.price(1000)).id
  const made = await at.stripe.subscriptionSchedules.create({ from_subscription: id })
  const end = when === 'period' ? FEB_1 : JAN_1 + 10 * DAY
  await at.stripe.subscriptionSchedules.update(made.id, {
    phases: [
      { items: [{ price }], start_date: JAN_1, end_date: end },
      { items: [{ price: cheap }], duration: { interval: 'month', interval_count: 1 } },
    ],
  })
  await at.advance(ada.clock, end - 60)
  return () => at.advance(ada.clock, end)
}

const PAYMENT = ['charge.succeeded', 'payment_intent.succeeded', 'invoice_payment.paid']
const PAID = [...PAYMENT, 'invoice.updated', 'invoice.paid', 'invoice.payment_succeeded']
const FAILED = ['charge.failed', 'payment_intent.payment_failed', 'invoice.payment_failed', 'invoice.updated']
const NEW = ['invoice.created', 'invoice.finalized', 'payment_intent.created']
const UPDATED = 'customer.subscription.updated'

/** A case: its name, its story, its set, and pairs of which the first causes the second. */
const cases: [name: string, story: Story, set: readonly string[], causal: readonly [string, string][]][] = [
  [
    'renewal fails',
    async (at) => {
      const { ada } = await running(at)
      await at.setCard(ada.id, 'pm_card_chargeCustomerFail')
      await at.advance(ada.clock, FEB_1 + 60)
      return () => at.advance(ada.clock, FEB_1 + HOUR)
    },
    [...NEW.slice(1), ...FAILED, UPDATED, 'customer.updated'],
    [
      ['invoice.finalized', 'charge.failed'],
      ['charge.failed', 'invoice.payment_failed'],
      ['invoice.payment_failed', UPDATED],
    ],
  ],
  [
    'retry succeeds',
    async (at) => {
      const { ada } = await late(at)
      await at.setCard(ada.id, 'pm_card_visa')
      return () => at.advance(ada.clock, FEB_1 + HOUR + 3 * DAY)
    },
    [...PAID, UPDATED, 'customer.updated'],
    [
      ['charge.succeeded', 'invoice.paid'],
      ['invoice.paid', UPDATED],
    ],
  ],
  [
    'retries exhausted, canceled',
    async (at) => {
      const { ada } = await late(at)
      await at.advance(ada.clock, lastRetry - HOUR)
      return () => at.advance(ada.clock, lastRetry)
    },
    [...FAILED, 'customer.subscription.deleted'],
    [['invoice.payment_failed', 'customer.subscription.deleted']],
  ],
  [
    'retries exhausted, unpaid',
    async () => {
      const { ada } = await late(unpaid)
      await unpaid.advance(ada.clock, lastRetry - HOUR)
      return () => unpaid.advance(ada.clock, lastRetry)
    },
    [...FAILED, UPDATED],
    [['invoice.payment_failed', UPDATED]],
  ],
  [
    'upgrade, create_prorations',
    async (at) => {
      const { id, item } = await running(at)
      return () => at.stripe.subscriptions.update(id, { items: [{ id: item, quantity: 2 }] })
    },
    ['invoiceitem.created', UPDATED],
    [['invoiceitem.created', UPDATED]],
  ],
  [
    'upgrade, always_invoice',
    async (at) => {
      const { id, item } = await running(at)
      const items = [{ id: item, quantity: 2 }]
      return () => at.stripe.subscriptions.update(id, { items, proration_behavior: 'always_invoice' })
    },
    ['invoiceitem.created', UPDATED, ...NEW, ...PAID],
    [
      ['invoiceitem.created', 'invoice.created'],
      ['invoice.created', 'invoice.finalized'],
      ['charge.succeeded', 'invoice.paid'],
    ],
  ],
  [
    'cancel now, with a last invoice',
    async (at) => {
      const { ada, id } = await running(at)
      const item = { customer: ada.id, subscription: id, amount: 900, currency: 'usd' }
      await at.stripe.invoiceItems.create(item)
      return () => at.stripe.subscriptions.cancel(id, { invoice_now: true })
    },
    ['customer.subscription.deleted', ...NEW, ...PAID],
    [['invoice.created', 'invoice.paid']],
  ],
  [
    'canceled with its period, with a last invoice',
    async (at) => {
      const { ada, id } = await running(at)
      const item = { customer: ada.id, subscription: id, amount: 900, currency: 'usd' }
      await at.stripe.invoiceItems.create(item)
      await at.stripe.subscriptions.update(id, { cancel_at_period_end: true })
      return () => at.advance(ada.clock, FEB_1 + 2 * HOUR)
    },
    ['customer.subscription.deleted', ...NEW, ...PAID],
    [['invoice.created', 'invoice.finalized']],
  ],
  [
    'schedule phase change at the end of a period',
    (at) => phases(at, 'period'),
    ['subscription_schedule.updated', UPDATED, 'invoice.created'],
    [['subscription_schedule.updated', UPDATED]],
  ],
  [
    'schedule phase change inside a period',
    (at) => phases(at, 'inside'),
    ['subscription_schedule.updated', 'invoiceitem.created', UPDATED],
    [['subscription_schedule.updated', UPDATED]],
  ],
  [
    'refund',
    async (at) => {
      const { id } = await running(at)
      const [invoice] = await at.invoices(id)
      const { data } = await at.stripe.invoicePayments.list({ invoice: invoice?.id as string })
      const intent = data[0]?.payment.payment_intent as string
      return () => at.stripe.refunds.create({ payment_intent: intent, amount: 100 })
    },
    ['charge.refunded', 'refund.created'],
    [],
  ],
  [
    'credit note on an open invoice',
    async (at) => {
      const invoice = await openInvoice(at)
      return () => at.stripe.creditNotes.create({ invoice: invoice.id, amount: 100 })
    },
    ['credit_note.created', 'invoice.updated'],
    [],
  ],
  [
    'void',
    async (at) => {
      const invoice = await openInvoice(at)
      return () => at.stripe.invoices.voidInvoice(invoice.id)
    },
    ['invoice.voided', 'payment_intent.canceled'],
    [],
  ],
  [
    'uncollectible',
    async (at) => {
      const invoice = await openInvoice(at)
      return () => at.stripe.invoices.markUncollectible(invoice.id)
    },
    ['invoice.marked_uncollectible'],
    [],
  ],
  [
    'draft deleted',
    async (at) => {
      const ada = await at.customer()
      const draft = await at.stripe.invoices.create({ customer: ada.id })
      return () => at.stripe.invoices.del(draft.id)
    },
    ['invoice.deleted'],
    [],
  ],
]

test.each(cases)('%s', async (name, story, set, causal) => {
  const at = name.endsWith('unpaid') ? unpaid : world
  const act = await story(at)
  const types = (await at.typesDuring(act)).filter((type) => !type.startsWith('test_helpers.'))
  expect([...new Set(types)].sort()).toEqual([...set].sort())
  for (const [cause, effect] of causal) {
    expect(types.indexOf(cause), `${cause} before ${effect}`).toBeLessThan(types.indexOf(effect))
  }
})
