// docs.stripe.com/api/subscriptions/create, .../billing/subscriptions/backdating, .../billing-cycle, .../billing-mode/compare
import { describe, expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { amounts, DAY, HOUR, JAN_1, refusal } from './world.ts'

const FEB_1 = JAN_1 + 31 * DAY
const MAR_1 = FEB_1 + 28 * DAY

const world = await sharedWorld()

type Invoice = import('stripe').default.Invoice
type CreateParams = import('stripe').default.SubscriptionCreateParams

const expand = ['latest_invoice']
const utc = (text: string) => Date.parse(text) / 1000

async function start(more: Partial<CreateParams>, { amount = 3100, at = JAN_1 } = {}) {
  const ada = await world.customer({ at })
  const price = (await world.price(amount)).id
  const subscription = await world.stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price }],
    expand,
    ...more,
  })
  return { ada, price, subscription, invoice: subscription.latest_invoice as Invoice }
}

const periods = (invoice: Invoice) =>
  invoice.lines.data.map((line) => [line.period.start, line.period.end, line.amount])

describe('backdated', () => {
  const at = utc('2026-03-01T00:00:00Z')

  test('classic makes one line by an imagined month: 14 of 28 days are half', async () => {
    const { subscription, invoice } = await start(
      { billing_mode: { type: 'classic' }, backdate_start_date: utc('2026-02-15T00:00:00Z') },
      { amount: 1000, at },
    )
    expect(subscription).toMatchObject({
      start_date: utc('2026-02-15T00:00:00Z'),
      billing_cycle_anchor: at,
      status: 'active',
    })
    expect(periods(invoice)).toEqual([
      [at, utc('2026-04-01T00:00:00Z'), 1000],
      [utc('2026-02-15T00:00:00Z'), at, 500],
    ])
  })

  test('classic up to a future anchor: one line from the start to it', async () => {
    // 15 October, begun on 1 September, to be billed on 1 November: 61 days by a month of 30.
    const { subscription, invoice } = await start(
      {
        billing_mode: { type: 'classic' },
        backdate_start_date: utc('2026-09-01T00:00:00Z'),
        billing_cycle_anchor: utc('2026-11-01T00:00:00Z'),
      },
      { amount: 3000, at: utc('2026-10-15T00:00:00Z') },
    )
    expect(periods(invoice)).toEqual([[utc('2026-09-01T00:00:00Z'), utc('2026-11-01T00:00:00Z'), 6100]])
    expect(subscription.items.data[0]?.current_period_end).toBe(utc('2026-11-01T00:00:00Z'))
  })

  test('flexible makes a line for each period and counts from the start', async () => {
    const { ada, subscription, invoice } = await start(
      { backdate_start_date: utc('2026-01-10T00:00:00Z') },
      { amount: 1000, at },
    )
    expect(subscription.billing_cycle_anchor).toBe(utc('2026-01-10T00:00:00Z'))
    expect(periods(invoice).toReversed()).toEqual([
      [utc('2026-01-10T00:00:00Z'), utc('2026-02-10T00:00:00Z'), 1000],
      [utc('2026-02-10T00:00:00Z'), utc('2026-03-10T00:00:00Z'), 1000],
    ])
    expect(subscription.items.data[0]).toMatchObject({
      current_period_start: utc('2026-02-10T00:00:00Z'),
      current_period_end: utc('2026-03-10T00:00:00Z'),
    })
    // Only the running period is credited: 9 of 28 days.
    await world.stripe.subscriptions.cancel(subscription.id, { prorate: true })
    const pending = await world.stripe.invoiceItems.list({ customer: ada.id, pending: true })
    expect(pending.data.map((item) => item.amount)).toEqual([-321])
  })

  test('none charges nothing of the past', async () => {
    const { subscription, invoice } = await start(
      {
        backdate_start_date: utc('2026-01-10T00:00:00Z'),
        billing_cycle_anchor: utc('2026-03-10T00:00:00Z'),
        proration_behavior: 'none',
      },
      { at },
    )
    expect(subscription.start_date).toBe(utc('2026-01-10T00:00:00Z'))
    expect(invoice.total).toBe(0)
    expect(subscription.items.data[0]?.current_period_end).toBe(utc('2026-03-10T00:00:00Z'))
  })
})

describe('the anchor by its parts', () => {
  test('the 31st is the last day of shorter months, and comes back', async () => {
    const { ada, subscription } = await start(
      { billing_cycle_anchor_config: { day_of_month: 31, hour: 9, minute: 30, second: 0 } },
      { at: utc('2026-02-10T12:00:00Z') },
    )
    expect(subscription.billing_cycle_anchor).toBe(utc('2026-02-28T09:30:00Z'))
    expect(subscription.billing_cycle_anchor_config).toEqual({
      day_of_month: 31,
      hour: 9,
      minute: 30,
      month: null,
      second: 0,
    })
    await world.advance(ada.clock, utc('2026-03-01T00:00:00Z'))
    const renewed = await world.stripe.subscriptions.retrieve(subscription.id)
    expect(renewed.items.data[0]?.current_period_end).toBe(utc('2026-03-31T09:30:00Z'))
  })

  test('parts that are left out are those of now, and a month can be named', async () => {
    const ada = await world.customer({ at: utc('2026-02-10T12:34:56Z') })
    const price = await world.price(36_500, { recurring: { interval: 'year' } })
    const { billing_cycle_anchor: anchor } = await world.stripe.subscriptions.create({
      customer: ada.id,
      items: [{ price: price.id }],
      billing_cycle_anchor_config: { day_of_month: 5, month: 7 },
    })
    expect(anchor).toBe(utc('2026-07-05T12:34:56Z'))
    const week = await world.price(100, { recurring: { interval: 'week' } })
    const weekly = world.stripe.subscriptions.create({
      customer: ada.id,
      items: [{ price: week.id }],
      billing_cycle_anchor_config: { day_of_month: 5 },
    })
    expect(await refusal(weekly)).toMatchObject({ param: 'billing_cycle_anchor_config' })
  })
})

describe('trials', () => {
  test('trial_from_plan takes the days that the price brings', async () => {
    const ada = await world.customer()
    const price = await world.price(1000, { recurring: { interval: 'month', trial_period_days: 10 } })
    const items = [{ price: price.id }]
    const plain = await world.stripe.subscriptions.create({ customer: ada.id, items })
    expect(plain.status).toBe('active')
    const tried = await world.stripe.subscriptions.create({ customer: ada.id, items, trial_from_plan: true })
    expect(tried).toMatchObject({ status: 'trialing', trial_end: JAN_1 + 10 * DAY })
    const both = world.stripe.subscriptions.create({
      customer: ada.id,
      items,
      trial_from_plan: true,
      trial_end: FEB_1,
    })
    expect((await refusal(both)).message).toMatch(/when `trial_from_plan=true`\.$/)
  })

  test('an anchor that the trial leaves unchanged makes a first period cut short', async () => {
    const { ada, subscription } = await start({
      trial_period_days: 10,
      trial_settings: {
        end_behavior: { missing_payment_method: 'create_invoice', billing_cycle_anchor: 'unchanged' },
      },
    })
    expect(subscription).toMatchObject({ billing_cycle_anchor: JAN_1, trial_end: JAN_1 + 10 * DAY })
    await world.advance(ada.clock, JAN_1 + 10 * DAY + 2 * HOUR)
    // 21 of 31 days of January.
    expect((await world.invoices(subscription.id)).at(-1)?.total).toBe(2100)
    const after = await world.stripe.subscriptions.retrieve(subscription.id)
    expect(after.items.data[0]).toMatchObject({
      current_period_start: JAN_1 + 10 * DAY,
      current_period_end: FEB_1,
    })
  })

  test('default_incomplete with nothing to pay waits for a method to be set up', async () => {
    const { ada, subscription } = await start({
      trial_period_days: 10,
      payment_behavior: 'default_incomplete',
      expand: ['pending_setup_intent'],
    })
    expect(subscription.pending_setup_intent).toMatchObject({
      status: 'requires_payment_method',
      customer: ada.id,
      usage: 'off_session',
    })
    const intent = subscription.pending_setup_intent as { id: string }
    const types = await world.typesDuring(() =>
      world.stripe.setupIntents.confirm(intent.id, {
        payment_method: 'pm_card_mastercard',
        return_url: 'https://example.com/done',
      }),
    )
    expect(types).toEqual([
      'setup_intent.succeeded',
      'payment_method.attached',
      'customer.subscription.updated',
    ])
    const ready = await world.stripe.subscriptions.retrieve(subscription.id, {
      expand: ['default_payment_method'],
    })
    expect(ready.pending_setup_intent).toBeNull()
    expect(ready.default_payment_method).toMatchObject({ card: { brand: 'mastercard' } })
  })
})

describe('ends planned at the start', () => {
  test('cancel_at_period_end and the named ends', async () => {
    for (const how of [
      { cancel_at_period_end: true },
      { cancel_at: 'min_period_end' },
      { cancel_at: 'max_period_end' },
    ] as Partial<CreateParams>[]) {
      const { ada, subscription } = await start(how)
      expect(subscription).toMatchObject({ cancel_at: FEB_1, canceled_at: JAN_1 })
      await world.advance(ada.clock, FEB_1 + HOUR)
      const over = await world.stripe.subscriptions.retrieve(subscription.id)
      expect(over).toMatchObject({ status: 'canceled', ended_at: FEB_1 })
      expect(await world.invoices(subscription.id)).toHaveLength(1)
    }
  })

  test.each([
    ['classic', 'create_prorations', 1000],
    ['classic', 'none', 1000],
    ['flexible', 'create_prorations', 1000],
    ['flexible', 'none', 3100],
  ] as const)('inside the first period, %s with %s bills %i', async (type, proration_behavior, total) => {
    const { ada, subscription, invoice } = await start({
      billing_mode: { type },
      proration_behavior,
      cancel_at: JAN_1 + 10 * DAY,
    })
    expect(invoice.total).toBe(total)
    await world.advance(ada.clock, JAN_1 + 10 * DAY + HOUR)
    expect((await world.stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled')
    expect(await world.invoices(subscription.id)).toHaveLength(1)
  })
})

test('what is billed once goes onto the first invoice, for the period that it names', async () => {
  const product = (await world.product('Setup')).id
  const { invoice } = await start({
    add_invoice_items: [
      { price_data: { currency: 'usd', product, unit_amount: 500 }, quantity: 2 },
      {
        price_data: { currency: 'usd', product, unit_amount: 700 },
        period: { start: { type: 'now' }, end: { type: 'timestamp', timestamp: MAR_1 } },
      },
    ],
  })
  expect(periods(invoice)).toEqual([
    [JAN_1, FEB_1, 1000],
    [JAN_1, MAR_1, 700],
    [JAN_1, FEB_1, 3100],
  ])
})

test('what invoices say is set on the subscription', async () => {
  const { ada, subscription, invoice } = await start({
    invoice_settings: { footer: 'Thank you', custom_fields: [{ name: 'PO', value: '7' }] },
  })
  expect(invoice).toMatchObject({ footer: 'Thank you', custom_fields: [{ name: 'PO', value: '7' }] })
  await world.stripe.subscriptions.update(subscription.id, { invoice_settings: { footer: '' } })
  await world.advance(ada.clock, FEB_1 + HOUR)
  expect((await world.invoices(subscription.id)).at(-1)).toMatchObject({
    footer: null,
    custom_fields: [{ name: 'PO', value: '7' }],
  })
})

test('classic has one rhythm, flexible several', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const month = (await world.price(100)).id
  const year = (await world.price(1000, { recurring: { interval: 'year' } })).id
  const items = [{ price: month }, { price: year }]
  const classic = stripe.subscriptions.create({
    customer: ada.id,
    items,
    billing_mode: { type: 'classic' },
  })
  expect(await refusal(classic)).toMatchObject({ statusCode: 400, param: 'items' })
  const flexible = await stripe.subscriptions.create({ customer: ada.id, items })
  expect(flexible.items.data.map((item) => item.current_period_end)).toEqual([FEB_1, JAN_1 + 365 * DAY])
})

test('discounts of an item come before those of the subscription', async () => {
  const { stripe } = world
  const [half, fixed, once] = await Promise.all([
    stripe.coupons.create({ percent_off: 50, duration: 'forever' }),
    stripe.coupons.create({ amount_off: 300, currency: 'usd', duration: 'forever' }),
    stripe.coupons.create({ percent_off: 10, duration: 'once' }),
  ])
  const ada = await world.customer()
  const seats = (await world.price(1000)).id
  const support = (await world.price(2000)).id
  const subscription = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: seats, discounts: [{ coupon: half.id }, { coupon: once.id }] }, { price: support }],
    discounts: [{ coupon: fixed.id }],
    expand: ['latest_invoice', 'items.data.discounts'],
  })
  const invoice = subscription.latest_invoice as Invoice
  // Seats: 1000 - 500 - 50 = 450. Then 300 over 450 and 2000: 55 and 245, the rest on the last line.
  expect(invoice).toMatchObject({ subtotal: 3000, total: 2150 })
  const first = subscription.items.data[0]
  expect(first?.discounts[0]).toMatchObject({
    source: { coupon: half.id },
    subscription: subscription.id,
    subscription_item: first?.id,
  })
  // The coupon for one time is used up: 1000 - 500 + 2000 - 300.
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  expect((await world.invoices(subscription.id)).at(-1)?.total).toBe(2200)
  await stripe.subscriptionItems.update(first?.id as string, { discounts: '' })
  await world.advance(ada.clock, MAR_1 + 2 * HOUR)
  const march = (await world.invoices(subscription.id)).at(-1) as Invoice
  expect(march.total).toBe(2700)
  expect(amounts(march).toSorted((a, b) => a - b)).toEqual([1000, 2000])
})

test('a subscription has twenty items at most, also after a change', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const product = (await world.product()).id
  const prices = await Promise.all(Array.from({ length: 21 }, (_, i) => world.price(i + 1, { product })))
  const items = prices.map(({ id }) => ({ price: id }))
  const tooMany = stripe.subscriptions.create({ customer: ada.id, items })
  expect(await refusal(tooMany)).toMatchObject({ statusCode: 400, param: 'items' })
  const { id } = await stripe.subscriptions.create({ customer: ada.id, items: items.slice(1) })
  const more = stripe.subscriptionItems.create({ subscription: id, price: prices[0]?.id as string })
  expect(await refusal(more)).toMatchObject({ statusCode: 400, param: 'items' })
})

describe('a fee at the start of a trial', () => {
  async function startWithFee(card: string, more: Partial<CreateParams> = {}) {
    const ada = await world.customer({ card })
    const price = (await world.price(3100)).id
    const product = (await world.product('Setup')).id
    const subscription = await world.stripe.subscriptions.create({
      customer: ada.id,
      items: [{ price }],
      trial_period_days: 10,
      add_invoice_items: [{ price_data: { currency: 'usd', product, unit_amount: 700 } }],
      expand,
      ...more,
    })
    return { ada, subscription, invoice: subscription.latest_invoice as Invoice }
  }
  const statusOf = async (id: string) => (await world.stripe.subscriptions.retrieve(id)).status

  test('is charged at once', async () => {
    const { ada, subscription, invoice } = await startWithFee('pm_card_visa')
    expect(subscription.status).toBe('trialing')
    expect(invoice).toMatchObject({ status: 'paid', total: 700, amount_paid: 700 })
    await world.advance(ada.clock, JAN_1 + 10 * DAY + 2 * HOUR)
    expect(await statusOf(subscription.id)).toBe('active')
    expect((await world.invoices(subscription.id)).map((one) => one.amount_paid)).toEqual([700, 3100])
  })

  // "a subscription moves into `incomplete` if the initial payment attempt fails", .../subscriptions/object#status
  test('keeps the subscription incomplete until it is paid', async () => {
    const { ada, subscription, invoice } = await startWithFee('pm_card_chargeCustomerFail')
    expect(subscription.status).toBe('incomplete')
    await world.setCard(ada.id, 'pm_card_visa')
    await world.stripe.invoices.pay(invoice.id)
    expect(await world.stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
      status: 'trialing',
      trial_end: JAN_1 + 10 * DAY,
    })
    await world.advance(ada.clock, JAN_1 + 10 * DAY + 2 * HOUR)
    expect(await statusOf(subscription.id)).toBe('active')
  })

  test('that is never paid ends the subscription after 23 hours', async () => {
    const { ada, subscription } = await startWithFee('pm_card_visa', {
      payment_behavior: 'default_incomplete',
    })
    await world.advance(ada.clock, JAN_1 + 23 * HOUR)
    expect(await statusOf(subscription.id)).toBe('incomplete_expired')
  })

  test('paid after a trial that was shorter than its payment, the trial is over', async () => {
    const { ada, subscription, invoice } = await startWithFee('pm_card_chargeCustomerFail', {
      trial_period_days: undefined,
      trial_end: JAN_1 + 2 * HOUR,
    } as Partial<CreateParams>)
    await world.advance(ada.clock, JAN_1 + 3 * HOUR)
    expect(await statusOf(subscription.id)).toBe('incomplete')
    await world.setCard(ada.id, 'pm_card_visa')
    await world.stripe.invoices.pay(invoice.id)
    await world.advance(ada.clock, JAN_1 + 5 * HOUR)
    expect(await statusOf(subscription.id)).toBe('active')
  })
})
