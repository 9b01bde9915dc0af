import type Stripe from 'stripe'
import { announceRefund, createRefund } from '../billing/refunds.ts'
import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import { gaps, integer, metadata, oneOf, range, shape, text } from '../http/schema.ts'
import type { ChargeRow, RefundRow } from '../rows.ts'
import { formatMoney } from '../rules/currency.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { expandTransaction } from './account-balance.ts'
import { expanded, expandedCustomer } from './expanded.ts'
import { find } from './lookup.ts'

const URL = '/v1/refunds'

/** https://docs.stripe.com/api/refunds */
export const refundRoutes = [
  post(
    URL,
    shape({
      charge: text(),
      payment_intent: text(),
      amount: integer({ min: 1 }),
      reason: oneOf(['duplicate', 'fraudulent', 'requested_by_customer'] as const),
      metadata,
      ...gaps(
        'currency',
        'customer',
        'instructions_email',
        'origin',
        'refund_application_fee',
        'reverse_transfer',
      ),
    }),
    ({ world, params }) => {
      const charge = chargeOf(world, params.charge, params.payment_intent)
      const left = charge.amount_captured - charge.amount_refunded
      if (left === 0) {
        throw invalid(`Charge ${charge.id} has already been refunded.`, undefined, 'charge_already_refunded')
      }
      const amount = params.amount ?? left
      if (amount > left) {
        const money = (value: number) => formatMoney(String(value), charge.currency)
        throw invalid(
          `Refund amount (${money(amount)}) is greater than unrefunded amount on charge (${money(left)})`,
          'amount',
        )
      }
      return world.render(
        createRefund(world, charge, {
          amount,
          reason: params.reason ?? null,
          metadata: mergeMetadata({}, params.metadata),
        }),
      )
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(find(world.refunds, 'refund', path()))),
  post(`${URL}/:id`, shape({ metadata }), ({ world, params, path }) => {
    const refund = find(world.refunds, 'refund', path())
    const next = world.refunds.patch(refund.id, {
      metadata: mergeMetadata(refund.metadata ?? {}, params.metadata),
    })
    announceRefund(world, next)
    return world.render(next)
  }),
  post(`${URL}/:id/cancel`, nothing, ({ world, path }) => {
    find(world.refunds, 'refund', path())
    // Refunds of cards never wait for anybody's action.
    throw invalid('Canceling this refund is unsupported.')
  }),
  get(
    URL,
    shape({ ...paging, charge: text(), payment_intent: text(), created: range }),
    ({ world, params }) =>
      page(world.refunds, params, {
        noun: 'refund',
        url: URL,
        where: params.charge === undefined ? null : { index: 'charge', key: params.charge },
        matches: (row) =>
          (params.payment_intent === undefined || row.payment_intent === params.payment_intent) &&
          inRange(row.created, params.created),
        render: (row) => world.render(row),
      }),
  ),
]

export const refundExpansions: Expansions = {
  refund: {
    balance_transaction: (world, row) => expandTransaction(world, row.balance_transaction),
    failure_balance_transaction: (world, row) => expandTransaction(world, row.failure_balance_transaction),
    charge: (world, row) => world.render(world.charges.must(row.charge as string)),
    customer: (world, row) => expandedCustomer(world, row.customer),
    payment_method: (world, row) => expanded(world, world.paymentMethods.get(row.payment_method as string)),
    payment_intent: (world, row) => world.render(world.paymentIntents.must(row.payment_intent as string)),
  },
}

function chargeOf(world: World, id: string | undefined, intentId: string | undefined): ChargeRow {
  // Named in the body, and refused as if it stood in the path: as recorded.
  if (id !== undefined) return paid(find(world.charges, 'charge', id))
  if (intentId === undefined) {
    throw invalid(
      'One of the following params should be provided for this request: payment_intent or charge.',
    )
  }
  const intent = find(world.paymentIntents, 'payment_intent', intentId, 'payment_intent')
  const charge = world.charges.get(intent.latest_charge)
  if (charge === undefined) throw nothingToRefund(intentId)
  return paid(charge)
}

function paid(charge: ChargeRow): ChargeRow {
  if (charge.paid && charge.captured) return charge
  const intent = charge.payment_intent as string
  if (!charge.paid) throw nothingToRefund(intent)
  throw invalid(
    `This uncaptured Charge was created by a PaymentIntent (${intent}). You must cancel the PaymentIntent to reverse the authorization instead of refunding the Charge directly. For more information, see https://stripe.com/docs/payments/place-a-hold-on-a-payment-method`,
  )
}

function nothingToRefund(intent: string) {
  return invalid(`This PaymentIntent (${intent}) does not have a successful charge to refund.`)
}

export function renderRefund(_world: World, { own: _own, ...refund }: RefundRow): Shown<Stripe.Refund> {
  return refund
}
