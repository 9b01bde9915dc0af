import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { catalogs } from '../test/catalogs.ts'
import { cloudHost } from '../test/cloud-host.ts'
import { freeReason, type Plan, planFromJson, planToJson, trialOf } from './plan.ts'

test('what is stored is read back, and stored the same again', () => {
  fc.assert(
    fc.property(catalogs, ({ plans }) => {
      for (const plan of plans) {
        const text = JSON.stringify(planToJson(plan))
        expect(planFromJson(JSON.parse(text))).toEqual(plan)
        expect(JSON.stringify(planToJson(planFromJson(JSON.parse(text))))).toBe(text)
      }
    }),
  )
})

test('the order in which a plan’s fields were written makes no other text', () => {
  const [plan] = cloudHost.plans as [Plan]
  const turned = (value: object) => Object.fromEntries(Object.entries(value).reverse())
  const shuffled = { ...turned(plan), prices: plan.prices.map(turned) } as unknown as Plan
  expect(JSON.stringify(planToJson(shuffled))).toBe(JSON.stringify(planToJson(plan)))
})

test('integers are stored as text', () => {
  const [plan] = cloudHost.plans as [Plan]
  expect(planToJson(plan).prices[1]).toEqual({
    key: 'compute',
    name: 'Compute',
    product: 'compute',
    currency: 'usd',
    kind: 'usage',
    timing: 'inArrears',
    meter: 'compute_seconds',
    model: 'perUnit',
    ratePicos: '1440000000',
  })
})

test('a trial of 31 days from 31 January 2026 ends on 3 March', () => {
  const startedAt = Date.UTC(2026, 0, 31, 9, 30) / 1000
  expect(trialOf({ trialDays: 31 }, startedAt)).toEqual({
    start: startedAt,
    end: Date.UTC(2026, 2, 3, 9, 30) / 1000,
  })
  expect(trialOf({ trialDays: 0 }, startedAt)).toBeNull()
})

test('usage is free in the trial and only there, unless the plan bills it', () => {
  expect(freeReason({ trialUsage: 'free' }, true)).toBe('trial')
  expect(freeReason({ trialUsage: 'billed' }, true)).toBeUndefined()
  expect(freeReason({ trialUsage: 'free' }, false)).toBeUndefined()
})
