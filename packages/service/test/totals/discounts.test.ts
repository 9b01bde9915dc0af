// The order and the rounding of discounts: docs.stripe.com/billing/subscriptions/coupons. Every figure is reckoned by hand.
import { expect, test } from 'vitest'
import { shared } from '../support/shared.ts'
import { allAre, newTotalsWorld } from './totals-world.ts'

const world = await shared(newTotalsWorld())

const JANUARY = '2026-01-12T00:00:00Z'

test('a third off odd cents of three lines is rounded once', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 33.3 })])
  await world.use(payer, '333', JANUARY)
  await world.use(payer, '77', JANUARY, 'bytes')
  // 2001 + 333 + 77 = 2411, of which 33.3 % are 802.863.
  const all = await world.everywhere(payer)
  expect(all).toMatchObject(allAre({ total: 1608, off: 803 }))
  expect(all.shown).toMatchObject({
    subtotal: { minor: 2411n },
    discounts: [
      { source: 'subscription', amount: { minor: 803n }, explanation: '33.3 % off 24.11 usd: 8.03 usd' },
    ],
    ...{ unknown: [], tax: { certainty: 'certain' } },
  })
})

test('no more is taken off than there is', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ amount_off: 9900, currency: 'usd' })])
  expect(await world.everywhere(payer)).toMatchObject(allAre({ total: 0, off: 2001 }))
})

test('of two the second takes off what the first one left', async () => {
  const five = await world.coupon({ amount_off: 500, currency: 'usd' })
  const tenth = await world.coupon({ percent_off: 10 })
  // 2001 − 500 = 1501, and a tenth of that is 150.1; the other way round 200.1 and 500.
  const first = await world.subscribed('plain', [five, tenth])
  expect(await world.everywhere(first)).toMatchObject(allAre({ total: 1351, off: 650 }))
  const second = await world.subscribed('plain', [tenth, five])
  expect(await world.everywhere(second)).toMatchObject(allAre({ total: 1301, off: 700 }))
})

test('one of a product is taken off its lines alone, before one of everything', async () => {
  const products = [await world.productId('Compute')]
  const half = await world.coupon({ percent_off: 50, applies_to: { products } })
  const tenth = await world.coupon({ percent_off: 10 })
  const payer = await world.subscribed('plain', [half, tenth])
  await world.use(payer, '301', JANUARY)
  await world.use(payer, '99', JANUARY, 'bytes')
  // Half of 301 is 150.5, so 151; what is left is 2001 + 150 + 99 = 2250, and a tenth of it 225.
  expect(await world.everywhere(payer)).toMatchObject(allAre({ total: 2025, off: 376 }))
})

test('one of an item is taken off that item before the others', async () => {
  const third = await world.coupon({ percent_off: 33.3 })
  const tenth = await world.coupon({ percent_off: 10 })
  const payer = await world.subscribed('plain', [tenth])
  const { items } = await world.stripe.subscriptions.retrieve(payer.subscription)
  await world.stripe.subscriptionItems.update(items.data[0]?.id ?? '', { discounts: [{ coupon: third }] })
  await world.deliver()
  await world.use(payer, '100', JANUARY)
  // 33.3 % of 2001 are 666.333; what is left is 1335 + 100 = 1435, and a tenth of it 143.5, so 144.
  expect(await world.everywhere(payer)).toMatchObject(allAre({ total: 1291, off: 810 }))
})

test("a customer's is taken off where the subscription has none of its own", async () => {
  const fifth = await world.coupon({ percent_off: 20 })
  const own = await world.coupon({ percent_off: 10, duration: 'repeating', duration_in_months: 1 })
  const [inheriting, having] = [
    await world.subscribed(),
    await world.register('plain', '2026-01-10T00:00:00Z'),
  ]
  await world.discount(having, [own])
  for (const { customer } of [inheriting, having]) world.simulator.control.discountCustomer(customer, fifth)
  await world.deliver()
  await world.go(having, '2026-01-20T00:00:00Z')
  // A fifth of 2001 is 400.2. One that ends with the period is not taken off at its end, so there the customer's is.
  expect(await world.everywhere(inheriting)).toMatchObject(allAre({ total: 1601, off: 400 }))
  expect(await world.everywhere(having)).toMatchObject(allAre({ total: 1601, off: 400 }))
})

test('one for some months is taken off until they are over, and not in the second in which they end', async () => {
  const of = async (months: number) =>
    world.coupon({ percent_off: 50, duration: 'repeating', duration_in_months: months })
  // From 10 January to 10 February, the end of the period; and to 10 March.
  const ending = await world.subscribed('plain', [await of(1)])
  expect(await world.everywhere(ending)).toMatchObject(allAre({ total: 2001 }))
  const running = await world.subscribed('plain', [await of(2)])
  expect(await world.everywhere(running)).toMatchObject(allAre({ total: 1000, off: 1001 }))
  expect(await world.everywhere(running, '2026-03-10T02:00:00Z')).toMatchObject(allAre({ total: 2001 }))
})

test('one for one invoice is used up by it, while that is still a draft', async () => {
  const once = await world.coupon({ percent_off: 50, duration: 'once' })
  const payer = await world.subscribed('plain', [once])
  await world.go(payer, '2026-02-10T00:30:00Z')
  const [closing, current] = [await world.read(payer, 'closing'), await world.read(payer, 'current')]
  expect([closing.total.minor, current.total.minor]).toEqual([1000n, 2001n])
  await world.go(payer, '2026-02-10T02:00:00Z')
  expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(1000)
  expect(await world.everywhere(payer, '2026-03-10T02:00:00Z')).toMatchObject(allAre({ total: 2001 }))
})

test('nothing is taken off a credit, and late usage has its share of the discount of its invoice', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 50 })])
  await world.go(payer, '2026-02-10T02:00:00Z')
  await world.use(payer, '101', '2026-02-09T12:00:00Z')
  await world.stripe.invoiceItems.create({
    ...{ customer: payer.customer, subscription: payer.subscription },
    ...{ amount: -700, currency: 'usd', description: 'Goodwill' },
  })
  await world.deliver()
  // Half of 2001 + 101 = 2102 is 1051, and 700 less.
  const all = await world.everywhere(payer, '2026-03-10T02:00:00Z')
  expect(all).toMatchObject(allAre({ total: 351, off: 1051 }))
  expect(all.shown.lines).toContainEqual(
    expect.objectContaining({ description: 'Goodwill', reason: 'It was added at the payment provider.' }),
  )
})

test('a line that was a credit when it was sent is discounted again once it is none', async () => {
  const payer = await world.subscribed('leveled', [await world.coupon({ percent_off: 50 })])
  await world.use(payer, '500', JANUARY, 'level')
  await world.sync(payer)
  await world.go(payer, '2026-02-10T02:00:00Z')
  // Of the period that is final it was 300 at last, which is 200 less, for which 100 were paid; and then 701, which is 201 more.
  await world.use(payer, '300', '2026-01-13T00:00:00Z', 'level')
  await world.sync(payer)
  expect((await world.read(payer, 'current')).lines[0]?.amount.minor).toBe(-100n)
  await world.use(payer, '701', '2026-01-14T00:00:00Z', 'level')
  // Half of 2001 + 201.
  expect(await world.everywhere(payer, '2026-03-10T02:00:00Z')).toMatchObject(
    allAre({ total: 1101, off: 1101 }),
  )
})

test.each([
  // A third of 2001 + 100 yen is 699.633; of 2.010 + 1.000 dinars 1.00233, of which whole tens are charged.
  ['yen', '100', { total: 1401, off: 700 }],
  ['dinar', '100', { total: 2008, off: 1002, due: 2010 }],
])('%s: shares are rounded to the smallest coin', async (plan, used, figures) => {
  const payer = await world.subscribed(plan, [await world.coupon({ percent_off: 33.3 })])
  await world.use(payer, used, JANUARY)
  expect(await world.everywhere(payer)).toMatchObject(allAre(figures))
})
