// What became of an annual plan while nobody listened, and is heard of after a month of usage should have turned.
import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { doDue } from '../src/workflow/due.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const fee = (amount: string) => ({ kind: 'recurring', model: 'flat', amount }) as const
const compute = { meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount: '0.10' } as const
const yearly = { product: 'cloud', interval: 'year' } as const

const catalog = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' }, compute: { name: 'Compute', unitLabel: 'second' } },
  meters: { seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
  plans: {
    annual: { ...yearly, usageInterval: 'month', name: 'Annual', prices: { fee: fee('120.00'), compute } },
    least: {
      ...yearly,
      usageInterval: 'month',
      name: 'Least',
      prices: { fee: fee('120.00'), compute, least: { model: 'minimum', amount: '28.00' } },
    },
    whole: { ...yearly, name: 'Whole', prices: { fee: fee('119.00'), compute } },
  },
})

const world = await shared(newBillingWorld({ catalog }))

const at = (time: string) => Date.parse(time) / 1000
const due = () => doDue({ ...world.deps, workflows: world.workflows })

async function go(payer: Payer, time: string): Promise<void> {
  await world.turn(payer, time)
  await world.deliver()
  await due()
  await world.sync(payer)
}

/** Registered on 1 February; nobody listens from the 19th on. */
async function away(plan: string): Promise<Payer> {
  const payer = await world.register(plan, '2026-02-01T00:00:00Z')
  await world.deliver()
  await go(payer, '2026-02-19T00:00:00Z')
  // An event that says how it stood before anything became of it.
  await world.stripe.subscriptions.update(payer.subscription, { description: 'as it was' })
  await world.turn(payer, '2026-02-20T00:00:00Z')
  return payer
}

/** What comes first when it is 3 March and we are back: what is due, or the oldest event of the subscription. */
const firsts = ['due', 'event'] as const

/** Back on 3 March: the clock is known first, then what is due runs or an old event is worked on, then all the rest. */
async function back(
  payer: Payer,
  first: (typeof firsts)[number],
  use: () => Promise<void> = async () => {},
): Promise<void> {
  await world.turn(payer, '2026-03-03T00:00:00Z')
  const events = await world.newEvents()
  for (const event of events) if (event.type.startsWith('test_helpers.')) await world.receive(event)
  await world.drain()
  await use()
  const oldest = events.find(({ type }) => type === 'customer.subscription.updated')
  if (first === 'event' && oldest) {
    await world.receive(oldest)
    await world.drain()
  }
  await due()
  for (const event of events) await world.receive(event)
  await world.drain()
  await world.sync(payer)
  await world.deliver()
}

/** What Stripe billed after the first invoice, in all. */
const billed = async (payer: Payer): Promise<number> =>
  (await world.atStripe(payer)).slice(1).reduce((sum, { invoice }) => sum + invoice.total, 0)

const periods = async (payer: Payer): Promise<string[]> =>
  (await world.story(payer)).slice(1).map((line) => line.replace('subscription_cycle ', ''))

test.each(firsts)(
  'canceled before the month ended: what came after is not billed (%s first)',
  async (first) => {
    const payer = await away('annual')
    await world.stripe.subscriptions.cancel(payer.subscription)
    await back(payer, first, async () => {
      await world.use(payer, '100', '2026-02-15T00:00:00Z')
      await world.use(payer, '1000', '2026-02-25T00:00:00Z')
    })
    await go(payer, '2026-03-04T00:00:00Z')
    // 100 × 0.10
    expect(await billed(payer)).toBe(1000)
    expect(await periods(payer)).toEqual(['2026-02-01 … 2026-02-20 paid 1000'])
  },
)

test.each(firsts)(
  'canceled before the month ended: the minimum is of the days before (%s first)',
  async (first) => {
    const payer = await away('least')
    await world.stripe.subscriptions.cancel(payer.subscription)
    await back(payer, first)
    await go(payer, '2026-03-04T00:00:00Z')
    // 19 of 28 days of 28.00
    expect(await billed(payer)).toBe(1900)
  },
)

test.each(firsts)(
  'put on trial before the month ended: what is used in it is free (%s first)',
  async (first) => {
    const payer = await away('annual')
    await world.stripe.subscriptions.update(payer.subscription, {
      trial_end: at('2026-04-01T00:00:00Z'),
      proration_behavior: 'none',
    })
    await back(payer, first, async () => {
      await world.use(payer, '100', '2026-02-15T00:00:00Z')
      await world.use(payer, '1000', '2026-02-25T00:00:00Z')
    })
    await go(payer, '2026-03-20T00:00:00Z')
    await world.use(payer, '1000', '2026-03-19T00:00:00Z')
    await world.sync(payer)
    await go(payer, '2026-04-01T00:00:00Z')
    await go(payer, '2026-04-02T03:00:00Z')
    // Between them stands Stripe's own invoice of nothing, for the trial.
    const ours = (await world.story(payer)).filter((line) => line.includes('subscription_cycle'))
    expect(ours.slice(0, 2).map((line) => line.slice(0, 23))).toEqual([
      '2026-02-01 … 2026-02-20',
      '2026-02-20 … 2026-04-01',
    ])
    // 100 × 0.10, and the year that begins after the trial.
    expect(await billed(payer)).toBe(1000 + 12_000)
  },
)

test('a look that fails leaves the month open, and what is due stays due', async () => {
  const payer = await away('annual')
  await go(payer, '2026-02-27T00:00:00Z')
  await world.turn(payer, '2026-03-01T00:00:00Z')
  const clock = (await world.newEvents()).filter(({ type }) => type.startsWith('test_helpers.'))
  for (const event of clock) await world.receive(event)
  await world.drain()
  const path = `/v1/subscriptions/${payer.subscription}`
  world.simulator.control.fail({ kind: 'error_500', method: 'GET', path, times: 100 })
  await due()
  expect(await periods(payer)).toEqual(['2026-02-01 … 2026-03-01 current -'])
  world.simulator.control.clearFaults()
  // It is tried again after a pause.
  world.wall.time += 2
  await due()
  expect(await periods(payer)).toEqual([
    '2026-02-01 … 2026-03-01 closing -',
    '2026-03-01 … 2026-04-01 current -',
  ])
})

test('from usage by the year to usage by the month, with the same anchor: the first month turns by itself', async () => {
  const [payer, model] = [
    await world.register('whole', '2026-02-01T00:00:00Z'),
    await world.register('annual', '2026-02-01T00:00:00Z'),
  ]
  await world.deliver()
  await go(payer, '2026-02-10T00:00:00Z')
  const itemOf = async ({ subscription }: Payer) => {
    const { items } = await world.stripe.subscriptions.retrieve(subscription)
    const [item] = items.data
    if (!item) throw new Error('It has no item.')
    return item
  }
  await world.stripe.subscriptions.update(payer.subscription, {
    items: [{ id: (await itemOf(payer)).id, price: (await itemOf(model)).price.id }],
    proration_behavior: 'none',
  })
  await world.deliver()
  await world.sync(payer)
  expect(await periods(payer)).toEqual(['2026-02-01 … 2026-03-01 current -'])
  await world.use(payer, '100', '2026-02-05T00:00:00Z')
  await world.sync(payer)
  // No event of the subscription comes: time alone, and what is due.
  await world.turn(payer, '2026-03-01T00:00:00Z')
  const events = await world.newEvents()
  for (const event of events) if (event.type.startsWith('test_helpers.')) await world.receive(event)
  await world.drain()
  await due()
  expect((await periods(payer)).map((line) => line.slice(0, 31))).toEqual([
    '2026-02-01 … 2026-03-01 closing',
    '2026-03-01 … 2026-04-01 current',
  ])
})

test('an end in the middle of a month that is withdrawn: the month turns where it would have', async () => {
  const payer = await world.register('annual', '2026-02-01T00:00:00Z')
  await world.deliver()
  await world.stripe.subscriptions.update(payer.subscription, { cancel_at: at('2026-02-20T00:00:00Z') })
  await world.deliver()
  await go(payer, '2026-02-10T00:00:00Z')
  await world.stripe.subscriptions.update(payer.subscription, { cancel_at: '' })
  await world.deliver()
  await world.use(payer, '10', '2026-02-05T00:00:00Z')
  await world.sync(payer)
  await go(payer, '2026-03-01T00:00:00Z')
  await go(payer, '2026-03-01T02:00:00Z')
  expect(amounts(await world.read(payer, 'paid'))).toEqual(['100 Seconds: 10 second'])
  expect(await periods(payer)).toEqual([
    '2026-02-01 … 2026-03-01 paid 100',
    '2026-03-01 … 2026-04-01 current -',
  ])
})
