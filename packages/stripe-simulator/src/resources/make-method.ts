import { isCard } from '../billing/methods.ts'
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
import { type CardFault, faultOf, fullYear, saidOf } from '../rules/card-data.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import { isUnplayed } from '../rules/plain-cards.ts'
import { accountOfToken, type TestAccount, UNPLAYED_TYPES } from '../rules/test-accounts.ts'
import {
  type CardBehavior,
  cardOfNumber,
  cardOfToken,
  nameOfToken,
  type TestCard,
} from '../rules/test-cards.ts'
import { whole } from '../rules/whole-address.ts'
import type { World } from '../world.ts'
import { address } from './address-param.ts'
import { email } from './email-param.ts'

export const billingDetails = shape({
  address: clearable(address),
  email: clearable(email()),
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
    exp_month: integer(),
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
  const { token } = card
  const own = {
    allow_redisplay: given.allow_redisplay ?? 'unspecified',
    metadata: mergeMetadata({}, given.metadata),
  }
  const details = (before: PaymentMethodRow['billing_details']) => ({
    billing_details: detailsWith(before, given.billing_details),
  })
  if (token === undefined) {
    const [known, printed] = cardReadOut(world, card, param('card'))
    return createMethod(world, known, printed, { ...own, ...details(blankDetails) })
  }
  const spent = spendToken(world, token)
  if (spent === undefined) {
    const known = cardNamed(token, `${param('card')}[token]`)
    return createMethod(world, known, undefined, { ...own, ...details(blankDetails) })
  }
  return world.paymentMethods.insert({
    ...spent,
    ...own,
    ...details(spent.billing_details),
    id: world.ids.next('pm'),
    created: world.now(null),
  })
}

/** The card of a token that was made here and can be used once; undefined of one that Stripe lends for tests. */
export function spendToken(world: World, id: string): PaymentMethodRow | undefined {
  const token = world.tokens.get(id)
  if (token === undefined) return undefined
  // https://docs.stripe.com/error-codes#token-already-used
  if (token.used) {
    throw invalid(`You cannot use a Stripe token more than once: ${id}.`, undefined, 'token_already_used')
  }
  world.tokens.patch(id, { used: true })
  return world.paymentMethods.must(token.own.card)
}

/** A card for the older way of keeping one: of a test token, or as its holder reads it out. */
export function createCard(
  world: World,
  from: { readonly token: string } | CardReadOut,
  param: string,
  given: Partial<PaymentMethodRow> = {},
): PaymentMethodRow {
  if ('token' in from) return createMethod(world, cardNamed(from.token, param), undefined, given, 'card')
  const [known, details] = cardReadOut(world, from, param)
  return createMethod(world, known, details, given, 'card')
}

export const blankDetails = { address: whole({}), email: null, name: null, phone: null, tax_id: null }

/** An address that is not known is there all the same, and so is every line of it. */
export function detailsWith(
  before: PaymentMethodRow['billing_details'],
  given: Params<{ billing_details: typeof billingDetails }>['billing_details'],
): PaymentMethodRow['billing_details'] {
  const { address, ...rest } = given ?? {}
  return {
    ...before,
    ...defined(rest),
    ...(address === undefined ? {} : { address: address ?? whole({}) }),
  }
}

/** A card that belongs to no customer is no method: it waits behind its token, or was deleted. */
export function findMethod(world: World, id: string): PaymentMethodRow | undefined {
  const method = world.paymentMethods.get(id)
  return method !== undefined && isCard(method) && method.customer === null ? undefined : method
}

/** The method of an id; a `pm_card_*` token makes a new one at each use. */
export function useMethod(world: World, id: string, param?: string): PaymentMethodRow {
  const account = accountOfToken(id)
  if (account !== undefined) return createAccount(world, account)
  if (id.startsWith('pm_card_')) return createMethod(world, cardNamed(id, param ?? 'payment_method'))
  const method = findMethod(world, id)
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

interface CardReadOut {
  readonly number?: string | undefined
  readonly exp_month?: number | undefined
  readonly exp_year?: number | undefined
  readonly cvc?: string | undefined
}

/** A card by its number, with what its holder says of it. */
function cardReadOut(world: World, card: CardReadOut, param: string): readonly [TestCard, CardDetails] {
  const { number: written, exp_month: month, exp_year: year, cvc } = card
  if (written === undefined) throw incomplete(`${param}[number]`)
  if (month === undefined) throw incomplete(`${param}[exp_month]`)
  if (year === undefined) throw incomplete(`${param}[exp_year]`)
  const number = written.replaceAll(' ', '')
  const now = world.now(null)
  const fault = faultOf({ number, exp_month: month, exp_year: year, cvc }, now)
  if (fault !== null) throw faulty(fault)
  const known = cardOfNumber(number)
  if (known !== undefined) return [known, { month, year: fullYear(year, now), hasCvc: cvc !== undefined }]
  if (isUnplayed(number)) throw gap(`the test card ${number}`, 'number')
  // https://docs.stripe.com/declines/codes
  throw new StripeError(402, {
    type: 'card_error',
    code: 'card_declined',
    decline_code: 'test_mode_live_card',
    message:
      'Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing.',
    param: '',
  })
}

function incomplete(param: string): StripeError {
  return invalid(`The payment method \`card\` requires the parameter: ${param}.`, param, 'parameter_missing')
}

export function faulty(fault: CardFault): StripeError {
  return new StripeError(402, { type: 'card_error', code: fault, ...saidOf(fault) })
}

interface CardDetails {
  readonly month: number
  readonly year: number
  readonly hasCvc: boolean
}

function createMethod(
  world: World,
  card: TestCard,
  details?: CardDetails,
  given: Partial<PaymentMethodRow> = {},
  kind: 'pm' | 'card' = 'pm',
): PaymentMethodRow {
  const now = world.now(null)
  const today = new Date(now * 1000)
  // A test token's card is good for a year, as recorded in 2019, 2024, 2025 and 2026.
  const { month, year, hasCvc } = details ?? {
    month: today.getUTCMonth() + 1,
    year: today.getUTCFullYear() + 1,
    hasCvc: true,
  }
  const { line1, postal_code: zip } = given.billing_details?.address ?? {}
  return world.paymentMethods.insert({
    id: world.ids.next(kind),
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: blankDetails,
    card: {
      brand: card.brand,
      checks: {
        address_line1_check: line1 == null ? null : 'unchecked',
        address_postal_code_check: zip == null ? null : 'unchecked',
        cvc_check: hasCvc ? 'unchecked' : null,
      },
      country: card.country,
      display_brand: card.brand,
      exp_month: month,
      exp_year: year,
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
