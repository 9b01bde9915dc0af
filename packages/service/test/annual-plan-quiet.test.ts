// Months of an annual plan of which Stripe was told nothing while they ran: it makes an invoice of what is pending only.
import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test, vi } from 'vitest'
import { expectTurn } from '../src/invoice/expect-turn.ts'
import { startBoss } from '../src/jobs/boss.ts'
import { requestSync, syncInvoices } from '../src/jobs/sync-invoices.ts'
import { readMigrations } from '../src/postgres/migrate.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { doDue } from '../src/workflow/due.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { neverDue } from './support/never-due.ts'
import { shared } from './support/shared.ts'

const yearly = { product: 'cloud', interval: 'year', usageInterval: 'month' } as const
const fee = (amount: string) => ({ kind: 'recurring', model: 'flat', amount }) as const
const per = (unitAmount: string) =>
  ({ meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount }) as const

const catalog = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' }, compute: { name: 'Compute', unitLabel: 'second' } },
  meters: { seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
  plans: {
    annual: { ...yearly, name: 'Annual', prices: { fee: fee('120.00'), compute: per('0.10') } },
    yen: { ...yearly, name: 'Yen', currency: 'jpy', prices: { fee: fee('12000'), compute: per('0.25') } },
  },
})

const world = await shared(newBillingWorld({ catalog }))

const at = (time: string) => Date.parse(time) / 1000

/** What is due is done, and drafts are told to; the hourly schedule does not come by. */
async function go(payer: Payer, time: string): Promise<void> {
  await world.turn(payer, time)
  await world.deliver()
  await doDue({ ...world.deps, workflows: world.workflows })
}

const story = async (payer: Payer) =>
  (await world.story(payer)).slice(1).map((line) => line.replace('subscription_cycle ', ''))

const billed = async (payer: Payer) =>
  (await world.atStripe(payer)).slice(1).map(({ invoice, lines }) => [invoice.total, lines])

test.each([
  // 30 × 0.10 and 20 × 0.10
  ['annual', 500],
  // 50 × 0.25 is 12.5, a half away from zero
  ['yen', 13],
])('used in the last hours of the month: billed with it (%s)', async (plan, total) => {
  const payer = await world.register(plan, '2026-01-31T00:00:00Z')
  await world.deliver()
  await world.sync(payer)
  await go(payer, '2026-02-27T23:40:00Z')
  await world.use(payer, '30', '2026-02-27T23:39:00Z')
  const standing = () => world.stripe.invoiceItems.list({ customer: payer.customer, pending: true })
  expect((await standing()).data).toEqual([])
  // Ten minutes before the end all are told.
  await go(payer, '2026-02-27T23:50:00Z')
  expect((await standing()).data).toHaveLength(1)
  await go(payer, '2026-02-28T00:00:00Z')
  // Half an hour after the end, of just before it: onto the draft, as of a monthly plan.
  await go(payer, '2026-02-28T00:30:00Z')
  await world.use(payer, '20', '2026-02-27T23:59:59Z')
  await world.sync(payer)
  await go(payer, '2026-02-28T01:30:00Z')
  expect(await billed(payer)).toEqual([[total, [`${total} Seconds: 50 second`]]])
  expect(await story(payer)).toEqual([
    `2026-01-31 … 2026-02-28 paid ${total}`,
    '2026-02-28 … 2026-03-31 current -',
  ])
})

test('used in the last ten minutes of a month without usage: billed once, with the next', async () => {
  const payer = await world.register('annual', '2026-01-31T00:00:00Z')
  await world.deliver()
  await world.sync(payer)
  await go(payer, '2026-02-27T23:50:00Z')
  await go(payer, '2026-02-27T23:59:00Z')
  await world.use(payer, '30', '2026-02-27T23:58:00Z')
  await go(payer, '2026-02-28T00:00:00Z')
  await world.sync(payer)
  await go(payer, '2026-02-28T02:00:00Z')
  await go(payer, '2026-03-01T00:00:00Z')
  expect(await story(payer)).toEqual(['2026-01-31 … 2026-02-28 paid 0', '2026-02-28 … 2026-03-31 current -'])
  const late = '300 Seconds: 30 second, reported late for 2026-01-31 to 2026-02-28'
  expect(amounts(await world.read(payer, 'current'))).toEqual([late])
  await go(payer, '2026-03-31T00:00:00Z')
  await go(payer, '2026-03-31T02:00:00Z')
  expect(await billed(payer)).toEqual([[300, [late]]])
  await go(payer, '2026-04-30T00:00:00Z')
  await go(payer, '2026-05-02T02:00:00Z')
  expect(await billed(payer)).toEqual([[300, [late]]])
})

test('months that end in one second are told one after the other, from twenty to ten minutes before', async () => {
  const end = at('2026-03-31T00:00:00Z')
  const customer = await world.register('annual', '2026-01-31T00:00:00Z')
  const ids = Array.from({ length: 600 }, (_, i) => `invoice_of_many_${i}`)
  await transaction(world.deps.db, async (trx) => {
    for (const id of ids) await expectTurn(trx, { id, customerId: customer.customerId, periodEnd: end }, end)
  })
  const { rows } = await world.pool.query<{ before: number }>(
    `select extract(epoch from $1::timestamptz - due_at)::int as before from due
      where kind = 'usage-tell' and subject_id like 'invoice_of_many_%'`,
    ['2026-03-31T00:00:00Z'],
  )
  await world.pool.query(`delete from due where subject_id like 'invoice_of_many_%'`)
  const minutes = Map.groupBy(rows, ({ before }) => Math.floor(before / 60))
  // Of 600 in ten minutes some 60 in each, by a hash that is always the same.
  expect([...minutes.keys()].sort((a, b) => a - b)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  for (const told of minutes.values()) expect(told.length).toBeLessThan(120)
})

test('a month that ran before it was told before its end is told all the same', async () => {
  const payer = await world.register('annual', '2026-01-31T00:00:00Z')
  await world.deliver()
  await world.sync(payer)
  const tells = async () => {
    const { rows } = await world.pool.query<{ before: number }>(
      `select extract(epoch from '2026-02-28T00:00:00Z' - due_at)::int as before from due
        where kind = 'usage-tell' and customer_id = $1`,
      [payer.customerId],
    )
    return rows.map(({ before }) => before)
  }
  expect(await tells()).toHaveLength(1)
  await world.pool.query(`delete from due where kind = 'usage-tell' and customer_id = $1`, [payer.customerId])
  const migration = (await readMigrations()).find(({ name }) => name === '0076_usage_tell.sql')
  for (const _time of [1, 2]) await world.pool.query(migration?.text ?? '')
  const [before, ...more] = await tells()
  expect(more).toEqual([])
  expect(before).toBeGreaterThanOrEqual(600)
  expect(before).toBeLessThan(1200)
  await go(payer, '2026-02-27T23:30:00Z')
  await world.use(payer, '30', '2026-02-27T23:29:00Z')
  await go(payer, '2026-02-27T23:50:00Z')
  const standing = await world.stripe.invoiceItems.list({ customer: payer.customer, pending: true })
  expect(standing.data.map(({ amount }) => amount)).toEqual([300])
})

test('a month that cannot be told is asked for once, and left to the schedule', async () => {
  const payer = await world.register('annual', '2026-01-31T00:00:00Z')
  await world.deliver()
  await world.sync(payer)
  await go(payer, '2026-02-10T00:00:00Z')
  await world.use(payer, '30', '2026-02-09T00:00:00Z')
  await world.turn(payer, '2026-02-27T23:50:00Z')
  await world.deliver()
  const boss = await startBoss({ databaseUrl: world.url, log: world.deps.log }, { supervise: true })
  try {
    await syncInvoices({ ...world.deps, boss, config: { syncCron: neverDue() } })
    const due = () =>
      doDue({ ...world.deps, workflows: world.workflows, requestSync: (id) => requestSync({ boss }, id) })
    const jobs = async () => {
      const { rows } = await world.pool.query<{ state: string }>(
        `select state::text from pgboss.job where name = 'sync-subscription' and data->>'subscriptionId' = $1`,
        [payer.subscriptionId],
      )
      return rows.map(({ state }) => state)
    }
    world.simulator.control.fail({ kind: 'error_500', method: 'POST', path: '/v1/invoiceitems', times: 1000 })
    await due()
    await vi.waitFor(async () => expect(await jobs()).toEqual(['completed']), {
      ...{ timeout: 60_000, interval: 100 },
    })
    expect((await world.read(payer, 'current')).invoice.syncProblem).toMatchObject({
      code: 'provider_unknown_outcome',
    })
    for (const _round of [1, 2, 3]) await due()
    expect(await jobs()).toEqual(['completed'])
  } finally {
    world.simulator.control.clearFaults()
    await boss.stop({ graceful: true, timeout: 5000 })
  }
  await world.sync(payer)
  const standing = await world.stripe.invoiceItems.list({ customer: payer.customer, pending: true })
  expect(standing.data.map(({ amount }) => amount)).toEqual([300])
})
