import type { BalanceTransactionRow, CustomerRow } from '../rows.ts'
import type { World } from '../world.ts'

export interface BalanceChange {
  readonly type: BalanceTransactionRow['type']
  readonly invoice?: string | null
  readonly creditNote?: string | null
  readonly description?: string | null
  readonly metadata?: Record<string, string>
}

const ACCOUNT_CURRENCY = 'usd'

/** Moves the customer's balance by `amount` (negative is credit) and writes it into the ledger. Nobody's balance is without a currency. */
export function changeBalance(
  world: World,
  customer: string,
  amount: number,
  { type, invoice = null, creditNote = null, description = null, metadata = {} }: BalanceChange,
): { customer: CustomerRow; transaction: BalanceTransactionRow } {
  const before = world.customers.must(customer)
  const currency = before.currency ?? ACCOUNT_CURRENCY
  const after = world.customers.patch(customer, { balance: before.balance + amount, currency })
  const transaction = world.balanceTransactions.insert({
    id: world.ids.next('cbtxn'),
    object: 'customer_balance_transaction',
    amount,
    checkout_session: null,
    created: world.now(before.own.clock),
    credit_note: creditNote,
    currency,
    customer,
    customer_account: null,
    description,
    ending_balance: after.balance,
    invoice,
    livemode: false,
    metadata,
    type,
    own: { clock: before.own.clock },
  })
  world.emit('customer.updated', after)
  return { customer: after, transaction }
}
