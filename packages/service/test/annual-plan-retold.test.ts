// Months of an annual plan that are told anew: by another plan, in the very second in which one turned, twice, after a pause.
import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { newId } from '../src/ids.ts'
import { checkLimits } from '../src/invoice/check-limits.ts'
import { setSpendLimit } from '../src/invoice/limit-spending.ts'
import { periodStated } from '../src/store/invoices.ts'
import { nextObservation } from '../src/store/provider-objects.ts'
import { observe } from '../src/workflow/observe.ts'
import * as months from './support/annual-months.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
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
    other: {
      ...months.yearly,
      name: 'Other',
      prices: { fee: months.fee('250.00'), cpu: months.per('0.02') },
    },
  },
})

const world = await shared(newBillingWorld({ catalog }))

const at = (time: string) => Date.parse(time) / 1000
async function go(payer: Payer, time: string): Promise<void> {
  await months.go(world, payer, time)
  await world.deliver()
}

/** Each line that is not a fee, oldest first. */
const billed = async (payer: Payer): Promise<string[]> =>
  (await world.atStripe(payer)).flatMap(({ lines }) =>
    lines.filter((line) => !line.includes('Cloud (at')).toSorted(),
  )
const sumOf = (lines: readonly string[]) => lines.reduce((sum, line) => sum + Number.parseInt(line, 10), 0)
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

test.each([
  // 200 s at 0.10 were billed, 200 at 0.02 are owed: of the same price, and of one with another key.
  ['annual', 'cheap', 2000, 400],
  ['annual', 'other', 2000, 400],
  // With 8.00 up to the least of 28.00, which nobody promises by the new plan.
  ['least', 'cheap', 2800, 400],
])(
  'billed by %s, and told anew by %s: all of it is given back but what that plan costs',
  async (from, plan, before, after) => {
    const { payer, turnByOldAnswer } = await months.away(world, from, (one) => moveNow(one, plan))
    const hear = [await months.hearTime(world, payer, '2026-03-01T00:10:00Z')]
    await turnByOldAnswer()
    hear.push(await months.hearTime(world, payer, '2026-03-10T00:00:00Z'))
    await world.use(payer, '200', '2026-03-02T00:00:00Z')
    await world.sync(payer)
    hear.push(await months.hearTime(world, payer, '2026-03-20T03:00:00Z'))
    // Of February, to its 20th day: 19 of 28 days of the least. As it was told: all of it.
    const [feb, whole] = from === 'least' ? [1900, 2800] : [0, 0]
    expect(sumOf(await billed(payer))).toBe(before + whole)
    for (const hearAll of hear) await hearAll()
    for (const time of ['03-21T00', '04-20T00', '04-20T03', '05-20T00', '05-20T03'])
      await go(payer, `2026-${time}:00:00Z`)
    expect(sumOf(await billed(payer))).toBe(after + feb)
  },
)

test('a plan that begins in the second in which a month turned is that month’s', async () => {
  const payer = await world.register('annual', '2026-02-01T00:00:00Z')
  await world.deliver()
  await go(payer, '2026-03-01T00:00:00Z')
  await moveNow(payer, 'cheap')
  await world.deliver()
  await go(payer, '2026-03-15T00:00:00Z')
  await world.use(payer, '1000', '2026-03-10T00:00:00Z')
  await go(payer, '2026-03-16T00:00:00Z')
  await go(payer, '2026-04-01T00:00:05Z')
  await go(payer, '2026-04-01T03:00:01Z')
  // 1,000 × 0.02
  expect(await billed(payer)).toEqual(['2000 Seconds: 1,000 second'])
})

test('a trial that begins in the second in which a month turned is free from there on', async () => {
  const payer = await world.register('annual', '2026-02-01T00:00:00Z')
  await world.deliver()
  await go(payer, '2026-03-01T00:00:00Z')
  await world.stripe.subscriptions.update(payer.subscription, {
    trial_end: at('2026-04-01T00:00:00Z'),
    proration_behavior: 'none',
  })
  await world.deliver()
  await go(payer, '2026-03-15T00:00:00Z')
  await world.use(payer, '1000', '2026-03-10T00:00:00Z')
  await go(payer, '2026-04-01T00:00:00Z')
  await go(payer, '2026-04-01T03:00:00Z')
  expect(sumOf(await billed(payer))).toBe(0)
})

test.each([false, true])(
  'a pause that is over: the month that begins with it promises the whole minimum (heard late: %s)',
  async (late) => {
    const payer = await world.register('least', '2026-02-01T00:00:00Z')
    await world.deliver()
    await go(payer, '2026-02-10T00:00:00Z')
    await world.stripe.subscriptions.pause(payer.subscription, {
      bill_for: { unused_time_from: { type: 'none' } },
    })
    await world.deliver()
    await go(payer, '2026-02-19T00:00:00Z')
    await world.turn(payer, '2026-02-20T00:00:00Z')
    await world.deliver()
    await world.stripe.subscriptions.resume(payer.subscription)
    for (const { id } of (await world.stripe.invoices.list({ customer: payer.customer, status: 'open' }))
      .data)
      await world.stripe.invoices.pay(id)
    if (!late) await world.deliver()
    for (const time of ['03-15T00', '03-20T00', '03-20T03', '03-22T03', '04-20T00', '04-20T03'])
      await go(payer, `2026-${time}:00:00Z`)
    // 9 of 28 days of 28.00, and two whole months.
    expect((await billed(payer)).map((line) => Number.parseInt(line, 10))).toEqual([900, 2800, 2800])
  },
)

test('taken back twice, around a period of which nothing is left: each second is in one period', async () => {
  const { payer, turnByOldAnswer } = await months.away(world, 'annual', (one) => moveNow(one, 'cheap'))
  const hear = [await months.hearTime(world, payer, '2026-03-05T00:00:00Z')]
  const observation = await nextObservation(world.db)
  const second = await world.stripe.subscriptions.retrieve(payer.subscription)
  await world.turn(payer, '2026-03-10T00:00:00Z')
  await world.stripe.subscriptions.update(payer.subscription, {
    billing_cycle_anchor: { type: 'now' },
    proration_behavior: 'none',
  })
  hear.push(await months.hearTime(world, payer, '2026-04-03T00:00:00Z'))
  await world.use(payer, '100', '2026-02-25T00:00:00Z')
  await world.use(payer, '1000', '2026-03-15T00:00:00Z')
  await turnByOldAnswer()
  await world.sync(payer)
  await observe(world.deps, { type: 'subscription', object: second, observation, source: 'fetch' })
  for (const hearAll of hear) await hearAll()
  for (const time of ['04-10T00', '04-10T03', '05-10T00', '05-10T03']) await go(payer, `2026-${time}:00:00Z`)
  // 100 × 0.02 and 1,000 × 0.02
  expect(sumOf(await billed(payer))).toBe(200 + 2000)
  const rows = (await world.invoices(payer)).filter(
    ({ planVersionId, periodStart, periodEnd }) => planVersionId !== null && periodStart < periodEnd,
  )
  for (const [i, { periodStart }] of rows.entries())
    if (i > 0) expect(periodStart).toBe(rows[i - 1]?.periodEnd)
})

test('a final invoice says the period that it was made out for, and a figure is told of once', async () => {
  const { payer, turnByOldAnswer } = await months.away(world, 'annual', (one) => moveNow(one, 'cheap'))
  await setSpendLimit(world.db, {
    ...{ id: newId('spend_limit'), customerId: payer.customerId, owner: 'operator', meter: 'seconds' },
    ...{ currency: null, cap: null, alerts: [100_000_000_000n], alertPercents: [] },
    ...{ madeBy: 'test', madeAt: world.wall.time },
  })
  const hearAll = await months.hearTime(world, payer, '2026-04-03T00:00:00Z')
  await world.use(payer, '100', '2026-03-15T00:00:00Z')
  await turnByOldAnswer()
  const check = () => checkLimits(world.deps)
  await check()
  await world.sync(payer)
  const final = (await world.invoices(payer)).filter(
    ({ status, planVersionId }) => status === 'paid' && planVersionId !== null,
  )
  const said = final.map(periodStated)
  expect(said).toHaveLength(2)
  await hearAll()
  await check()
  const after = (await world.invoices(payer)).filter(({ id }) => final.some((one) => one.id === id))
  expect(after.map(periodStated)).toEqual(said)
  expect(after.map(({ periodEnd }) => periodEnd)).not.toEqual(final.map(({ periodEnd }) => periodEnd))
  const { rows } = await world.pool.query('select at from spend_alert where customer_id = $1', [
    payer.customerId,
  ])
  expect(rows).toHaveLength(1)
})
