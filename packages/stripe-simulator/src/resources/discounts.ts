import { gap } from '../errors.ts'
import { shape, text } from '../http/schema.ts'
import type { DiscountRow, Json } from '../rows.ts'
import type { World } from '../world.ts'

export const discountParam = shape({ coupon: text(), discount: text(), promotion_code: text() })

export interface DiscountGiven {
  coupon?: string | undefined
  discount?: string | undefined
  promotion_code?: string | undefined
}

export function applyDiscounts(
  _world: World,
  given: readonly DiscountGiven[],
  _to: { customer: string; subscription?: string; at: number; clock: string | null },
): string[] {
  if (given.length > 0) throw gap('discounts', 'discounts')
  return []
}

export function renderDiscount(_world: World, { own: _own, ...discount }: DiscountRow): Json {
  return discount
}
