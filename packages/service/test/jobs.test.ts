import { afterAll, expect, test, vi } from 'vitest'
import { billingRoutes } from '../src/http/routes/billing.ts'
import { startBoss } from '../src/jobs/boss.ts'
import { SPREAD_SECONDS, syncInvoices } from '../src/jobs/sync-invoices.ts'
import { spread } from '../src/spread.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { neverDue } from './support/never-due.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const boss = await startBoss({ databaseUrl: world.url, log: world.deps.log }, { supervise: true })
// Never by itself: a test says when.
await syncInvoices({ ...world.deps, boss, config: { syncCron: neverDue() } })
afterAll(() => boss.stop({ graceful: true, timeout: 5000 }))

async function jobs() {
  const { rows } = await world.pool.query<{ subscription: string; in: number; state: string }>(
    `select data->>'subscriptionId' as subscription, state::text,
       extract(epoch from start_after - now())::float8 as in
     from pgboss.job where name = 'sync-subscription' and state in ('created', 'active')`,
  )
  return rows
}

/** One whose turn comes only after a minute of the round: nobody does its job while a test looks. */
async function withLateTurn(): Promise<Payer> {
  for (;;) {
    const payer = await world.register('plain', '2026-01-10T00:00:00Z')
    if (spread(payer.subscriptionId, SPREAD_SECONDS) > 60) return payer
    await world.deliver()
    await world.sync(payer)
  }
}

const rounds = async () => {
  const { rows } = await world.pool.query('select due, told, failed from sync_round order by id')
  return rows
}

const nobodyWaits = () =>
  world.pool.query(`update pgboss.job set start_after = now() where name = 'sync-subscription'`)

const SOON = { timeout: 30_000, interval: 100 }

/** Whatever other tests have left to tell is told. */
async function settleAll(): Promise<void> {
  for (let due = 1; due > 0; ) {
    const known = (await rounds()).length
    await boss.send('sync-invoices')
    await vi.waitFor(async () => {
      await nobodyWaits()
      const [round] = (await rounds()).slice(known)
      expect(round.told + round.failed).toBe(round.due)
      due = round.due
    }, SOON)
  }
}

test('the schedule gives each subscription with something to tell one job, in a turn of its own', async () => {
  await settleAll()
  const [ada, ben, cat] = [await withLateTurn(), await withLateTurn(), await withLateTurn()]
  await world.deliver()
  await world.sync(cat)
  for (const _round of [1, 2, 3]) {
    const id = await boss.send('sync-invoices')
    await vi.waitFor(
      async () => {
        const [job] = await boss.findJobs('sync-invoices', { id: id ?? '' })
        expect(job?.state).toBe('completed')
      },
      { timeout: 30_000, interval: 100 },
    )
  }
  const waiting = await jobs()
  expect(waiting.map(({ subscription }) => subscription).sort()).toEqual(
    [ada, ben].map(({ subscriptionId }) => subscriptionId).sort(),
  )
  for (const job of waiting) expect(job.in).toBeLessThan(300)
  // The first round's; in the others they are found on their way.
  await nobodyWaits()
  const told = [{ due: 2, told: 2, failed: 0 }, ...Array(2).fill({ due: 2, told: 0, failed: 0 })]
  await vi.waitFor(async () => expect((await rounds()).slice(-3)).toEqual(told), SOON)
})

test('a round says how many it looked at, and what became of them', async () => {
  await settleAll()
  const expectLast = (round: object) =>
    vi.waitFor(async () => {
      await nobodyWaits()
      expect((await rounds()).at(-1)).toEqual(round)
    }, SOON)
  const fay = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  world.simulator.control.fail({ kind: 'error_500', times: 1000 })
  await boss.send('sync-invoices')
  await expectLast({ due: 1, told: 0, failed: 1 })
  world.simulator.control.clearFaults()
  await world.use(fay, '1', '2026-01-10T00:00:00Z')
  await boss.send('sync-invoices')
  await expectLast({ due: 1, told: 1, failed: 0 })
  await boss.send('sync-invoices')
  await expectLast({ due: 0, told: 0, failed: 0 })
})

test('a period that is over does not wait for the schedule', async () => {
  const dan = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.turn(dan, '2026-02-10T00:30:00Z')
  await world.deliver()
  await world.use(dan, '12', '2026-01-15T00:00:00Z')
  await boss.send('sync-closing-invoices')
  await vi.waitFor(
    async () => {
      const draft = (await world.atStripe(dan)).at(-1)
      expect(draft?.lines).toContain('12 Seconds: 12 second')
    },
    { timeout: 30_000, interval: 100 },
  )
})

test('looking at stale figures has Stripe told, once for however many look', async () => {
  const server = await newServer(world.deps, { clock: world.deps.clock })
  billingRoutes(server.app, { ...world.deps, boss })
  const eve = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.turn(eve, '2026-01-20T00:00:00Z')
  await world.deliver()
  await world.use(eve, '12', '2026-01-15T00:00:00Z')
  const look = async () => {
    const { body } = await server.call({ method: 'GET', url: `/v1/customers/${eve.customerId}/billing` })
    return body as { stale: boolean; syncRequested: boolean; syncedAt: string | null }
  }
  const looks = await Promise.all(Array.from({ length: 5 }, look))
  expect(looks.map(({ syncRequested }) => syncRequested)).toContain(true)
  await vi.waitFor(async () => expect(await look()).toMatchObject({ stale: false }), {
    timeout: 30_000,
    interval: 100,
  })
  // Who looked while the job was at its end has made another one, which finds nothing to do.
  await vi.waitFor(
    async () => {
      const ofEve = (await jobs()).filter(({ subscription }) => subscription === eve.subscriptionId)
      expect(ofEve).toEqual([])
    },
    { timeout: 30_000, interval: 100 },
  )
  expect(await look()).toMatchObject({ syncRequested: false, syncedAt: '2026-01-01T00:00:00Z' })
  const items = await world.stripe.invoiceItems.list({ customer: eve.customer, pending: true })
  expect(items.data.map(({ amount }) => amount)).toEqual([12])

  // Stale again within the minute: the next look after it asks.
  await world.use(eve, '1', '2026-01-15T00:00:00Z')
  expect(await look()).toMatchObject({ stale: true, syncRequested: false })
  world.wall.time += 60
  expect(await look()).toMatchObject({ stale: true, syncRequested: true })
})
