import { expect, test } from 'vitest'
import { invoiceRoutes } from '../src/http/routes/invoices.ts'
import { usageRetentionRoutes } from '../src/http/routes/usage-retention.ts'
import { readInvoice } from '../src/invoice/read.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const server = await newServer(world.deps, { clock: world.deps.clock })
invoiceRoutes(server.app, world.deps)
usageRetentionRoutes(server.app, { ...world.deps, pool: world.pool, config: { usageRetentionMonths: 2 } })
const ada = await world.register('plain', '2026-01-10T00:00:00Z')

interface Plan {
  readonly month: string
  readonly verdict: string
  readonly events: number | null
  readonly holds: { readonly cause: string; readonly customers: number; readonly example: string }[]
}

async function ask(dryRun: boolean): Promise<Plan[]> {
  const request = { method: 'POST', url: '/v1/usage-expiries', payload: { dryRun } } as const
  const { status, body } = await server.call(request)
  expect(status).toBe(200)
  return (body as { months: Plan[] }).months
}

const causes = async () =>
  (await ask(true)).map(({ month, holds }) => [month, ...holds.map(({ cause }) => cause)])

/** Stripe's clock, and the wall's with it. */
async function go(time: string) {
  world.wall.time = Date.parse(time) / 1000
  await world.turn(ada, time)
  await world.deliver()
}

test('a month is held until all that it is billed on is final for long enough, and then its events are no longer shown', async () => {
  await go('2026-01-12T00:00:00Z')
  await world.use(ada, '100', '2026-01-11T10:00:00Z')
  await world.sync(ada)
  // The wall is ahead of the customer, who lives by a test clock.
  world.wall.time = Date.parse('2026-04-01T00:00:00Z') / 1000
  expect(await causes()).toEqual([['2026-01', 'clock', 'open']])

  // 10 February is the end of its period, and an hour later Stripe finalizes: two months count from there.
  await go('2026-02-10T02:00:00Z')
  await go('2026-02-10T04:00:00Z')
  await world.use(ada, '50', '2026-01-12T10:00:00Z')
  await go('2026-04-01T00:00:00Z')
  expect(await causes()).toEqual([['2026-01', 'pending', 'recent']])
  await world.sync(ada)
  await go('2026-04-10T06:00:00Z')
  expect(await causes()).toEqual([['2026-01', 'recent']])
  await go('2026-05-01T00:00:00Z')

  // Nobody has to be asked for February and March: they have no events.
  expect(await ask(false)).toEqual([{ month: '2026-01', verdict: 'expire', events: 2, holds: [] }])
  expect(await ask(false)).toEqual([])
  const history = await server.call({ method: 'GET', url: '/v1/usage-expiries' })
  expect(history.body).toMatchObject({
    data: [{ month: '2026-01', state: 'expired', keptMonths: 2, events: 2, lateEvents: 0 }],
    hasMore: false,
  })

  const [first] = (await world.invoices(ada)).filter(({ planVersionId }) => planVersionId !== null)
  const line = (await readInvoice(world.db, first?.id ?? ''))?.lines.find(({ key }) => key === 'compute')
  const explained = await server.call({
    method: 'GET',
    url: `/v1/invoices/${first?.id}/lines/${line?.id}/derivation`,
  })
  expect(explained.body).toMatchObject({
    events: { data: [], hasMore: false },
    expired: [{ month: '2026-01', events: 2 }],
  })
  const { explanation } = explained.body as { explanation: string[] }
  expect(explanation.at(-1)).toBe('no longer kept: 2 events of 2026-01')
})
