import { afterAll, expect, test } from 'vitest'
import { newFakeService, page } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const due = { month: '2024-12', verdict: 'expire', events: 1_204_311, holds: [] }
const held = {
  ...{ month: '2025-01', verdict: 'hold', events: null },
  holds: [{ cause: 'open', customers: 1, example: 'customer_1' }],
}
const planned = (months: object[], keepMonths: number | null = 13) => ({
  'POST /v1/usage-expiries': { body: { dryRun: true, keepMonths, months } },
})
const retention = (...more: string[]) => fake.run(['usage', 'retention', ...more])

test('a dry run says which months would be dropped and what holds the others, and asks for nothing else', async () => {
  fake.answers = planned([due, held])
  const { code, stdout } = await retention('--dry-run')
  expect(code).toBe(0)
  expect(stdout).toMatch(/2024-12 +1,204,311 +would be dropped/)
  expect(stdout).toMatch(/2025-01 +kept +an open period reaches into it \(customer_1\)/)
  expect(fake.asked.map(({ body }) => body)).toEqual([{}])
})

test('events are dropped only when somebody says yes, and nobody is asked where there is nothing to do', async () => {
  fake.answers = planned([due])
  const nobody = await retention()
  expect([nobody.code, nobody.stderr.includes('Nobody is here to confirm it')]).toEqual([2, true])
  expect((await retention('--yes')).code).toBe(0)
  expect(fake.asked.at(-1)?.body).toEqual({ dryRun: false })
  fake.answers = planned([held])
  expect((await retention()).code).toBe(0)
  fake.answers = planned([], null)
  expect((await retention()).stdout).toContain('Every event is kept.')
})

test('what was dropped is listed with what came for it afterwards', async () => {
  const month = {
    ...{
      month: '2024-11',
      state: 'expired',
      keptMonths: 13,
      decidedBy: 'schedule',
      events: 20,
      lateEvents: 3,
    },
    ...{ decidedAt: '2026-01-01T04:37:00Z', expiredAt: '2026-01-01T04:37:01Z' },
  }
  fake.answers = { 'GET /v1/usage-expiries?limit=50': page(month) }
  const { stdout } = await fake.run(['usage', 'expired'])
  expect(stdout).toMatch(/2024-11 +expired +20 +3 +2026-01-01 04:37 +schedule/)
})
