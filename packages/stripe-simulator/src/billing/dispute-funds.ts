import type { DisputeRow } from '../rows.ts'
import { availableOn } from '../rules/available-on.ts'
import type { World } from '../world.ts'

type Movement = DisputeRow['balance_transactions'][number]

/** What a bank asks for a dispute, in the minor unit. */
const FEE = 1500

/** Money that a dispute takes out of the account's balance, and the fee. https://docs.stripe.com/api/disputes/object */
export function withdrawal(world: World, dispute: DisputeRow): Movement {
  const { amount, currency, own } = dispute
  const fee = { amount: FEE, application: null, currency, description: 'Dispute fee', type: 'stripe_fee' }
  return {
    ...movement(world, dispute, -amount),
    available_on: world.now(own.clock),
    description: `Chargeback withdrawal for ${dispute.charge as string}`,
    fee: FEE,
    fee_details: [fee],
    net: -amount - FEE,
    reporting_category: 'dispute',
  }
}

/**
 * What comes back of a dispute that is won: the amount, not the fee, and as late as a payment. (As recorded in
 * 2026-08-26.dahlia: Kiln-AI/stripe_world tests/conformance/cassettes/05_refunds_disputes.json.)
 */
export function reinstatement(world: World, dispute: DisputeRow): Movement {
  const { amount, own } = dispute
  return {
    ...movement(world, dispute, amount),
    available_on: availableOn(world.now(own.clock)),
    description: `Chargeback reversal for ${dispute.charge as string}`,
    reporting_category: 'dispute_reversal',
  }
}

/** What a dispute moved, as it stands now: what came back is pending for its days. */
export function disputeFunds(world: World, { balance_transactions: moved, own }: DisputeRow): Movement[] {
  const now = world.now(own.clock)
  return moved.map((one) => ({ ...one, status: one.available_on <= now ? 'available' : 'pending' }))
}

function movement(
  world: World,
  { id, currency, own }: DisputeRow,
  amount: number,
): Omit<Movement, 'available_on' | 'description' | 'reporting_category'> {
  return {
    id: world.ids.next('txn'),
    object: 'balance_transaction',
    amount,
    balance_type: 'payments',
    created: world.now(own.clock),
    currency,
    exchange_rate: null,
    fee: 0,
    fee_details: [],
    net: amount,
    source: id,
    status: 'available',
    type: 'adjustment',
  }
}
