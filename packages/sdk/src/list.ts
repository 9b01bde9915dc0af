/** One page, as the service answers it. */
export interface Page<T> {
  readonly data: T[]
  readonly hasMore: boolean
  readonly nextCursor: string | null
}

/**
 * A list, page by page or one by one. Nothing is fetched before it is asked for:
 *
 * ```ts
 * for await (const invoice of lockstep.invoices.list({ status: 'open' })) …
 * const { data } = await lockstep.invoices.list({ limit: 5 }).page()
 * ```
 */
export interface List<T> extends AsyncIterable<T> {
  /** The first page. */
  page(): Promise<Page<T>>
  /** The first one, if there is any. */
  first(): Promise<T | undefined>
}

export function listOf<T>(
  fetchPage: (after: string | undefined) => Promise<Page<T>>,
  after?: string,
): List<T> {
  return {
    page: () => fetchPage(after),
    first: async () => (await fetchPage(after)).data[0],
    async *[Symbol.asyncIterator]() {
      let cursor = after
      do {
        const { data, nextCursor } = await fetchPage(cursor)
        yield* data
        cursor = nextCursor ?? undefined
      } while (cursor !== undefined)
    },
  }
}
