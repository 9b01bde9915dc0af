import { expect, test } from 'vitest'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

// A period that is cut short without a draft hour, by somebody else: what was used is billed all the same.
// Ended now and at period end in the dashboard: invoice-life.test.ts; ended by us: cancel.test.ts.

const world = await shared(newBillingWorld())

async function go(payer: Payer, time: string) {
  await world.turn(payer, time)
  await world.deliver()
}

/** What was billed for usage on final invoices at the provider, in cents. */
async function billedUsage(payer: Payer): Promise<number> {
  const invoices = await world.atStripe(payer)
  const lines = invoices.filter(({ invoice }) => invoice.status === 'paid').flatMap(({ lines }) => lines)
  return lines
    .filter((line) => line.includes('Seconds'))
    .reduce((sum, line) => sum + Number(line.split(' ')[0]), 0)
}

/** Used before the cut and sent, used before it and not sent, and heard of afterwards. */
async function cutShort(payer: Payer, day: string, cut: () => Promise<unknown>): Promise<void> {
  await go(payer, `2026-01-${day}T12:00:00Z`)
  await world.use(payer, '100', `2026-01-${day}T01:00:00Z`)
  await world.sync(payer)
  await world.use(payer, '20', `2026-01-${day}T02:00:00Z`)
  await cut()
  await world.deliver()
  await world.use(payer, '3', `2026-01-${day}T03:00:00Z`)
  await world.sync(payer)
}

test('billing_cycle_anchor now: the period so far is billed, and nothing of it twice', async () => {
  const ada = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await cutShort(ada, '20', () =>
    world.stripe.subscriptions.update(ada.subscription, { billing_cycle_anchor: { type: 'now' } }),
  )
  // The next renewal takes what did not stand at the provider at the cut.
  await go(ada, '2026-02-20T12:00:00Z')
  await go(ada, '2026-02-20T14:00:00Z')
  expect(await billedUsage(ada)).toBe(123)
})

test('trial_end now: usage of a trial stays free, and the paid period begins there', async () => {
  const bob = await world.register('trying', '2026-01-10T00:00:00Z')
  await world.deliver()
  await cutShort(bob, '15', () => world.stripe.subscriptions.update(bob.subscription, { trial_end: 'now' }))
  await world.use(bob, '7', '2026-01-15T12:00:00Z')
  await world.sync(bob)
  await go(bob, '2026-02-15T12:00:00Z')
  await go(bob, '2026-02-15T14:00:00Z')
  expect(await billedUsage(bob)).toBe(7)
})

test('canceled in the dashboard with an invoice at once: what stood there is on it, the rest on one of its own', async () => {
  const eve = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await cutShort(eve, '20', () =>
    world.stripe.subscriptions.cancel(eve.subscription, { invoice_now: true, prorate: true }),
  )
  await world.deliver()
  await go(eve, '2026-01-20T16:00:00Z')
  expect(await billedUsage(eve)).toBe(123)
})

test('canceled at a date in the dashboard: used until then is billed, used after it is nobody’s', async () => {
  const max = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.stripe.subscriptions.update(max.subscription, {
    cancel_at: Date.parse('2026-01-20T18:00:00Z') / 1000,
  })
  await world.deliver()
  await cutShort(max, '20', () => go(max, '2026-01-20T18:00:00Z'))
  await world.use(max, '500', '2026-01-20T18:00:00Z')
  await world.sync(max)
  await world.deliver()
  await go(max, '2026-01-20T22:00:00Z')
  expect(await billedUsage(max)).toBe(123)
})
