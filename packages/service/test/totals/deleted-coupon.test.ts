// A coupon that was made for the invoice of the rest is deleted by hand before that invoice is made with it.
import { expect, test } from 'vitest'
import { lookAt } from '../../src/workflow/look.ts'
import { shared } from '../support/shared.ts'
import { newTotalsWorld } from './totals-world.ts'

const world = await shared(newTotalsWorld())

const MINUTE = 60
const DAY = 86_400

test.each([
  ['while Stripe remembers that it made it', 1, 2 * MINUTE],
  ['twice', 2, 2 * MINUTE],
  ['a day later', 1, DAY + MINUTE],
])('it is made anew: deleted %s', async (_, often, later) => {
  const fifth = await world.coupon({ percent_off: 20, name: 'Welcome' })
  const payer = await world.subscribed('plain', [fifth])
  await world.use(payer, '1001', '2026-01-12T00:00:00Z')
  await world.stripe.subscriptions.cancel(payer.subscription)
  await lookAt(world.deps, { type: 'subscription', id: payer.subscription })
  const ours = async () =>
    (await world.stripe.coupons.list({ limit: 100 })).data.filter((one) => one.max_redemptions === 1)
  for (let times = 0; times < often; times += 1) {
    world.simulator.control.fail({ kind: 'error_500', method: 'POST', path: '/v1/invoices', times: 6 })
    await expect(world.sync(payer)).rejects.toThrow()
    world.simulator.control.clearFaults()
    for (const { id } of await ours()) await world.stripe.coupons.del(id)
    world.wall.time += later
    if (later > DAY) world.simulator.control.pruneKeys()
  }
  await world.sync(payer)
  await world.deliver()
  // A fifth of 10.01 is 2.00.
  expect((await world.read(payer, 'closing')).total).toMatchObject({ minor: 801n })
  expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(801)
  for (const { id } of await ours()) await world.stripe.coupons.del(id)
})
