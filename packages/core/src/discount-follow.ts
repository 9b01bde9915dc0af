import { type Discount, discountsAt } from './discount.ts'
import type { Instant } from './instant.ts'

/**
 * What is agreed on when the provider was told elsewhere to take off something else: what came is agreed on, and what runs
 * and was taken away is not any more. What is over stays as it was agreed, and so does what is good for one invoice: the
 * provider drops it when it was used. Two of one coupon are told apart by how many there are.
 */
export function followDiscounts(
  agreed: readonly Discount[],
  standing: readonly Discount[],
  at: Instant,
): Discount[] {
  const news = [...standing]
  const running = new Set(discountsAt(agreed, at))
  const kept = agreed.filter((discount) => {
    const index = news.findIndex((one) => isSame(one, discount))
    if (running.has(discount) && index >= 0) {
      news.splice(index, 1)
      return true
    }
    return !running.has(discount) || discount.duration.kind === 'once'
  })
  return [...kept, ...news]
}

/** By what is taken off, for how long and of which coupon; when it began is not the same second on both sides. */
function isSame(a: Discount, b: Discount): boolean {
  return (
    a.coupon === b.coupon &&
    (a.coupon !== null || a.name === b.name) &&
    JSON.stringify(terms(a)) === JSON.stringify(terms(b))
  )
}

function terms({ off, duration }: Discount): unknown[] {
  return [
    ...(off.kind === 'percent' ? [off.kind, off.percent] : [off.kind, off.minor, off.currency]),
    ...(duration.kind === 'repeating' ? [duration.kind, duration.months] : [duration.kind]),
  ]
}
