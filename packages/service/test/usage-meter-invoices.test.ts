import { defineCatalog } from '@lockstep/core/catalog'
import { formatInstant } from '@lockstep/core/instant'
import { expect, test } from 'vitest'
import { evidenceOf } from '../src/invoice/evidence.ts'
import { amounts, newBillingWorld } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(
  newBillingWorld({
    catalog: defineCatalog({
      currency: 'usd',
      products: { cloud: { name: 'Cloud' } },
      meters: {
        disk: { name: 'Disk', unitLabel: 'GB-second', aggregation: 'timeWeightedSum' },
        users: { name: 'Users', unitLabel: 'user', aggregation: 'unique', property: 'user' },
      },
      plans: {
        cloud: {
          name: 'Cloud',
          product: 'cloud',
          interval: 'month',
          prices: {
            fee: { kind: 'recurring', model: 'flat', amount: '20.00' },
            disk: { meter: 'disk', model: 'perUnit', unitAmount: '0.0001' },
            users: { meter: 'users', model: 'perUnit', unitAmount: '5.00' },
          },
        },
      },
    }),
  }),
)

// A day is 86,400 s, so a gigabyte costs 8.64 a day: 241.92 in the 28 days of February, 267.84 in March.
test('a level is billed month after month as long as it is held, and a late change in every month that missed it', async () => {
  const ada = await world.register('cloud', '2026-02-01T00:00:00Z')
  await world.deliver()
  const go = async (time: string) => {
    await world.turn(ada, time)
    await world.deliver()
  }
  const login = (user: string, time: string) => world.use(ada, '1', time, 'users', { user })

  await go('2026-02-20T12:00:00Z')
  await world.use(ada, '1', '2026-02-15T00:00:00Z', 'disk')
  for (const [user, day] of [
    ['a', '02'],
    ['b', '03'],
    ['a', '20'],
  ] as const) {
    await login(user, `2026-02-${day}T00:00:00Z`)
  }
  // 14 days to the end of February, as if nothing changed any more; two users.
  expect(amounts(await world.read(ada, 'current'))).toEqual([
    '12096 Disk: 1,209,600 GB-second',
    '1000 Users: 2 user',
    '2000 Cloud',
  ])
  await world.sync(ada)

  await go('2026-03-01T00:00:00Z')
  // Nothing has happened in March, and the gigabyte is still there.
  expect(amounts(await world.read(ada, 'current'))).toContain('26784 Disk: 2,678,400 GB-second')
  // The events behind it are those before the period.
  const march = await world.read(ada, 'current')
  const [disk] = march.lines
  const evidence = disk && (await evidenceOf(world.db, march, disk, { limit: 10 }))
  expect(evidence?.events.data.map(({ time }) => formatInstant(time))).toEqual(['2026-02-15T00:00:00Z'])
  await go('2026-03-01T01:00:01Z')
  expect((await world.read(ada, 'paid')).total.minor).toBe(15_096n)

  // Late: a second gigabyte since 22 February, 7 days of that month. b was counted there already.
  await world.use(ada, '1', '2026-02-22T00:00:00Z', 'disk')
  await login('b', '2026-02-27T00:00:00Z')
  await go('2026-03-20T00:00:00Z')
  // Both go on 16 March: two gigabytes less for 16 days.
  await world.use(ada, '-2', '2026-03-16T00:00:00Z', 'disk')
  await world.sync(ada)

  await go('2026-04-01T00:00:00Z')
  await go('2026-04-01T01:00:01Z')
  // March: 2 × 267.84 − 2 × 16 × 8.64 = 259.20. February, late: 7 × 8.64 = 60.48.
  const { invoice, lines } = (await world.atStripe(ada)).at(-1) ?? {}
  expect(lines?.filter((line) => line.includes('Disk')).map((line) => Number.parseInt(line, 10))).toEqual(
    expect.arrayContaining([25_920, 6048]),
  )
  expect(invoice?.total).toBe(25_920 + 6048 + 2000)
  // And of what is gone, April is free.
  expect(amounts(await world.read(ada, 'current'))).toEqual(['2000 Cloud'])
})
