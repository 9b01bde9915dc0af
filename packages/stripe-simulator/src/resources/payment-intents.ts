import { cancelAttached, creditAttached } from '../billing/attach-payment.ts'
import { captureIntent } from '../billing/charges.ts'
import { confirmWith } from '../billing/confirm.ts'
import { cancelIntent, createIntent } from '../billing/payments.ts'
import { refuseTooLarge, refuseUnchargeable } from '../billing/refuse-unchargeable.ts'
import { unexpectedPayment } from '../billing/unexpected-state.ts'
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
import { automaticParam, formerTypes, refuseNoReturn, takenMethods } from './automatic-methods.ts'
import { currency } from './currency-param.ts'
import { email } from './email-param.ts'
import { findAs, liveCustomer } from './lookup.ts'
import { methodData, methodOf, newMethod } from './make-method.ts'
import { methodType } from './method-type.ts'

const URL = '/v1/payment_intents'

const FUTURE_USE = ['off_session', 'on_session'] as const
const CAPTURE_METHODS = ['automatic', 'automatic_async', 'manual'] as const

/** What can be said at creation, on an update and on confirming. */
const sharedFields = {
  payment_method: text(),
  payment_method_data: methodData,
  receipt_email: clearable(email()),
  setup_future_usage: clearable(oneOf(FUTURE_USE)),
  capture_method: oneOf(CAPTURE_METHODS),
  ...formerTypes,
}

const unsupportedFields = gaps(
  'amount_details',
  'application_fee_amount',
  'confirmation_token',
  'mandate',
  'mandate_data',
  'on_behalf_of',
  'payment_method_options',
  'radar_options',
  'source',
  'shipping',
  'transfer_data',
  'transfer_group',
)

/** https://docs.stripe.com/api/payment_intents */
export const paymentIntentRoutes = [
  post(
    URL,
    shape({
      ...sharedFields,
      amount: required(integer({ min: 1 })),
      currency: required(currency),
      customer: text(),
      allowed_payment_method_types: list(methodType),
      automatic_payment_methods: automaticParam,
      confirm: bool,
      confirmation_method: oneOf(['automatic', 'manual'] as const),
      off_session: bool,
      description: text(),
      metadata,
      return_url: text(),
      statement_descriptor: text(22),
      statement_descriptor_suffix: text(22),
      ...unsupportedFields,
    }),
    ({ world, params }) => {
      refuseOutOfRange(params.amount, params.currency)
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
        captureMethod: params.capture_method,
      })
      world.paymentIntents.patch(intent.id, {
        ...takenMethods(params),
        ...(params.confirmation_method === undefined
          ? {}
          : { confirmation_method: params.confirmation_method }),
        receipt_email: params.receipt_email ?? null,
        statement_descriptor: params.statement_descriptor ?? null,
        statement_descriptor_suffix: params.statement_descriptor_suffix ?? null,
      })
      nameMethod(world, intent.id, params)
      if (params.confirm !== true) return world.render(world.paymentIntents.must(intent.id))
      return world.render(
        confirmWith(world, intent.id, {
          check: refuseNoReturn,
          offSession: params.off_session ?? false,
          returnUrl: params.return_url,
        }),
      )
    },
  ),
  get(`${URL}/:id`, shape({ client_secret: text() }), ({ world, path }) =>
    world.render(findAs('intent', world.paymentIntents, 'payment_intent', path())),
  ),
  post(
    `${URL}/:id`,
    shape({
      ...sharedFields,
      amount: integer({ min: 1 }),
      currency,
      customer: text(),
      description: clearable(text()),
      metadata,
      statement_descriptor: text(22),
      statement_descriptor_suffix: text(22),
      ...unsupportedFields,
    }),
    ({ world, params, path }) => {
      const intent = findAs('intent', world.paymentIntents, 'payment_intent', path())
      const { metadata: labels, payment_method: _method, payment_method_data: _data, ...changes } = params
      refuseChange(world, intent, changes)
      nameMethod(world, intent.id, params)
      const next = world.paymentIntents.patch(intent.id, {
        ...defined(changes),
        metadata: mergeMetadata(intent.metadata, labels),
      })
      return world.render(next)
    },
  ),
  post(
    `${URL}/:id/confirm`,
    shape({ ...sharedFields, off_session: bool, return_url: text(), ...unsupportedFields }),
    ({ world, params, path }) => {
      const intent = findAs('intent', world.paymentIntents, 'payment_intent', path())
      const { receipt_email, setup_future_usage, capture_method } = params
      nameMethod(world, intent.id, params)
      world.paymentIntents.patch(intent.id, defined({ receipt_email, setup_future_usage, capture_method }))
      return world.render(
        confirmWith(world, intent.id, {
          check: refuseNoReturn,
          offSession: params.off_session ?? false,
          returnUrl: params.return_url,
        }),
      )
    },
  ),
  post(
    `${URL}/:id/capture`,
    shape({
      amount_to_capture: integer({ min: 1 }),
      metadata,
      statement_descriptor: text(22),
      statement_descriptor_suffix: text(22),
      ...gaps(
        'amount_details',
        'application_fee_amount',
        'final_capture',
        'payment_details',
        'transfer_data',
      ),
    }),
    ({ world, params, path }) => {
      const intent = findAs('intent', world.paymentIntents, 'payment_intent', path())
      if (params.metadata !== undefined) {
        world.paymentIntents.patch(intent.id, { metadata: mergeMetadata(intent.metadata, params.metadata) })
      }
      const paid = captureIntent(world, intent.id, params.amount_to_capture)
      creditAttached(world, paid)
      return world.render(paid)
    },
  ),
  post(
    `${URL}/:id/cancel`,
    shape({
      cancellation_reason: oneOf(['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer'] as const),
    }),
    ({ world, params, path }) => {
      const intent = findAs('intent', world.paymentIntents, 'payment_intent', path())
      if (intent.status === 'succeeded' || intent.status === 'canceled') {
        throw unexpectedPayment(
          world,
          intent,
          `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_reauthorization, requires_confirmation, requires_action, expired, processing.`,
        )
      }
      if (intent.own.invoice !== null) {
        throw unexpectedPayment(
          world,
          intent,
          `You cannot cancel this PaymentIntent because it has a status of ${intent.status} and belongs to an invoice.`,
        )
      }
      cancelIntent(world, intent.id, params.cancellation_reason ?? null)
      cancelAttached(world, intent)
      return world.render(world.paymentIntents.must(intent.id))
    },
  ),
  get(
    URL,
    shape({ ...paging, created: range, customer: text(), ...gaps('customer_account') }),
    ({ world, params }) =>
      page(world.paymentIntents, params, {
        noun: 'payment_intent',
        url: URL,
        where: params.customer === undefined ? null : { index: 'customer', key: params.customer },
        matches: (row) => inRange(row.created, params.created),
        render: (row) => world.render(row),
      }),
  ),
]

function refuseOutOfRange(amount: number, of: string): void {
  refuseTooLarge(String(amount), of, 'amount')
  if (amount >= minimumCharge(of)) return
  throw invalid(
    `Amount must be at least ${minimumCharge(of)} in the minor unit of ${of}.`,
    'amount',
    'amount_too_small',
  )
}

/** Before an intent is confirmed all of it may change; afterwards only what does not move money. */
function refuseChange(
  world: World,
  intent: PaymentIntentRow,
  changes: { amount?: number | undefined; currency?: string | undefined; customer?: string | undefined },
): void {
  if (changes.customer !== undefined) liveCustomer(world, changes.customer, 'customer')
  const { amount = intent.amount, currency: next = intent.currency } = changes
  if (changes.amount !== undefined) refuseOutOfRange(amount, next)
  refuseUnchargeable(amount, next)
  const moving = (['amount', 'currency', 'customer'] as const).find((name) => changes[name] !== undefined)
  if (moving === undefined) return
  const open = ['requires_payment_method', 'requires_confirmation', 'requires_action'].includes(intent.status)
  if (intent.own.invoice === null && open) return
  throw unexpectedPayment(
    world,
    intent,
    `This PaymentIntent's ${moving} could not be updated because it has a status of ${intent.status}${intent.own.invoice === null ? '' : ' and belongs to an invoice'}.`,
    moving,
  )
}

interface MethodGiven {
  payment_method?: string | undefined
  payment_method_data?: Parameters<typeof newMethod>[1] | undefined
}

/** The method that is meant: one that there is, or one that is made of what was sent. */
function nameMethod(world: World, id: string, given: MethodGiven): void {
  const { payment_method: named, payment_method_data: data } = given
  if (named !== undefined && data !== undefined) {
    throw invalid(
      'You may only specify one of these parameters: payment_method, payment_method_data.',
      'payment_method',
    )
  }
  if (named !== undefined) setMethod(world, id, named)
  if (data !== undefined) setMethod(world, id, newMethod(world, data, 'payment_method_data').id)
}

/** Names the method that the intent is to be confirmed with. */
function setMethod(world: World, id: string, token: string): PaymentIntentRow {
  const intent = world.paymentIntents.must(id)
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    throw unexpectedPayment(
      world,
      intent,
      `You cannot set the payment method of a PaymentIntent that has a status of ${intent.status}.`,
      'payment_method',
    )
  }
  const method = methodOf(world, token, intent.customer as string | null)
  if (method.type === 'us_bank_account' && intent.currency !== 'usd') {
    throw invalid('US bank accounts pay in usd only.', 'payment_method')
  }
  return world.paymentIntents.patch(id, { payment_method: method.id, status: 'requires_confirmation' })
}
