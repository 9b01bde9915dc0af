// docs.stripe.com/expand: a field that can be expanded and is null stays null.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expansions } from '../src/registry.ts'
import { DAY, newWorld, type World } from './world.ts'

/** Where objects of a type are listed. */
const LISTS: Record<string, string> = {
  product: '/v1/products',
  price: '/v1/prices',
  plan: '/v1/plans',
  customer: '/v1/customers',
  subscription: '/v1/subscriptions',
  subscription_schedule: '/v1/subscription_schedules',
  invoice: '/v1/invoices',
  invoiceitem: '/v1/invoiceitems',
  invoice_payment: '/v1/invoice_payments',
  payment_intent: '/v1/payment_intents',
  setup_intent: '/v1/setup_intents',
  charge: '/v1/charges',
  refund: '/v1/refunds',
  dispute: '/v1/disputes',
  credit_note: '/v1/credit_notes',
  coupon: '/v1/coupons',
  promotion_code: '/v1/promotion_codes',
  tax_id: '/v1/tax_ids',
  balance_transaction: '/v1/balance_transactions',
  'checkout.session': '/v1/checkout/sessions',
}

let world: World
/** One of each, with as little as it can be made with. */
beforeAll(async () => {
  world = await newWorld()
  const { stripe } = world
  const price = await world.price(1000)
  const { id: customer } = await stripe.customers.create({})
  const owing = { collection_method: 'send_invoice', days_until_due: 30 } as const
  await stripe.subscriptions.create({ customer, items: [{ price: price.id }], ...owing })
  await stripe.subscriptionSchedules.create({
    customer,
    start_date: Math.floor(Date.now() / 1000) + DAY,
    phases: [{ items: [{ price: price.id }], duration: { interval: 'month', interval_count: 1 } }],
  })
  await stripe.invoiceItems.create({ customer, amount: 500, currency: 'usd' })
  const invoice = await stripe.invoices.create({
    customer,
    pending_invoice_items_behavior: 'include',
    ...owing,
  })
  await stripe.invoices.finalizeInvoice(invoice.id)
  await stripe.creditNotes.create({ invoice: invoice.id, amount: 100 })
  await stripe.invoices.create({ customer })
  await stripe.invoiceItems.create({ customer, amount: 500, currency: 'usd' })
  await stripe.paymentIntents.create({ amount: 1000, currency: 'usd' })
  const paid = await stripe.paymentIntents.create({
    amount: 1000,
    currency: 'usd',
    confirm: true,
    payment_method: 'pm_card_visa',
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  })
  await stripe.refunds.create({ payment_intent: paid.id, amount: 100 })
  await stripe.setupIntents.create({})
  const coupon = (await stripe.coupons.create({ percent_off: 10 })).id
  await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon } })
  await stripe.taxIds.create({ type: 'eu_vat', value: 'DE123456789' })
  await stripe.checkout.sessions.create({
    mode: 'setup',
    currency: 'usd',
    success_url: 'https://example.com/done',
  })
})
afterAll(() => world.close())

const cases = Object.entries(LISTS).flatMap(([type, url]) =>
  Object.keys(expansions[type] ?? {}).map((field) => [type, field, url] as const),
)

/** What the API answers to a question, or its words. */
async function asked(path: string) {
  const answer = await fetch(`${world.simulator.url}${path}`, {
    headers: { authorization: 'Bearer sk_test_any' },
  })
  const body = (await answer.json()) as { data: { id: string }[]; error?: { message: string } }
  return { status: answer.status, said: body.error?.message ?? '', body }
}

test.each(cases)('%s: %s', async (_type, field, url) => {
  // A currency stands for all of them.
  const path = field.replace('*', 'usd')
  // `data` counts as a level, so what is four deep is read of one.
  const isDeep = path.split('.').length > 3
  const first = isDeep ? (await asked(url)).body.data[0]?.id : undefined
  const { status, said } = await asked(
    isDeep ? `${url}/${first}?expand[]=${path}` : `${url}?limit=100&expand[]=data.${path}`,
  )
  expect([status, said]).toEqual([200, ''])
})
