import type Stripe from 'stripe'
import type { Expansions } from '../http/expand.ts'
import { integer, metadata, type Params, playedOf, required, shape, text } from '../http/schema.ts'
import type { PaymentMethodRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import { type WholeAddress, whole } from '../rules/whole-address.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { expandedCustomer } from './expanded.ts'
import { blankDetails, createCard } from './make-method.ts'

/** Of the holder; a PaymentMethod has the same as `billing_details`. */
const holderFields = {
  address_city: text(),
  address_country: text(),
  address_line1: text(),
  address_line2: text(),
  address_state: text(),
  address_zip: text(),
  name: text(),
}

/** A card as its holder reads it out. https://docs.stripe.com/api/tokens/create_card#create_card_token-card */
export const cardFields = {
  ...holderFields,
  number: required(text()),
  exp_month: required(integer()),
  exp_year: required(integer()),
  cvc: text(),
}

/** The same in the place of a token. https://docs.stripe.com/api/cards/create#create_card-source */
export const cardSource = shape({
  ...cardFields,
  object: required(playedOf(['card'] as const, ['bank_account'])),
  metadata,
})

export const cardChanges = {
  ...holderFields,
  exp_month: integer(),
  exp_year: integer(),
  metadata,
}

type Holder = Params<typeof holderFields>

/** What is said of the holder, where a PaymentMethod keeps it; the rest stays as it was. */
export function holderWith(
  { address, ...before }: PaymentMethodRow['billing_details'],
  given: Holder,
): PaymentMethodRow['billing_details'] {
  const said: Partial<WholeAddress> = defined({
    city: given.address_city,
    country: given.address_country,
    line1: given.address_line1,
    line2: given.address_line2,
    postal_code: given.address_zip,
    state: given.address_state,
  })
  return { ...before, name: given.name ?? before.name, address: whole({ ...address, ...said }) }
}

/** A card that is nobody's yet. */
export function readCard(
  world: World,
  given: Params<typeof cardFields> & Partial<Pick<Params<typeof cardSource.fields>, 'metadata'>>,
  param: string,
): PaymentMethodRow {
  return createCard(world, given, param, {
    billing_details: holderWith(blankDetails, given),
    metadata: mergeMetadata({}, given.metadata),
  })
}

/** https://docs.stripe.com/api/cards/object#card_object-brand */
const BRANDS: Record<string, string> = {
  amex: 'American Express',
  diners: 'Diners Club',
  discover: 'Discover',
  jcb: 'JCB',
  mastercard: 'MasterCard',
  unionpay: 'UnionPay',
  visa: 'Visa',
}

/**
 * A card that is kept the older way is a payment method with another face, under one id: both are answered.
 * https://docs.stripe.com/payments/payment-methods/transitioning
 */
export function renderCard(
  _world: World,
  { id, billing_details: holder, card, customer, metadata: labels, ...row }: Omit<PaymentMethodRow, 'object'>,
): Shown<Stripe.Card> & { readonly wallet: null } {
  if (card === undefined) throw new Error(`${id} is no card`)
  const { address } = holder
  return {
    id,
    object: 'card',
    address_city: address?.city ?? null,
    address_country: address?.country ?? null,
    address_line1: address?.line1 ?? null,
    address_line1_check: card.checks?.address_line1_check ?? null,
    address_line2: address?.line2 ?? null,
    address_state: address?.state ?? null,
    address_zip: address?.postal_code ?? null,
    address_zip_check: card.checks?.address_postal_code_check ?? null,
    allow_redisplay: row.allow_redisplay ?? 'unspecified',
    brand: BRANDS[card.brand] ?? 'Unknown',
    country: card.country,
    // Of one that stands behind a token nobody is told.
    ...(customer === null ? {} : { customer }),
    cvc_check: card.checks?.cvc_check ?? null,
    dynamic_last4: null,
    exp_month: card.exp_month,
    exp_year: card.exp_year,
    fingerprint: card.fingerprint ?? null,
    funding: card.funding,
    last4: card.last4,
    metadata: labels ?? {},
    name: holder.name,
    regulated_status: card.regulated_status,
    tokenization_method: null,
    wallet: null,
  }
}

export const cardExpansions: Expansions = {
  card: { customer: (world, row) => expandedCustomer(world, row.customer) },
}
