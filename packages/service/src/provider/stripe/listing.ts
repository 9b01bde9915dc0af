import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import type { CallDeps } from './call.ts'
import { type Paging, pages } from './pages.ts'
import { couponParts } from './whole-coupon.ts'

/** What is listed, in an order in which each is known before what belongs to it. */
export const listedTypes = ['customer', 'subscription', 'invoice', 'credit_note', 'refund'] as const

/** What is sold, where it is made at Stripe: listed before all of that. */
export const catalogTypes = ['product', 'price', 'coupon', 'promotion_code'] as const

export type ListedType = (typeof catalogTypes)[number] | (typeof listedTypes)[number]

export interface Listed {
  readonly id: string
  readonly created: Instant
  readonly metadata: Stripe.Metadata | null
}

interface Where {
  readonly created?: { readonly gte: Instant }
  readonly test_clock?: string
  readonly customer?: string
}

const lists: Readonly<
  Record<ListedType, (stripe: Stripe, where: Where & Paging) => Promise<Stripe.ApiList<Listed>>>
> = {
  product: (stripe, where) => stripe.products.list(where),
  price: (stripe, where) =>
    stripe.prices.list({ ...where, type: 'recurring', active: true, expand: ['data.tiers'] }),
  coupon: (stripe, where) =>
    stripe.coupons.list({ ...where, expand: couponParts.map((part) => `data.${part}`) }),
  promotion_code: (stripe, where) => stripe.promotionCodes.list(where),
  customer: (stripe, where) => stripe.customers.list(where),
  subscription: (stripe, where) => stripe.subscriptions.list({ ...where, status: 'all' }),
  invoice: (stripe, where) => stripe.invoices.list(where),
  credit_note: (stripe, where) => stripe.creditNotes.list(where),
  refund: (stripe, where) => stripe.refunds.list(where),
}

/** Everything of a type that stands on no test clock; `since`: and is not older. */
export function listed(
  deps: Pick<CallDeps, 'provider'>,
  type: ListedType,
  since: Instant | null,
): AsyncGenerator<Listed[]> {
  const made = since === null ? {} : { created: { gte: since } }
  return pages(deps, (stripe, page) => lists[type](stripe, { ...made, ...page }))
}

/**
 * All recurring prices, archived ones too, which are listed where they are asked for.
 * https://docs.stripe.com/api/prices/list
 */
export async function* listedPrices(deps: Pick<CallDeps, 'provider'>): AsyncGenerator<Stripe.Price[]> {
  for (const active of [true, false])
    yield* pages(deps, (stripe, page) =>
      stripe.prices.list({ ...page, active, type: 'recurring', expand: ['data.tiers'] }),
    )
}

/** Everything of a type on one test clock. */
export function listedOnClock(
  deps: Pick<CallDeps, 'provider'>,
  type: 'customer' | 'subscription',
  clock: string,
): AsyncGenerator<Listed[]> {
  return pages(deps, (stripe, page) => lists[type](stripe, { test_clock: clock, ...page }))
}

/** What is sold, each kind at once and oldest first: what is made of it has an order. */
export async function* listedOldestFirst(
  deps: Pick<CallDeps, 'provider'>,
  type: (typeof catalogTypes)[number],
): AsyncGenerator<Listed[]> {
  const all: Listed[] = []
  for await (const page of listed(deps, type, null)) all.push(...page)
  yield all.reverse()
}

/** Everything of a customer: where no list goes by clocks, what stands on one is found by its customers. */
export function listedOf(
  deps: Pick<CallDeps, 'provider'>,
  type: 'subscription' | 'invoice' | 'credit_note',
  customer: string,
): AsyncGenerator<Listed[]> {
  return pages(deps, (stripe, page) => lists[type](stripe, { customer, ...page }))
}

/** The items that wait for an invoice, by id: of everybody, and of these customers on test clocks. */
export async function pendingItemsOf(
  deps: Pick<CallDeps, 'provider'>,
  onClocks: readonly string[],
): Promise<ReadonlyMap<string, Stripe.InvoiceItem>> {
  const waiting = new Map<string, Stripe.InvoiceItem>()
  for (const where of [{}, ...onClocks.map((customer) => ({ customer }))]) {
    const found = pages(deps, (stripe, page) =>
      stripe.invoiceItems.list({ ...where, pending: true, ...page }),
    )
    for await (const items of found) for (const item of items) waiting.set(item.id, item)
  }
  return waiting
}
