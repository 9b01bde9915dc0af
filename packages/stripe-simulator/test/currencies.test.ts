// docs.stripe.com/currencies: three-decimal currencies, special cases
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, NO_REDIRECTS, refusal } from './world.ts'

const world = await sharedWorld()

async function subscribed(currency: string, amounts: readonly number[]) {
  const { stripe } = world
  const product = (await world.product()).id
  const prices = await Promise.all(
    amounts.map((unit_amount) =>
      stripe.prices.create({ currency, unit_amount, recurring: { interval: 'month' }, product }),
    ),
  )
  const ada = await world.customer()
  const { id, items } = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: prices[0]?.id as string }],
  })
  return { ada, id, item: items.data[0]?.id as string, next: prices[1]?.id as string }
}

const balanceOf = async (id: string) => {
  const customer = await world.stripe.customers.retrieve(id)
  return customer.deleted ? Number.NaN : customer.balance
}

// January has 31 days; at the beginning of the 17th 15 of them are left. Of 5.000 and 12.000 KWD that is 2419.35 and
// 5806.45 fils; of 1,000 and 3,000 UGX or ISK, in hundredths, 48387.1 and 145161.3; of as many yen 483.9 and 1451.6.
test.each([
  //         prices             lines              total   due     balance  renewal
  ['kwd', [5000, 12_000], [-2419, 5806], 3387, 3390, -3, 12_000],
  ['ugx', [100_000, 300_000], [-48_387, 145_161], 96_774, 96_800, -26, 300_000],
  ['isk', [100_000, 300_000], [-48_387, 145_161], 96_774, 96_800, -26, 300_000],
  ['jpy', [1000, 3000], [-484, 1452], 968, 968, 0, 3000],
  ['huf', [100_000, 300_000], [-48_387, 145_161], 96_774, 96_774, 0, 300_000],
] as const)(
  'a proration in %s is due as far as it can be charged, the rest is on the balance',
  async (...row) => {
    const [currency, prices, lines, total, due, balance, renewal] = row
    const { stripe } = world
    const { ada, id, item, next } = await subscribed(currency, prices)
    await world.advance(ada.clock, JAN_1 + 16 * DAY)
    const items = [{ id: item, price: next }]
    const preview = await stripe.invoices.createPreview({
      subscription: id,
      subscription_details: { items, proration_behavior: 'always_invoice' },
    })
    await stripe.subscriptions.update(id, { items, proration_behavior: 'always_invoice' })
    const [invoice] = (await stripe.invoices.list({ subscription: id, limit: 1 })).data
    for (const shown of [preview, invoice]) {
      expect(shown?.lines.data.map(({ amount }) => amount).sort((a, b) => a - b)).toEqual(lines)
      expect(shown).toMatchObject({ total, amount_due: due })
    }
    expect(invoice).toMatchObject({
      status: 'paid',
      amount_paid: due,
      starting_balance: 0,
      ending_balance: balance,
    })
    const [charge] = (await stripe.charges.list({ customer: ada.id, limit: 1 })).data
    expect(charge).toMatchObject({ amount: due, currency })
    expect(await balanceOf(ada.id)).toBe(balance)
    // The few fils that the customer has are not enough to lower a renewal by what can be charged.
    await world.advance(ada.clock, JAN_1 + 31 * DAY + 2 * HOUR)
    const [renewed] = (await stripe.invoices.list({ subscription: id, limit: 1 })).data
    expect(renewed).toMatchObject({ total: renewal, amount_due: renewal, ending_balance: balance })
  },
)

test('voiding gives the difference back, and what rounds to nothing is owed', async () => {
  const { stripe } = world
  const ada = await world.customer({ card: null })
  const bill = async (amount: number) => {
    const { id } = await stripe.invoices.create({ customer: ada.id, currency: 'kwd' })
    await stripe.invoiceItems.create({ customer: ada.id, invoice: id, currency: 'kwd', amount })
    return stripe.invoices.finalizeInvoice(id)
  }
  const open = await bill(1236)
  expect(open).toMatchObject({ status: 'open', total: 1236, amount_due: 1240, ending_balance: -4 })
  await stripe.invoices.voidInvoice(open.id)
  expect(await balanceOf(ada.id)).toBe(0)
  expect(await bill(4)).toMatchObject({ status: 'paid', amount_due: 0, ending_balance: 4 })
  // 4 owed and 1231: 1235, half way.
  expect(await bill(1231)).toMatchObject({ status: 'open', amount_due: 1240, ending_balance: -5 })
})

test.each([
  ['kwd', 5124, 5120, undefined],
  ['ugx', 50_050, 50_000, 'invalid_charge_amount_no_decimal_compatible'],
  ['isk', 50_050, 50_000, 'invalid_charge_amount_no_decimal_compatible'],
])('of %s a fraction is neither charged nor refunded', async (currency, fraction, whole, code) => {
  const { stripe } = world
  const ada = await world.customer()
  const methods = await stripe.customers.listPaymentMethods(ada.id)
  const payment_method = methods.data[0]?.id as string
  const charge = (amount: number) =>
    stripe.paymentIntents.create({
      amount,
      currency,
      customer: ada.id,
      payment_method,
      confirm: true,
      ...NO_REDIRECTS,
    })
  expect(await refusal(charge(fraction))).toMatchObject({ statusCode: 400, param: 'amount', code })
  const paid = await charge(whole)
  const refund = (amount: number) => stripe.refunds.create({ payment_intent: paid.id, amount })
  expect(await refusal(refund(fraction % 1000))).toMatchObject({ statusCode: 400, param: 'amount', code })
  expect(await refund(whole)).toMatchObject({ status: 'succeeded', amount: whole })
})

test('a credit note leaves nothing to pay that cannot be charged', async () => {
  const { stripe } = world
  const ada = await world.customer({ card: null })
  const { id } = await stripe.invoices.create({ customer: ada.id, currency: 'kwd' })
  await stripe.invoiceItems.create({ customer: ada.id, invoice: id, currency: 'kwd', amount: 5000 })
  await stripe.invoices.finalizeInvoice(id)
  expect(await refusal(stripe.creditNotes.create({ invoice: id, amount: 1234 }))).toMatchObject({
    statusCode: 400,
    param: 'amount',
  })
  await stripe.creditNotes.create({ invoice: id, amount: 1230 })
  expect(await stripe.invoices.retrieve(id)).toMatchObject({ amount_remaining: 3770 })
})

test('no amount has more than eight digits, or twelve of rupiah', async () => {
  const { stripe } = world
  const [product, ada] = [(await world.product()).id, await world.customer()]
  const price = (currency: string, unit_amount: number) =>
    stripe.prices.create({ currency, unit_amount, product })
  const item = (amount: number) => stripe.invoiceItems.create({ customer: ada.id, currency: 'usd', amount })
  const tooLarge = (param: string) => ({
    code: 'amount_too_large',
    message: 'Amount must be no more than $999,999.99',
    param,
  })
  expect((await price('usd', 99_999_999)).unit_amount).toBe(99_999_999)
  expect(await refusal(price('usd', 100_000_000))).toMatchObject(tooLarge('unit_amount'))
  expect(await refusal(price('jpy', 100_000_000))).toMatchObject({ code: 'amount_too_large' })
  expect((await price('idr', 999_999_999_999)).currency).toBe('idr')
  const tiers = [{ up_to: 'inf' as const, flat_amount: 100_000_000, unit_amount: 1 }]
  const tiered = {
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers,
    recurring: { interval: 'month' },
  } as const
  expect(await refusal(stripe.prices.create({ currency: 'usd', product, ...tiered }))).toMatchObject(
    tooLarge('tiers[0][flat_amount]'),
  )
  expect((await item(99_999_999)).amount).toBe(99_999_999)
  expect(await refusal(item(100_000_000))).toMatchObject(tooLarge('amount'))
  expect(await refusal(item(-100_000_000))).toMatchObject(tooLarge('amount'))
})

test('a payment has at most eight digits, and twelve in rupiah', async () => {
  // docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
  const { stripe } = world
  const rupiah = { amount: 999_999_999_999, currency: 'idr' }
  expect(await stripe.paymentIntents.create(rupiah)).toMatchObject(rupiah)
  const dollars = { amount: 99_999_999, currency: 'usd' }
  const { id } = await stripe.paymentIntents.create(dollars)
  const tooLarge = { statusCode: 400, code: 'amount_too_large', param: 'amount' }
  expect(await refusal(stripe.paymentIntents.create({ ...dollars, amount: 100_000_000 }))).toMatchObject(
    tooLarge,
  )
  expect(await refusal(stripe.paymentIntents.update(id, { amount: 100_000_000 }))).toMatchObject(tooLarge)
})
