import { PgBoss } from 'pg-boss'
import { expect, test } from 'vitest'
import { syncStatusRoutes } from '../src/http/routes/sync-status.ts'
import { showSync } from '../src/invoice/figures.ts'
import { nextRound } from '../src/jobs/sync-invoices.ts'
import { createMetrics } from '../src/metrics.ts'
import { beginRound, countInRound } from '../src/store/sync-rounds.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const metrics = createMetrics()
const world = await shared(newBillingWorld())
const server = await newServer(world.deps, { clock: world.deps.clock })
// It works out when a schedule is due; it is never started.
const schedule = { boss: new PgBoss(world.url), config: { syncCron: '20 */2 * * *' } }
syncStatusRoutes(server.app, { ...world.deps, ...schedule })
showSync({ ...world.deps, metrics, nextRound: (now) => nextRound(schedule, now) })

const status = async () => (await server.call({ method: 'GET', url: '/v1/sync-status' })).body
const go = async (payer: Payer, time: string) => {
  await world.turn(payer, time)
  await world.deliver()
}
const usd = (minor: number) => ({ amount: (minor / 100).toFixed(2), minor: `${minor}`, currency: 'usd' })

/** The lines of /metrics that tell of the sync. */
async function figures(): Promise<string[]> {
  const text = await metrics.registry.metrics()
  return text.split('\n').filter((line) => /^lockstep_invoice/.test(line))
}

test('behind, in step, failing, and in step again: the route and the figures say the same', async () => {
  expect(await status()).toMatchObject({
    status: 'inStep',
    open: 0,
    stale: 0,
    lagSeconds: 0,
    lastSuccess: null,
  })
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-20T00:00:00Z')
  await world.use(payer, '120', '2026-01-11T00:00:00Z')
  expect(await status()).toMatchObject({ status: 'behind', open: 1, stale: 1, failures: [], totals: [] })

  await world.sync(payer)
  const synced = world.wall.time
  expect(await status()).toEqual({
    ...{ status: 'inStep', open: 1, stale: 0, lagSeconds: 0, lastSuccess: '2026-01-01T00:00:00Z' },
    ...{ failing: [], failures: [] },
    schedule: {
      ...{ cron: '20 */2 * * *', spreadSeconds: 300, nextRun: '2026-01-01T00:20:00Z' },
      lastRun: null,
    },
    totals: [{ currency: 'usd', standing: usd(120), sent: usd(0), billed: usd(0), equal: true }],
  })

  await world.use(payer, '1', '2026-01-11T00:00:00Z')
  world.wall.time = synced + 7200
  world.simulator.control.fail({ kind: 'error_500', times: 100 })
  await expect(world.sync(payer)).rejects.toThrow('provider_unavailable')
  world.simulator.control.clearFaults()
  expect(await status()).toMatchObject({
    ...{ status: 'failing', stale: 1, lagSeconds: 7200 },
    failing: [{ code: 'provider_unavailable', subscriptions: 1, needsAttention: false }],
    failures: [
      {
        ...{ customer: payer.customerId, externalId: payer.externalId, subscription: payer.subscriptionId },
        ...{ problem: { code: 'provider_unavailable' }, needsAttention: false },
        syncedAt: '2026-01-01T00:00:00Z',
      },
    ],
  })
  expect(await figures()).toEqual([
    'lockstep_invoices_open{state="all"} 1',
    'lockstep_invoices_open{state="stale"} 1',
    'lockstep_invoice_sync_age_seconds{sync="longest waiting"} 7200',
    'lockstep_invoice_sync_age_seconds{sync="last success"} 7200',
    'lockstep_invoice_sync_next_round_seconds 1200',
    'lockstep_invoice_sync_failing{code="provider_unavailable"} 1',
  ])
  await world.sync(payer)
  expect(await status()).toMatchObject({ status: 'inStep', failing: [], lastSuccess: '2026-01-01T02:00:00Z' })
  expect(await figures()).toContain('lockstep_invoice_sync_age_seconds{sync="last success"} 0')
})

test('the last round of the schedule, and when the next one is', async () => {
  const began = world.wall.time
  const older = await beginRound(world.db, { due: 4, at: began })
  const newer = await beginRound(world.db, { due: 3, at: began + 7200 })
  await countInRound(world.db, { round: older, told: 4, failed: 0 })
  await countInRound(world.db, { round: newer, told: 1, failed: 0 })
  await countInRound(world.db, { round: newer, told: 0, failed: 1 })
  world.wall.time = began + 7260
  expect(await status()).toMatchObject({
    schedule: {
      nextRun: '2026-01-01T04:20:00Z',
      lastRun: { at: '2026-01-01T04:00:00Z', due: 3, told: 1, failed: 1 },
    },
  })
  expect(await figures()).toEqual(
    expect.arrayContaining([
      'lockstep_invoice_sync_age_seconds{sync="last round"} 60',
      'lockstep_invoice_sync_next_round_seconds 1140',
      'lockstep_invoice_sync_round_subscriptions{outcome="due"} 3',
      'lockstep_invoice_sync_round_subscriptions{outcome="told"} 1',
      'lockstep_invoice_sync_round_subscriptions{outcome="failed"} 1',
    ]),
  )
  // One of more than a day before is not kept, and nothing is counted in it.
  const next = await beginRound(world.db, { due: 0, at: began + 86_401 })
  await countInRound(world.db, { round: older, told: 1, failed: 0 })
  const { rows } = await world.pool.query('select id from sync_round order by id')
  expect(rows).toEqual([{ id: newer }, { id: next }])
})

const jpy = (minor: number) => ({ amount: `${minor}`, minor: `${minor}`, currency: 'jpy' })

test('what was sent and what was billed are added up, and differ where somebody changed an item', async () => {
  const [honest, changed] = [
    await world.register('plain', '2026-01-10T00:00:00Z'),
    await world.register('yen', '2026-01-10T00:00:00Z'),
  ]
  const { id: half } = await world.stripe.coupons.create({ percent_off: 50, duration: 'forever' })
  for (const { subscription } of [honest, changed]) {
    await world.stripe.subscriptions.update(subscription, { discounts: [{ coupon: half }] })
  }
  const vat = { display_name: 'VAT', percentage: 20, inclusive: false }
  const { id: rate } = await world.stripe.taxRates.create(vat)
  await world.stripe.subscriptions.update(honest.subscription, { default_tax_rates: [rate] })
  for (const payer of [honest, changed]) {
    await go(payer, '2026-01-20T00:00:00Z')
    await world.use(payer, '50', '2026-01-11T00:00:00Z')
    await world.sync(payer)
  }
  const { data } = await world.stripe.invoiceItems.list({ customer: changed.customer, pending: true })
  await world.stripe.invoiceItems.update(data[0]?.id ?? '', { amount: 3 })
  for (const payer of [honest, changed]) await go(payer, '2026-02-10T02:00:00Z')
  // Half of 20.00 + 0.50, and a fifth of it on top. Of 2000 + 3 yen half is 1001.5, so 1002 are taken off; 5 were sent.
  const totals = [
    { currency: 'jpy', sent: jpy(2005 - 1002), billed: jpy(2003 - 1002), equal: false },
    { currency: 'usd', sent: usd(1025 + 205), billed: usd(1025 + 205), equal: true },
  ]
  expect(await status()).toMatchObject({ totals })
  // By the wall it is January still. By the clocks, February's invoice was 35 days ago, and then longer ago.
  for (const payer of [honest, changed]) await go(payer, '2026-03-17T00:30:00Z')
  expect(await status()).toMatchObject({ totals })
  await go(honest, '2026-03-17T02:30:00Z')
  expect(await status()).toMatchObject({ totals: [totals[0], { currency: 'usd', billed: usd(0) }] })
})
