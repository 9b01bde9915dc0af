import type { DisputeRow } from '../rows.ts'
import type { World } from '../world.ts'

type Movement = DisputeRow['balance_transactions'][number]

/** What a bank asks for a dispute, in the minor unit. It comes back when the dispute is won. */
const FEE = 1500

/** Money that a dispute takes out of the account's balance, or brings back. https://docs.stripe.com/api/disputes/object */
export function movement(
  world: World,
  { id, amount, charge, currency, own }: DisputeRow,
  direction: 'withdrawn' | 'reinstated',
): Movement {
  const sign = direction === 'withdrawn' ? -1 : 1
  const now = world.now(own.clock)
  const what = direction === 'withdrawn' ? 'Chargeback withdrawal' : 'Chargeback reversal'
  return {
    id: world.ids.next('txn'),
    object: 'balance_transaction',
    amount: sign * amount,
    available_on: now,
    balance_type: 'payments',
    created: now,
    currency,
    description: `${what} for ${charge as string}`,
    exchange_rate: null,
    fee: -sign * FEE,
    fee_details: [
      { amount: -sign * FEE, application: null, currency, description: 'Dispute fee', type: 'stripe_fee' },
    ],
    net: sign * (amount + FEE),
    reporting_category: direction === 'withdrawn' ? 'dispute' : 'dispute_reversal',
    source: id,
    status: 'available',
    type: 'adjustment',
  }
}
