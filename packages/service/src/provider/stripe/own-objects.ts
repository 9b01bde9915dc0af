import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import { type CallDeps, readStripe } from './call.ts'
import { idOf, idOrNull, ownReference } from './field.ts'
import { isOwn } from './metadata.ts'
import { type Paging, pages } from './pages.ts'

/** An object at Stripe that carries our name. */
export interface OwnObject {
  readonly type: 'customer' | 'subscription' | 'checkout_session' | 'invoice'
  readonly id: string
  readonly operation: string | null
  /** What of ours it says it is; of a page or an invoice, the workflow that it was made for. */
  readonly entityId: string | null
  /** Whose it is, by Stripe's id. */
  readonly customerId: string | null
  /** When it was made; at a test clock by its time. */
  readonly madeAt: Instant
  readonly live: boolean
  /** Known without asking for more: it was paid. */
  readonly paid: boolean
}

type Deps = Pick<CallDeps, 'provider'>

/**
 * Everything that this installation made and Stripe lists, in pages: never by Search, which answers
 * late. `since` leaves out what is older; objects on test clocks have times of their own and are always
 * listed, by their clock, or by its customers where no list goes by clocks. Objects of other installations
 * are passed over.
 */
export async function* ownObjects(deps: Deps, since: Instant | null): AsyncGenerator<OwnObject[]> {
  const made = since === null ? {} : { created: { gte: since } }
  for (const kind of Object.values(kinds)) yield* ownOf(deps, kind, made)
  if (deps.provider.livemode) return
  for await (const clocks of pages(deps, (stripe, page) => stripe.testHelpers.testClocks.list(page))) {
    for (const { id } of clocks) yield* onClock(deps, id)
  }
}

async function* onClock(deps: Deps, clock: string): AsyncGenerator<OwnObject[]> {
  const { customer, subscription, checkout_session: page, invoice } = kinds
  for await (const customers of ownOf(deps, customer, { test_clock: clock })) {
    yield customers
    for (const { id } of customers)
      for (const kind of [page, invoice]) yield* ownOf(deps, kind, { customer: id })
  }
  yield* ownOf(deps, subscription, { test_clock: clock })
}

/** What an object that was listed is of ours; undefined: nothing, or another installation's. */
export function ownObject(
  provider: Deps['provider'],
  type: 'customer' | 'subscription',
  object: Stripe.Customer | Stripe.Subscription,
): OwnObject | undefined {
  return isOwn(provider, object) ? kinds[type].own(object) : undefined
}

/** One of them again; undefined: Stripe has it no more. */
export async function readOwnObject(
  deps: Deps,
  type: OwnObject['type'],
  id: string,
): Promise<OwnObject | undefined> {
  return readStripe(deps, (stripe) => kinds[type].read(stripe, id))
}

interface Kind {
  list(stripe: Stripe, where: Where & Paging): Promise<Stripe.ApiList<Listed>>
  read(stripe: Stripe, id: string): Promise<OwnObject | undefined>
  /** Undefined: it is made and found by other means. */
  own(object: Listed): OwnObject | undefined
}

interface Where {
  readonly created?: { readonly gte: Instant }
  readonly test_clock?: string
  readonly customer?: string
}

interface Listed {
  readonly id: string
  readonly metadata: Stripe.Metadata | null
}

/** Says of one kind how it is listed, read, and what of ours it is. */
function kind<T extends Listed>(
  list: (stripe: Stripe, where: Where & Paging) => Promise<Stripe.ApiList<T>>,
  read: (stripe: Stripe, id: string) => Promise<T | Stripe.DeletedCustomer>,
  own: (object: T) => OwnObject | undefined,
): Kind {
  return {
    list,
    read: async (stripe, id) => {
      const object = await read(stripe, id)
      return 'deleted' in object ? undefined : own(object)
    },
    own: own as Kind['own'],
  }
}

const kinds: Readonly<Record<OwnObject['type'], Kind>> = {
  customer: kind(
    (stripe, where) => stripe.customers.list(where),
    (stripe, id) => stripe.customers.retrieve(id),
    ({ id, metadata, created: madeAt }: Stripe.Customer) => {
      const { operation, customer: entityId } = ownReference(metadata)
      return { type: 'customer', id, operation, entityId, customerId: id, madeAt, live: true, paid: false }
    },
  ),
  subscription: kind(
    (stripe, where) => stripe.subscriptions.list({ ...where, status: 'all' }),
    (stripe, id) => stripe.subscriptions.retrieve(id),
    ({ id, metadata, status, created: madeAt, customer }: Stripe.Subscription) => {
      const { operation, subscription: entityId } = ownReference(metadata)
      const live = status !== 'canceled' && status !== 'incomplete_expired'
      const customerId = idOf(customer)
      return { type: 'subscription', id, operation, entityId, customerId, madeAt, live, paid: false }
    },
  ),
  checkout_session: kind(
    (stripe, where) => stripe.checkout.sessions.list(where),
    (stripe, id) => stripe.checkout.sessions.retrieve(id),
    // It sets a payment method up and takes no money; once left or closed, it is over.
    ({ id, metadata, status, created: madeAt, customer }: Stripe.Checkout.Session) => {
      const { operation, workflow: entityId } = ownReference(metadata)
      const customerId = idOrNull(customer, 'customer')
      const live = status === 'open'
      return { type: 'checkout_session', id, operation, entityId, customerId, madeAt, live, paid: false }
    },
  ),
  invoice: kind(
    (stripe, where) => stripe.invoices.list(where),
    (stripe, id) => stripe.invoices.retrieve(id),
    // Of our own invoices those that a purchase made. The others stand for a period of a subscription, and
    // the synchronisation finds them by it.
    ({ id, metadata, status, created: madeAt, customer }: Stripe.Invoice) => {
      const { operation, workflow: entityId } = ownReference(metadata)
      if (entityId === null) return undefined
      const live = status === 'draft' || status === 'open' || status === 'paid'
      const customerId = idOrNull(customer, 'customer')
      return { type: 'invoice', id, operation, entityId, customerId, madeAt, live, paid: status === 'paid' }
    },
  ),
}

async function* ownOf(deps: Deps, { list, own }: Kind, where: Where): AsyncGenerator<OwnObject[]> {
  for await (const page of pages(deps, (stripe, paging) => list(stripe, { ...where, ...paging })))
    yield page.filter((object) => isOwn(deps.provider, object)).flatMap((object) => own(object) ?? [])
}
