import { expect, test } from 'vitest'
import { playPlanChanges } from './plan-change/play.ts'

/** As many as fit into the suite; a thousand: `npm run faults -- plan-change --runs 1000`. */
const CHANGES = 200
/** For a machine that does much else: nothing is waited for here. */
const timeout = 1_200_000

test('changes of chance are billed as they were shown, and as Stripe itself shows them', {
  timeout,
}, async () => {
  const { changes, sorts, breaches } = await playPlanChanges({ runs: CHANGES, seed: 1 })
  expect(breaches).toEqual([])
  expect(changes).toBeGreaterThanOrEqual(CHANGES)
  // Each sort of case was met, or the test tests less than it says.
  expect(sorts.billed).toBeGreaterThan(CHANGES / 2)
  expect(sorts.agreed).toBeGreaterThan(CHANGES / 20)
  expect(sorts.withAddons).toBeGreaterThan(CHANGES / 5)
  expect(Math.min(sorts.withCoupon, sorts.inTrial, sorts.trialEnded)).toBeGreaterThan(4)
})

test.each([
  { seed: 1003, what: 'a coupon alone bills nothing' },
  { seed: 1029, what: 'of a coupon that was used up core has no opinion' },
  { seed: 1064, what: 'an amount off is shared alike in whatever order items change' },
])('$what', { timeout }, async ({ seed }) => {
  expect((await playPlanChanges({ runs: 1, seed })).breaches).toEqual([])
})
