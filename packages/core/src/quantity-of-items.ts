import type { PriceModel } from './price.ts'

type Model = Pick<PriceModel, 'model'>
interface Item {
  readonly quantity: number | null
}

/**
 * How many of something its items say: the most of those that come by number, and that may be none at all. 1 where none
 * comes by number, as those of metered prices do not.
 */
export function quantityOfItems(items: readonly Item[]): number {
  const numbers = items.flatMap(({ quantity }) => quantity ?? [])
  return numbers.length === 0 ? 1 : Math.max(...numbers)
}

/**
 * How many there are of prices that are sold together, of which these items stand there: the most of those that come by number,
 * and none where every such item was taken away. A flat one says it where it is sold alone; several say nothing of it, and it is one.
 */
export function quantityOfSold(together: readonly Model[], items: readonly (Model & Item)[]): number {
  const comesByNumber = ({ model }: Model) => model !== 'flat'
  const counted = items.filter(comesByNumber)
  if (counted.length > 0) return quantityOfItems(counted)
  if (together.some(comesByNumber)) return 0
  return quantityOfItems(together.length > 1 ? [] : items)
}
