import type { PriceModel } from './price.ts'

/**
 * How often flat prices stand on a subscription that are sold beside others, where that is not once: somebody said so at the
 * provider, which bills each by its own item's number. By the price's key; an add-on's behind the add-on's own and a dot.
 */
export type FlatNumbers = Readonly<Record<string, number>>

type Sold = Pick<PriceModel, 'model'> & { readonly key: string }

/** Read off the items of prices that are sold together: one without an item is paid for not at all. */
export function flatNumbersOf(together: readonly Sold[], standing: ReadonlyMap<string, number>): FlatNumbers {
  if (together.length < 2) return {}
  const numbers = together
    .filter(({ model }) => model === 'flat')
    .map(({ key }) => [key, standing.get(key) ?? 0])
  return Object.fromEntries(numbers.filter(([, number]) => number !== 1))
}

/** As they are written down with the plan's. */
export function inAddon(addon: string, numbers: FlatNumbers): FlatNumbers {
  return Object.fromEntries(Object.entries(numbers).map(([key, number]) => [`${addon}.${key}`, number]))
}

/** Those of one add-on, by the keys of its prices. */
export function ofAddon(addon: string, numbers: FlatNumbers): FlatNumbers {
  const own = Object.entries(numbers).filter(([key]) => key.startsWith(`${addon}.`))
  return Object.fromEntries(own.map(([key, number]) => [key.slice(addon.length + 1), number]))
}

export function hasNumbers(numbers: FlatNumbers | undefined): numbers is FlatNumbers {
  return numbers !== undefined && Object.keys(numbers).length > 0
}

/** `2 × care, 0 × pair.other`, in the order of the keys. */
export function numbersInWords(numbers: FlatNumbers): string {
  return Object.entries(numbers)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, number]) => `${number} × ${key}`)
    .join(', ')
}

export function areSameNumbers(a: FlatNumbers, b: FlatNumbers): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}
