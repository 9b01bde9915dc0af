import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { checkLimits } from '../src/invoice/check-limits.ts'
import { setSpendLimit } from '../src/invoice/limit-spending.ts'
import { correctUsage } from '../src/usage/correct.ts'
import { newMonths } from '../src/usage/months.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(
  newBillingWorld({
    catalog: defineCatalog({
      currency: 'usd',
      products: { cloud: { name: 'Cloud' } },
      meters: {
        cpu: { name: 'CPU', unitLabel: 'second', aggregation: 'sum', dimensions: ['region'] },
        calls: { name: 'Calls', unitLabel: 'call', aggregation: 'sum' },
      },
      plans: {
        cloud: {
          name: 'Cloud',
          product: 'cloud',
          interval: 'month',
          prices: {
            fee: { kind: 'recurring', model: 'flat', amount: '20.00' },
            cpu: { meter: 'cpu', model: 'perUnit', unitAmount: '0.01', groupBy: ['region'] },
            calls: { meter: 'calls', model: 'perUnit', unitAmount: '0.01' },
          },
        },
      },
    }),
  }),
)

const go = async (payer: Payer, time: string) => {
  await world.turn(payer, time)
  await world.deliver()
}

const PERIOD = '2026-01-15T10:00:00Z'

/** On the tenth, with 40 seconds of CPU in one region. */
async function subscribed(): Promise<Payer> {
  const payer = await world.register('cloud', '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-20T00:00:00Z')
  await world.use(payer, '40', PERIOD, 'cpu', { region: 'eu' })
  return payer
}

const call = (payer: Payer, quantity: string, time = PERIOD) => world.use(payer, quantity, time, 'calls')

/**
 * Holds `work` where it adds up usage by group, does `deed` there, and lets it go on. Whoever adds up with the gate
 * closed never lets an event of the same customer in, and never comes to the end of this.
 */
async function whileAddingUp<T>(work: () => Promise<T>, deed: () => Promise<unknown>): Promise<T> {
  const holder = await world.pool.connect()
  try {
    await holder.query('begin; lock table usage_group_rollup in access exclusive mode')
    const working = work()
    // In this database: the table has the same number in all that were copied from one.
    const waits = `select from pg_locks where not granted and relation = 'usage_group_rollup'::regclass
      and database = (select oid from pg_database where datname = current_database())`
    while ((await world.pool.query(waits)).rowCount === 0);
    await deed()
    await holder.query('commit')
    return await working
  } finally {
    holder.release(true)
  }
}

test('usage is taken in while it is held against limits, and is held against them afterwards', async () => {
  const ada = await subscribed()
  await setSpendLimit(world.db, {
    ...{ id: 'spend_limit_1', customerId: ada.customerId, owner: 'operator', meter: null, currency: 'usd' },
    ...{ cap: 100n, alerts: [40n], alertPercents: [], madeBy: 'test', madeAt: 0 },
  })
  const told = async () => {
    const { rows } = await world.pool.query<{ at: string; spent: string }>(
      'select at, spent from spend_alert where customer_id = $1 order by at',
      [ada.customerId],
    )
    return rows.map(({ at, spent }) => `${at} at ${spent}`)
  }
  await whileAddingUp(
    () => checkLimits(world.deps),
    () => call(ada, '60'),
  )
  expect(await told()).toEqual(['40 at 40'])
  expect(await checkLimits(world.deps)).toBe(1)
  expect(await told()).toEqual(['40 at 40', '100 at 100'])
  expect(await checkLimits(world.deps)).toBe(0)
})

test('usage that comes between the adding up and the freeze is late usage, once', async () => {
  const ben = await subscribed()
  await call(ben, '7')
  await world.sync(ben)
  await go(ben, '2026-02-10T00:00:00Z')
  await world.turn(ben, '2026-02-10T01:00:01Z')
  await whileAddingUp(
    () => world.deliver(),
    async () => {
      await call(ben, '5')
      await call(ben, '9', '2026-02-10T00:30:00Z')
    },
  )
  expect((await world.read(ben, 'paid')).total.minor).toBe(40n + 7n + 2000n)
  await world.sync(ben)
  const next = [
    '9 Calls: 9 call',
    '5 Calls: 5 call, reported late for 2026-01-10 to 2026-02-10',
    '2000 Cloud',
  ]
  expect(amounts(await world.read(ben, 'current')).toSorted()).toEqual(next.toSorted())
  await go(ben, '2026-03-10T00:00:00Z')
  await go(ben, '2026-03-10T01:00:01Z')
  const [, , last] = await world.atStripe(ben)
  expect(last?.lines).toEqual([
    '2000 1 × Cloud (at $20.00 / month)',
    '5 Calls: 5 call, reported late for 2026-01-10 to 2026-02-10',
    '9 Calls: 9 call',
  ])
  expect(amounts(await world.read(ben, 'current'))).toEqual(['2000 Cloud'])
})

test('usage that comes while a correction adds up is none of what the correction did', async () => {
  const cleo = await subscribed()
  const { rows } = await world.pool.query<{ id: string }>(
    'select id from usage_event where customer_id = $1',
    [cleo.customerId],
  )
  const event = { source: 'test', id: rows[0]?.id ?? '', time: Date.parse(PERIOD) / 1000 }
  const { effect } = await whileAddingUp(
    () =>
      correctUsage(
        { db: world.db, clock: world.deps.clock, months: newMonths(world.deps) },
        { kind: 'void', event },
        { id: 'usage_correction_1', by: 'test', agent: null, reason: 'It never ran' },
        { dryRun: false },
      ),
    () => call(cleo, '5'),
  )
  expect(effect).toMatchObject([
    { lines: [{ line: expect.stringMatching(/^cpu_G/), quantity: { before: '40', after: '0' } }] },
  ])
  expect(amounts(await world.read(cleo, 'current'))).toEqual(['5 Calls: 5 call', '2000 Cloud'])
})
