import { invalid, missing } from '../errors.ts'
import type { Json } from '../rows.ts'
import type { Table } from '../store/table.ts'
import { integer, type Kind, type Range, text } from './schema.ts'

/**
 * "Limit can range between 1 and 100": what is beyond is not refused but taken for the nearest, as recorded of 0 and 101.
 * https://github.com/Kiln-AI/stripe_world, tests/conformance/cassettes/08_pagination_boundary_and_limit_clamps.json
 */
const limit: Kind<number> = {
  parse: (raw, path) => Math.min(100, Math.max(1, integer().parse(raw, path))),
}

/** The parameters of every list; to be spread into its shape. https://docs.stripe.com/api/pagination */
export const paging = {
  limit,
  starting_after: text(),
  ending_before: text(),
}

export interface Paging {
  limit?: number | undefined
  starting_after?: string | undefined
  ending_before?: string | undefined
}

export interface ListOf<R, I extends string> {
  /** What one of them is called where a cursor names none. */
  readonly noun: string
  readonly url: string
  /** The narrowest index that the filters allow, or null for all rows. */
  readonly where: { index: I; key: string } | null
  readonly matches?: (row: R) => boolean
  readonly render: (row: R) => Json
}

/** Counts, where somebody asks, what a list has on all its pages. No part of the answer. */
export const TOTAL = Symbol('total')

export interface Counting {
  readonly [TOTAL]?: () => number
}

/** A page, newest first. Both cursors are exclusive. */
export function page<R extends { readonly id: string }, I extends string>(
  table: Table<R, I>,
  { limit = 10, starting_after: after, ending_before: before }: Paging,
  { noun, url, where, matches = () => true, render }: ListOf<R, I>,
): Json {
  checkCursors(after, before, (cursor, param) => {
    if (table.get(cursor) === undefined) throw missing(noun, cursor, param)
  })
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
  const total = () => {
    let count = 0
    for (const row of table.older(where, undefined)) if (matches(row)) count++
    return count
  }
  return { object: 'list', data: data.map(render), has_more: hasMore, url, ...counting(total) }
}

function counting(total: () => number): Json & Counting {
  return { [TOTAL]: total }
}

/**
 * One cursor at most, of something that there is. "Received both starting_after and ending_before parameters": so Stripe
 * answers, other than its page says. https://github.com/stripe/stripe-python/issues/585
 */
function checkCursors(
  after: string | undefined,
  before: string | undefined,
  check: (cursor: string, param: string) => void,
): void {
  if (after !== undefined && before !== undefined) {
    throw invalid('Received both starting_after and ending_before parameters. Please pass in only one.')
  }
  if (after !== undefined) check(after, 'starting_after')
  if (before !== undefined) check(before, 'ending_before')
}

/** A page over an array that is kept in the order of its list. */
export function pageOf<T extends { readonly id: string }>(
  items: readonly T[],
  { limit = 10, starting_after: after, ending_before: before }: Paging,
  { noun, url, render }: Pick<ListOf<T, never>, 'noun' | 'url' | 'render'>,
): Json {
  const at = (id: string) => items.findIndex((item) => item.id === id)
  checkCursors(after, before, (cursor, param) => {
    if (at(cursor) < 0) throw missing(noun, cursor, param)
  })
  let start = after === undefined ? 0 : at(after) + 1
  let end = Math.min(items.length, start + limit)
  let hasMore = end < items.length
  if (before !== undefined) {
    end = at(before)
    start = Math.max(0, end - limit)
    hasMore = start > 0
  }
  const data = items.slice(start, end).map(render)
  return { object: 'list', data, has_more: hasMore, url, ...counting(() => items.length) }
}

/**
 * The same, with how many there are in all: so `items` of a subscription and `lines` of an invoice are answered, in every
 * version and in none of the client's declarations. (As recorded: pay-rails/pay test/vcr_cassettes/pay/stripe, 2026-09-30.endive.)
 */
export function countedPage<T extends { readonly id: string }>(
  items: readonly T[],
  url: string,
  render: (item: T) => Json,
): Json {
  return { ...firstPage(items, url, render), total_count: items.length }
}

/** What an object shows of a list that belongs to it. */
export function firstPage<T extends { readonly id: string }>(
  items: readonly T[],
  url: string,
  render: (item: T) => Json,
): Json {
  return pageOf(items, {}, { noun: 'object', url, render })
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
