import { expect, test } from 'vitest'
import type { Discount } from './discount.ts'
import { followDiscounts } from './discount-follow.ts'
import { parseInstant } from './instant.ts'

const at = parseInstant('2026-03-10T00:00:00Z') ?? Number.NaN

function discount(
  coupon: string | null,
  duration: Discount['duration'],
  more: Partial<Discount> = {},
): Discount {
  return {
    ...{ name: coupon ?? 'Friend', coupon, off: { kind: 'percent', percent: '10' }, duration },
    ...{ start: '2026-01-31T00:00:00Z', end: null },
    ...more,
  }
}
const forever = discount('school', { kind: 'forever' })
const once = discount('hello', { kind: 'once' })
const over = discount('autumn', { kind: 'repeating', months: 1 }, { end: '2026-02-28T00:00:00Z' })
const running = discount('spring', { kind: 'repeating', months: 3 }, { end: '2026-04-30T00:00:00Z' })
const later = (one: Discount): Discount => ({ ...one, start: '2026-03-09T23:59:58Z' })

test.each<[string, Discount[], Discount[], Discount[]]>([
  [
    'what stands there as it was agreed stays as it was agreed',
    [forever, running],
    [later(running), later(forever)],
    [forever, running],
  ],
  [
    'what came is agreed on, behind the others',
    [forever],
    [forever, later(running)],
    [forever, later(running)],
  ],
  ['what runs and was taken away is not any more', [forever, running], [forever], [forever]],
  [
    'what is over, and what one invoice may have used up, stays as it was agreed',
    [over, once],
    [],
    [over, once],
  ],
  ['the same coupon, given again when it was over, is another', [over], [later(over)], [over, later(over)]],
  ['two of one coupon are two', [forever], [forever, later(forever)], [forever, later(forever)]],
  [
    'one without a coupon here is told by its name',
    [discount(null, { kind: 'forever' })],
    [discount(null, { kind: 'forever' }, { name: 'Other' })],
    [discount(null, { kind: 'forever' }, { name: 'Other' })],
  ],
])('%s', (_, agreed, standing, expected) => {
  expect(followDiscounts(agreed, standing, at)).toEqual(expected)
})
