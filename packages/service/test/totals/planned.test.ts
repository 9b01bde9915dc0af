// The fee that comes with the renewal is that of the plan on which the next period runs: docs.stripe.com/billing/subscriptions/subscription-schedules
import { expect, test } from 'vitest'
import { newMoneyWorld } from '../currencies/money-world.ts'
import type { Payer } from '../support/billing-world.ts'
import { shared } from '../support/shared.ts'

const world = await shared(newMoneyWorld())

async function plan(payer: Payer, wish: object): Promise<void> {
  const url = `/v1/subscriptions/${payer.subscriptionId}`
  const { body } = await world.ask('POST', `${url}/preview`, wish)
  const done = await world.ask('PATCH', url, { ...wish, preview: body.token })
  expect([done.status, done.body]).toMatchObject([200, { change: { problem: null } }])
  await world.deliver()
}

/** Here, in Stripe's preview, and on the invoice that came of it. */
async function totals(payer: Payer) {
  await world.sync(payer)
  const here = Number((await world.read(payer, 'current')).total.minor)
  const preview = await world.stripe.invoices.createPreview({ subscription: payer.subscription })
  await world.go(payer, '2026-02-10T02:00:00Z')
  return [here, preview.total, (await world.lastAtStripe(payer)).total]
}

test.each([
  // 10.01 in place of 25.03; three seats of 3.07.
  ['another plan', { plan: 'usd-small' }, 1001],
  ['another plan and number', { plan: 'usd-team', quantity: 3 }, 921],
])('%s at the end of the period is what the current invoice asks a fee for', async (_, wish, fee) => {
  const payer = await world.register('usd-big', '2026-01-10T00:00:00Z')
  await world.go(payer, '2026-01-20T00:00:00Z')
  expect((await world.read(payer, 'current')).total.minor).toBe(2503n)
  await plan(payer, { ...wish, when: 'periodEnd' })
  expect(await totals(payer)).toEqual([fee, fee, fee])
})

test('usage goes by the plan that its period began with, beside the fee of the plan to come', async () => {
  const payer = await world.register('usd-metered', '2026-01-10T00:00:00Z')
  await world.go(payer, '2026-01-20T00:00:00Z')
  await world.use(payer, '123', '2026-01-12T00:00:00Z', 'calls')
  await plan(payer, { plan: 'usd-big', when: 'periodEnd' })
  // 123 calls at 3.7 cents are 455.1.
  expect(await totals(payer)).toEqual([2958, 2958, 2958])
})
