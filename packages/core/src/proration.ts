import { assert } from './assert.ts'
import type { Instant } from './instant.ts'
import { allocate, type Money } from './money.ts'
import type { Period } from './period.ts'

/**
 * Cuts a period's price at `at`. Proration is an allocation over time: the two parts add up to the
 * price exactly, and cutting a period in two never makes or loses a penny.
 *
 * This is for what Lockstep bills. Stripe rounds each proration line by itself, to the nearest
 * minor unit; where Stripe bills, its figures count.
 */
export function prorate(price: Money, { start, end }: Period, at: Instant): { used: Money; unused: Money } {
  const [used, unused] = allocate(price, [BigInt(at - start), BigInt(end - at)])
  return { used, unused }
}

/**
 * The same for several cuts in one period: one part before each cut and one after the last, so that
 * three plans in one month add up to one month.
 */
export function prorateOver(price: Money, { start, end }: Period, cuts: readonly Instant[]): Money[] {
  const edges = [start, ...cuts, end]
  const weights = edges.slice(1).map((edge, i) => {
    const length = edge - (edges[i] ?? start)
    assert(length >= 0, 'cuts are in order and within the period')
    return BigInt(length)
  })
  return allocate<readonly bigint[]>(price, weights).slice()
}
