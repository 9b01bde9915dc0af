import { missing } from '../errors.ts'
import type { Json } from '../rows.ts'
import type { Table } from '../store/table.ts'
import { integer, type Range, text } from './schema.ts'

/** The parameters of every list; to be spread into its shape. https://docs.stripe.com/api/pagination */
export const paging = {
  limit: integer({ min: 1, max: 100 }),
  starting_after: text(),
  ending_before: text(),
}

export interface Paging {
  limit?: number | undefined
  starting_after?: string | undefined
  ending_before?: string | undefined
}

export interface ListOf<R, I extends string> {
  readonly url: string
  /** The narrowest index that the filters allow, or null for all rows. */
  readonly where: { index: I; key: string } | null
  readonly matches?: (row: R) => boolean
  readonly render: (row: R) => Json
}

/** A page, newest first. Both cursors are exclusive. */
export function page<R extends { readonly id: string }, I extends string>(
  table: Table<R, I>,
  { limit = 10, starting_after: after, ending_before: before }: Paging,
  { url, where, matches = () => true, render }: ListOf<R, I>,
): Json {
  for (const [param, cursor] of [
    ['starting_after', after],
    ['ending_before', before],
  ] as const) {
    if (cursor !== undefined && table.get(cursor) === undefined) throw missing('object', cursor, param)
  }
  const rows = before === undefined ? table.older(where, after) : table.newer(where, before)
  const found: R[] = []
  for (const row of rows) {
    if (!matches(row)) continue
    found.push(row)
    if (found.length > limit) break
  }
  const hasMore = found.length > limit
  const data = found.slice(0, limit)
  if (before !== undefined) data.reverse()
  return { object: 'list', data: data.map(render), has_more: hasMore, url }
}

/** A page over an array that is kept in the order of its list. */
export function pageOf<T extends { readonly id: string }>(
  items: readonly T[],
  { limit = 10, starting_after: after, ending_before: before }: Paging,
  url: string,
  render: (item: T) => Json,
): Json {
  const at = (id: string, param: string) => {
    const index = items.findIndex((item) => item.id === id)
    if (index < 0) throw missing('object', id, param)
    return index
  }
  let start = after === undefined ? 0 : at(after, 'starting_after') + 1
  let end = Math.min(items.length, start + limit)
  let hasMore = end < items.length
  if (before !== undefined) {
    end = at(before, 'ending_before')
    start = Math.max(0, end - limit)
    hasMore = start > 0
  }
  return { object: 'list', data: items.slice(start, end).map(render), has_more: hasMore, url }
}

export function inRange(at: number, range: Range | undefined): boolean {
  if (range === undefined) return true
  return (
    (range.gt === undefined || at > range.gt) &&
    (range.gte === undefined || at >= range.gte) &&
    (range.lt === undefined || at < range.lt) &&
    (range.lte === undefined || at <= range.lte)
  )
}
