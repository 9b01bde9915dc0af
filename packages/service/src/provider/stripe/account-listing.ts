import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { type Belonging, expandBelongings, takeApart } from './belongings.ts'
import { type CallDeps, readStripe } from './call.ts'
import { PAGE_SIZE } from './pages.ts'
import { isAbsent } from './problems.ts'
import { expandDiscounts, type Unfolded, unfoldCustomer, unfoldSubscription } from './shown-discounts.ts'
import { couponParts } from './whole-coupon.ts'

/** Everything of an account that is taken up, in an order in which each is known before what belongs to it. */
export const importedTypes = [
  'product',
  'price',
  'coupon',
  'promotion code',
  'customer',
  'subscription',
  'open invoice',
  'draft invoice',
  'pending item',
] as const

export type ImportedType = (typeof importedTypes)[number]

interface Where {
  readonly limit: number
  readonly starting_after?: string
  /** Beside what is expanded in any case. */
  readonly more?: readonly string[]
}

type List = (stripe: Stripe, where: Where) => Promise<Stripe.ApiList<{ readonly id: string }>>

const lists: Readonly<Record<ImportedType, List>> = {
  product: (stripe, where) => stripe.products.list(where),
  price: (stripe, { more = [], ...where }) =>
    stripe.prices.list({ ...where, type: 'recurring', expand: ['data.tiers', ...more] }),
  coupon: (stripe, where) =>
    stripe.coupons.list({ ...where, expand: couponParts.map((part) => `data.${part}`) }),
  'promotion code': (stripe, where) => stripe.promotionCodes.list(where),
  customer: (stripe, where) => stripe.customers.list({ ...where, expand: expandDiscounts.customer }),
  subscription: (stripe, { more = [], ...where }) =>
    stripe.subscriptions.list({
      ...where,
      status: 'all',
      expand: [...expandDiscounts.subscription, ...more],
    }),
  'open invoice': (stripe, { more, ...where }) =>
    stripe.invoices.list({ ...where, status: 'open', ...expanded(more) }),
  'draft invoice': (stripe, { more, ...where }) =>
    stripe.invoices.list({ ...where, status: 'draft', ...expanded(more) }),
  'pending item': (stripe, { more, ...where }) =>
    stripe.invoiceItems.list({ ...where, pending: true, ...expanded(more) }),
}

const expanded = (more: readonly string[] | undefined) => more && { expand: [...more] }

const belongings: Partial<Record<ImportedType, readonly string[]>> = {
  price: expandBelongings.price,
  subscription: expandBelongings.subscription,
  'open invoice': expandBelongings.invoice,
  'draft invoice': expandBelongings.invoice,
  'pending item': expandBelongings.invoiceitem,
}

export interface ListedPage {
  readonly objects: readonly { readonly id: string }[]
  readonly hasMore: boolean
  /** Those of the objects, with their coupons. */
  readonly discounts: readonly Stripe.Discount[]
  /** By the object's id, where that was asked for. */
  readonly belongings: ReadonlyMap<string, Belonging>
}

/** The page behind this object; the first one of null. Newest first. Undefined: Stripe has that object no more. */
export async function readPage(
  deps: Pick<CallDeps, 'provider'>,
  type: ImportedType,
  after: string | null,
  { withBelongings = false }: { readonly withBelongings?: boolean } = {},
): Promise<ListedPage | undefined> {
  const more = withBelongings ? belongings[type] : undefined
  const where = {
    ...{ limit: PAGE_SIZE, ...(more && { more }) },
    ...(after !== null && { starting_after: after }),
  }
  try {
    const { data, has_more: hasMore } = await readStripe(deps, (stripe) => lists[type](stripe, where))
    const apart = data.map(takeApart)
    const unfolded = apart.map(({ object }) => unfold(type, object))
    return {
      objects: unfolded.map(({ object }) => object),
      hasMore,
      discounts: unfolded.flatMap(({ discounts }) => discounts),
      belongings: new Map(apart.map(({ object, belonging }) => [object.id, belonging])),
    }
  } catch (error) {
    if (after !== null && error instanceof Problem && isAbsent(error.cause)) return undefined
    throw error
  }
}

/** Stripe listed it as one of this type. */
function unfold(type: ImportedType, object: { readonly id: string }): Unfolded<{ readonly id: string }> {
  if (type === 'customer') return unfoldCustomer(object as Stripe.Customer)
  if (type === 'subscription') return unfoldSubscription(object as Stripe.Subscription)
  return { object, discounts: [] }
}
