import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

// 10.00 for each seat, a cent a second, and 10 % of all that for support.
const world = await shared(
  newBillingWorld({
    catalog: defineCatalog({
      currency: 'usd',
      products: { cloud: { name: 'Cloud' } },
      meters: { seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
      plans: {
        team: {
          name: 'Team',
          product: 'cloud',
          interval: 'month',
          prices: {
            seats: { kind: 'recurring', model: 'perUnit', unitAmount: '10.00' },
            compute: { meter: 'seconds', model: 'perUnit', unitAmount: '0.01' },
            support: { product: 'cloud', model: 'percentage', percent: '10' },
          },
        },
      },
    }),
  }),
)

const go = async (payer: Payer, time: string) => {
  await world.turn(payer, time)
  await world.deliver()
}

/** Five seats in May, 100 seconds, and what is to bill of it told to Stripe. */
async function team(): Promise<Payer> {
  const payer = await world.register('team', '2026-05-01T00:00:00Z', { quantity: 5 })
  await go(payer, '2026-05-20T00:00:00Z')
  await world.use(payer, '100', '2026-05-10T00:00:00Z')
  await world.sync(payer)
  return payer
}

async function takeSeats(payer: Payer, quantity: number) {
  const { items } = await world.stripe.subscriptions.retrieve(payer.subscription)
  const [item] = items.data
  if (!item) throw new Error('It has an item.')
  await world.stripe.subscriptionItems.update(item.id, { quantity, proration_behavior: 'none' })
  await world.deliver()
}

test('late usage of a final month has a share of the fee of its own seats, not of those of today', async () => {
  const payer = await team()
  await go(payer, '2026-06-01T02:00:00Z')
  // 1.00, 10 % of 50.00 and 1.00, and five seats of June.
  expect((await world.read(payer, 'paid')).total.minor).toBe(100n + 510n + 5000n)

  await go(payer, '2026-06-10T00:00:00Z')
  await takeSeats(payer, 10)
  await world.use(payer, '200', '2026-05-31T23:00:00Z')
  // Of May 2.00 more and 10 % of these; of June 10 % of ten seats.
  expect(amounts(await world.read(payer, 'current')).map((line) => Number.parseInt(line, 10))).toEqual([
    1000, 200, 20, 10_000,
  ])
  await world.sync(payer)
  await go(payer, '2026-07-01T02:00:00Z')
  expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(1000 + 200 + 20 + 10_000)
})

test('seats that come while the draft of a month is open are none of that month', async () => {
  const payer = await team()
  await go(payer, '2026-06-01T00:30:00Z')
  await takeSeats(payer, 10)
  await world.use(payer, '200', '2026-05-31T23:00:00Z')
  expect((await world.read(payer, 'closing')).lines.map(({ amount }) => amount.minor)).toContain(530n)
  await world.sync(payer)
  await go(payer, '2026-06-01T02:00:00Z')
  expect((await world.read(payer, 'paid')).total.minor).toBe(300n + 530n + 5000n)
})
