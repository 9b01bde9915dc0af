import { gap, invalid, missing, StripeError } from '../errors.ts'
import {
  clearable,
  gaps,
  integer,
  metadata,
  oneOf,
  type Params,
  playedOf,
  required,
  shape,
  text,
} from '../http/schema.ts'
import type { PaymentMethodRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import { isUnplayed } from '../rules/plain-cards.ts'
import { accountOfToken, type TestAccount, UNPLAYED_TYPES } from '../rules/test-accounts.ts'
import {
  type CardBehavior,
  cardOfNumber,
  cardOfToken,
  declineMessage,
  nameOfToken,
  type TestCard,
} from '../rules/test-cards.ts'
import type { World } from '../world.ts'

const billingAddress = shape({
  city: text(),
  country: text(),
  line1: text(),
  line2: text(),
  postal_code: text(),
  state: text(),
})
export const billingDetails = shape({
  address: clearable(billingAddress),
  email: clearable(text()),
  name: clearable(text()),
  phone: clearable(text()),
  ...gaps('tax_id'),
})

export const ALLOW_REDISPLAY = ['always', 'limited', 'unspecified'] as const

export const methodFields = {
  type: required(playedOf(['card'] as const, ['us_bank_account', ...UNPLAYED_TYPES])),
  allow_redisplay: oneOf(ALLOW_REDISPLAY),
  card: shape({
    number: text(),
    exp_month: integer({ min: 1, max: 12 }),
    exp_year: integer(),
    cvc: text(),
    token: text(),
    ...gaps('networks'),
  }),
  billing_details: billingDetails,
  metadata,
  ...gaps('radar_options'),
}

/** A method that is made where it is used: `payment_method_data` of intents. */
export const methodData = shape(methodFields)

export function newMethod(
  world: World,
  { card, ...given }: Params<typeof methodFields>,
  prefix: string,
): PaymentMethodRow {
  const param = (name: string) => (prefix === '' ? name : `${prefix}[${name}]`)
  if (card === undefined) {
    throw invalid(`Missing required param: ${param('card')}.`, param('card'), 'parameter_missing')
  }
  const known =
    card.token === undefined ? cardNumbered(card.number) : cardNamed(card.token, `${param('card')}[token]`)
  return createMethod(world, known, {
    allow_redisplay: given.allow_redisplay ?? 'unspecified',
    metadata: mergeMetadata({}, given.metadata),
    billing_details: {
      ...blankDetails,
      ...given.billing_details,
    } as PaymentMethodRow['billing_details'],
  })
}

const blankDetails = { address: null, email: null, name: null, phone: null, tax_id: null }

/** The method of an id; a `pm_card_*` token makes a new one at each use. */
export function useMethod(world: World, id: string, param?: string): PaymentMethodRow {
  const account = accountOfToken(id)
  if (account !== undefined) return createAccount(world, account)
  if (id.startsWith('pm_card_')) return createMethod(world, cardNamed(id, param ?? 'payment_method'))
  const method = world.paymentMethods.get(id)
  if (method === undefined) {
    // Even in a path, an unknown method is reported as `payment_method`.
    const refused = missing('PaymentMethod', id, param ?? 'payment_method')
    throw param === undefined ? new StripeError(404, refused.body) : refused
  }
  return method
}

function cardNamed(token: string, param: string): TestCard {
  const card = cardOfToken(token)
  if (card !== undefined) return card
  if (isUnplayed(nameOfToken(token))) throw gap(`the test card ${token}`, param)
  throw missing(token.startsWith('tok_') ? 'token' : 'PaymentMethod', token, param)
}

function cardNumbered(given: string | undefined): TestCard {
  const number = given?.replaceAll(' ', '') ?? ''
  const card = cardOfNumber(number)
  if (card !== undefined) return card
  if (isUnplayed(number)) throw gap(`the test card ${number}`, 'number')
  throw new StripeError(402, {
    type: 'card_error',
    code: 'incorrect_number',
    message: declineMessage('incorrect_number', null),
    param: 'number',
  })
}

function createMethod(world: World, card: TestCard, given: Partial<PaymentMethodRow> = {}): PaymentMethodRow {
  const now = world.now(null)
  return world.paymentMethods.insert({
    id: world.ids.next('pm'),
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: blankDetails,
    card: {
      brand: card.brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: card.country,
      display_brand: card.brand,
      exp_month: 12,
      exp_year: new Date(now * 1000).getUTCFullYear() + 3,
      fingerprint: `fp${card.number.slice(-10)}`,
      funding: card.funding,
      generated_from: null,
      last4: card.number.slice(-4),
      networks: { available: [card.brand], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
    created: now,
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: 'card',
    ...given,
    own: { clock: null, behavior: JSON.stringify(card.behavior), setUp: false, detached: false },
  })
}

/** A bank account that was verified at once. https://docs.stripe.com/payments/ach-direct-debit */
function createAccount(world: World, { number, failure }: TestAccount): PaymentMethodRow {
  const behavior: CardBehavior = { on: 'debits', failure }
  return world.paymentMethods.insert({
    id: world.ids.next('pm'),
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: { ...blankDetails, name: 'Jenny Rosen' },
    created: world.now(null),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: 'us_bank_account',
    us_bank_account: {
      account_holder_type: 'individual',
      account_type: 'checking',
      bank_name: 'STRIPE TEST BANK',
      financial_connections_account: null,
      fingerprint: `fp${number.slice(-10)}`,
      last4: number.slice(-4),
      networks: { preferred: 'ach', supported: ['ach'] },
      routing_number: '110000000',
      status_details: null,
    },
    own: { clock: null, behavior: JSON.stringify(behavior), setUp: true, detached: false },
  })
}

/** The same, for a payment of this customer: what is detached or another's is refused. */
export function methodOf(world: World, id: string, customer: string | null): PaymentMethodRow {
  const method = useMethod(world, id, 'payment_method')
  refuseDetached(method)
  if (method.customer !== null && method.customer !== customer) {
    throw invalid(
      'The provided PaymentMethod cannot be attached. To reuse a PaymentMethod, you must attach it to a Customer first.',
      'payment_method',
    )
  }
  return method
}

/** Detaching is final. https://docs.stripe.com/api/payment_methods/detach */
export function refuseDetached(method: PaymentMethodRow): void {
  if (method.own.detached) {
    throw invalid(
      'The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.',
    )
  }
}
