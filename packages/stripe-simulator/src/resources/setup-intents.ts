import { confirmSetup } from '../billing/confirm.ts'
import { unexpectedSetup } from '../billing/unexpected-state.ts'
import { StripeError } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, paging } from '../http/list.ts'
import { get, post } from '../http/route.ts'
import {
  bool,
  clearable,
  gaps,
  list,
  type MetadataParam,
  metadata,
  oneOf,
  range,
  shape,
  text,
} from '../http/schema.ts'
import type { PaymentMethodRow, SetupIntentRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import { METHOD_TYPES } from '../rules/test-accounts.ts'
import type { World } from '../world.ts'
import { automaticParam, formerTypes, refuseNoReturn, takenMethods } from './automatic-methods.ts'
import { expandedCustomer } from './expanded.ts'
import { findAs, liveCustomer } from './lookup.ts'
import { methodData, methodOf, newMethod } from './make-method.ts'
import { methodType } from './method-type.ts'

const URL = '/v1/setup_intents'

const unsupportedFields = gaps(
  'attach_to_self',
  'confirmation_token',
  'flow_directions',
  'mandate_data',
  'on_behalf_of',
  'payment_method_options',
  'single_use',
)

export const setupIntentRoutes = [
  post(
    URL,
    shape({
      customer: text(),
      payment_method: text(),
      payment_method_data: methodData,
      allowed_payment_method_types: list(methodType),
      automatic_payment_methods: automaticParam,
      ...formerTypes,
      confirm: bool,
      description: text(),
      metadata,
      return_url: text(),
      usage: oneOf(['off_session', 'on_session'] as const),
      ...unsupportedFields,
    }),
    ({ world, params }) => {
      const { id } = insertSetup(world, params)
      const intent = world.setupIntents.patch(id, takenMethods(params))
      nameMethod(world, intent, params)
      world.emit('setup_intent.created', world.setupIntents.must(id))
      return world.render(
        params.confirm === true
          ? confirmSetup(world, id, false, params.return_url, refuseNoReturn)
          : world.setupIntents.must(id),
      )
    },
  ),
  get(`${URL}/:id`, shape({ client_secret: text() }), ({ world, path }) =>
    world.render(findAs('intent', world.setupIntents, 'setupintent', path())),
  ),
  post(
    `${URL}/:id`,
    shape({
      description: clearable(text()),
      metadata,
      payment_method: text(),
      payment_method_data: methodData,
      customer: text(),
      ...formerTypes,
      ...unsupportedFields,
    }),
    ({ world, params, path }) => {
      const found = findAs('intent', world.setupIntents, 'setupintent', path())
      const intent = params.customer === undefined ? found : setCustomer(world, found, params.customer)
      nameMethod(world, intent, params, { setup_intent: world.render(intent) })
      return world.render(
        world.setupIntents.patch(intent.id, {
          metadata: mergeMetadata(intent.metadata ?? {}, params.metadata),
          ...(params.description === undefined ? {} : { description: params.description }),
        }),
      )
    },
  ),
  post(
    `${URL}/:id/confirm`,
    shape({
      payment_method: text(),
      payment_method_data: methodData,
      return_url: text(),
      ...unsupportedFields,
    }),
    ({ world, params, path }) => {
      const intent = findAs('intent', world.setupIntents, 'setupintent', path())
      nameMethod(world, intent, params, { setup_intent: world.render(intent) })
      return world.render(confirmSetup(world, intent.id, false, params.return_url, refuseNoReturn))
    },
  ),
  post(
    `${URL}/:id/cancel`,
    shape({ cancellation_reason: oneOf(['abandoned', 'duplicate', 'requested_by_customer'] as const) }),
    ({ world, params, path }) => {
      const intent = findAs('intent', world.setupIntents, 'setupintent', path())
      if (intent.status === 'canceled') {
        throw unexpectedSetup(
          world,
          intent,
          'You cannot cancel this SetupIntent because it is already canceled.',
        )
      }
      if (intent.status === 'succeeded') {
        throw unexpectedSetup(
          world,
          intent,
          'You cannot cancel this SetupIntent because it has a status of succeeded. Only a SetupIntent with one of the following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, or `requires_action`.',
        )
      }
      const canceled = world.setupIntents.patch(intent.id, {
        status: 'canceled',
        cancellation_reason: params.cancellation_reason ?? null,
        next_action: null,
      })
      world.emit('setup_intent.canceled', canceled)
      return world.render(canceled)
    },
  ),
  get(
    URL,
    shape({
      ...paging,
      created: range,
      customer: text(),
      payment_method: text(),
      ...gaps('attach_to_self', 'customer_account'),
    }),
    ({ world, params }) =>
      page(world.setupIntents, params, {
        noun: 'setupintent',
        url: URL,
        where: params.customer === undefined ? null : { index: 'customer', key: params.customer },
        matches: (row) =>
          inRange(row.created, params.created) &&
          (params.payment_method === undefined || row.payment_method === params.payment_method),
        render: (row) => world.render(row),
      }),
  ),
]

/** Nothing asked for. As recorded: Kiln-AI/stripe_world tests/conformance/cassettes/10_setup_intents.json. */
const CARD_OPTIONS = {
  mandate_options: null,
  network: null,
  request_three_d_secure: 'automatic',
} as const

interface SetupOf {
  customer?: string | undefined
  allowed_payment_method_types?: string[] | undefined
  description?: string | undefined
  metadata?: MetadataParam | undefined
  usage?: 'off_session' | 'on_session' | undefined
}

function insertSetup(world: World, params: SetupOf): SetupIntentRow {
  const customer = params.customer === undefined ? null : liveCustomer(world, params.customer, 'customer')
  const clock = customer?.own.clock ?? null
  const id = world.ids.next('seti')
  return world.setupIntents.insert({
    id,
    object: 'setup_intent',
    allowed_payment_method_types: params.allowed_payment_method_types ?? null,
    application: null,
    automatic_payment_methods: null,
    cancellation_reason: null,
    client_secret: `${id}_secret_${world.ids.secret(25)}`,
    created: world.now(clock),
    customer: customer?.id ?? null,
    customer_account: null,
    description: params.description ?? null,
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    managed_payments: { enabled: false },
    mandate: null,
    metadata: mergeMetadata({}, params.metadata),
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: { card: CARD_OPTIONS },
    payment_method_types: [...METHOD_TYPES],
    single_use_mandate: null,
    status: 'requires_payment_method',
    usage: params.usage ?? 'off_session',
    own: { clock },
  })
}

/** A SetupIntent that a page will confirm. */
export function createSetup(world: World, params: SetupOf): SetupIntentRow {
  const intent = insertSetup(world, params)
  world.emit('setup_intent.created', intent)
  return intent
}

export const setupIntentExpansions: Expansions = {
  setup_intent: {
    customer: (world, row) => expandedCustomer(world, row.customer),
    payment_method: (world, row) =>
      row.payment_method === null
        ? null
        : world.render(world.paymentMethods.must(row.payment_method as string)),
  },
}

interface MethodGiven {
  payment_method?: string | undefined
  payment_method_data?: Parameters<typeof newMethod>[1] | undefined
}

/** `shown` is what a refusal carries: the intent, unless it is being made. */
function nameMethod(world: World, intent: SetupIntentRow, given: MethodGiven, shown: object = {}): void {
  const { payment_method: named, payment_method_data: data } = given
  if (named !== undefined) setMethod(world, intent, named, shown)
  if (data !== undefined) setMethod(world, intent, newMethod(world, data, 'payment_method_data').id, shown)
}

function setMethod(world: World, intent: SetupIntentRow, token: string, shown: object): void {
  refuseSucceeded(world, intent)
  refuseForeign(world.paymentMethods.get(token), intent.customer as string | null, shown)
  const method = methodOf(world, token, intent.customer as string | null)
  world.setupIntents.patch(intent.id, { payment_method: method.id, status: 'requires_confirmation' })
}

/** Whose the method becomes when it is set up. https://docs.stripe.com/api/setup_intents/update#update_setup_intent-customer */
function setCustomer(world: World, intent: SetupIntentRow, id: string): SetupIntentRow {
  refuseSucceeded(world, intent)
  const customer = liveCustomer(world, id, 'customer')
  refuseForeign(world.paymentMethods.get(intent.payment_method), customer.id, {
    setup_intent: world.render(intent),
  })
  return world.setupIntents.patch(intent.id, { customer: customer.id, own: { clock: customer.own.clock } })
}

function refuseSucceeded(world: World, intent: SetupIntentRow): void {
  if (intent.status !== 'succeeded') return
  throw unexpectedSetup(world, intent, 'You cannot update this SetupIntent because it has already succeeded.')
}

/**
 * A method that is another customer's. (As recorded: Kiln-AI/stripe_world
 * tests/conformance/cassettes/10_setup_intents.json.)
 */
function refuseForeign(method: PaymentMethodRow | undefined, customer: string | null, shown: object): void {
  if (method === undefined || method.own.detached || method.customer === null || method.customer === customer)
    return
  throw new StripeError(400, {
    type: 'invalid_request_error',
    message:
      customer === null
        ? `The payment method supplied (${method.id}) belongs to the Customer ${method.customer as string}. Please include the Customer in the \`customer\` parameter on the SetupIntent.`
        : `The PaymentMethod ${method.id} does not belong to the Customer you supplied ${customer}. Please use this PaymentMethod with the Customer that it belongs to instead.`,
    param: 'payment_method',
    ...shown,
  })
}
