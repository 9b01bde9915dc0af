import { confirmWith } from '../billing/confirm.ts'
import { cancelIntent, createIntent } from '../billing/payments.ts'
import { invalid } from '../errors.ts'
import { inRange, page, paging } from '../http/list.ts'
import { get, post } from '../http/route.ts'
import {
  bool,
  clearable,
  gaps,
  integer,
  list,
  metadata,
  oneOf,
  range,
  required,
  shape,
  text,
} from '../http/schema.ts'
import type { PaymentIntentRow } from '../rows.ts'
import { minimumCharge } from '../rules/currency.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { find, liveCustomer } from './lookup.ts'
import { useMethod } from './payment-methods.ts'
import { currency } from './price-fields.ts'

const URL = '/v1/payment_intents'

const unsupportedFields = gaps(
  'amount_details',
  'application_fee_amount',
  'confirmation_token',
  'mandate',
  'mandate_data',
  'on_behalf_of',
  'payment_method_data',
  'payment_method_options',
  'radar_options',
  'receipt_email',
  'shipping',
  'statement_descriptor',
  'statement_descriptor_suffix',
  'transfer_data',
  'transfer_group',
)

export const paymentIntentRoutes = [
  post(
    URL,
    shape({
      amount: required(integer({ min: 1, max: 99_999_999 })),
      currency: required(currency),
      customer: text(),
      payment_method: text(),
      allowed_payment_method_types: list(oneOf(['card'] as const)),
      automatic_payment_methods: shape({
        enabled: required(bool),
        allow_redirects: oneOf(['always', 'never'] as const),
      }),
      confirm: bool,
      off_session: bool,
      description: text(),
      metadata,
      return_url: text(),
      setup_future_usage: oneOf(['off_session', 'on_session'] as const),
      capture_method: oneOf(['automatic', 'automatic_async'] as const),
      ...unsupportedFields,
    }),
    ({ world, params }) => {
      if (params.amount < minimumCharge(params.currency)) {
        throw invalid(
          `Amount must be at least ${minimumCharge(params.currency)} in the minor unit of ${params.currency}.`,
          'amount',
          'amount_too_small',
        )
      }
      const customer = params.customer === undefined ? null : liveCustomer(world, params.customer, 'customer')
      const intent = createIntent(world, {
        amount: params.amount,
        currency: params.currency,
        customer: customer?.id ?? null,
        clock: customer?.own.clock ?? null,
        invoice: null,
        description: params.description ?? null,
        metadata: mergeMetadata({}, params.metadata),
        setupFutureUsage: params.setup_future_usage ?? null,
      })
      world.paymentIntents.patch(intent.id, {
        allowed_payment_method_types: params.allowed_payment_method_types ?? null,
        ...(params.capture_method === undefined ? {} : { capture_method: params.capture_method }),
        automatic_payment_methods:
          params.automatic_payment_methods === undefined
            ? null
            : { allow_redirects: 'always', ...defined(params.automatic_payment_methods) },
      })
      if (params.payment_method !== undefined) setMethod(world, intent.id, params.payment_method)
      if (params.confirm !== true) return world.render(world.paymentIntents.must(intent.id))
      return world.render(
        confirmWith(world, intent.id, {
          offSession: params.off_session ?? false,
          returnUrl: params.return_url,
        }),
      )
    },
  ),
  get(`${URL}/:id`, shape({ client_secret: text() }), ({ world, path }) =>
    world.render(find(world.paymentIntents, 'payment_intent', path())),
  ),
  post(
    `${URL}/:id`,
    shape({
      description: clearable(text()),
      metadata,
      payment_method: text(),
      ...gaps('amount', 'currency', 'customer', 'setup_future_usage'),
      ...unsupportedFields,
    }),
    ({ world, params, path }) => {
      const intent = find(world.paymentIntents, 'payment_intent', path())
      if (params.payment_method !== undefined) setMethod(world, intent.id, params.payment_method)
      const next = world.paymentIntents.patch(intent.id, {
        metadata: mergeMetadata(intent.metadata, params.metadata),
        ...(params.description === undefined ? {} : { description: params.description }),
      })
      return world.render(next)
    },
  ),
  post(
    `${URL}/:id/confirm`,
    shape({
      payment_method: text(),
      off_session: bool,
      return_url: text(),
      ...gaps('setup_future_usage', 'capture_method'),
      ...unsupportedFields,
    }),
    ({ world, params, path }) => {
      const intent = find(world.paymentIntents, 'payment_intent', path())
      if (params.payment_method !== undefined) setMethod(world, intent.id, params.payment_method)
      return world.render(
        confirmWith(world, intent.id, {
          offSession: params.off_session ?? false,
          returnUrl: params.return_url,
        }),
      )
    },
  ),
  post(
    `${URL}/:id/cancel`,
    shape({
      cancellation_reason: oneOf(['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer'] as const),
    }),
    ({ world, params, path }) => {
      const intent = find(world.paymentIntents, 'payment_intent', path())
      if (intent.status === 'succeeded' || intent.status === 'canceled' || intent.own.invoice !== null) {
        throw invalid(
          `You cannot cancel this PaymentIntent because it has a status of ${intent.status}${intent.own.invoice === null ? '' : ' and belongs to an invoice'}.`,
          undefined,
          'payment_intent_unexpected_state',
        )
      }
      cancelIntent(world, intent.id, params.cancellation_reason ?? null)
      return world.render(world.paymentIntents.must(intent.id))
    },
  ),
  get(
    URL,
    shape({ ...paging, created: range, customer: text(), ...gaps('customer_account') }),
    ({ world, params }) =>
      page(world.paymentIntents, params, {
        url: URL,
        where: params.customer === undefined ? null : { index: 'customer', key: params.customer },
        matches: (row) => inRange(row.created, params.created),
        render: (row) => world.render(row),
      }),
  ),
]

/** Names the method that the intent is to be confirmed with. */
function setMethod(world: World, id: string, token: string): PaymentIntentRow {
  const intent = world.paymentIntents.must(id)
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    throw invalid(
      `You cannot set the payment method of a PaymentIntent that has a status of ${intent.status}.`,
      'payment_method',
      'payment_intent_unexpected_state',
    )
  }
  const method = useMethod(world, token, 'payment_method')
  if (method.customer !== null && method.customer !== intent.customer) {
    throw invalid(
      'The provided PaymentMethod cannot be attached. To reuse a PaymentMethod, you must attach it to a Customer first.',
      'payment_method',
    )
  }
  return world.paymentIntents.patch(id, { payment_method: method.id, status: 'requires_confirmation' })
}
