import type Stripe from 'stripe'
import { ledger, ledgerEntry } from '../billing/ledger.ts'
import { missing } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, pageOf, paging } from '../http/list.ts'
import { get, nothing } from '../http/route.ts'
import { range, shape, text } from '../http/schema.ts'
import type { BalanceTransactionOf, Json } from '../rows.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { currency } from './currency-param.ts'

const URL = '/v1/balance_transactions'

/** The account's money and what moved it. https://docs.stripe.com/api/balance */
export const accountBalanceRoutes = [
  get('/v1/balance', nothing, ({ world }) => balanceOf(ledger(world))),
  get(`${URL}/:id`, nothing, ({ world, path }) => transactionOf(world, path())),
  get(
    URL,
    shape({ ...paging, created: range, currency, source: text(), type: text(), payout: text() }),
    ({ world, params }) => {
      // Nothing is paid out, so no payout has an id.
      if (params.payout !== undefined) throw missing('payout', params.payout, 'payout')
      const found = ledger(world).filter(
        (row) =>
          inRange(row.created, params.created) &&
          (params.currency === undefined || row.currency === params.currency.toLowerCase()) &&
          (params.source === undefined || isFoundBy(world, row, params.source)) &&
          (params.type === undefined || row.type === params.type),
      )
      return pageOf(found.reverse(), params, {
        noun: 'balance_transaction',
        url: URL,
        render: (row) => ({ ...row }),
      })
    },
  ),
]

export const balanceTransactionExpansions: Expansions = {
  balance_transaction: {
    source: (world, row) => sourceOf(world, row.source as string),
  },
}

/** The entry that an id names: as an expansion null where there is none, in the path 404. */
export function expandTransaction(world: World, id: unknown): Json | null {
  return id === null || id === undefined ? null : transactionOf(world, id as string)
}

function transactionOf(world: World, id: string): Json {
  const found = ledgerEntry(world, id)
  if (found === undefined) throw missing('balance transaction', id)
  return { ...found }
}

/** By the charge or the refund that moved the money. A dispute finds nothing, though it is the source of its entries: as recorded. */
function isFoundBy(world: World, row: BalanceTransactionOf, source: string): boolean {
  return row.source === source && world.disputes.get(source) === undefined
}

function sourceOf(world: World, id: string): Json {
  return world.render(world.charges.get(id) ?? world.refunds.get(id) ?? world.disputes.must(id))
}

/** Nothing is ever paid out: what is available stays. A currency without movements is not shown, but dollars are. */
function balanceOf(rows: readonly BalanceTransactionOf[]): Shown<Stripe.Balance> {
  const currencies = [...new Set(['usd', ...rows.map((row) => row.currency)])].sort()
  const sums = (status: string) =>
    currencies.map((currency) => {
      const amount = rows
        .filter((row) => row.currency === currency && row.status === status)
        .reduce((sum, row) => sum + row.net, 0)
      return { amount, currency, source_types: { card: amount } }
    })
  return {
    object: 'balance',
    available: sums('available'),
    livemode: false,
    pending: sums('pending'),
    refund_and_dispute_prefunding: {
      available: [{ amount: 0, currency: 'usd' }],
      pending: [{ amount: 0, currency: 'usd' }],
    },
  }
}
