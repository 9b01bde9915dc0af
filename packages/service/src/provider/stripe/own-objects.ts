import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import { type CallDeps, readStripe } from './call.ts'
import { ownReference } from './field.ts'
import { isOwn } from './metadata.ts'

/** An object at Stripe that carries our name. */
export interface OwnObject {
  readonly type: 'customer' | 'subscription'
  readonly id: string
  readonly operation: string | null
  /** What of ours it says it is. */
  readonly entityId: string | null
  readonly live: boolean
}

type Deps = Pick<CallDeps, 'provider'>

/**
 * Everything that this installation made and Stripe lists, in pages: never by Search, which answers
 * late. `since` leaves out what is older; objects on test clocks have times of their own and are always
 * listed, by their clock. Objects of other installations are passed over.
 */
export async function* ownObjects(deps: Deps, since: Instant | null): AsyncGenerator<OwnObject[]> {
  const { provider } = deps
  const made = since === null ? {} : { created: { gte: since } }
  yield* pagesOf(deps, made)
  if (provider.livemode) return
  for await (const clocks of pages(deps, (stripe, page) => stripe.testHelpers.testClocks.list(page))) {
    for (const { id } of clocks) yield* pagesOf(deps, { test_clock: id })
  }
}

async function* pagesOf(deps: Deps, where: Where): AsyncGenerator<OwnObject[]> {
  for await (const page of pages(deps, (stripe, paging) => stripe.customers.list({ ...where, ...paging })))
    yield page.filter((customer) => isOwn(deps.provider, customer)).map(ownCustomer)
  const subscriptions = pages(deps, (stripe, paging) =>
    stripe.subscriptions.list({ ...where, status: 'all', ...paging }),
  )
  for await (const page of subscriptions)
    yield page.filter((subscription) => isOwn(deps.provider, subscription)).map(ownSubscription)
}

interface Where {
  readonly created?: { readonly gte: Instant }
  readonly test_clock?: string
}

interface Paging {
  readonly limit: number
  readonly starting_after?: string
}

/** Page by page, each tried again by itself: a page that fails fails the sweep, not the ones before it. */
async function* pages<T extends { readonly id: string }>(
  deps: Deps,
  list: (stripe: Stripe, page: Paging) => Promise<Stripe.ApiList<T>>,
): AsyncGenerator<T[]> {
  let last: string | undefined
  for (;;) {
    const paging = { limit: 100, ...(last !== undefined && { starting_after: last }) }
    const { data, has_more } = await readStripe(deps, (stripe) => list(stripe, paging))
    yield data
    last = data.at(-1)?.id
    if (!has_more || last === undefined) return
  }
}

/** One of them again; undefined: Stripe has it no more. */
export async function readOwnObject(
  deps: Deps,
  type: OwnObject['type'],
  id: string,
): Promise<OwnObject | undefined> {
  if (type === 'subscription')
    return ownSubscription(await readStripe(deps, (stripe) => stripe.subscriptions.retrieve(id)))
  const customer = await readStripe(deps, (stripe) => stripe.customers.retrieve(id))
  return customer.deleted ? undefined : ownCustomer(customer)
}

function ownCustomer({ id, metadata }: Stripe.Customer): OwnObject {
  const { operation, customer } = ownReference(metadata)
  return { type: 'customer', id, operation, entityId: customer, live: true }
}

function ownSubscription({ id, metadata, status }: Stripe.Subscription): OwnObject {
  const { operation, subscription } = ownReference(metadata)
  const live = status !== 'canceled' && status !== 'incomplete_expired'
  return { type: 'subscription', id, operation, entityId: subscription, live }
}
