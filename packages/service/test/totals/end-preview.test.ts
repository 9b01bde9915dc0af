// A preview of an end, or of a change that begins a new period, is a look: asked a hundred times, nothing is written.
import { expect, test } from 'vitest'
import { planSync } from '../../src/workflow/sync-invoice.ts'
import type { Payer } from '../support/billing-world.ts'
import { shared } from '../support/shared.ts'
import { newTotalsWorld } from './totals-world.ts'

const world = await shared(newTotalsWorld())

const kept = async ({ customerId }: Payer) => ({
  cuts: await world.db.selectFrom('usageCut').select('at').where('customerId', '=', customerId).execute(),
  buckets: await world.db
    .selectFrom('usageRollup')
    .select(['bucket', 'count', 'sum'])
    .where('customerId', '=', customerId)
    .orderBy('bucket')
    .execute(),
})

test('an hour with usage on both sides of now stays whole, and the preview has what was before', async () => {
  const payer = await world.subscribed()
  await world.go(payer, '2026-01-20T00:20:00Z')
  await world.use(payer, '300', '2026-01-20T00:10:00Z')
  await world.use(payer, '40', '2026-01-20T00:20:30Z')
  const before = await kept(payer)
  for (const [now, minor] of [
    [null, 300n],
    ['2026-01-20T00:40:00Z', 340n],
  ] as const) {
    if (now !== null) await world.go(payer, now)
    const plan = await planSync(world.deps, payer.subscriptionId, { endsPeriod: true })
    expect(plan?.create.map(({ amount }) => amount.minor)).toEqual([minor])
    expect(await kept(payer)).toEqual(before)
  }
})
