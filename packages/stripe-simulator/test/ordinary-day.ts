import type Stripe from 'stripe'
import { DAY, JAN_1, type World } from './world.ts'

/** What a subscription business asks in a day: one good request of most operations that write. */
export async function ordinaryDay(world: World): Promise<{ clock: string }> {
  const { stripe } = world
  const ada = await world.customer()
  const at = JAN_1 + DAY
  await stripe.customers.update(ada.id, {
    name: 'Ada',
    metadata: { tier: 'gold' },
    address: { country: 'DE' },
  })
  const price = (await world.price(1000)).id
  const larger = (await world.price(2500)).id
  const tiered = await stripe.prices.create({
    currency: 'usd',
    recurring: { interval: 'month' },
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: 10, unit_amount: 500 },
      { up_to: 'inf', unit_amount: 300 },
    ],
    product_data: { name: 'Seats' },
  })
  const once = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 700,
    lookup_key: 'setup',
    currency_options: { eur: { unit_amount: 600 } },
    product_data: { name: 'Setup' },
  })
  const coupon = (
    await stripe.coupons.create({ percent_off: 10, duration: 'repeating', duration_in_months: 3 })
  ).id
  await stripe.promotionCodes.create({
    promotion: { type: 'coupon', coupon },
    code: 'AUTUMN',
    max_redemptions: 9,
  })
  const rate = await stripe.taxRates.create({ display_name: 'VAT', percentage: 20, inclusive: false })
  await invoiceByHand(world, ada.id, once.id)
  await subscribe(world, {
    customer: ada.id,
    price,
    larger,
    tiered: tiered.id,
    once: once.id,
    coupon,
    rate: rate.id,
    at,
  })
  await pay(world, ada.id)
  await sellOnPages(world, ada.id, price)
  await measure(world, ada.id, at)
  return { clock: ada.clock }
}

interface Parts {
  readonly customer: string
  readonly price: string
  readonly larger: string
  readonly tiered: string
  readonly once: string
  readonly coupon: string
  readonly rate: string
  readonly at: number
}

async function subscribe({ stripe }: World, of: Parts): Promise<void> {
  const { customer, price, larger, coupon, at } = of
  const team = await stripe.subscriptions.create({
    customer,
    items: [{ price, quantity: 2 }],
    discounts: [{ coupon }],
    default_tax_rates: [of.rate],
    add_invoice_items: [{ price: of.once }],
    billing_cycle_anchor: at + 10 * DAY,
  })
  const item = team.items.data[0]?.id as string
  await stripe.subscriptions.create({
    customer,
    items: [{ price: of.tiered, quantity: 12 }],
    trial_end: at + 5 * DAY,
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    billing_mode: { type: 'classic' },
  })
  await stripe.invoices.createPreview({
    subscription: team.id,
    subscription_details: { items: [{ id: item, quantity: 9 }], proration_behavior: 'always_invoice' },
  })
  await stripe.subscriptions.update(team.id, {
    items: [{ id: item, price: larger, quantity: 3 }],
    proration_behavior: 'always_invoice',
    payment_behavior: 'pending_if_incomplete',
  })
  await stripe.subscriptions.update(team.id, {
    cancel_at_period_end: true,
    pause_collection: { behavior: 'void', resumes_at: at + 30 * DAY },
  })
  const seats = await stripe.subscriptionItems.create({
    subscription: team.id,
    price: of.tiered,
    quantity: 4,
  })
  await stripe.subscriptionItems.update(seats.id, { quantity: 5, proration_behavior: 'create_prorations' })
  const planned = await stripe.subscriptionSchedules.create({
    customer,
    start_date: 'now',
    end_behavior: 'release',
    phases: [
      { items: [{ price }], duration: { interval: 'month', interval_count: 1 }, discounts: [{ coupon }] },
      {
        items: [{ price: larger, quantity: 2 }],
        duration: { interval: 'month', interval_count: 2 },
        trial: true,
      },
    ],
  } as Stripe.SubscriptionScheduleCreateParams)
  await stripe.subscriptionSchedules.update(planned.id, { end_behavior: 'cancel', metadata: { by: 'sales' } })
  await stripe.subscriptions.cancel(team.id, { prorate: true, invoice_now: true })
}

async function invoiceByHand({ stripe }: World, customer: string, price: string): Promise<void> {
  const invoice = await stripe.invoices.create({
    customer,
    collection_method: 'send_invoice',
    days_until_due: 3,
  })
  const period = { start: JAN_1, end: JAN_1 + DAY }
  await stripe.invoiceItems.create({ customer, invoice: invoice.id, pricing: { price }, quantity: 3, period })
  const pending = await stripe.invoiceItems.create({ customer, amount: 500, currency: 'usd' })
  await stripe.invoiceItems.update(pending.id, { amount: 600, description: 'Help' })
  await stripe.invoices.addLines(invoice.id, { lines: [{ amount: 700, description: 'Travel' }] })
  await stripe.invoices.update(invoice.id, {
    footer: 'Thank you',
    custom_fields: [{ name: 'PO', value: '7' }],
  })
  await stripe.invoices.finalizeInvoice(invoice.id, { auto_advance: false })
  await stripe.creditNotes.create({ invoice: invoice.id, amount: 100, reason: 'order_change' })
  await stripe.invoices.pay(invoice.id, { off_session: true })
  await stripe.creditNotes.create({ invoice: invoice.id, amount: 200, credit_amount: 200 })
}

async function pay({ stripe }: World, customer: string): Promise<void> {
  await stripe.setupIntents.create({
    customer,
    payment_method: 'pm_card_visa',
    confirm: true,
    return_url: 'http://x.test',
  })
  const payment_method = (
    await stripe.paymentMethods.create({
      type: 'card',
      card: { number: '4242424242424242', exp_month: 12, exp_year: 2034 },
    })
  ).id
  await stripe.paymentMethods.attach(payment_method, { customer })
  const held = {
    customer,
    payment_method,
    amount: 2000,
    currency: 'usd',
    capture_method: 'manual',
    confirm: true,
  } as const
  const intent = await stripe.paymentIntents.create({ ...held, off_session: true })
  await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 1500 })
  await stripe.refunds.create({ payment_intent: intent.id, amount: 10, reason: 'duplicate' })
  await stripe.customers.createBalanceTransaction(customer, { amount: -100, currency: 'usd' })
  await stripe.customers.createTaxId(customer, { type: 'eu_vat', value: 'DE123456789' })
}

async function sellOnPages({ stripe }: World, customer: string, price: string): Promise<void> {
  const success_url = 'http://x.test/done'
  const line_items = [{ price, quantity: 1 }]
  await stripe.checkout.sessions.create({ mode: 'subscription', success_url, line_items, customer })
  await stripe.checkout.sessions.create({ mode: 'setup', success_url, customer, currency: 'usd' })
  const features = { subscription_cancel: { enabled: true, mode: 'at_period_end' } } as const
  const configuration = (await stripe.billingPortal.configurations.create({ features })).id
  await stripe.billingPortal.sessions.create({ customer, configuration, return_url: success_url })
  await stripe.webhookEndpoints.create({ url: 'http://127.0.0.1:9/', enabled_events: ['coupon.deleted'] })
}

async function measure({ stripe }: World, customer: string, at: number): Promise<void> {
  await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  })
  await stripe.billing.meterEvents.create({
    event_name: 'calls',
    payload: { stripe_customer_id: customer, value: '25' },
    timestamp: at - DAY,
  })
  await stripe.entitlements.features.create({ name: 'Export', lookup_key: 'export' })
}
