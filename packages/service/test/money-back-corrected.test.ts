import { afterAll, beforeAll, expect, test } from 'vitest'
import { refundRoutes } from '../src/http/routes/refunds.ts'
import { usageCorrectionRoutes } from '../src/http/routes/usage-corrections.ts'
import { openUsage, type Usage } from '../src/usage/usage.ts'
import { newServer, type TestServer } from './support/server.ts'
import { newTotalsWorld, type TotalsWorld } from './totals/totals-world.ts'

// What a correction takes off a later invoice is given back already: a refund of the invoice that billed it gives no more
// than the rest. Plain costs 20.01 a month, and a second 0.01.

let world: TotalsWorld
let server: TestServer
let usage: Usage
beforeAll(async () => {
  world = await newTotalsWorld()
  server = await newServer(world.deps, { clock: world.deps.clock })
  usage = openUsage({ ...world.deps, databaseUrl: world.url })
  usageCorrectionRoutes(server.app, { ...world.deps, usage })
  refundRoutes(server.app, { ...world.deps, workflows: world.workflows })
})
afterAll(async () => {
  await usage.close()
  await world.close()
})

const post = (url: string, payload: object) => server.call({ method: 'POST', url, payload })

test('usage that was voided after it was paid is not refunded as well, before and after its credit is on an invoice', async () => {
  const payer = await world.subscribed()
  const time = '2026-01-12T00:00:00Z'
  const id = `job-${payer.subscriptionId}`
  await usage.take([
    {
      ...{ specversion: '1.0', source: 'cluster', id, type: 'seconds', time },
      subject: payer.externalId,
      data: { quantity: '5000' },
    },
  ])
  await world.sync(payer)
  await world.go(payer, '2026-02-10T02:00:00Z')
  await world.go(payer, '2026-02-15T02:00:00Z')
  // 20.01 for the month to come, 50.00 for the seconds.
  const paid = (await world.invoices(payer)).find(({ total }) => total === 7001n)
  const path = `/v1/invoices/${paid?.id}/refunds`
  expect((await post(`${path}?dryRun=true`, {})).body).toMatchObject({
    amount: { minor: '7001' },
    creditedSince: { minor: '0' },
  })

  await post('/v1/usage-corrections?dryRun=false', {
    reason: 'a test',
    kind: 'void',
    source: 'cluster',
    id,
    time,
  })
  await world.sync(payer)
  await world.deliver()
  const rest = { amount: { minor: '2001' }, creditedSince: { minor: '5000' } }
  expect((await post(`${path}?dryRun=true`, {})).body).toMatchObject(rest)
  expect(await post(path, { amount: '70.01' })).toMatchObject({
    status: 422,
    body: { code: 'refund_exceeds_payment' },
  })

  await world.go(payer, '2026-03-10T02:00:00Z')
  const { balance } = (await world.stripe.customers.retrieve(payer.customer)) as { balance: number }
  // 20.01 less 50.00.
  expect(balance).toBe(-2999)
  expect((await post(`${path}?dryRun=true`, {})).body).toMatchObject(rest)
})
