import { afterAll, expect, test } from 'vitest'
import { newFakeService } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

test('what both versions cost is shown with its currency', async () => {
  const of = (version: number, amount: string, minor: string, currency: string) => ({
    version,
    amount: { amount, minor, currency },
  })
  const roll = {
    ...{
      id: 'plan_roll_1',
      plan: 'team',
      state: 'planned',
      subscriptions: 2,
      plannedAt: '2026-01-20T00:00:00Z',
    },
    ...{ from: of(4, '1500', '1500', 'jpy'), to: of(10, '1800', '1800', 'jpy') },
  }
  const dinar = { ...roll, from: of(5, '4.500', '4500', 'kwd'), to: of(11, '5.000', '5000', 'kwd') }
  fake.answers = {
    'GET /v1/plan-rolls?limit=50': { body: { data: [roll, dinar], hasMore: false, nextCursor: null } },
  }
  const { code, stdout } = await fake.run(['rolls', 'list'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/team +4: 1,500 +10: 1,800 +jpy +2 +planned/)
  expect(stdout).toMatch(/team +5: 4\.500 +11: 5\.000 +kwd +2 +planned/)
})
