import type { BalanceTransactionOf, ChargeRow, DisputeRow, RefundRow } from '../rows.ts'
import { availableOn } from '../rules/available-on.ts'
import { debitFee, processingFee } from '../rules/fees.ts'
import type { World } from '../world.ts'
import { disputeFunds } from './dispute-funds.ts'
import { isByCard } from './refunds.ts'

/**
 * The account's ledger, oldest first. It is not kept but read from what moved the money, so that it agrees with
 * charges, refunds and disputes by itself. https://docs.stripe.com/reports/balance-transaction-types
 */
export function ledger(world: World): BalanceTransactionOf[] {
  return [
    ...world.charges.all().flatMap((charge) => ofCharge(world, charge)),
    ...world.refunds.all().flatMap((refund) => ofRefund(world, refund)),
    ...world.disputes.all().flatMap((dispute) => ofDispute(world, dispute)),
  ].sort((a, b) => a.created - b.created)
}

/** The entry with this id, found by what moved the money. */
export function ledgerEntry(world: World, id: string): BalanceTransactionOf | undefined {
  const entries = [
    ...world.charges.by('balance_transaction', id).flatMap((charge) => ofCharge(world, charge)),
    ...world.refunds.by('balance_transaction', id).flatMap((refund) => ofRefund(world, refund)),
    ...world.refunds.by('failure_balance_transaction', id).flatMap((refund) => ofRefund(world, refund)),
    ...world.disputes.all().flatMap((dispute) => ofDispute(world, dispute)),
  ]
  return entries.find((entry) => entry.id === id)
}

/** A payment, less Stripe's fee. Only a card's is a charge by type: https://docs.stripe.com/reports/reporting-categories */
function ofCharge(world: World, charge: ChargeRow): BalanceTransactionOf[] {
  if (charge.balance_transaction === null) return []
  const fee = isByCard(charge) ? processingFee(charge.amount_captured) : debitFee(charge.amount_captured)
  const from = availableOn(charge.created)
  return [
    {
      ...movement(charge.balance_transaction as string, charge.amount_captured, fee, charge),
      available_on: from,
      description: charge.description,
      reporting_category: 'charge',
      status: from <= world.now(charge.own.clock) ? 'available' : 'pending',
      type: isByCard(charge) ? 'charge' : 'payment',
    },
  ]
}

/**
 * Money given back. The fee of the payment is not: "Stripe's processing fees from the original transaction won't be
 * returned" (https://docs.stripe.com/refunds). It is as pending as the payment is that it goes back of, and named after it.
 * (As recorded: Kiln-AI/stripe_world tests/conformance/cassettes/11_ledger_payouts.json.)
 */
function ofRefund(world: World, refund: RefundRow): BalanceTransactionOf[] {
  const charge = world.charges.must(refund.charge as string)
  const from = Math.max(refund.created, availableOn(charge.created))
  const given = {
    ...movement(refund.balance_transaction as string, -refund.amount, 0, refund),
    available_on: from,
    description: `REFUND FOR CHARGE${charge.description === null ? '' : ` (${charge.description})`}`,
    status: from <= world.now(charge.own.clock) ? 'available' : 'pending',
    reporting_category: 'refund',
    type: isByCard(charge) ? ('refund' as const) : ('payment_refund' as const),
  }
  if (refund.failure_balance_transaction == null) return [given]
  const returned = {
    ...movement(refund.failure_balance_transaction as string, refund.amount, 0, refund),
    description: 'REFUND FAILURE',
    reporting_category: 'refund_failure',
    type: 'refund_failure' as const,
  }
  const failedAt = refund.created + world.settings.refundSeconds
  return [given, { ...returned, available_on: failedAt, created: failedAt }]
}

/** A dispute shows its own movements, fee included. */
function ofDispute(world: World, dispute: DisputeRow): BalanceTransactionOf[] {
  return [...disputeFunds(world, dispute)] as BalanceTransactionOf[]
}

function movement(
  id: string,
  amount: number,
  fee: number,
  source: { readonly id: string; readonly created: number; readonly currency: string },
) {
  return {
    id,
    object: 'balance_transaction' as const,
    amount,
    available_on: source.created,
    balance_type: 'payments' as const,
    created: source.created,
    currency: source.currency,
    exchange_rate: null,
    fee,
    fee_details:
      fee === 0
        ? []
        : [
            {
              amount: fee,
              application: null,
              currency: source.currency,
              description: 'Stripe processing fees',
              type: 'stripe_fee',
            },
          ],
    net: amount - fee,
    source: source.id,
    status: 'available',
  }
}
