import type Stripe from 'stripe'
import { checkedCard } from '../billing/charged-card.ts'
import { asCard, isCard } from '../billing/methods.ts'
import { invalid, missing, StripeError } from '../errors.ts'
import { pageOf, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import { gaps, integer, metadata, oneOf, required, shape, text } from '../http/schema.ts'
import type { CustomerRow, PaymentMethodRow } from '../rows.ts'
import { type CardData, expiryFault, fullYear } from '../rules/card-data.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import { adviceOf, declineMessage } from '../rules/test-cards.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { liveCustomer } from './lookup.ts'
import {
  ALLOW_REDISPLAY,
  billingDetails,
  detailsWith,
  faulty,
  findMethod,
  methodFields,
  newMethod,
  refuseDetached,
  useMethod,
} from './make-method.ts'
import { anyMethodType } from './method-type.ts'

const URL = '/v1/payment_methods'

export const paymentMethodRoutes = [
  post(URL, shape({ ...methodFields, ...gaps('customer', 'payment_method') }), ({ world, params }) =>
    world.render(newMethod(world, params, '')),
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(foundMethod(world, path()))),
  post(
    `${URL}/:id`,
    shape({
      metadata,
      billing_details: billingDetails,
      allow_redisplay: oneOf(ALLOW_REDISPLAY),
      card: shape({ exp_month: integer(), exp_year: integer(), ...gaps('networks') }),
    }),
    ({ world, params, path }) => {
      const method = foundMethod(world, path())
      if (method.customer === null) {
        throw invalid('You must save this PaymentMethod to a customer before you can update it.')
      }
      const expiry = checkedExpiry(world, method, params.card)
      const next = world.paymentMethods.patch(method.id, {
        metadata: mergeMetadata(method.metadata ?? {}, params.metadata),
        billing_details: detailsWith(method.billing_details, params.billing_details),
        ...defined({ allow_redisplay: params.allow_redisplay }),
        ...(expiry === undefined ? {} : { card: { ...method.card, ...expiry } }),
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
      type: anyMethodType,
      allow_redisplay: oneOf(ALLOW_REDISPLAY),
    }),
    ({ world, params }) => {
      // Who names nobody is shown none, as recorded in the same place.
      const customer =
        params.customer === undefined ? undefined : liveCustomer(world, params.customer, 'customer')
      const methods = (customer === undefined ? [] : world.paymentMethods.by('customer', customer.id))
        .filter((row) => (params.type ?? row.type) === row.type)
        .filter((row) => (params.allow_redisplay ?? row.allow_redisplay) === row.allow_redisplay)
        .reverse()
      return pageOf(methods, params, { noun: 'PaymentMethod', url: URL, render: (row) => world.render(row) })
    },
  ),
  post(`${URL}/:id/attach`, shape({ customer: required(text()) }), ({ world, params, path }) => {
    const method = useMethod(world, path())
    const customer = liveCustomer(world, params.customer, 'customer')
    return world.render(attachMethod(world, method.id, customer.id))
  }),
  post(`${URL}/:id/detach`, nothing, ({ world, path }) => {
    const method = foundMethod(world, path())
    if (method.customer === null) {
      // As recorded without a parameter: github.com/Kiln-AI/stripe_world, cassette 06 (2026-08-26.dahlia).
      throw invalid(
        'The payment method you provided is not attached to a customer so detachment is impossible.',
      )
    }
    return world.render(detachMethod(world, method))
  }),
]

function foundMethod(world: World, id: string): PaymentMethodRow {
  const method = findMethod(world, id)
  if (method === undefined) throw missing('PaymentMethod', id)
  return method
}

/** Until when the card is good now; undefined when that stays as it is. */
export function checkedExpiry(
  world: World,
  { card: has }: PaymentMethodRow,
  given: { exp_month?: number | undefined; exp_year?: number | undefined } | undefined,
): Pick<CardData, 'exp_month' | 'exp_year'> | undefined {
  if (has === undefined) return undefined
  // Of a card that ran out everything else can still be changed.
  if (given?.exp_month === undefined && given?.exp_year === undefined) return undefined
  const now = world.now(null)
  const { exp_month = has.exp_month, exp_year = has.exp_year } = given
  const fault = expiryFault({ exp_month, exp_year }, now)
  if (fault !== null) throw faulty(fault)
  return { exp_month, exp_year: fullYear(exp_year, now) }
}

/** Attaching checks the card with the bank, so a card that declines cannot be attached. */
export function attachMethod(world: World, id: string, customerId: string): PaymentMethodRow {
  const before = world.paymentMethods.must(id)
  const attached = holdMethod(world, before, world.customers.must(customerId))
  if (attached !== before) world.emit('payment_method.attached', attached)
  return attached
}

/** The same before anybody is told: of a customer who is only being made. */
export function holdMethod(world: World, method: PaymentMethodRow, customer: CustomerRow): PaymentMethodRow {
  refuseDetached(method)
  if (method.customer === customer.id) return method
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
      ...adviceOf(behavior.declineCode),
    })
  }
  return world.paymentMethods.patch(checkedCard(world, method).id, {
    customer: customer.id,
    own: { ...method.own, clock: customer.own.clock },
  })
}

/**
 * Final: a detached method can never be used again. It stops being anybody's default. A card that was kept the older way
 * is deleted with that; of those that are left the one that was added last takes its place.
 * https://docs.stripe.com/api/cards/delete and https://github.com/dj-stripe/dj-stripe/pull/1013
 */
export function detachMethod(world: World, method: PaymentMethodRow): PaymentMethodRow {
  const customer = world.customers.must(method.customer)
  const detached = world.paymentMethods.patch(method.id, {
    customer: null,
    own: { ...method.own, detached: true },
  })
  const { invoice_settings: settings, default_source: source } = customer
  if (settings.default_payment_method === method.id) {
    world.customers.patch(customer.id, { invoice_settings: { ...settings, default_payment_method: null } })
  }
  if (source === method.id) {
    const left = world.paymentMethods.by('customer', customer.id).findLast(isCard)
    world.customers.patch(customer.id, { default_source: left?.id ?? null })
  }
  world.emit('customer.updated', world.customers.must(customer.id))
  for (const subscription of world.subscriptions.by('customer', customer.id)) {
    for (const field of ['default_payment_method', 'default_source'] as const) {
      if (subscription[field] === method.id) world.subscriptions.patch(subscription.id, { [field]: null })
    }
    world.emit('customer.subscription.updated', world.subscriptions.must(subscription.id))
  }
  if (isCard(method)) world.emit('customer.source.deleted', asCard(method))
  world.emit('payment_method.detached', detached)
  return detached
}

export function renderPaymentMethod(
  _world: World,
  { own: _own, ...method }: PaymentMethodRow,
): Shown<Stripe.PaymentMethod> {
  return method
}
