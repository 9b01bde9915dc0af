// What comes late under a minimum or a maximum, and coupons. Every figure is reckoned by hand: 10.00 a month, 50.00 of usage
// promised or at most, a cent each.
import { expect, test } from 'vitest'
import { explanationOf } from '../../src/invoice/explain.ts'
import { amounts, type Payer } from '../support/billing-world.ts'
import { shared } from '../support/shared.ts'
import { allAre, newTotalsWorld } from './totals-world.ts'

const world = await shared(newTotalsWorld())

const JANUARY = '2026-01-12T00:00:00Z'

/** January's invoice is final, and comes to this. */
async function billed(payer: Payer, total: number) {
  await world.sync(payer)
  await world.go(payer, '2026-02-10T02:00:00Z')
  expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(total)
}

/** February's, with what came late. */
const february = (payer: Payer) => world.everywhere(payer, '2026-03-10T02:00:00Z')

test.each([
  // Half of 10.00 and 50.00. Of the 60.00 that come late the missing 50.00 have paid for as much: half of 10.00 more.
  // In all January's usage costs 25.00 and 5.00, half of 60.00.
  ['more than was missing', '6000', { total: 3500, off: 3500 }],
  // 10.00 are less than the 50.00: January costs what it did.
  ['less than was missing', '1000', { total: 3000, off: 3000 }],
  // 50.01 − 50.00: half of 60.01 is 30.005.
  ['a cent more', '5001', { total: 3000, off: 3001 }],
])('half off: %s', async (_, late, figures) => {
  const payer = await world.subscribed('promised', [await world.coupon({ percent_off: 50 })])
  await billed(payer, 3000)
  await world.use(payer, late, JANUARY)
  expect(await february(payer)).toMatchObject(allAre(figures))
})

test('5.00 off: each invoice has it once', async () => {
  const payer = await world.subscribed('promised', [await world.coupon({ amount_off: 500, currency: 'usd' })])
  await billed(payer, 5500)
  await world.use(payer, '6000', JANUARY)
  // 10.00 + 50.00 + 10.00 − 5.00.
  expect(await february(payer)).toMatchObject(allAre({ total: 6500, off: 500 }))
})

test('a coupon that is over by then: what it halved stays so, and what is more costs all of it', async () => {
  const payer = await world.subscribed('promised', [
    await world.coupon({ percent_off: 50, duration: 'once' }),
  ])
  await billed(payer, 3000)
  await world.use(payer, '6000', JANUARY)
  // 10.00 + 50.00 + 10.00.
  expect(await february(payer)).toMatchObject(allAre({ total: 7000 }))
})

test('a coupon that came later takes nothing off what was promised before', async () => {
  const payer = await world.subscribed('promised')
  await billed(payer, 6000)
  await world.discount(payer, [await world.coupon({ percent_off: 50 })])
  await world.use(payer, '6000', JANUARY)
  // Half of 10.00 + 50.00 + 10.00.
  expect(await february(payer)).toMatchObject(allAre({ total: 3500, off: 3500 }))
})

test.each([
  // It took nothing off the 50.00 that were missing and takes its part off the usage: as it would have in time, when
  // January's usage had cost 30.00, or 55.00. So 10.00 + 50.00 + 60.00 − 30.00 − 50.00, or with 5.00 less.
  ['half of', 'Compute', { percent_off: 50 }, 6000, { total: 4000, off: 3000 }],
  ['5.00 off', 'Compute', { amount_off: 500, currency: 'usd' }, 6000, { total: 6500, off: 500 }],
  // It halves the fee and what is missing: half of 10.00 + 50.00, and the 10.00 beyond what was promised.
  ['half of', 'Cloud', { percent_off: 50 }, 3000, { total: 4000, off: 3000 }],
  ['5.00 off', 'Cloud', { amount_off: 500, currency: 'usd' }, 5500, { total: 6500, off: 500 }],
])('limited to one product: %s %s', async (_, product, off, january, figures) => {
  const products = [await world.productId(product)]
  const coupon = await world.coupon({ ...off, applies_to: { products } })
  const payer = await world.subscribed('promised', [coupon])
  await billed(payer, january)
  await world.use(payer, '6000', JANUARY)
  expect(await february(payer)).toMatchObject(allAre(figures))
})

test.each([
  // A third of 1000 + 5000 is 1998. 6001 − 5000 = 1001 more; of 7001 a third is 2331.333.
  ['promised-yen', 33.3, 4002, '6001', { total: 4670, off: 2331 }],
  // 1003 × 0.005 = 5.015, of which 5.020 are charged: 0.020 beyond 5.000. Half of 1.000 + 5.000 + 0.020.
  ['promised-dinar', 50, 3000, '1003', { total: 3010, off: 3010 }],
])('%s', async (plan, percent_off, january, late, figures) => {
  const payer = await world.subscribed(plan, [await world.coupon({ percent_off })])
  await billed(payer, january)
  await world.use(payer, late, JANUARY)
  expect(await february(payer)).toMatchObject(allAre(figures))
})

test('two meters: what was missing pays for the first ones, each line says so, and again when more comes', async () => {
  const payer = await world.subscribed('promised', [await world.coupon({ percent_off: 50 })])
  await world.use(payer, '1000', JANUARY)
  await billed(payer, 3000)
  await world.use(payer, '2000', JANUARY)
  await world.use(payer, '2500', JANUARY, 'bytes')
  // 40.00 were missing, 20.00 and 25.00 came: of the second line 5.00 are left. Half of 10.00 + 50.00 + 5.00.
  const all = await february(payer)
  expect(all).toMatchObject(allAre({ total: 3250, off: 3250 }))
  const late = 'reported late for 2026-01-10 to 2026-02-10'
  expect(amounts(all.shown)).toEqual([
    '5000 Minimum: 0.00 used of 50.00 USD',
    `0 Seconds: 2,000 second, ${late}, less 20.00 billed as Minimum`,
    `500 Bytes: 2,500 byte, ${late}, less 20.00 billed as Minimum`,
    '1000 Promised',
  ])
  const explained = all.shown.lines.slice(1, 3).map((line) => explanationOf(line, []).slice(2))
  expect(explained).toEqual([
    [
      'per unit: 3,000 × 0.01 = 30',
      'rounded once, half away from zero: 30 → 30.00 usd',
      'set off against promise: -20.00 usd',
      ...['billed before: -10.00 usd, of which discounts took 5.00', 'left: 0.00 usd'],
    ],
    [
      'per unit: 2,500 × 0.01 = 25',
      'rounded once, half away from zero: 25 → 25.00 usd',
      'set off against promise: -20.00 usd',
      'left: 5.00 usd',
    ],
  ])
  // Nothing of January's; March has its own minimum.
  const sent = await world.sync(payer)
  expect(sent?.create.map(({ lineKey, item }) => `${lineKey} ${item.amount}`)).toEqual(['promise 5000'])
  await world.use(payer, '300', JANUARY, 'bytes')
  // Nothing of the 40.00 is left. Half of 10.00 + 50.00 + 3.00. What was said of the 20.00 is not said again.
  const more = await world.everywhere(payer, '2026-04-10T02:00:00Z')
  expect(more).toMatchObject(allAre({ total: 3150, off: 3150 }))
  expect(amounts(more.shown)).toContain(`300 Bytes: 300 byte, ${late}`)
})

test('at the maximum, what comes late takes the place of what was billed, and costs nothing', async () => {
  const payer = await world.subscribed('capped', [await world.coupon({ percent_off: 50 })])
  await world.use(payer, '3000', JANUARY)
  await world.use(payer, '4000', JANUARY, 'bytes')
  // Half of 10.00 + 30.00 + 20.00.
  await billed(payer, 3000)
  await world.use(payer, '1000', JANUARY)
  // 40.00 and 10.00. Half of the fee.
  expect(await february(payer)).toMatchObject(allAre({ total: 500, off: 500 }))
})
