import { expect, test } from 'vitest'
import { refundRoutes } from '../src/http/routes/refunds.ts'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { usageCorrectionRoutes } from '../src/http/routes/usage-corrections.ts'
import { openUsage } from '../src/usage/usage.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'
import { newTotalsWorld } from './totals/totals-world.ts'

// What a correction takes off a later invoice is given back already: a refund of the invoice that billed it gives no more
// than the rest. Plain costs 20.01 a month, and a second 0.01.

const world = await shared(newTotalsWorld())
const server = await newServer(world.deps, { clock: world.deps.clock })
const usage = await shared(openUsage({ ...world.deps, databaseUrl: world.url }))
usageCorrectionRoutes(server.app, { ...world.deps, usage })
refundRoutes(server.app, { ...world.deps, workflows: world.workflows })
subscriptionDeedRoutes(server.app, { ...world.deps, workflows: world.workflows })

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

test.each([
  // 28 days from 10 February, and 669 of their 672 hours are left: 20.01 × 669 ÷ 672 = 19.92.
  ['without a discount', undefined, 2801, 750, 1992],
  // Half of 28.01, and of 20.01 less 10.01 off: 10.00 × 669 ÷ 672 = 9.955; of 7.50 that were voided 3.75 were paid.
  ['at half off', 50, 1400, 375, 996],
] as const)(
  '%s, an end gives back all of the time that is left, beside what was voided before it',
  async (_, percent, paid, back, time) => {
    const coupons = percent === undefined ? [] : [await world.coupon({ percent_off: percent })]
    const payer = await world.subscribed('plain', coupons)
    const id = `job-${payer.subscriptionId}`
    const event = { specversion: '1.0', source: 'cluster', id, type: 'seconds', time: '2026-01-12T00:00:00Z' }
    await usage.take([{ ...event, subject: payer.externalId, data: { quantity: '800' } }])
    await world.sync(payer)
    await world.go(payer, '2026-02-10T02:00:00Z')
    await world.go(payer, '2026-02-10T03:00:00Z')
    expect((await world.atStripe(payer)).at(-1)?.invoice).toMatchObject({ total: paid, status: 'paid' })
    const { source, time: at } = event
    const amended = { reason: 'a test', kind: 'amend', source, id, time: at, quantity: '50' }
    await post('/v1/usage-corrections?dryRun=false', amended)
    await world.sync(payer)
    await world.deliver()

    const cancel = `/v1/subscriptions/${payer.subscriptionId}/cancel`
    const wanted = { when: 'now', unusedTime: 'credit' }
    const { body } = await post(`${cancel}/preview`, wanted)
    expect(body).toMatchObject({ toGiveBack: { minor: `${time}` }, notGivenBack: [] })
    await post(cancel, wanted)
    await world.deliver()
    await world.sync(payer)
    await world.go(payer, '2026-02-10T05:00:00Z')
    const { balance } = (await world.stripe.customers.retrieve(payer.customer)) as { balance: number }
    expect(balance).toBe(-(time + back))
  },
)
