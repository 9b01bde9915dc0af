// What a line gives back is what was paid for it. Every figure is reckoned by hand; where it is not said otherwise, a
// second and a byte cost a cent each.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { subscriptionDeedRoutes } from '../../src/http/routes/subscription-deeds.ts'
import { usageCorrectionRoutes } from '../../src/http/routes/usage-corrections.ts'
import { explanationOf } from '../../src/invoice/explain.ts'
import { readInvoice } from '../../src/invoice/read.ts'
import { openUsage, type Usage } from '../../src/usage/usage.ts'
import { amounts, type Payer } from '../support/billing-world.ts'
import { newServer, type TestServer } from '../support/server.ts'
import { allAre, newTotalsWorld, type TotalsWorld } from './totals-world.ts'

let world: TotalsWorld
let server: TestServer
let usage: Usage
beforeAll(async () => {
  world = await newTotalsWorld()
  server = await newServer(world.deps, { clock: world.deps.clock })
  usage = openUsage({ ...world.deps, databaseUrl: world.url })
  usageCorrectionRoutes(server.app, { ...world.deps, usage })
  subscriptionDeedRoutes(server.app, { ...world.deps, workflows: world.workflows })
})
afterAll(async () => {
  await usage.close()
  await world.close()
})

const JANUARY = '2026-01-12T00:00:00Z'
const late = 'corrected for 2026-01-10 to 2026-02-10'

let count = 0

/** One event, and what corrects it: without a quantity it is voided. */
async function used(payer: Payer, quantity: string, { meter = 'seconds', time = JANUARY } = {}) {
  count += 1
  const id = `job-${count}`
  await usage.take([
    {
      ...{ specversion: '1.0', source: 'cluster', id, type: meter, time },
      ...{ subject: payer.externalId, data: { quantity } },
    },
  ])
  return async (now?: string) => {
    const payload = {
      ...{ reason: 'a test', source: 'cluster', id, time },
      ...(now === undefined ? { kind: 'void' } : { kind: 'amend', quantity: now }),
    }
    const url = '/v1/usage-corrections?dryRun=false'
    expect(await server.call({ method: 'POST', url, payload })).toMatchObject({ status: 201 })
  }
}

/** What is pending is invoiced in the middle of the period, and paid. */
async function inMidPeriod(payer: Payer): Promise<number> {
  await world.sync(payer)
  const { id } = await world.stripe.invoices.create({
    ...{ customer: payer.customer, subscription: payer.subscription },
    pending_invoice_items_behavior: 'include',
  })
  const { total } = await world.stripe.invoices.finalizeInvoice(id)
  await world.deliver()
  return total
}

const february = (payer: Payer) => world.everywhere(payer, '2026-03-10T02:00:00Z')

test('a minimum at 90 % off that was billed in mid-period, where the period ends early', async () => {
  const payer = await world.subscribed('promised', [await world.coupon({ percent_off: 90 })])
  expect(await inMidPeriod(payer)).toBe(500)
  const cancel = `/v1/subscriptions/${payer.subscriptionId}/cancel`
  const preview = await server.call({ method: 'POST', url: `${cancel}/preview`, payload: { when: 'now' } })
  expect(preview.body).toMatchObject({ toBill: { minor: '-339' } })
  await server.call({ method: 'POST', url: cancel, payload: { when: 'now' } })
  await world.deliver()
  await world.sync(payer)
  // 50.00 × 10 ÷ 31 = 16.12 are promised, of which 1.61 stay to be paid: 5.00 − 1.61.
  const open = await world.read(payer, 'closing')
  expect(open.total.minor).toBe(-339n)
  expect(open.lines.flatMap((line) => explanationOf(line, [])).slice(-6)).toEqual([
    'rounded once, half away from zero: 16.12 → 16.12 usd',
    'billed before: -50.00 usd, of which discounts took 45.00',
    'taken back: 33.88 usd, what was billed last first',
    'stays: 16.12 of 50.00, and 14.51 of the 45.00 that discounts took of it',
    'given back: 5.00 paid − 1.61 for what stays = 3.39 usd',
    'left: -3.39 usd',
  ])
  await world.go(payer, '2026-01-20T04:00:00Z')
  const last = (await world.atStripe(payer)).at(-1)
  expect(last).toMatchObject({ invoice: { total: -339, subtotal: -339, ending_balance: -339 } })
  const row = (await world.invoices(payer)).find(
    ({ providerInvoiceId }) => providerInvoiceId === last?.invoice.id,
  )
  const final = row && (await readInvoice(world.db, row.id))
  expect(final && amounts(final)).toEqual([
    '-339 Minimum: 0.00 used of 16.12 USD, corrected for 2026-01-10 to 2026-01-20, less 30.49 discounted before',
  ])
})

test('usage that was billed at half off and voided: in two steps, and all of it', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 50 })])
  const correct = await used(payer, '1000')
  await world.sync(payer)
  await world.go(payer, '2026-02-10T02:00:00Z')
  // Half of 20.01 and 10.00.
  expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(1500)
  await correct('599')
  // 4.01 are taken back. Half of 5.99, 3.00 off, stays: of 5.00 paid 2.01. Half of 20.01 is 10.00.
  const first = await february(payer)
  expect(first).toMatchObject(allAre({ total: 1000 - 201, off: 1001 }))
  expect(amounts(first.shown)[0]).toBe(`-201 Seconds: -401 second, ${late}, less 2.00 discounted before`)
  await correct()
  const second = await world.everywhere(payer, '2026-04-10T02:00:00Z')
  expect(second).toMatchObject(allAre({ total: 1000 - 299, off: 1001 }))
  expect(second.shown.lines.flatMap((line) => explanationOf(line, [])).slice(0, 8)).toEqual([
    expect.stringMatching(/^compute: /),
    'compute: 0 second measured (sum of 0 events)',
    'per unit: 0 × 0.01 = 0',
    'rounded once, half away from zero: 0 → 0.00 usd',
    'billed before: -10.00 usd, of which discounts took 5.00',
    'billed before: 4.01 usd, for which 2.01 came back',
    'taken back: 5.99 usd, what was billed last first',
    'given back: 2.99 paid − 0.00 for what stays = 2.99 usd',
  ])
})
