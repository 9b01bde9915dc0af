import { changeBalance } from '../billing/balance.ts'
import { gap, missing } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import { clearable, integer, metadata, range, required, shape, text } from '../http/schema.ts'
import type { BalanceTransactionRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { currency } from './currency-param.ts'
import { expanded, expandedCustomer } from './expanded.ts'
import { find, liveCustomer } from './lookup.ts'

const URL = '/v1/customers'

/** The ledger of a customer's balance: entries never change their amount. https://docs.stripe.com/billing/customer/balance */
export const balanceTransactionRoutes = [
  post(
    `${URL}/:id/balance_transactions`,
    shape({
      amount: required(integer()),
      currency: required(currency),
      description: text(350),
      metadata,
    }),
    ({ world, params, path }) => {
      const customer = liveCustomer(world, path())
      const currency = params.currency.toLowerCase()
      if (customer.currency != null && customer.currency !== currency) {
        throw gap(`a balance in a second currency beside ${customer.currency}`, 'currency')
      }
      world.customers.patch(customer.id, { currency })
      const { transaction } = changeBalance(world, customer.id, params.amount, {
        type: 'adjustment',
        description: params.description ?? null,
        metadata: mergeMetadata({}, params.metadata),
      })
      return world.render(transaction)
    },
  ),
  get(
    `${URL}/:id/balance_transactions`,
    shape({ ...paging, created: range, invoice: text() }),
    ({ world, params, path }) => {
      const customer = liveCustomer(world, path())
      return page(world.balanceTransactions, params, {
        noun: 'customer balance transaction',
        url: `${URL}/${customer.id}/balance_transactions`,
        where: { index: 'customer', key: customer.id },
        matches: (row) =>
          inRange(row.created, params.created) &&
          (params.invoice === undefined || row.invoice === params.invoice),
        render: (row) => world.render(row),
      })
    },
  ),
  get(`${URL}/:id/balance_transactions/:transaction`, nothing, ({ world, path }) =>
    world.render(entryOf(world, path(), path('transaction'))),
  ),
  post(
    `${URL}/:id/balance_transactions/:transaction`,
    shape({ description: clearable(text(350)), metadata }),
    ({ world, params, path }) => {
      const entry = entryOf(world, path(), path('transaction'))
      return world.render(
        world.balanceTransactions.patch(entry.id, {
          ...(params.description === undefined ? {} : { description: params.description }),
          metadata: mergeMetadata(entry.metadata ?? {}, params.metadata),
        }),
      )
    },
  ),
]

export const customerTransactionExpansions: Expansions = {
  customer_balance_transaction: {
    checkout_session: (world, row) => expanded(world, world.checkouts.get(row.checkout_session as string)),
    credit_note: (world, row) => expanded(world, world.creditNotes.get(row.credit_note as string)),
    customer: (world, row) => expandedCustomer(world, row.customer),
    invoice: (world, row) => expanded(world, world.invoices.get(row.invoice as string)),
  },
}

function entryOf(world: World, customer: string, id: string): BalanceTransactionRow {
  const entry = find(world.balanceTransactions, 'customer balance transaction', id)
  if (entry.customer !== customer) throw missing('customer balance transaction', id)
  return entry
}
