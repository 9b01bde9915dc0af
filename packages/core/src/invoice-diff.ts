import { assert } from './assert.ts'

/** A line's item of one revision: identity, and all that is sent as one comparable text or digest. */
export interface WantedItem {
  readonly line: string
  readonly revision: number
  readonly content: string
}

/** What stands at the provider. `line` is null for what others put there. */
export interface ExistingItem {
  readonly id: string
  readonly line: string | null
  readonly revision: number
  readonly content: string
}

export interface ItemDifference<W extends WantedItem, E extends ExistingItem> {
  readonly create: readonly W[]
  readonly update: readonly { readonly existing: E; readonly wanted: W }[]
  readonly remove: readonly E[]
  readonly keep: readonly E[]
  /** Somebody else's: never touched, only reported. */
  readonly foreign: readonly E[]
}

/**
 * The calls that make the provider's items equal to the wanted ones, and no others. Of two items of
 * one line and revision (a crash between call and record) the first listed stays.
 */
export function diffInvoiceItems<W extends WantedItem, E extends ExistingItem>(
  wanted: readonly W[],
  existing: readonly E[],
): ItemDifference<W, E> {
  const missing = new Map(wanted.map((item) => [identity(item), item]))
  assert(missing.size === wanted.length, 'one item for each line and revision')

  const update: { existing: E; wanted: W }[] = []
  const remove: E[] = []
  const keep: E[] = []
  const foreign: E[] = []
  for (const item of existing) {
    if (item.line === null) {
      foreign.push(item)
      continue
    }
    const want = missing.get(identity(item))
    missing.delete(identity(item))
    if (!want) remove.push(item)
    else if (want.content === item.content) keep.push(item)
    else update.push({ existing: item, wanted: want })
  }
  return { create: [...missing.values()], update, remove, keep, foreign }
}

// A revision has no separator in it, so no two identities share a text.
function identity({ line, revision }: { line: string | null; revision: number }): string {
  return `${revision} ${line}`
}
