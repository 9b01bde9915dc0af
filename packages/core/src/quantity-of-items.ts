/**
 * How many of something its items say: the most of those that come by number, and that may be none at all. 1 where none
 * comes by number, as those of metered prices do not.
 */
export function quantityOfItems(items: readonly { readonly quantity: number | null }[]): number {
  const numbers = items.flatMap(({ quantity }) => quantity ?? [])
  return numbers.length === 0 ? 1 : Math.max(...numbers)
}
