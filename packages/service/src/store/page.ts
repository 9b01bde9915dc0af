export interface PageQuery {
  readonly limit: number
  /** The id of the last item of the page before; a cursor is nothing but that. */
  readonly after?: string | undefined
}

export interface Page<T> {
  readonly data: T[]
  readonly hasMore: boolean
  readonly nextCursor: string | null
}

/** One page, newest first, of rows whose ids sort by time: fetches one more to know whether it is the last. */
export async function pageOf<T extends { id: string }>(
  limit: number,
  fetch: (limit: number) => Promise<T[]>,
): Promise<Page<T>> {
  const rows = await fetch(limit + 1)
  const data = rows.slice(0, limit)
  const hasMore = rows.length > limit
  return { data, hasMore, nextCursor: hasMore ? (data.at(-1)?.id ?? null) : null }
}
