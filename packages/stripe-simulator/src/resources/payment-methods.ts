import type Stripe from 'stripe'
import { invalid, missing, StripeError } from '../errors.ts'
import { pageOf, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import {
  clearable,
  gaps,
  integer,
  metadata,
  oneOf,
  type Params,
  required,
  shape,
  text,
} from '../http/schema.ts'
import type { PaymentMethodRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import { accountOfToken, METHOD_TYPES, type TestAccount } from '../rules/test-accounts.ts'
import {
  type CardBehavior,
  cardOfNumber,
  cardOfToken,
  declineMessage,
  type TestCard,
} from '../rules/test-cards.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { find, liveCustomer } from './lookup.ts'

const URL = '/v1/payment_methods'

const billingAddress = shape({
  city: text(),
  country: text(),
  line1: text(),
  line2: text(),
  postal_code: text(),
  state: text(),
})
const billingDetails = shape({
  address: clearable(billingAddress),
  email: clearable(text()),
  name: clearable(text()),
  phone: clearable(text()),
  ...gaps('tax_id'),
})

const ALLOW_REDISPLAY = ['always', 'limited', 'unspecified'] as const

const methodFields = {
  type: required(oneOf(['card'] as const)),
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

export const paymentMethodRoutes = [
  post(URL, shape({ ...methodFields, ...gaps('customer', 'payment_method') }), ({ world, params }) =>
    world.render(newMethod(world, params, '')),
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) =>
    world.render(find(world.paymentMethods, 'PaymentMethod', path())),
  ),
  post(
    `${URL}/:id`,
    shape({
      metadata,
      billing_details: billingDetails,
      allow_redisplay: oneOf(ALLOW_REDISPLAY),
      card: shape({ exp_month: integer({ min: 1, max: 12 }), exp_year: integer(), ...gaps('networks') }),
    }),
    ({ world, params, path }) => {
      const method = find(world.paymentMethods, 'PaymentMethod', path())
      const next = world.paymentMethods.patch(method.id, {
        metadata: mergeMetadata(method.metadata ?? {}, params.metadata),
        billing_details: {
          ...method.billing_details,
          ...params.billing_details,
        } as PaymentMethodRow['billing_details'],
        ...defined({ allow_redisplay: params.allow_redisplay }),
        ...(params.card === undefined ? {} : { card: { ...method.card, ...defined(params.card) } }),
      } as Partial<PaymentMethodRow>)
      world.emit('payment_method.updated', next)
      return world.render(next)
    },
  ),
  get(
    URL,
    shape({
      ...paging,
      customer: text(),
      type: oneOf(METHOD_TYPES),
      allow_redisplay: oneOf(ALLOW_REDISPLAY),
    }),
    ({ world, params }) => {
      if (params.customer === undefined) {
        throw invalid('Missing required param: customer.', 'customer', 'parameter_missing')
      }
      const customer = liveCustomer(world, params.customer, 'customer')
      const methods = world.paymentMethods
        .by('customer', customer.id)
        .filter((row) => (params.type ?? row.type) === row.type)
        .filter((row) => (params.allow_redisplay ?? row.allow_redisplay) === row.allow_redisplay)
        .reverse()
      return pageOf(methods, params, URL, (row) => world.render(row))
    },
  ),
  post(`${URL}/:id/attach`, shape({ customer: required(text()) }), ({ world, params, path }) => {
    const method = useMethod(world, path())
    const customer = liveCustomer(world, params.customer, 'customer')
    return world.render(attachMethod(world, method.id, customer.id))
  }),
  post(`${URL}/:id/detach`, nothing, ({ world, path }) => {
    const method = find(world.paymentMethods, 'PaymentMethod', path())
    if (method.customer === null) {
      throw invalid(
        'The payment method you provided is not attached to a customer so detachment is impossible.',
        'payment_method',
      )
    }
    return world.render(detachMethod(world, method))
  }),
]

const blankDetails = { address: null, email: null, name: null, phone: null, tax_id: null }

/** The method of an id; a `pm_card_*` token makes a new one at each use. */
export function useMethod(world: World, id: string, param?: string): PaymentMethodRow {
  const account = accountOfToken(id)
  if (account !== undefined) return createAccount(world, account)
  if (id.startsWith('pm_card_')) return createMethod(world, cardNamed(id, param ?? 'payment_method'))
  const method = world.paymentMethods.get(id)
  if (method === undefined) {
    // Even in a path, an unknown method is reported as `payment_method`.
    throw new StripeError(
      param === undefined ? 404 : 400,
      missing('PaymentMethod', id, 'payment_method').body,
    )
  }
  return method
}

function cardNamed(token: string, param: string): TestCard {
  const card = cardOfToken(token)
  if (card !== undefined) return card
  throw missing(token.startsWith('tok_') ? 'token' : 'PaymentMethod', token, param)
}

function cardNumbered(number: string | undefined): TestCard {
  const card = cardOfNumber(number ?? '')
  if (card !== undefined) return card
  throw new StripeError(402, {
    type: 'card_error',
    code: 'incorrect_number',
    message: declineMessage('incorrect_number', null),
    param: 'number',
  })
}

/** Attaching checks the card with the bank, so a card that declines cannot be attached. */
export function attachMethod(world: World, id: string, customerId: string): PaymentMethodRow {
  const method = world.paymentMethods.must(id)
  const customer = world.customers.must(customerId)
  if (method.own.detached) {
    throw invalid(
      'The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.',
    )
  }
  if (method.customer === customerId) return method
  if (method.customer !== null) {
    throw invalid('The payment method you provided has already been attached to a customer.')
  }
  const behavior = JSON.parse(method.own.behavior) as { on: string; code: string; declineCode: string | null }
  if (behavior.on === 'declines') {
    throw new StripeError(402, {
      type: 'card_error',
      code: behavior.code,
      message: declineMessage(behavior.code, behavior.declineCode),
      param: '',
      ...(behavior.declineCode === null ? {} : { decline_code: behavior.declineCode }),
    })
  }
  const attached = world.paymentMethods.patch(id, {
    customer: customerId,
    own: { ...method.own, clock: customer.own.clock },
  })
  world.emit('payment_method.attached', attached)
  return attached
}

/** Final: a detached method can never be used again. It stops being anybody's default. */
function detachMethod(world: World, method: PaymentMethodRow): PaymentMethodRow {
  const customer = world.customers.must(method.customer)
  const detached = world.paymentMethods.patch(method.id, {
    customer: null,
    own: { ...method.own, detached: true },
  })
  if (customer.invoice_settings.default_payment_method === method.id) {
    const settings = { ...customer.invoice_settings, default_payment_method: null }
    world.emit('customer.updated', world.customers.patch(customer.id, { invoice_settings: settings }))
  }
  for (const subscription of world.subscriptions.by('customer', customer.id)) {
    if (subscription.default_payment_method !== method.id) continue
    world.emit(
      'customer.subscription.updated',
      world.subscriptions.patch(subscription.id, { default_payment_method: null }),
    )
  }
  world.emit('payment_method.detached', detached)
  return detached
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
      country: 'US',
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

export function renderPaymentMethod(
  _world: World,
  { own: _own, ...method }: PaymentMethodRow,
): Shown<Stripe.PaymentMethod> {
  return method
}
