import type Stripe from 'stripe'
import { type CallDeps, readStripe } from './call.ts'

export interface Paging {
  readonly limit: number
  readonly starting_after?: string
}

/** The most that Stripe gives at once. */
export const PAGE_SIZE = 100

/** Page by page, each tried again by itself: a page that fails fails the rest, not the ones before it. */
export async function* pages<T extends { readonly id: string }>(
  deps: Pick<CallDeps, 'provider'>,
  list: (stripe: Stripe, page: Paging) => Promise<Stripe.ApiList<T>>,
): AsyncGenerator<T[]> {
  let last: string | undefined
  for (;;) {
    const paging = { limit: PAGE_SIZE, ...(last !== undefined && { starting_after: last }) }
    const { data, has_more } = await readStripe(deps, (stripe) => list(stripe, paging))
    yield data
    last = data.at(-1)?.id
    if (!has_more || last === undefined) return
  }
}
