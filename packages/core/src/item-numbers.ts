import type { PriceModel } from './price.ts'
import { quantityOfItems } from './quantity-of-items.ts'

/**
 * How many of a price stand on a subscription, where that is not what its quantity says: somebody said so at the provider,
 * which bills each item by its own number. Null: it has no item, and nothing is paid for it, not even the flat amount of its first
 * tier. By the price's key; an add-on's behind the add-on's own and a dot.
 */
export type ItemNumbers = Readonly<Record<string, number | null>>

/** One of the prices that are sold together, as a plan or as an add-on. */
type Sold = Pick<PriceModel, 'model'> & { readonly key: string }

/** An item of one of them, by the price's key. Null: it does not come by number. */
export interface StandingItem {
  readonly key: string
  readonly quantity: number | null
}

const comesByNumber = ({ model }: Sold) => model !== 'flat'

/**
 * How many there are of prices that are sold together, by the items that stand there: the most of those that come by number,
 * and none where every such item was taken away. A flat one says it where it is sold alone; several say nothing of it, and it is one.
 */
export function quantityOfSold(together: readonly Sold[], standing: readonly StandingItem[]): number {
  const counted = together.filter(comesByNumber)
  const said = together.length > 1 || counted.length > 0 ? counted : together
  const its = standing.filter(({ key }) => said.some((price) => price.key === key))
  if (its.length === 0 && counted.length > 0) return 0
  return quantityOfItems(together.length === 0 ? standing : its)
}

/** What the quantity says of one: a flat price beside others is sold once, whatever the number of those. */
export function usualNumber(price: Sold, together: readonly Sold[], quantity: number): number {
  return comesByNumber(price) || together.length === 1 ? quantity : 1
}

/** How many are paid for of one of the prices that are sold together; null where it has no item. */
export function numberOf(
  price: Sold,
  together: readonly Sold[],
  quantity: number,
  numbers: ItemNumbers = {},
): number | null {
  // A key may be called like something that every object has.
  if (!Object.hasOwn(numbers, price.key)) return usualNumber(price, together, quantity)
  return numbers[price.key] ?? null
}

/** Where the items that stand there say something else than the quantity does. */
export function numbersOf(
  together: readonly Sold[],
  standing: readonly StandingItem[],
  quantity: number,
): ItemNumbers {
  const numbers = together.flatMap((price): [string, number | null][] => {
    const its = standing.filter(({ key }) => key === price.key).map((item) => item.quantity)
    // What does not come by number there says nothing of how many there are.
    if (its.includes(null)) return []
    const number = its.length === 0 ? null : its.reduce<number>((sum, each) => sum + (each ?? 0), 0)
    return number === usualNumber(price, together, quantity) ? [] : [[price.key, number]]
  })
  return Object.fromEntries(numbers)
}

/** As they are written down with the plan's. */
export function inAddon(addon: string, numbers: ItemNumbers): ItemNumbers {
  return Object.fromEntries(Object.entries(numbers).map(([key, number]) => [`${addon}.${key}`, number]))
}

/** Those of one add-on, by the keys of its prices. */
export function ofAddon(addon: string, numbers: ItemNumbers): ItemNumbers {
  const own = Object.entries(numbers).filter(([key]) => key.startsWith(`${addon}.`))
  return Object.fromEntries(own.map(([key, number]) => [key.slice(addon.length + 1), number]))
}

export function hasNumbers(numbers: ItemNumbers | undefined): numbers is ItemNumbers {
  return numbers !== undefined && Object.keys(numbers).length > 0
}

/** `2 × care, no pair.other`, in the order of the keys. */
export function numbersInWords(numbers: ItemNumbers): string {
  return Object.entries(numbers)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, number]) => (number === null ? `no ${key}` : `${number} × ${key}`))
    .join(', ')
}

export function areSameNumbers(a: ItemNumbers, b: ItemNumbers): boolean {
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
  )
}
