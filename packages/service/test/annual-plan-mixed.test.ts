// A yearly plan with a monthly item beside it: https://docs.stripe.com/billing/subscriptions/mixed-interval
import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { findDrift } from '../src/workflow/drift/find.ts'
import { fee, go, monthEnds, per, yearly } from './support/annual-months.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const prices = { fee: fee('120.00'), compute: per('0.10') }
const catalog = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' }, compute: { name: 'Compute', unitLabel: 'second' } },
  meters: { seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
  plans: {
    months: { ...yearly, name: 'Usage by the month', prices },
    year: { product: 'cloud', interval: 'year', name: 'Year', prices },
  },
})
const world = await shared(newBillingWorld({ catalog }))
const product = await world.stripe.products.create({ name: 'Support, made there' })
const support = await world.stripe.prices.create({
  ...{ product: product.id, currency: 'usd', unit_amount: 900, recurring: { interval: 'month' } },
})

const current = async (payer: Payer) => amounts(await world.read(payer, 'current')).sort()
const drift = async () => (await findDrift(world.deps)).drifts

test.each([
  ['months', false],
  ['months', true],
  ['year', true],
] as const)('%s, with a monthly item beside it: %s', async (plan, isMixed) => {
  const payer = await world.register(plan, '2026-01-31T00:00:00Z')
  await world.deliver()
  if (isMixed)
    await world.stripe.subscriptionItems.create({ subscription: payer.subscription, price: support.id })
  await world.deliver()
  await go(world, payer, '2026-02-10T00:00:00Z')
  await world.use(payer, '30', '2026-02-10T00:00:00Z')
  await world.sync(payer)
  const remaining = isMixed ? ['900 Remaining time on Support, made there after 31 Jan 2026'] : []
  // The fee of the year is due with its end, and not with each month.
  expect(await current(payer)).toEqual(['300 Seconds: 30 second', ...remaining])
  expect(await drift()).toEqual([])
  for (const end of monthEnds) {
    await go(world, payer, `2026-${end}T00:00:00Z`)
    await go(world, payer, `2026-${end}T02:00:00Z`)
  }
  await world.use(payer, '10', '2026-12-31T01:00:00Z')
  await world.sync(payer)
  expect((await current(payer)).map((line) => Number.parseInt(line, 10))).toEqual([100, 12_000])
  await go(world, payer, '2027-01-31T00:00:00Z')
  await go(world, payer, '2027-01-31T02:00:00Z')
  await go(world, payer, '2027-03-01T00:00:00Z')
  const billed = (await world.atStripe(payer)).map(({ invoice }) => invoice.total)
  // By hand: the year; 3.00 of usage with what is left of the first month's support and the second month's; support
  // alone; 1.00 of usage with the second year, and support; support.
  expect(billed).toEqual(
    isMixed
      ? [12_000, 300 + 900 + 900, ...Array(10).fill(900), 100 + 12_000 + 900, 900]
      : [12_000, 300, 100 + 12_000],
  )
  const story = (await world.story(payer)).map((line) => line.replace('subscription_cycle ', ''))
  expect(story).toContain(`2026-12-31 … 2027-01-31 paid ${isMixed ? 13_000 : 12_100}`)
  expect(story.at(-1)).toBe('2027-02-28 … 2027-03-31 current -')
  expect(await drift()).toEqual([])
  // What was altered is found all the same.
  await world.pool.query(
    `update invoice set period_end = period_end + interval '1 day' where subscription_id = $1 and total > 12050
       and period_start > '2026-12-01'`,
    [payer.subscriptionId],
  )
  expect((await drift()).map(({ entity, cause }) => `${entity} ${cause}`)).toEqual(['invoice unexplained'])
  await world.pool.query(
    `update invoice set period_end = period_end - interval '1 day' where subscription_id = $1 and total > 12050
       and period_start > '2026-12-01'`,
    [payer.subscriptionId],
  )
})
