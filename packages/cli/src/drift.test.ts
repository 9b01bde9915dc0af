import { afterAll, expect, test } from 'vitest'
import { newFakeService } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const differs = (differences: object[]) => ({
  ...{ entity: 'subscription', kind: 'differs', entityId: 'subscription_1', providerId: 'sub_1' },
  ...{ differences, cause: 'changedHere', repair: 'look', reason: 'Written by other hands.' },
})
const report = (more: object) => ({
  'GET /v1/drift': {
    body: { checkedAt: '2026-01-01T00:00:00Z', looked: 26, underWay: 0, drifts: [], ...more },
  },
})

test('what one side says nothing of is none, and whoever differs ends it with 1', async () => {
  fake.answers = report({
    drifts: [
      differs([
        { field: 'meteredItems', here: 'price_1 on si_1', there: '' },
        { field: 'cancelAt', here: null, there: '2026-03-01T00:00:00Z' },
        { field: 'quantity', here: 0, there: 2 },
        { field: 'cancelAtPeriodEnd', here: false, there: true },
      ]),
    ],
  })
  const { code, stdout } = await fake.run(['drift'])
  expect(code).toBe(1)
  expect(stdout).toContain(
    'meteredItems price_1 on si_1 here, none there; cancelAt none here, 2026-03-01T00:00:00Z there; quantity 0 here, 2 there; cancelAtPeriodEnd false here, true there',
  )
})

test.each([
  [0, 'no difference.'],
  [1, 'no difference. One is being brought up to date.'],
  [2, 'no difference. 2 are being brought up to date.'],
])('%i that are being done', async (underWay, end) => {
  fake.answers = report({ underWay })
  const { code, stdout } = await fake.run(['drift'])
  expect([code, stdout.trimEnd()]).toEqual([0, `✓ Held 26 objects against each other: ${end}`])
})
