// Taxes: docs.stripe.com/billing/taxes/tax-rates; balance and least charge: docs.stripe.com/billing/customer/balance.
import { expect, test } from 'vitest'
import type { Payer } from '../support/billing-world.ts'
import { shared } from '../support/shared.ts'
import { allAre, newTotalsWorld } from './totals-world.ts'

const world = await shared(newTotalsWorld())

const JANUARY = '2026-01-12T00:00:00Z'

async function taxed(
  percentage: number,
  inclusive: boolean,
  coupons: readonly string[] = [],
): Promise<Payer> {
  const payer = await world.subscribed('plain', coupons)
  const { id } = await world.stripe.taxRates.create({ display_name: 'VAT', percentage, inclusive })
  await world.stripe.subscriptions.update(payer.subscription, { default_tax_rates: [id] })
  await world.deliver()
  return payer
}

test('a rate on top is reckoned line by line', async () => {
  const payer = await taxed(19, false)
  await world.use(payer, '333', JANUARY)
  // 19 % of 2001 are 380.19, of 333 63.27.
  const all = await world.everywhere(payer)
  expect(all).toMatchObject(allAre({ total: 2334 + 443, tax: 443 }))
  expect(all.shown.tax).toMatchObject({
    ...{ certainty: 'certain', included: { minor: 0n } },
    explanation: ['VAT 19 % on 23.34 usd: 4.43 usd'],
  })
})

test('a rate that the amounts contain changes no total', async () => {
  const payer = await taxed(20, true)
  await world.use(payer, '100', JANUARY)
  // 2001 − 2001 ÷ 1.2 = 333.5, and 100 − 83.3 = 16.7.
  const all = await world.everywhere(payer)
  expect(all).toMatchObject(allAre({ total: 2101, tax: 334 + 17 }))
  expect(all.shown.tax).toMatchObject({ included: { minor: 351n } })
})

test('tax is on what discounts leave, also of prorations and credits', async () => {
  const payer = await taxed(7.7, false, [await world.coupon({ percent_off: 33.3 })])
  const { customer, subscription } = payer
  await world.stripe.invoiceItems.create({ customer, subscription, amount: -250, currency: 'usd' })
  await world.deliver()
  await world.use(payer, '333', JANUARY)
  // 33.3 % of 2334 are 777.2: 110 off the usage, 667 off the fee. 7.7 % of 223 are 17.2, of 1334 102.7, of −250 −19.25.
  expect(await world.everywhere(payer)).toMatchObject(
    allAre({ total: 2334 - 777 - 250 + 101, off: 777, tax: 17 + 103 - 19 }),
  )
})

test('an item has rates of its own, and nobody exempt pays', async () => {
  const payer = await taxed(19, false)
  const { id } = await world.stripe.taxRates.create({ display_name: 'Low', percentage: 7, inclusive: false })
  const { items } = await world.stripe.subscriptions.retrieve(payer.subscription)
  await world.stripe.subscriptionItems.update(items.data[0]?.id ?? '', { tax_rates: [id] })
  await world.deliver()
  await world.use(payer, '100', JANUARY)
  // 7 % of 2001 are 140.07, 19 % of 100 are 19.
  expect(await world.everywhere(payer)).toMatchObject(allAre({ total: 2260, tax: 159 }))
  await world.stripe.customers.update(payer.customer, { tax_exempt: 'exempt' })
  await world.deliver()
  expect(await world.everywhere(payer, '2026-03-10T02:00:00Z')).toMatchObject(allAre({ total: 2001 }))
})

test('what only Stripe knows is unknown at first, and then estimated by the invoice before', async () => {
  const payer = await world.subscribed()
  await world.stripe.customers.update(payer.customer, {
    address: { line1: 'Unter den Linden 1', city: 'Berlin', postal_code: '10117', country: 'DE' },
  })
  await world.stripe.subscriptions.update(payer.subscription, { automatic_tax: { enabled: true } })
  await world.deliver()
  const first = await world.everywhere(payer)
  expect(first.shown).toMatchObject({
    ...{ tax: { amount: null, certainty: 'unknown' }, unknown: ['tax'], total: { minor: 2001n } },
  })
  // 19 % of 2001 are 380.19.
  expect([first.preview.total, first.final?.total, first.ours.total]).toEqual([2381, 2381, 2381])
  await world.use(payer, '1000', '2026-02-10T01:00:00Z')
  // As much of 3001 as 380 are of 2001: 569.9; Stripe has 190 and 380.19.
  const second = await world.everywhere(payer, '2026-03-10T02:00:00Z')
  expect(second.shown.tax).toMatchObject({ amount: { minor: 570n }, certainty: 'estimated' })
  expect(second).toMatchObject(allAre({ total: 3571, tax: 570 }))
})

test('credit on the balance is shown apart from the total, and so is what is left of it', async () => {
  const payer = await world.subscribed()
  await world.stripe.customers.createBalanceTransaction(payer.customer, { amount: -500, currency: 'usd' })
  await world.deliver()
  const all = await world.everywhere(payer)
  expect(all).toMatchObject(allAre({ total: 2001, due: 1501 }))
  expect(all.shown.balance).toMatchObject({ before: { minor: -500n }, after: { minor: 0n } })
})

test('a total below zero becomes credit, and less than fifty cents is owed on the next', async () => {
  const payer = await world.subscribed()
  const { customer, subscription } = payer
  const add = (amount: number) =>
    world.stripe.invoiceItems.create({ customer, subscription, amount, currency: 'usd' })
  await add(-2101)
  await world.deliver()
  const credited = await world.everywhere(payer)
  expect(credited).toMatchObject(allAre({ total: -100, due: 0 }))
  expect(credited.shown.balance).toMatchObject({ after: { minor: -100n } })
  // 2001 − 1871 − 100 of credit are 30 cents.
  await add(-1871)
  await world.deliver()
  const small = await world.everywhere(payer, '2026-03-10T02:00:00Z')
  expect(small).toMatchObject(allAre({ total: 130, due: 0 }))
  expect(small.shown.balance).toMatchObject({
    ...{ before: { minor: -100n }, after: { minor: 30n } },
    explanation: expect.stringContaining('less than can be charged'),
  })
  expect(await world.everywhere(payer, '2026-04-10T02:00:00Z')).toMatchObject(
    allAre({ total: 2001, due: 2031 }),
  )
})
