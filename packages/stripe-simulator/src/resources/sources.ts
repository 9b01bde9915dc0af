import { asCard, isCard } from '../billing/methods.ts'
import { gap, missing } from '../errors.ts'
import { diff } from '../events/diff.ts'
import { firstPage, pageOf, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import { gaps, type Kind, metadata, type Params, required, shape, text } from '../http/schema.ts'
import type { Json, PaymentMethodRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { cardChanges, cardSource, holderWith, readCard } from './cards.ts'
import { expanded } from './expanded.ts'
import { liveCustomer } from './lookup.ts'
import { createCard, spendToken } from './make-method.ts'
import { checkedExpiry, detachMethod, holdMethod } from './payment-methods.ts'

const URL = '/v1/customers/:id/sources'

/** A token, or what its holder reads from the card. */
export const sourceParam: Kind<string | Params<typeof cardSource.fields>> = {
  parse: (raw, path) => (typeof raw === 'string' ? text().parse(raw, path) : cardSource.parse(raw, path)),
}

/** Cards that are kept the older way. https://docs.stripe.com/api/cards and .../api/payment_methods */
export const sourceRoutes = [
  post(
    URL,
    shape({ source: required(sourceParam), metadata, ...gaps('validate') }),
    ({ world, params, path }) => {
      const customer = liveCustomer(world, path())
      const card = takeSource(world, params.source)
      const kept = holdMethod(world, card, customer)
      const labelled = world.paymentMethods.patch(kept.id, {
        metadata: mergeMetadata(kept.metadata ?? {}, params.metadata),
      })
      // "If the card's owner has no default card, then the new card will become the default."
      const isFirst = customer.default_source === null
      if (isFirst) world.customers.patch(customer.id, { default_source: kept.id })
      tellKept(world, labelled)
      if (isFirst) world.emit('customer.updated', world.customers.must(customer.id))
      return world.render(asCard(labelled))
    },
  ),
  get(URL, shape({ ...paging, object: text() }), ({ world, params, path }) => {
    const customer = liveCustomer(world, path())
    const cards = cardsOf(world, customer.id).filter(() => (params.object ?? 'card') === 'card')
    return pageOf(cards, params, {
      noun: 'source',
      url: `/v1/customers/${customer.id}/sources`,
      render: (card) => world.render(asCard(card)),
    })
  }),
  get(`${URL}/:card`, nothing, ({ world, path }) => {
    const customer = liveCustomer(world, path())
    return world.render(asCard(sourceOf(world, customer.id, path('card'))))
  }),
  post(
    `${URL}/:card`,
    shape({ ...cardChanges, ...gaps('account_holder_name', 'account_holder_type', 'owner') }),
    ({ world, params, path }) => {
      const customer = liveCustomer(world, path())
      return changeCard(world, sourceOf(world, customer.id, path('card')), params)
    },
  ),
  del(`${URL}/:card`, nothing, ({ world, path }) => {
    const customer = liveCustomer(world, path())
    const { id } = detachMethod(world, sourceOf(world, customer.id, path('card')))
    return { id, object: 'card', deleted: true }
  }),
]

/** What is given as a `source`: a card that is nobody's yet. */
export function takeSource(world: World, given: ReturnType<typeof sourceParam.parse>): PaymentMethodRow {
  if (typeof given !== 'string') return readCard(world, given, 'source')
  if (/^(src|btok|ba)_/.test(given)) throw gap(`sources that are no cards (${given})`, 'source')
  if (!given.startsWith('tok_')) throw missing('token', given, 'source')
  return spendToken(world, given) ?? createCard(world, { token: given }, 'source')
}

/** The set that others saw at Stripe, but for its order, which is decided here. */
export function tellKept(world: World, card: PaymentMethodRow): void {
  world.emit('payment_method.attached', card)
  world.emit('customer.source.created', asCard(card))
}

/** A customer's card by its id: in the path (404) unless `param` says where in the body (400). */
export function sourceOf(world: World, customer: string, id: string, param?: string): PaymentMethodRow {
  const card = world.paymentMethods.get(id)
  if (card === undefined || !isCard(card) || card.customer !== customer) throw missing('source', id, param)
  return card
}

function cardsOf(world: World, customer: string): PaymentMethodRow[] {
  return world.paymentMethods.by('customer', customer).filter(isCard).reverse()
}

/** What a customer shows of them, where that is asked for. */
export function listSources(world: World, customer: string): Json {
  const url = `/v1/customers/${customer}/sources`
  return firstPage(cardsOf(world, customer), url, (card) => world.render(asCard(card)))
}

/** What a field that names one shows of it. */
export function expandedSource(world: World, id: unknown): Json | null {
  const card = world.paymentMethods.get(id as string | null)
  return expanded(world, card === undefined ? undefined : asCard(card))
}

function changeCard(
  world: World,
  card: PaymentMethodRow,
  { metadata: labels, exp_month, exp_year, ...holder }: Params<typeof cardChanges>,
): Json {
  const before = world.render(asCard(card))
  const expiry = checkedExpiry(world, card, { exp_month, exp_year })
  const checks = {
    ...card.card?.checks,
    ...(holder.address_line1 === undefined ? {} : { address_line1_check: 'pass' }),
    ...(holder.address_zip === undefined ? {} : { address_postal_code_check: 'pass' }),
  }
  const changed = world.paymentMethods.patch(card.id, {
    metadata: mergeMetadata(card.metadata ?? {}, labels),
    billing_details: holderWith(card.billing_details, holder),
    card: { ...card.card, ...expiry, checks },
  } as Partial<PaymentMethodRow>)
  // Both faces changed; the older one is told of.
  world.paymentMethods.tell(changed.id, world.render(changed))
  const after = world.render(asCard(changed))
  const previous = diff(before, after)
  if (Object.keys(previous).length > 0) {
    world.emitSnapshot('customer.source.updated', after, changed.own.clock, previous, before)
  }
  return after
}
