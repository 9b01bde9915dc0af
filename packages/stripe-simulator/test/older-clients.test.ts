import { beforeAll, describe, expect, test } from 'vitest'
import { clientOf, type Loose, type Major, majors, releases } from './clients.ts'
import { sharedWorld } from './shared-world.ts'
import { HOUR, JAN_1 } from './world.ts'

const FEB_1 = JAN_1 + 31 * 86_400
const MAR_1 = FEB_1 + 28 * 86_400

const world = await sharedWorld()

const before = (major: Major, other: Major) => major < other

describe.each(majors)('release %i of the client', (major) => {
  let stripe: Loose
  beforeAll(async () => {
    stripe = await clientOf(major, world.simulator.port)
  })

  test('a customer signs up, subscribes with a discount and renews', async () => {
    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: JAN_1 })
    const ada = await stripe.customers.create({ email: 'ada@example.com', test_clock: clock.id })
    expect(ada.lastResponse.apiVersion).toBe(releases[major])
    const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: ada.id })
    await stripe.customers.update(ada.id, { invoice_settings: { default_payment_method: method.id } })
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 2000,
      recurring: { interval: 'month' },
      product_data: { name: 'Team' },
    })
    const coupon = await stripe.coupons.create({ percent_off: 25, duration: 'forever' })
    const created = await stripe.subscriptions.create({
      customer: ada.id,
      items: [{ price: price.id }],
      // https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-singular-coupon-promotion-code
      ...(before(major, 18) ? { coupon: coupon.id } : { discounts: [{ coupon: coupon.id }] }),
      expand: before(major, 18)
        ? ['latest_invoice.payment_intent', 'discounts']
        : ['latest_invoice.payments', 'discounts'],
    })
    expect(created.status).toBe('active')

    // https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-subscription-current-period-start-and-end
    const period = { current_period_start: JAN_1, current_period_end: FEB_1 }
    if (before(major, 18)) {
      expect(created).toMatchObject(period)
      expect(created.items.data[0]).not.toHaveProperty('current_period_end')
      expect(created.latest_invoice.payment_intent).toMatchObject({
        object: 'payment_intent',
        status: 'succeeded',
        amount: 1500,
        invoice: created.latest_invoice.id,
      })
    } else {
      expect(created).not.toHaveProperty('current_period_end')
      expect(created.items.data[0]).toMatchObject(period)
      expect(created.latest_invoice.payments.data).toMatchObject([{ amount_paid: 1500, status: 'paid' }])
    }

    // https://docs.stripe.com/changelog/clover: `coupon` of a discount became `source.coupon`.
    const [discount] = created.discounts
    if (before(major, 18)) expect(created.discount.id).toBe(discount.id)
    else expect(created).not.toHaveProperty('discount')
    if (before(major, 19)) {
      expect(discount.coupon).toMatchObject({ object: 'coupon', id: coupon.id, percent_off: 25 })
      expect(discount).not.toHaveProperty('source')
    } else {
      expect(discount.source).toEqual({ type: 'coupon', coupon: coupon.id })
      expect(discount).not.toHaveProperty('coupon')
    }

    // https://docs.stripe.com/changelog/clover/2025-09-30/billing-mode-default-flexible
    if (before(major, 18)) expect(created).not.toHaveProperty('billing_mode')
    else if (before(major, 19)) expect(created.billing_mode).toEqual({ type: 'classic' })
    else expect(created.billing_mode).toMatchObject({ type: 'flexible' })

    await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: FEB_1 + 2 * HOUR })
    await world.simulator.control.idle()
    const renewed = await stripe.subscriptions.retrieve(created.id)
    const next = before(major, 18) ? renewed : renewed.items.data[0]
    expect(next).toMatchObject({ current_period_start: FEB_1, current_period_end: MAR_1 })

    const invoices = await stripe.invoices.list({ subscription: created.id })
    expect(invoices.data.map((invoice: Loose) => [invoice.billing_reason, invoice.total])).toEqual([
      ['subscription_cycle', 1500],
      ['subscription_create', 1500],
    ])
    const [invoice] = invoices.data
    const [line] = (await stripe.invoices.listLineItems(invoice.id)).data
    if (before(major, 18)) {
      // https://docs.stripe.com/changelog/basil/2025-03-31/adds-new-parent-field-to-invoicing-objects
      // and …/invoice-pricing-configurations
      expect(invoice).toMatchObject({
        subscription: created.id,
        paid: true,
        paid_out_of_band: false,
        tax: null,
      })
      expect(invoice.charge).toMatch(/^ch_/)
      expect(invoice).not.toHaveProperty('parent')
      expect(line).toMatchObject({
        type: 'subscription',
        proration: false,
        subscription: created.id,
        subscription_item: created.items.data[0].id,
        price: { object: 'price', id: price.id, unit_amount: 2000 },
        plan: { object: 'plan', id: price.id, amount: 2000, aggregate_usage: null },
        tax_amounts: [],
        amount_excluding_tax: 2000,
        unit_amount_excluding_tax: '2000',
      })
      expect(line).not.toHaveProperty('pricing')
      const charge = await stripe.charges.retrieve(invoice.charge)
      expect(charge.invoice).toBe(invoice.id)
    } else {
      expect(invoice.parent.subscription_details.subscription).toBe(created.id)
      expect(invoice).not.toHaveProperty('subscription')
      expect(line.parent.subscription_item_details).toMatchObject({ proration: false })
      expect(line.pricing.price_details.price).toBe(price.id)
      expect(line).not.toHaveProperty('price')
    }
  })
})
