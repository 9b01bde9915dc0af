// The event sets of Stripe's life-cycle cases (docs.stripe.com/billing/subscriptions/webhooks, docs.stripe.com/api/events/types)
// as one table: what happens in a case, as a set, and which of it must come before which.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DAY, HOUR, JAN_1, NO_REDIRECTS, newWorld, type World } from './world.ts'

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
/** An invoice of nothing, or of less. */
const FREE = ['invoice.created', 'invoice.finalized', 'invoice.paid', 'invoice.payment_succeeded']
const FREE_CAUSES: readonly [string, string][] = [
  ['invoice.created', 'invoice.finalized'],
  ['invoice.finalized', 'invoice.paid'],
]
const PAID_CAUSES: readonly [string, string][] = [
  ['invoice.created', 'invoice.finalized'],
  ['payment_intent.created', 'charge.succeeded'],
  ['charge.succeeded', 'payment_intent.succeeded'],
  ['charge.succeeded', 'invoice.paid'],
]

/** The story of a subscription that an act begins. */
const begins =
  (card: string, more: object = {}): Story =>
  async (at) => {
    const ada = await at.customer({ card })
    const price = (await at.price(3100)).id
    return () => at.stripe.subscriptions.create({ customer: ada.id, items: [{ price }], ...more })
  }

/** A seat more at half time that is held until it is paid, by a card that does not. */
async function held(at: World) {
  const story = await running(at)
  await at.setCard(story.ada.id, 'pm_card_chargeCustomerFail')
  const { latest_invoice: invoice } = await at.stripe.subscriptions.update(story.id, {
    items: [{ id: story.item, quantity: 2 }],
    payment_behavior: 'pending_if_incomplete',
    proration_behavior: 'always_invoice',
  })
  return { ...story, invoice: invoice as string }
}

/** A case: its name, its story, its set, and pairs of which the first causes the second. */
const cases: [name: string, story: Story, set: readonly string[], causal: readonly [string, string][]][] = [
  [
    'customer and card',
    async (at) => async () => {
      const { id: customer } = await at.stripe.customers.create({})
      const payment = { payment_method: 'pm_card_visa', confirm: true, ...NO_REDIRECTS }
      const { payment_method } = await at.stripe.setupIntents.create({ customer, ...payment })
      await at.stripe.customers.update(customer, {
        invoice_settings: { default_payment_method: payment_method as string },
      })
    },
    [
      'customer.created',
      'setup_intent.created',
      'setup_intent.succeeded',
      'payment_method.attached',
      'customer.updated',
    ],
    [
      ['customer.created', 'setup_intent.created'],
      ['setup_intent.created', 'setup_intent.succeeded'],
    ],
  ],
  [
    'sign-up with a trial',
    begins('pm_card_visa', { trial_period_days: 14 }),
    ['customer.subscription.created', 'customer.updated', ...FREE],
    FREE_CAUSES,
  ],
  [
    'sign-up with a trial of two days',
    begins('pm_card_visa', { trial_period_days: 2 }),
    ['customer.subscription.created', 'customer.subscription.trial_will_end', 'customer.updated', ...FREE],
    FREE_CAUSES,
  ],
  [
    'first payment succeeds',
    begins('pm_card_visa'),
    ['customer.subscription.created', 'customer.updated', ...NEW, ...PAID],
    PAID_CAUSES,
  ],
  [
    'first payment fails',
    begins('pm_card_chargeCustomerFail'),
    ['customer.subscription.created', 'customer.updated', ...NEW, ...FAILED],
    [
      ['invoice.created', 'invoice.finalized'],
      ['payment_intent.created', 'charge.failed'],
      ['charge.failed', 'invoice.payment_failed'],
    ],
  ],
  [
    'first payment needs its holder',
    begins('pm_card_authenticationRequired'),
    [
      'customer.subscription.created',
      'customer.updated',
      ...NEW,
      'payment_intent.requires_action',
      'invoice.payment_action_required',
      'invoice.payment_failed',
      'invoice.updated',
    ],
    [
      ['payment_intent.created', 'payment_intent.requires_action'],
      ['payment_intent.requires_action', 'invoice.payment_action_required'],
    ],
  ],
  [
    'first payment is authenticated',
    async (at) => {
      const { id } = await running(at, 'pm_card_authenticationRequired')
      const [invoice] = await at.invoices(id)
      const { data } = await at.stripe.invoicePayments.list({ invoice: invoice?.id as string })
      const intent = data[0]?.payment.payment_intent as string
      return async () => at.simulator.control.authenticate(intent, 'succeed')
    },
    [...PAID, UPDATED, 'customer.updated'],
    [...PAID_CAUSES.slice(2), ['invoice.paid', UPDATED]],
  ],
  [
    'incomplete for 23 hours',
    async (at) => {
      const { ada } = await running(at, 'pm_card_chargeCustomerFail')
      return () => at.advance(ada.clock, JAN_1 + 23 * HOUR)
    },
    [UPDATED, 'invoice.voided', 'invoice.updated', 'payment_intent.canceled'],
    [],
  ],
  [
    'trial end',
    async (at) => {
      const ada = await at.customer()
      const price = (await at.price(3100)).id
      await at.stripe.subscriptions.create({ customer: ada.id, items: [{ price }], trial_period_days: 14 })
      return () => at.advance(ada.clock, JAN_1 + 14 * DAY + HOUR)
    },
    ['customer.subscription.trial_will_end', 'invoice.upcoming', UPDATED, ...NEW, ...PAID],
    [
      ...PAID_CAUSES,
      ['customer.subscription.trial_will_end', UPDATED],
      ['invoice.upcoming', 'invoice.created'],
    ],
  ],
  [
    'renewal',
    async (at) => {
      const { ada } = await running(at)
      return () => at.advance(ada.clock, FEB_1 + HOUR)
    },
    ['invoice.upcoming', UPDATED, ...NEW, ...PAID],
    [...PAID_CAUSES, ['invoice.upcoming', 'invoice.created']],
  ],
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
    'downgrade, always_invoice',
    async (at) => {
      const { ada, id, item } = await running(at)
      const cheap = (await at.price(1000)).id
      await at.advance(ada.clock, JAN_1 + 10 * DAY)
      const items = [{ id: item, price: cheap }]
      return () => at.stripe.subscriptions.update(id, { items, proration_behavior: 'always_invoice' })
    },
    ['invoiceitem.created', UPDATED, ...FREE, 'customer.updated'],
    [['invoiceitem.created', 'invoice.created'], ...FREE_CAUSES],
  ],
  [
    'pending update is paid',
    async (at) => {
      const { ada, invoice } = await held(at)
      await at.setCard(ada.id, 'pm_card_visa')
      return () => at.stripe.invoices.pay(invoice)
    },
    [...PAID, UPDATED, 'customer.subscription.pending_update_applied', 'customer.updated'],
    [
      ...PAID_CAUSES.slice(2),
      ['invoice.paid', UPDATED],
      [UPDATED, 'customer.subscription.pending_update_applied'],
    ],
  ],
  [
    'pending update expires',
    async (at) => {
      const { ada } = await held(at)
      return () => at.advance(ada.clock, JAN_1 + 23 * HOUR)
    },
    [
      UPDATED,
      'customer.subscription.pending_update_expired',
      'invoice.voided',
      'invoice.updated',
      'payment_intent.canceled',
    ],
    [[UPDATED, 'customer.subscription.pending_update_expired']],
  ],
  [
    'cancel now',
    async (at) => {
      const { id } = await running(at)
      return () => at.stripe.subscriptions.cancel(id)
    },
    ['customer.subscription.deleted'],
    [],
  ],
  [
    'cancel at the end of the period, asked and done',
    async (at) => {
      const { ada, id } = await running(at)
      return async () => {
        await at.stripe.subscriptions.update(id, { cancel_at_period_end: true })
        await at.advance(ada.clock, FEB_1)
      }
    },
    [UPDATED, 'customer.subscription.deleted'],
    [[UPDATED, 'customer.subscription.deleted']],
  ],
  [
    'a discount is added',
    async (at) => {
      const { id } = await running(at)
      const { id: coupon } = await at.stripe.coupons.create({ percent_off: 10, duration: 'once' })
      return () => at.stripe.subscriptions.update(id, { discounts: [{ coupon }] })
    },
    ['customer.discount.created', UPDATED],
    [['customer.discount.created', UPDATED]],
  ],
  [
    'a discount ends',
    async (at) => {
      const { ada, id } = await running(at)
      const months = { duration: 'repeating', duration_in_months: 1 } as const
      const { id: coupon } = await at.stripe.coupons.create({ percent_off: 10, ...months })
      await at.stripe.subscriptions.update(id, { discounts: [{ coupon }] })
      return () => at.advance(ada.clock, FEB_1)
    },
    ['invoice.upcoming', 'customer.discount.deleted', UPDATED, 'invoice.created'],
    [['customer.discount.deleted', UPDATED]],
  ],
  [
    'paused and resumed',
    async (at) => {
      const { id } = await running(at)
      return async () => {
        await at.stripe.subscriptions.pause(id)
        await at.stripe.subscriptions.resume(id)
      }
    },
    [
      'invoiceitem.created',
      UPDATED,
      'customer.subscription.paused',
      'customer.subscription.resumed',
      ...FREE,
    ],
    [['customer.subscription.paused', 'customer.subscription.resumed']],
  ],
  [
    'pause_collection',
    async (at) => {
      const { id } = await running(at)
      return async () => {
        await at.stripe.subscriptions.update(id, { pause_collection: { behavior: 'void' } })
        await at.stripe.subscriptions.update(id, { pause_collection: '' })
      }
    },
    [UPDATED],
    [],
  ],
  [
    'entitlement change',
    async (at) => {
      const { id } = await running(at)
      const product = (await at.product()).id
      const feature = await at.stripe.entitlements.features.create({ name: 'SSO', lookup_key: 'sso' })
      await at.stripe.products.createFeature(product, { entitlement_feature: feature.id })
      const price = (await at.price(100, { product })).id
      return () => at.stripe.subscriptions.update(id, { items: [{ price }], proration_behavior: 'none' })
    },
    [UPDATED, 'entitlements.active_entitlement_summary.updated'],
    [[UPDATED, 'entitlements.active_entitlement_summary.updated']],
  ],
  [
    'price and product created',
    async (at) => () => at.price(100),
    ['product.created', 'price.created', 'plan.created'],
    [['product.created', 'price.created']],
  ],
  [
    'cancel now, with a last invoice',
    async (at) => {
      const { ada, id } = await running(at)
      const item = { customer: ada.id, subscription: id, amount: 900, currency: 'usd' }
      await at.stripe.invoiceItems.create(item)
      return async () => {
        await at.stripe.subscriptions.cancel(id, { invoice_now: true })
        await at.advance(ada.clock, JAN_1 + 2 * HOUR)
      }
    },
    ['customer.subscription.deleted', ...NEW, ...PAID],
    [
      ['customer.subscription.deleted', 'invoice.finalized'],
      ['invoice.created', 'invoice.paid'],
    ],
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
    ['invoice.voided', 'invoice.updated', 'payment_intent.canceled'],
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
