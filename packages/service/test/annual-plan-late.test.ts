// What became of an annual plan is heard of after its months of usage have turned: they are told anew.
import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import * as months from './support/annual-months.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const catalog = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' }, compute: { name: 'Compute', unitLabel: 'second' } },
  meters: { seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
  plans: {
    annual: {
      ...months.yearly,
      name: 'Annual',
      prices: { fee: months.fee('120.00'), compute: months.per('0.10') },
    },
    least: {
      ...months.yearly,
      name: 'Least',
      prices: {
        fee: months.fee('120.00'),
        compute: months.per('0.10'),
        least: { model: 'minimum', amount: '28.00' },
      },
    },
    cheap: {
      ...months.yearly,
      name: 'Cheap',
      prices: { fee: months.fee('240.00'), compute: months.per('0.02') },
    },
    monthly: {
      product: 'cloud',
      name: 'Monthly',
      interval: 'month',
      prices: { fee: months.fee('12.00'), compute: months.per('0.02') },
    },
    yen: {
      ...months.yearly,
      name: 'Yen',
      currency: 'jpy',
      prices: { fee: months.fee('12000'), compute: months.per('0.25') },
    },
  },
})

const world = await shared(newBillingWorld({ catalog }))

const at = (time: string) => Date.parse(time) / 1000
const go = (payer: Payer, time: string) => months.go(world, payer, time)

const story = async (payer: Payer): Promise<string[]> =>
  (await world.story(payer))
    .filter((line) => line.includes('subscription_cycle'))
    .map((line) => line.replace('subscription_cycle ', ''))

/** What Stripe billed of usage and of what is short of a minimum, in all, oldest first. */
const billed = async (payer: Payer): Promise<string[]> =>
  (await world.atStripe(payer)).flatMap(({ lines }) =>
    lines.filter((line) => /Seconds|Least:/.test(line)).toSorted(),
  )

const turned = ['2026-02-01 … 2026-03-01 closing -', '2026-03-01 … 2026-04-01 current -']

test('canceled before the month that runs began: that month is taken back, and the one before it cut', async () => {
  const { payer, turnByOldAnswer } = await months.away(world, 'annual', ({ subscription }) =>
    world.stripe.subscriptions.cancel(subscription),
  )
  const hearAll = await months.hearTime(world, payer, '2026-03-03T00:00:00Z')
  await world.use(payer, '100', '2026-02-15T00:00:00Z')
  await world.use(payer, '1000', '2026-02-25T00:00:00Z')
  await world.use(payer, '1000', '2026-03-02T00:00:00Z')
  await turnByOldAnswer()
  expect(await story(payer)).toEqual(turned)
  await hearAll()
  await go(payer, '2026-03-04T00:00:00Z')
  // 100 × 0.10; what was used after the end is nobody's.
  expect(await billed(payer)).toEqual(['1000 Seconds: 100 second'])
  expect(await story(payer)).toEqual(['2026-02-01 … 2026-02-20 paid 1000', '2026-03-01 … 2026-03-01 paid 0'])
})

test('canceled before the month that runs began: of a minimum the days before are owed', async () => {
  const { payer, turnByOldAnswer } = await months.away(world, 'least', ({ subscription }) =>
    world.stripe.subscriptions.cancel(subscription),
  )
  const hearAll = await months.hearTime(world, payer, '2026-03-03T00:00:00Z')
  await turnByOldAnswer()
  await hearAll()
  await go(payer, '2026-03-04T00:00:00Z')
  // 19 of 28 days of 28.00
  expect((await world.atStripe(payer)).slice(1).map(({ invoice }) => invoice.total)).toEqual([1900])
})

test('put on trial before the month that runs began: what is used in it is free', async () => {
  const { payer, turnByOldAnswer } = await months.away(world, 'annual', ({ subscription }) =>
    world.stripe.subscriptions.update(subscription, {
      trial_end: at('2026-04-01T00:00:00Z'),
      proration_behavior: 'none',
    }),
  )
  const hearAll = await months.hearTime(world, payer, '2026-03-03T00:00:00Z')
  await world.use(payer, '100', '2026-02-15T00:00:00Z')
  await world.use(payer, '1000', '2026-02-25T00:00:00Z')
  await turnByOldAnswer()
  expect(await story(payer)).toEqual(turned)
  await hearAll()
  expect(await story(payer)).toEqual([
    // Stripe made no invoice of it: what it carries comes with the next one.
    '2026-02-01 … 2026-02-20 paid 0',
    '2026-02-20 … 2026-04-01 current -',
  ])
  await go(payer, '2026-03-20T00:00:00Z')
  await world.use(payer, '1000', '2026-03-19T00:00:00Z')
  await go(payer, '2026-04-01T00:00:00Z')
  await go(payer, '2026-04-02T03:00:00Z')
  // 100 × 0.10, and the year that begins after the trial.
  expect((await world.atStripe(payer)).slice(1).reduce((sum, { invoice }) => sum + invoice.total, 0)).toBe(
    1000 + 12_000,
  )
})

/** Gives a subscription the price of another plan in the dashboard, from now on. */
async function moveNow({ subscription }: Payer, plan: string): Promise<void> {
  const model = await world.register(plan, '2026-02-01T00:00:00Z')
  const [item, price] = await Promise.all(
    [subscription, model.subscription].map(async (id) => {
      const [first] = (await world.stripe.subscriptions.retrieve(id)).items.data
      if (!first) throw new Error('It has no item.')
      return first
    }),
  )
  await world.stripe.subscriptions.update(subscription, {
    items: [{ id: item?.id ?? '', price: price?.price.id ?? '' }],
    billing_cycle_anchor: { type: 'now' },
    proration_behavior: 'none',
  })
}

test.each(['cheap', 'monthly'])(
  'moved to another plan (%s) with a new anchor before the month that runs began: its usage is by that plan',
  async (plan) => {
    const { payer, turnByOldAnswer } = await months.away(world, 'annual', (one) => moveNow(one, plan))
    const hearAll = await months.hearTime(world, payer, '2026-03-03T00:00:00Z')
    await world.use(payer, '100', '2026-02-15T00:00:00Z')
    await world.use(payer, '1000', '2026-02-25T00:00:00Z')
    await world.use(payer, '500', '2026-03-02T00:00:00Z')
    await turnByOldAnswer()
    expect(await story(payer)).toEqual(turned)
    // Stripe is told what seemed to be: nothing of it is billed yet.
    await world.sync(payer)
    await hearAll()
    expect(await story(payer)).toEqual([
      '2026-02-01 … 2026-02-20 paid 0',
      '2026-02-20 … 2026-03-20 current -',
    ])
    await go(payer, '2026-03-20T00:00:00Z')
    await go(payer, '2026-03-20T03:00:00Z')
    // 100 × 0.10 and 1,500 × 0.02
    expect(await billed(payer)).toEqual([
      '1000 Seconds: 100 second, reported late for 2026-02-01 to 2026-02-20',
      '3000 Seconds: 1,500 second',
    ])
  },
)

test('moved to another plan, and billed by the old one before it was heard of: too much is given back', async () => {
  const { payer, turnByOldAnswer } = await months.away(world, 'annual', (one) => moveNow(one, 'cheap'))
  const hear = [await months.hearTime(world, payer, '2026-03-01T00:10:00Z')]
  await world.use(payer, '100', '2026-02-15T00:00:00Z')
  await world.use(payer, '1000', '2026-02-25T00:00:00Z')
  await turnByOldAnswer()
  hear.push(await months.hearTime(world, payer, '2026-03-10T00:00:00Z'))
  await world.use(payer, '500', '2026-03-02T00:00:00Z')
  await world.sync(payer)
  // Stripe's own month ends on the 20th: it bills what is pending, as it was told.
  hear.push(await months.hearTime(world, payer, '2026-03-20T03:00:00Z'))
  const asTold = [
    '11000 Seconds: 1,100 second, reported late for 2026-02-01 to 2026-03-01',
    '5000 Seconds: 500 second',
  ]
  expect(await billed(payer)).toEqual(asTold)
  for (const hearAll of hear) await hearAll()
  // 100 × 0.10 are 100.00 less; (1,000 + 500) × 0.02 are 30.00, so 20.00 less of what was billed by the old plan.
  const back = [
    '-10000 Seconds: -1,000 second, corrected for 2026-02-01 to 2026-02-20',
    '-2000 Seconds: 1,000 second, corrected for 2026-02-20 to 2026-03-20',
  ]
  expect(amounts(await world.read(payer, 'current')).toSorted()).toEqual(back)
  await world.use(payer, '10000', '2026-03-20T02:00:00Z')
  await go(payer, '2026-03-21T00:00:00Z')
  await go(payer, '2026-04-20T00:00:00Z')
  await go(payer, '2026-04-20T03:00:00Z')
  // 10,000 × 0.02
  expect(await billed(payer)).toEqual([...asTold, ...back, '20000 Seconds: 10,000 second'])
  expect(await story(payer)).toEqual([
    '2026-02-01 … 2026-02-20 paid 0',
    '2026-02-20 … 2026-03-20 paid 16000',
    '2026-03-20 … 2026-04-20 paid 8000',
    '2026-04-20 … 2026-05-20 current -',
  ])
})

test('in yen, after two months turned and were closed: nothing is lost of the first, nothing billed of the others', async () => {
  const { payer, turnByOldAnswer } = await months.away(world, 'yen', ({ subscription }) =>
    world.stripe.subscriptions.cancel(subscription),
  )
  const hearAll = await months.hearTime(world, payer, '2026-04-03T00:00:00Z')
  await world.use(payer, '10', '2026-02-15T00:00:00Z')
  await world.use(payer, '1000', '2026-02-25T00:00:00Z')
  await world.use(payer, '2000', '2026-03-15T00:00:00Z')
  await turnByOldAnswer()
  // Stripe made no invoice of either month, so both are closed for 0, and what they carry comes with the next.
  await expect(world.sync(payer)).rejects.toThrow('provider_refused')
  expect(await story(payer)).toEqual([
    '2026-02-01 … 2026-03-01 paid 0',
    '2026-03-01 … 2026-04-01 paid 0',
    '2026-04-01 … 2026-05-01 current -',
  ])
  await hearAll()
  await go(payer, '2026-04-04T00:00:00Z')
  // 2.5 yen are 3, a half away from zero.
  expect(await billed(payer)).toEqual(['3 Seconds: 10 second, reported late for 2026-02-01 to 2026-02-20'])
  expect((await world.story(payer)).filter((line) => / (current|closing|draft) /.test(line))).toEqual([])
})
