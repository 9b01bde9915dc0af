import { afterAll, expect, test } from 'vitest'
import { newFakeService, page } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const path = '/v1/subscriptions/subscription_1/price-overrides'
const money = (minor: string, amount: string) => ({ minor, amount, currency: 'usd' })
const beginning = { from: 'nextPeriod', startsAt: '2026-02-10T00:00:00Z' }
const effect = {
  ...{ subscription: 'subscription_1', price: 'compute', ...beginning },
  ...{ before: money('3000', '30.00'), after: money('2800', '28.00') },
  changes: ['prices/compute/unitAmount: 0.01 → 0.008'],
}
const made = {
  ...{ id: 'price_override_1', subscription: 'subscription_1', price: 'compute', terms: null, ...beginning },
  ...{ reason: 'Ticket 4711', madeBy: 'api_key_1', agent: 'Eve', madeAt: '2026-01-20T00:00:00Z' },
}
const own = ['subscriptions', 'own-price', 'subscription_1', 'compute', '--reason', 'Ticket 4711']
const terms = { model: 'perUnit', unitAmount: '0.008' }

test('a price of its own is shown, given only to who says so, and listed', async () => {
  fake.answers = {
    [`POST ${path}`]: { body: effect },
    [`POST ${path}?dryRun=false`]: { status: 201, body: made },
    [`GET ${path}`]: page(made),
  }
  const dry = await fake.run([...own, '--terms', JSON.stringify(terms), '--dry-run'])
  expect(dry.stdout).toBe(
    'Would make the current invoice 30.00 → 28.00 usd; from 2026-02-10 on\n  prices/compute/unitAmount: 0.01 → 0.008\n',
  )
  expect(fake.asked.at(-1)?.body).toEqual({
    ...{ price: 'compute', terms, from: 'nextPeriod', reason: 'Ticket 4711' },
  })

  // Nobody is here to be asked.
  expect((await fake.run([...own, '--plan'])).code).toBe(2)
  const done = await fake.run([...own, '--plan', '--agent', 'Eve', '--yes'])
  expect(done.stdout).toContain("✓ compute: the plan's, from 2026-02-10 on  price_override_1\n")
  expect(fake.asked.at(-1)?.body).toMatchObject({ terms: null, agent: 'Eve' })

  const list = await fake.run(['subscriptions', 'own-prices', 'subscription_1'])
  expect(list.stdout).toMatch(
    /2026-01-20 +compute +the plan's +2026-02-10 +Ticket 4711 +Eve +price_override_1/,
  )
})

test('neither a price nor the plan’s, both, or no JSON are refused before anything is asked', async () => {
  const before = fake.asked.length
  for (const what of [[], ['--plan', '--terms', '{}'], ['--terms', 'cheap']])
    expect((await fake.run([...own, ...what, '--yes'])).code).toBe(2)
  expect(fake.asked).toHaveLength(before)
})
